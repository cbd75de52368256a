"""Studies of pruning: what is refused, in one line and before anything is trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from small_networks import PRUNED, TRAINED, Home, changed

from ablations.errors import RecordError, StudyError
from ablations.experiments.pruning.costs import PrunedCosts
from ablations.planning.design import design
from ablations.planning.networks.row import network_row
from ablations.planning.study_file import load_study
from senet_core.errors import UserError


def home_with(folder: Path, *, trained: dict[str, Any] | None = None, **changes: Any) -> Home:
    home = Home(folder)
    home.write("trained", changed(TRAINED, **(trained or {})))
    home.write("pruned", changed(PRUNED, **changes))
    return home


def check(home: Home) -> None:
    design = home.design("pruned")
    design.study.experiment.check(design)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"baseline__ranking": "gates"}, "unknown ranking 'gates'; did you mean 'gate'?"),
        ({"axes__ratio": [0, 0.5]}, "above 0 and below 1, got 0"),
        ({"axes__ratio": [0.5, 1]}, "above 0 and below 1, got 1"),
        ({"axes__ratio": [0.5, 0.001]}, "ratio 0.001 removes nothing: no layer has more than 64 channels"),
        ({"axes__ratio": [0.5, 0.501]}, "remove the same channels: their ratios round alike"),
        ({"baseline__ratio": None, "axes__ratio": None}, "baseline.ratio is missing"),
        ({"experiment__study": "trained"}, "experiment.study 'trained': unknown study 'trained'"),
        ({"experiment__study": "pruned.yaml"}, "experiment.study 'pruned.yaml': it trains no networks"),
        ({"experiment__study": "block-search"}, "chooses its rows, which are not known before it has run"),
        ({"experiment__row": "SE_3x3"}, "unknown row 'SE_3x3'; did you mean 'SE_3x3 r=4'?"),
        ({"experiment__row": "plain"}, "ranking 'gate' needs SE blocks, and the networks are plain"),
        ({"experiment__recipe": {"dropout": 0.1}}, "unknown field of experiment.recipe 'dropout'"),
        ({"experiment__recipe": {"epochs": 0}}, "experiment.recipe.epochs must be above 0, got 0"),
        ({"experiment__gate_images": 0}, "experiment.gate_images must be a whole number from 1, got 0"),
        ({"seeds": 3}, "with the seeds 0, 1, and this asks for 2, too"),
        ({"trained": {"keep_weights": False}}, "keeps none of them: it needs `keep_weights: true`"),
    ],
)
def test_what_cannot_be_pruned_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        check(home_with(tmp_path / "home", **changes))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(StudyError, match=r"torch-pruning, which is not installed: pip install"):
        check(home_with(tmp_path / "home"))


def test_a_network_that_is_not_there_is_named_with_the_command(trained: Home, tmp_path: Path) -> None:
    with pytest.raises(
        RecordError, match=r"with seed 0, .*it has not been trained; `ablate run .*trained.yaml` does it"
    ):
        home_with(tmp_path / "new").run("pruned")
    home = trained.copied(tmp_path / "without")
    for path in home.folder.glob("results/trained/weights/*"):
        path.unlink()
    with pytest.raises(
        RecordError, match=r"its weights are not there; `ablate reproduce .*trained.yaml \w+ --keep-weights`"
    ):
        home.run("pruned")
    assert home.paths("pruned").open_record().trials.lines == []


def test_the_same_fields_are_the_same_experiment(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    experiment = home.design("pruned").study.experiment
    assert experiment == home.design("pruned").study.experiment
    home.write("pruned", changed(PRUNED, experiment__gate_images=101))
    assert experiment != home.design("pruned").study.experiment


def test_a_block_that_says_no_gate_for_each_channel_has_no_ranking_by_gates() -> None:
    study = load_study("gates", overrides=["baseline.variant={reduction: 4, block: coordinate}", "axes={}"])
    row = network_row(design(study).baseline)
    with pytest.raises(
        UserError, match="ranking 'gate' needs a gate for each channel, which block 'coordinate'"
    ):
        PrunedCosts(row).of("gate", 0.5)
