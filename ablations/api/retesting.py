"""Tests of a study's trained networks after the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.api.results import load_results
from ablations.planning.networks.views import ONE_CROP, Views
from senet_core.errors import UserError
from senet_core.given import list_of

if TYPE_CHECKING:
    from ablations.analysis.tested.summary import Tried
    from ablations.api.studies import AnyStudy


def retest(
    study: AnyStudy,
    views: Views = ONE_CROP,
    *,
    ensembles: Sequence[str] = (),
    images: tuple[str, str | Path] | None = None,
    rows: Sequence[str] = (),
    results_dir: str | Path = "results",
    data_dir: str | Path = "data",
    say: Callable[[str], object] = lambda text: None,
) -> tuple[Tried, ...]:
    """Test a study's trained networks again: on several crops, as ensembles, or on a second test set.

    Nothing is trained or chosen. What is recorded already, in results/STUDY/tests, is not tested again; each network is
    recorded when it has been tested. Reports of the study show all of its tests.

    Args:
        study: see `load_results`; it said `keep_weights: true` when its trials were trained. It may be unfinished.
        views: what networks see of each image.
        ensembles: "seeds" for all networks of a row together, "rows" for those of all rows with one seed.
        images: a second test set, by name and place: ("cifar10-c", folder); the data's own test images if None.
        rows: labels of those that are tested; all if not given.
        results_dir: holds a folder for each study.
        data_dir: holds the prepared data sets.
        say: is told what is done next.

    Returns:
        All tests that are recorded of the study, those of earlier calls, too.

    Raises:
        StudyError: the study is wrong.
        RecordError: no weights are kept, or a file of them is damaged.
        DataError: the images are missing, or not those of the record.
        UserError: there is no such row or ensemble.
    """
    from ablations.analysis.tested.of_study import AskedTests, run_tests
    from ablations.analysis.tested.summary import tried_of

    if not isinstance(views, Views):
        raise UserError(f"`views` are `ab.Views(...)`, got {views!r}")
    together = tuple(str(name) for name in list_of("`ensembles`", ensembles))
    labels = tuple(str(label) for label in list_of("`rows`", rows))
    results = load_results(study, results_dir=results_dir)
    name, path = (None, None) if images is None else (images[0], Path(images[1]))
    asked = AskedTests(views, together, name, path, labels)
    run_tests(results, asked, data_dir=Path(data_dir), say=say)
    results = load_results(study, results_dir=results_dir)
    return tuple(one for part in results.tasks for one in tried_of(part))
