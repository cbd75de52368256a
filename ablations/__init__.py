"""Ablation studies: which of these choices makes a difference, at a stated confidence.

    >>> import ablations as ab
    >>> study = ab.load_study("quickstart", seeds=3)

Importing this package imports nothing else: each name comes from its module when it is first used. docs/python.md
shows all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from ablations.analysis.probe.gate_probe import GateProbe
    from ablations.analysis.probe.numbers import read_probe
    from ablations.analysis.probe.page import write_probe
    from ablations.analysis.report.write import write_report
    from ablations.analysis.results.results import Results
    from ablations.api.calibrating import calibrate
    from ablations.api.comparing import compare, read_runs
    from ablations.api.networks import load_network
    from ablations.api.planning import NoiseSource, StudyPlan, plan
    from ablations.api.probing import probe_gates, probe_network
    from ablations.api.results import load_results
    from ablations.api.retesting import retest
    from ablations.api.running import RunOptions, SweepStopped, run
    from ablations.api.studies import Study, load_plugin, load_study, shipped_studies
    from ablations.errors import DataError, RecordError, StudyError, ToolMissing
    from ablations.experiments.command.inside import CurrentTrial, trial
    from ablations.planning.experiment import Context, Experiment, Factor, register_experiment
    from ablations.planning.factors.trial import FactorTrial
    from ablations.planning.metric import Metric
    from ablations.planning.networks.views import Views
    from ablations.running.cost.times import TimingOptions
    from ablations.running.trials.stopping import Stopped
    from senet_core.errors import UserError

_HOMES = {
    "ablations.analysis.probe.gate_probe": ("GateProbe",),
    "ablations.analysis.probe.numbers": ("read_probe",),
    "ablations.analysis.probe.page": ("write_probe",),
    "ablations.analysis.report.write": ("write_report",),
    "ablations.analysis.results.results": ("Results",),
    "ablations.api.calibrating": ("calibrate",),
    "ablations.api.comparing": ("compare", "read_runs"),
    "ablations.errors": ("DataError", "RecordError", "StudyError", "ToolMissing"),
    "senet_core.errors": ("UserError",),
    "ablations.api.networks": ("load_network",),
    "ablations.api.planning": ("NoiseSource", "StudyPlan", "plan"),
    "ablations.api.probing": ("probe_gates", "probe_network"),
    "ablations.api.results": ("load_results",),
    "ablations.api.retesting": ("retest",),
    "ablations.api.running": ("RunOptions", "SweepStopped", "run"),
    "ablations.api.studies": ("Study", "load_plugin", "load_study", "shipped_studies"),
    "ablations.experiments.command.inside": ("CurrentTrial", "trial"),
    "ablations.planning.experiment": ("Context", "Experiment", "Factor", "register_experiment"),
    "ablations.planning.factors.trial": ("FactorTrial",),
    "ablations.planning.metric": ("Metric",),
    "ablations.planning.networks.views": ("Views",),
    "ablations.running.cost.times": ("TimingOptions",),
    "ablations.running.trials.stopping": ("Stopped",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Context",
    "CurrentTrial",
    "DataError",
    "Experiment",
    "Factor",
    "FactorTrial",
    "GateProbe",
    "Metric",
    "NoiseSource",
    "RecordError",
    "Results",
    "RunOptions",
    "Stopped",
    "Study",
    "StudyError",
    "StudyPlan",
    "SweepStopped",
    "TimingOptions",
    "ToolMissing",
    "UserError",
    "Views",
    "calibrate",
    "compare",
    "load_network",
    "load_plugin",
    "load_results",
    "load_study",
    "plan",
    "probe_gates",
    "probe_network",
    "read_probe",
    "read_runs",
    "register_experiment",
    "retest",
    "run",
    "shipped_studies",
    "trial",
    "write_probe",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("senet-ablations")
    if name not in _HOME:
        raise AttributeError(f"module 'ablations' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
