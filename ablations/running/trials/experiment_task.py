"""ExperimentTask: one trial of any experiment, as it is sent to a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ablations.planning.experiment import Experiment, experiment_kind
from ablations.planning.factors.trial import EXPERIMENT
from ablations.running.machine.plain_environment import plain_environment
from ablations.running.trials.task import Task, TaskOutcome
from senet_core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ExperimentTask(Task):
    """One trial of an experiment whose `run` says all of it.

    Attributes:
        fields: of the experiment in the study file, from which it is made again here.
        home: the folder that its paths are relative to.
        data_digest: of the data that the harness provides; empty where trials find their own.
    """

    fields: Mapping[str, Any]
    home: str
    data_digest: str = ""

    def experiment(self) -> Experiment:
        """Make the experiment again.

        Raises:
            UserError: its code is another one by now.
        """
        for file in self.plugins:
            from senet_core.plugins import load_plugin_file

            load_plugin_file(file)
        planned = dict(self.trial[EXPERIMENT])
        kind = planned.pop("kind")
        found = experiment_kind(kind).from_fields(
            {name: value for name, value in self.fields.items() if name != "kind"}, self.home
        )
        if found.to_json() != planned:
            raise UserError(
                f"the code of the experiment was changed after the study had been read ({kind}); the same command goes"
                " on, with the trials of the new code"
            )
        return found

    def environment(self, threads: int) -> dict[str, Any]:
        """Return where it runs, as the record keeps it.

        Args:
            threads: the cores that are the trial's.
        """
        return plain_environment(self.home, threads)

    def run(self, signalled: Callable[[], bool]) -> TaskOutcome:
        """Run the trial; whatever it raises is its failure."""
        from ablations.running.trials.experiment_attempt import ExperimentAttempt

        return ExperimentAttempt(self, signalled).outcome()
