"""The cost of a sweep is that of its trials, in the order in which its workers take them."""

from __future__ import annotations

from dataclasses import replace

from ablations.planning.design import design
from ablations.planning.study_file import load_study
from ablations.running.cost.sweep_cost import makespan, rows_of_trials, settings_key, sweep_cost
from ablations.running.record.forecasts import RowForecast, SweepCost
from tests.ablations.running.small import small_trial

ROW = RowForecast("SE", "a" * 16, 10.0, 8.0, 12.0, 1.0, "calibration")


def test_trials_go_to_whoever_is_free() -> None:
    assert makespan([3, 1, 1, 1, 4], 2) == 7
    assert makespan([3, 1], 5) == 3
    assert makespan([], 2) == 0


def test_costs_add_up() -> None:
    assert sweep_cost([ROW] * 3, 2, 4.0) == SweepCost(3, 30.0, 4 + 22.0, 4 + 18.0, 4 + 26.0)
    assert sweep_cost([], 2, 4.0) == SweepCost(0, 0.0, 0.0, 0.0, 0.0)


def test_settings_are_a_trial_without_its_seed() -> None:
    one = settings_key(small_trial(seed=0).to_json())
    assert one == settings_key(small_trial(seed=1).to_json())
    assert one != settings_key(small_trial(epochs=3).to_json())
    assert len(one) == 16


def test_trials_come_seed_by_seed_without_those_that_are_finished() -> None:
    plan = design(load_study("smoke", seeds=2))
    labels = [row.label for row in plan.rows]
    rows = {label: replace(ROW, label=label) for label in labels[1:]}
    finished = frozenset({plan.rows[1].trial(1).key})
    found = [row.label for row in rows_of_trials(plan, rows, 3, finished)]
    assert found == [*labels[1:], *labels[2:], *labels[1:]]  # the third seed is not the study's
