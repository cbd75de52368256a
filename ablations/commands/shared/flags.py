"""From the arguments that the library's sentences name to the flags of the command line."""

from __future__ import annotations

import re

FLAGS = {
    "at": "--at",
    "columns.seed": "--seed-column",
    "columns.task": "--task-column",
    "columns.value": "--value-column",
    "columns.variant": "--variant-column",
    "crops": "--crops",
    "data_dir": "--data-dir",
    "detect": "--detect",
    "executor": "--executor",
    "fix": "--fix",
    "flip": "--flip",
    "fresh": "--fresh",
    "goal": "--goal",
    "gpus_per_trial": "--gpus-per-trial",
    "images": "--images",
    "images_per_class": "--images-per-class",
    "metric": "--metric",
    "noise.pilot": "--pilot",
    "noise.rho": "--rho",
    "noise.sd": "--sd",
    "options.calibrate_seconds": "--calibrate",
    "overrides": "--set",
    "path": "--from",
    "pattern": "--pattern",
    "processes_per_trial": "--processes-per-trial",
    "ray_address": "--ray-address",
    "ray_data": "--ray-data",
    "replace": "--replace",
    "reports_dir": "--reports-dir",
    "results_dir": "--results-dir",
    "rows": "--only",
    "seeds": "--seeds",
    "settings": "--setting",
    "short": "--short",
    "size": "--size",
    "storage": "--storage",
    "tracking_uri": "--tracking-uri",
    "trials_per_gpu": "--trials-per-gpu",
    "unit": "--unit",
}
"""By argument, as sentences name it in backticks: `noise.sd`, `noise.sd=POINTS`, `fresh=True`."""

_MARKED = re.compile(r"`([a-z_.]+)(?:=([^`\s]+))?`")


def with_flags(sentence: str) -> str:
    """Return a sentence of the library as the command line says it.

    Returns:
        "use --fresh, or --sd POINTS" for "use `fresh=True`, or `noise.sd=POINTS`"; other backticks stay.
    """

    def flag(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in FLAGS:
            return found[0]
        return FLAGS[name] if value in (None, "True") else f"{FLAGS[name]} {value}"

    return _MARKED.sub(flag, sentence)
