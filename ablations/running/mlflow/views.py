"""Views of an experiment that MLflow's page offers under "Views": the axes and the figures as columns.

By default the page shows no parameter at all. A view is a tag of the experiment, in the form that the page's
own button writes ("Save as new view", MLflow 3.17); an MLflow that does not know it leaves it alone.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterable, Sequence

from ablations.planning.factors.trial import FactorTrial
from ablations.planning.trial import Trial
from ablations.running.mlflow.values import LEVEL, PLAN

TRIAL_METRICS = ("top1_error", "top5_error", "test_loss", "parameters", "multiply_adds", "train_seconds")
SUMMARY_METRICS = ("mean", "ci_lo", "ci_hi", "delta", "p_corrected", "parameters")
PROPOSAL_METRICS = ("validation_error", "parameters", "multiply_adds", "latency_ms", "train_seconds")
TAG = "mlflow.sharedViewState."


def view_of(trial: Trial, axes: Sequence[str]) -> tuple[str, str]:
    """Return the tag of the view of all trials that are what this one is: of a choice, or not."""
    if not isinstance(trial, FactorTrial):
        return (proposal_view if trial.proposed else trial_view)(axes)
    level, name = ("proposal", "Proposals") if trial.proposed else ("trial", "Trials")
    metrics = (*(trial.judged_by or trial.metrics), "train_seconds")
    # the factors that a choice draws are no axes
    columns = list(trial.values) if trial.proposed else [*axes, "seed"]
    return _view(level, name, columns, metrics, order="attributes.start_time", tags=(PLAN,))


def trial_view(axes: Sequence[str]) -> tuple[str, str]:
    """Return the tag of the view of all trials: one column for each axis, the seed and the results."""
    return _view(
        "trial", "Trials", [*axes, "seed"], TRIAL_METRICS, order="attributes.start_time", tags=(PLAN,)
    )


def proposal_view(axes: Sequence[str]) -> tuple[str, str]:
    """Return the tag of the view of the trials of a choice, the lowest validation error first."""
    columns = [*axes, "recipe.lr", "recipe.weight_decay"]
    return _view(
        "proposal", "Proposals", columns, PROPOSAL_METRICS, order="metrics.`validation_error`", tags=(PLAN,)
    )


def summary_view(axes: Sequence[str]) -> tuple[str, str]:
    """Return the tag of the view of the rows' summaries, best mean first."""
    return _view(
        "summary", "Summaries", axes, SUMMARY_METRICS, order="metrics.`mean`", tags=("verdict", PLAN)
    )


def page_of(experiment_id: str) -> str:
    """Return the part of the page's address, after host and port, that shows the view of the summaries."""
    query = f"workflowType=machine_learning&viewStateShareKey={_key('summary')}"
    return f"/#/experiments/{experiment_id}/runs?{query}"


def _view(
    level: str,
    name: str,
    parameters: Iterable[str],
    metrics: Iterable[str],
    order: str,
    tags: Iterable[str] = (),
) -> tuple[str, str]:
    columns = [f"params.`{parameter}`" for parameter in parameters]
    columns += [f"metrics.`{metric}`" for metric in metrics]
    columns += [f"tags.`{tag}`" for tag in tags]
    state = {
        "searchFilter": f"tags.`{LEVEL}` = '{level}'",
        "orderByKey": order,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "SHOWALL",
        "groupBy": None,
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    now = int(time.time() * 1000)
    content = {"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    return f"{TAG}{_key(level)}", json.dumps(content)


def _key(level: str) -> str:
    return f"senet{level}"
