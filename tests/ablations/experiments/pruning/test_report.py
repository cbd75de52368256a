"""What a report says of pruned networks: rankings at each ratio, and curves of error against cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_networks import PRUNED, Home, changed

from ablations.analysis.report.sections import extras_of
from ablations.experiments.pruning.curves import curves_info
from ablations.experiments.pruning.sections import TITLE
from ablations.running.sweep.reproduce import reproduce


def test_the_curves_are_means_over_seeds_at_what_the_networks_cost(pruned: Home) -> None:
    results = pruned.results("pruned")
    info = curves_info(results)
    assert [panel.head for panel in info.panels] == ["parameters (k)", "multiply-adds (k)", "latency (ms)"]
    trials = results.trials
    for panel, cost, unit in zip(
        info.panels, ("parameters", "multiply_adds", "latency_ms"), (1e3, 1e3, 1), strict=True
    ):
        assert [line.ranking for line in panel.lines] == ["random", "gate"]
        for line in panel.lines:
            own = (
                trials[trials["axis.ranking"] == line.ranking]
                .groupby("axis.ratio")[[cost, "top1_error"]]
                .mean()
            )
            expected = sorted(zip(own[cost] / unit, own["top1_error"], strict=True))
            assert [(p.cost, p.error.mean) for p in line.points] == [pytest.approx(pair) for pair in expected]
        assert panel.full is not None
        assert panel.full.error.mean == pytest.approx(
            trials.drop_duplicates("seed")["full_top1_error"].mean()
        )
        assert panel.full.cost == pytest.approx(trials[f"full_{cost}"].mean() / unit)


def test_rankings_are_compared_at_each_ratio(pruned: Home) -> None:
    results = pruned.results("pruned")
    [section] = [extra for extra in extras_of(results, ()) if extra.title == TITLE]
    [table] = section.tables
    labels = {tuple(row.told.values()): row.label for row in results.design.rows}
    found = {(row.cells[0].text(), row.cells[1].text()) for row in table.rows}
    assert found == {(labels["gate", ratio], labels["random", ratio]) for ratio in ("0.25", "0.5")}
    assert [plot.key for plot in section.plots] == ["pruning"]


def test_a_study_without_results_has_no_such_section(trained: Home, tmp_path: Path) -> None:
    home = trained.copied(tmp_path / "home")
    home.write("pruned", changed(PRUNED))
    results = home.results("pruned")
    assert curves_info(results).panels == ()
    assert TITLE not in [extra.title for extra in extras_of(results, ()) if extra.plots]


@pytest.mark.slow
def test_a_trial_ends_in_the_same_bits_again(pruned: Home) -> None:
    line = next(iter(pruned.paths("pruned").open_record().finished.values()))
    found = reproduce(
        line,
        data_dir=pruned.folder / "data",
        results_dir=pruned.folder / "results",
        folder=str(pruned.folder),
    )
    assert found.identical, found
