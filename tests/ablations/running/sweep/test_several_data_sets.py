"""A study on several data sets: prepared one by one, trained on each, and each held to its own digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import DATA, RECIPE, small_study
from sweeping import Sweeps

from ablations.api.planners import planner_of
from ablations.errors import RecordError, StudyError
from ablations.planning.design import Design
from ablations.running.record.image_labels import labels_file
from ablations.running.training.order import longest_first
from ablations.running.trials.inputs import Inputs
from ablations.running.trials.runner import runner_of


@pytest.fixture
def plan(tmp_path: Path) -> Design:
    """Digits, and three classes of colour images of 16 pixels."""
    noise = np.random.default_rng(0)
    for part, images in (("train", 12), ("test", 4)):
        for name in "abc":
            folder = tmp_path / "pics" / part / name
            folder.mkdir(parents=True)
            for number in range(images):
                Image.fromarray(noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(
                    folder / f"{number}.png"
                )
    folder = {"name": "image-folder", "path": str(tmp_path / "pics"), "size": 16}
    return small_study(axes={"data": [folder]}, seeds=1)


def inputs_of(plan: Design, sweeps: Sweeps) -> Inputs:
    return runner_of(plan.study).prepare(plan, sweeps.data_dir, lambda text: None)


def test_each_trial_is_trained_on_its_own_data(plan: Design, sweeps: Sweeps) -> None:
    inputs = inputs_of(plan, sweeps)
    assert len(inputs.digests) == 2
    record = sweeps.sweep(plan, inputs=inputs).record
    lines = [record.finished[trial.key] for trial in plan.trials]
    assert [inputs.digest(runner_of(plan.study).data_of(line.trial)) for line in lines] == [
        line.data_digest for line in lines
    ]
    assert [row.task for row in plan.rows] == ["digits", "digits", "pics", "pics"]
    assert [record.outcomes(line.key).shape for line in lines] == [(40,), (40,), (12,), (12,)]
    folder = sweeps.paths(plan).results
    assert set((folder / "outcomes").glob("*.labels")) == {
        labels_file(folder, line.data_digest, images)
        for line, images in zip(lines, (40, 40, 12, 12), strict=True)
    }
    assert record.labels(lines[0].key).classes == tuple("0123456789")
    assert record.labels(lines[2].key).classes == ("a", "b", "c")


def test_the_trials_of_one_data_set_are_not_trained_again_when_another_joins(
    plan: Design, sweeps: Sweeps
) -> None:
    alone = small_study(axes={}, seeds=1)
    sweeps.sweep(alone)
    sweeps.trained.clear()
    sweeps.sweep(plan, inputs=inputs_of(plan, sweeps))
    assert sorted(sweeps.trained) == sorted(
        trial.key for trial in plan.trials if trial.data.name == "image-folder"
    )


def test_other_data_of_one_of_them_are_refused(plan: Design, sweeps: Sweeps) -> None:
    inputs = inputs_of(plan, sweeps)
    sweeps.sweep(plan, inputs=inputs)
    [name] = inputs.data.keys() - {"digits"}
    changed = Inputs({**inputs.data, name: replace(inputs.data[name], digest="e" * 64)})
    with pytest.raises(
        RecordError, match=f"recorded with other data .digest {inputs.digest(name)[:12]}, now eeee"
    ):
        sweeps.sweep(plan, inputs=changed)
    without = Inputs({"digits": inputs.data["digits"]})
    sweeps.sweep(
        plan.only(["SE r=8 on digits"]), inputs=without
    )  # nothing is known of the others, or asked of them


def test_networks_are_built_for_the_data_of_their_row(plan: Design, sweeps: Sweeps) -> None:
    inputs_of(plan, sweeps)
    planner = planner_of(plan, sweeps.data_dir)
    planner.check()
    digits, _, pics, _ = planner.rows(frozenset())
    # 1 and 3 channels at the first convolution of 16 filters, 10 and 3 classes at the end of 64 channels
    assert digits.parameters - pics.parameters == 7 * 65 - 2 * 16 * 9
    assert pics.multiply_adds > 3 * digits.multiply_adds
    assert planner.problems == {}
    order = longest_first(plan.trials, lambda trial: plan.by_key[trial.key][0], workers=2)
    assert {trial.data.name for trial in order[:2]} == {"image-folder"}  # 36 larger images against 80


def test_a_batch_is_held_against_the_images_of_its_own_data(plan: Design, sweeps: Sweeps) -> None:
    larger = {"recipe": {**RECIPE.model_dump(), "batch_size": 64}, "axes": plan.study.axes, "seeds": 1}
    with pytest.raises(
        StudyError, match="row 'SE r=8 on pics': batch_size is 64, and there are 36 training images"
    ):
        inputs_of(small_study(**larger), sweeps)


def test_two_parts_of_one_data_set_are_one_file_with_the_labels_of_both(sweeps: Sweeps) -> None:
    plan = small_study(axes={"data": [{**DATA.model_dump(), "test_images": 30}]}, seeds=1)
    inputs = inputs_of(plan, sweeps)
    assert {name: [len(labels.labels) for labels in data.labels] for name, data in inputs.data.items()} == {
        "digits": [40, 30]
    }
    record = sweeps.sweep(plan, inputs=inputs).record
    assert [record.outcomes(trial.key).shape for trial in plan.trials] == [(40,), (40,), (30,), (30,)]
