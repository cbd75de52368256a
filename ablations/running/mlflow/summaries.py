"""Summary runs: one for each row of a study, with its mean, interval and difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ablations.running.mlflow.runs import Runs
from ablations.running.mlflow.values import LEVEL, finite_metrics
from ablations.running.mlflow.views import summary_view

if TYPE_CHECKING:
    from mlflow.entities import Run

ROW = "senet.cell"  # tag: the row of the study that a summary run tells of
VERDICT = "verdict"  # tag, for it may change where a parameter may not


def write_summaries(runs: Runs, summaries: Sequence[object]) -> None:
    """Write one run for each row of the study, in place of those of an earlier sweep.

    Args:
        runs: of the study's experiment.
        summaries: values or mappings with `label`, `values` (axis to text) and `metrics` (name to
            number), and `verdict` where there is one; numbers that are not finite are left out.
    """
    old: dict[str, Run] = {}
    for run in runs.on_level("summary"):
        if old.setdefault(run.data.tags.get(ROW, ""), run) is not run:
            runs.delete(run.info.run_id)  # one too many
    axes: list[str] = []
    for summary in summaries:
        label, values, metrics = (_part(summary, name) for name in ("label", "values", "metrics"))
        axes += dict(values)
        told = {VERDICT: _verdict(summary)}
        _write(runs, old.pop(label, None), label, dict(values), finite_metrics(dict(metrics)), told)
    for run in old.values():
        runs.delete(run.info.run_id)
    runs.save_view(summary_view(list(dict.fromkeys(axes))))


def _write(
    runs: Runs,
    run: Run | None,
    label: str,
    values: dict[str, str],
    metrics: dict[str, float],
    told: dict[str, str],
) -> None:
    if run is not None and not (run.data.params == values and set(run.data.metrics) <= set(metrics)):
        runs.delete(run.info.run_id)  # a parameter cannot be changed, nor a metric taken away
        run = None
    tags = {LEVEL: "summary", ROW: label}
    run_id = run.info.run_id if run is not None else runs.create(label, tags, values)
    runs.write_metrics(run_id, [(0, metrics)])
    runs.close(run_id, "FINISHED", told)


def _verdict(summary: object) -> str:
    found = summary.get(VERDICT) if isinstance(summary, Mapping) else getattr(summary, VERDICT, None)
    return str(found or "")


def _part(summary: object, name: str) -> Any:
    return summary[name] if isinstance(summary, Mapping) else getattr(summary, name)
