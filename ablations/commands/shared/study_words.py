"""How a study's rows are trained and on which images, in words, before hours are spent on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablations.planning.networks.data_spec import DataSpec
    from ablations.planning.networks.study import NetworkStudy
    from ablations.planning.study import Study


def study_words(study: Study, data_dir: Path) -> Iterator[tuple[str, str]]:
    """Return the lines of a plan that say what every row has in common: a word, and a sentence."""
    from ablations.planning.networks.study import NetworkStudy as OfNetworks

    if not isinstance(study, OfNetworks):
        yield "experiment", study.experiment.words
        if study.chooses is not None:
            yield "choice", _choice_words(study)
        return
    yield "recipe", _recipe_words(study)
    for place, data in enumerate(study.data_sets.values()):
        yield "" if place else "data", _data_words(data, data_dir)
    if study.held_back:
        yield "", f"choices are made on {study.held_back:,} training images that are held back"


def _choice_words(study: Study) -> str:
    """Return what is chosen, from what and by what; of tuned rows as of the baseline."""
    from ablations.planning.choices.arms import arms_of
    from ablations.planning.design import design

    arm = arms_of(design(study))[0]
    spans = (f"{d.name} {d}{', whole numbers' if d.whole else ''}" for d in arm.space.dimensions)
    judged = (
        f"{each.metric.name}, {'lower' if each.metric.lower_is_better else 'higher'} is better"
        for each in arm.objectives
    )
    return (
        f"{'; '.join(spans)}; judged by {'; '.join(judged)}; {study.metric.name} of proposals is not recorded"
    )


def _recipe_words(study: NetworkStudy) -> str:
    from ablations.analysis.networks.recipes import recipe_text
    from ablations.planning.networks.recipes.named import RECIPES

    name = next((f"{name}: " for name, known in RECIPES.items() if known == study.recipe), "")
    varied = [axis.removeprefix("recipe.") for axis in study.axes if axis.startswith("recipe.")]
    chosen = [] if study.tune is None else list(study.tune.ranges)
    said = f"{name}{recipe_text(study.trained_recipe)}"
    said += f"; varied: {', '.join(varied)}" if varied else ""
    return said + (f"; chosen for each row: {', '.join(chosen)}" if chosen else "")


def _data_words(spec: DataSpec, data_dir: Path) -> str:
    from ablations.planning.networks.datasets import dataset
    from ablations.running.data import prepared_path
    from ablations.running.data.keeping_up import source_words
    from ablations.running.data.prepared import load

    known, path = dataset(spec.name), prepared_path(spec, data_dir)
    if path.is_file():
        found = load(path)
        (channels, height, width), classes = found.image_shape, found.num_classes
        train, test = len(found.train_labels), len(found.test_labels)
        note = f" ({found.note})" if found.note else ""
        origin = f"{path}, digest {found.digest[:12]}, from {found.source}{note}{source_words(found)}"
    elif known.size is not None:
        channels, height, width = known.channels, known.size, known.size
        classes, train, test = known.classes or 0, known.train_images or 0, known.test_images or 0
        origin = f"not prepared yet: {known.source.replace('NAME', known.name)}"
    else:
        return (
            f"{spec}; not prepared yet: it is counted when `ablate data prepare` or `ablate run` has read it"
        )
    used = spec.train_images or train - (spec.validation_images or 0)
    drawn = ", drawn anew by each seed" if spec.resample == "train" else ""
    judged = (
        f"{spec.test_images or test:,} test images"
        if spec.validation_images is None
        else f"judged on {spec.validation_images:,} training images that are held back"
    )
    whole = f" (of {train:,} and {test:,})" if (spec.train_images or spec.test_images) else ""
    return (
        f"{spec.name}: {used:,} training images{drawn}, {judged}{whole}, {height}x{width}x{channels},"
        f" {classes} classes; {origin}"
    )
