"""Trials of pruning: sizes by hand, the networks that were trained, the same bits twice and after a stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_networks import Home

from ablations.planning.experiment import experiment_kind
from ablations.running.record.study_record import StudyRecord
from ablations.running.training.checkpoint import Supervisor
from ablations.running.trials.stopping import Stopped


def measured(record: StudyRecord) -> dict[str, dict[str, float]]:
    """Return what trials measured, by key, without times."""
    timed = {*experiment_kind("pruning").timed, "train_seconds"}
    found = {}
    for key, line in record.finished.items():
        assert line.result is not None
        found[key] = {name: value for name, value in line.result.values.items() if name not in timed}
    return found


def parameters(share: float) -> int:
    """Return the parameters of the trained network without a share of the channels inside of its units."""
    made = 9 * 16 + 2 * 16
    for into, inside, out, width in ((16, 16, 16, 4), (16, 32, 32, 8), (32, 64, 64, 16)):
        left = round(inside * (1 - share))
        made += 9 * into * left + 2 * left  # first convolution and batch norm
        made += 2 * left * width  # the gate: its bottleneck stays as wide
        made += 9 * left * out + 2 * out
    return made + 64 * 10 + 10


def test_a_study_says_what_its_networks_cost_and_how_they_were_before(pruned: Home) -> None:
    trials = pruned.results("pruned").trials
    assert list(trials["status"].unique()) == ["finished"]
    for share in (0.25, 0.5):
        rows = trials[trials["axis.ratio"] == str(share)]
        assert set(rows["parameters"]) == {parameters(share)}
        assert rows["multiply_adds"].nunique() == 1
    assert set(trials["full_parameters"]) == {parameters(0)}
    before = pruned.results("trained").trials.set_index(["row", "seed"])["top1_error"]
    for _, trial in trials.iterrows():
        assert trial["full_top1_error"] == before["SE_3x3 r=4", trial["seed"]]
        assert min(trial["latency_ms"], trial["full_latency_ms"]) > 0


def test_plan_and_trials_agree_on_costs(pruned: Home) -> None:
    design = pruned.design("pruned")
    trials = pruned.results("pruned").trials
    for row in design.rows:
        facts = design.study.experiment.describe(row)
        own = trials[trials["row"] == row.label]
        assert {name: {value} for name, value in facts.items()} == {name: set(own[name]) for name in facts}


@pytest.mark.slow
def test_trials_that_are_stopped_end_in_the_same_bits_as_those_that_are_not(
    pruned: Home, trained: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = trained.copied(tmp_path / "again")
    after_step, stopped = Supervisor.after_step, []

    def stopping(self: Supervisor, step: int, state: Callable[[], Any], **said: bool) -> None:
        if step == 2 and len(stopped) < 2:
            stopped.append(step)
            assert self.checkpoints is not None
            self.checkpoints.save(step, state())
            raise Stopped
        after_step(self, step, state, **said)

    monkeypatch.setattr(Supervisor, "after_step", stopping)
    home.run("pruned")
    home.run("pruned")
    assert len(stopped) == 2
    assert measured(home.paths("pruned").open_record()) == measured(pruned.paths("pruned").open_record())
