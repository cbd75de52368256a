"""Summary runs: one for each row of a study, with its mean, interval and difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablations.running.mlflow.runs import Runs
from ablations.running.mlflow.values import LEVEL, PLAN, finite_metrics
from ablations.running.mlflow.views import summary_view

if TYPE_CHECKING:
    from mlflow.entities import Run

ROW = "senet.cell"  # tag: the row of the study that a summary run tells of
VERDICT = "verdict"  # tag, for it may change where a parameter may not


@dataclass(frozen=True)
class RowSummary:
    """The result of one row of a study.

    Attributes:
        label: the row's label.
        values: every axis of the study with this row's value.
        metrics: what is known of `mean`, `sd`, `n`, `ci_lo`, `ci_hi` (top-1 error, per cent), `delta`, `delta_lo`,
            `delta_hi` (paired difference to the baseline, points), `p`, `p_corrected`, `p_tost`, `p_tost_corrected`,
            `margin` (points), `effect` (standardised), `p_better`, `more_seeds`, `top5_mean`, `parameters`,
            `multiply_adds`. What is not known is left out, or None.
        verdict: "better", "worse", "equivalent", "undetermined" or "no claim"; "baseline" for the baseline.
    """

    label: str
    values: Mapping[str, str]
    metrics: Mapping[str, float | None]
    verdict: str = ""


def write_summaries(runs: Runs, summaries: Sequence[RowSummary], plan: str) -> None:
    """Write one run for each row of the study, in place of those of an earlier sweep.

    Args:
        runs: of the study's experiment.
        summaries: of its rows; numbers that are not finite are left out.
        plan: which plan of the study they are of.
    """
    old: dict[str, Run] = {}
    for run in runs.on_level("summary"):
        if old.setdefault(run.data.tags.get(ROW, ""), run) is not run:
            runs.delete(run.info.run_id)  # one too many
    axes: list[str] = []
    for summary in summaries:
        axes += summary.values
        _write(runs, old.pop(summary.label, None), summary, plan)
    for run in old.values():
        runs.delete(run.info.run_id)
    runs.save_view(summary_view(list(dict.fromkeys(axes))))


def _write(runs: Runs, run: Run | None, summary: RowSummary, plan: str) -> None:
    values, metrics = dict(summary.values), finite_metrics(summary.metrics)
    if run is not None and not (run.data.params == values and set(run.data.metrics) <= set(metrics)):
        runs.delete(run.info.run_id)  # a parameter cannot be changed, nor a metric taken away
        run = None
    tags = {LEVEL: "summary", ROW: summary.label}
    run_id = run.info.run_id if run is not None else runs.create(summary.label, tags, values)
    runs.write_metrics(run_id, [(0, metrics)])
    runs.close(run_id, "FINISHED", {VERDICT: summary.verdict, PLAN: plan})
