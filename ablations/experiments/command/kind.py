"""Command: any program, run once for each trial, with the factors' values among its arguments."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ablations.errors import StudyError
from ablations.experiments.command import records  # noqa: F401  (its readers are registered)
from ablations.experiments.command.inside import TRIAL, SteadyFile
from ablations.experiments.command.reading import Left, NotMeasured, parse_read
from ablations.experiments.command.template import argument_text, check_placeholders, filled, placeholders
from ablations.experiments.fields.checks import check_fields, mapping_field, texts_field
from ablations.experiments.fields.code import code_digests, named_files
from ablations.experiments.fields.metrics import metric_keys, parse_metrics
from ablations.planning.experiment import Context, Experiment
from ablations.planning.factors.experiment_fields import COMMAND
from ablations.planning.factors.trial import FactorTrial
from ablations.planning.metric import Metric
from ablations.planning.trial import Trial
from ablations.running.machine.process_groups import Program, end_left_behind
from ablations.running.trials.experiment_attempt import TrialFailed
from ablations.running.trials.stopping import Stopped

GRACE_SECONDS = 5.0
_LAST_LINES = 3
_NOT_PASSED_ON = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")  # of our own workers
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Command(Experiment):
    """A program; see docs/your-own-training.md.

    Args:
        fields: of the study file.
        home: the folder of the study, in which it runs.

    Raises:
        StudyError: a field is wrong.
    """

    name = "command"

    def __init__(self, fields: Mapping[str, Any], home: str) -> None:
        check_fields("experiment", fields, COMMAND, ("command", "metrics"))
        self.home, self._given = home, dict(fields)
        self._command = texts_field("experiment.command", fields["command"])
        if not self._command:
            raise StudyError("experiment.command must be a list of the program and its arguments, got []")
        if isinstance(fields["command"], str) and " " in fields["command"]:
            raise StudyError(
                "experiment.command is a list of arguments, which no shell reads:"
                f" [{', '.join(shlex.split(fields['command']))}]"
            )
        self._metrics = parse_metrics(fields["metrics"])
        self._reader = parse_read(
            fields.get("read", {"json": "metrics.json"}), metric_keys(fields["metrics"])
        )
        self._resume = texts_field("experiment.resume", fields.get("resume", []))
        self._flags = {name: _flags(name, value) for name, value in _mapping(fields, "flags").items()}
        self._env = {name: _variable(name, value) for name, value in _mapping(fields, "env").items()}
        self._grace = _seconds(fields.get("grace", GRACE_SECONDS))
        if not isinstance(fields.get("keep", False), bool):
            raise StudyError(f"experiment.keep must be true or false, got {fields['keep']!r}")
        self.gpus = _gpus(fields.get("gpus"))
        self._used = placeholders([*self._command, *self._resume, *self._env.values()])
        code = fields.get("code")
        paths = named_files(self._command, home) if code is None else texts_field("experiment.code", code)
        self._code = code_digests(paths, home)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], folder: str) -> Command:
        """Return the experiment that a study file describes."""
        return cls(fields, folder)

    @classmethod
    def fields_of(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a study file from what a recorded trial says of its experiment."""
        return {**recorded["fields"], "code": list(recorded["code"])}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the program measures."""
        return self._metrics

    @property
    def words(self) -> str:
        """The command as it is given."""
        return f"command {shlex.join(self._command)}"

    def to_json(self) -> dict[str, Any]:
        """Return what makes its trials other ones: the command, what is read of it, and its code."""
        told = ("command", "metrics", "read", "env", "resume", "flags")
        return {
            "fields": {name: self._given[name] for name in told if name in self._given},
            "code": self._code,
        }

    def check_factors(self, names: Iterable[str]) -> None:
        """Refuse placeholders that nothing fills in, and factors that nothing uses."""
        factors = tuple(names)
        seeded = {"seed"} if "ABLATE_SEED" in self._env or TRIAL in self._env else set()
        check_placeholders(self._used | seeded, factors)
        for name in self._flags:
            if name not in factors:
                raise StudyError(f"experiment.flags: {name!r} is no factor; there are {', '.join(factors)}")

    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Run the program, and read its metrics."""
        assert isinstance(trial, FactorTrial)
        place = context.folder.parent
        told = place / "trial.json"
        end_left_behind(place / "process.json", (TRIAL, str(told)))
        steps = SteadyFile(place / "steps.jsonl")
        steps.path.unlink(missing_ok=True)
        (place / "stop").unlink(missing_ok=True)
        told.write_text(json.dumps(self._told(trial, context, steps.path)), encoding="utf-8")
        environment = self._environment(trial, context, told)
        arguments = self._arguments(trial, context)
        context.log.parent.mkdir(parents=True, exist_ok=True)
        with context.log.open("ab") as output:
            output.write(f"$ {shlex.join(arguments)}\n".encode(errors="surrogateescape"))
            output.flush()
            since = output.tell()  # what we wrote is nothing that the program printed
            with _starting(arguments[0]):
                program = Program(
                    arguments,
                    folder=self.home,
                    environment=environment,
                    output=output,
                    note=place / "process.json",
                )

            def asked_to_stop() -> bool:
                for step, metrics in steps.added():
                    context.report(step, **metrics)
                asked = context.should_stop()
                if asked:
                    (place / "stop").touch()
                return asked

            status = program.wait(asked_to_stop, self._grace)
        for step, metrics in steps.added():
            context.report(step, **metrics)
        if status is None:
            raise Stopped
        if status != 0:
            raise _failed(status, context.log, since)
        try:
            reader = self._reader.only(trial.judged_by) if trial.judged_by else self._reader
            return reader.read(Left(context.folder, context.log, since))
        except NotMeasured as error:
            raise TrialFailed("error", f"{error}; {_log_words(context.log, since)}") from error

    def _told(self, trial: FactorTrial, context: Context, steps: Path) -> dict[str, Any]:
        return {
            "key": trial.key,
            "factors": {name: self._resolved(value) for name, value in trial.values.items()},
            "seed": context.seed,
            "folder": str(context.folder),
            "stop_file": str(context.folder.parent / "stop"),
            "steps_file": str(steps),
            "continued": context.continued,
            "proposed": trial.proposed,
            "device": context.device,
            "threads": context.threads,
        }

    def _arguments(self, trial: FactorTrial, context: Context) -> list[str]:
        values = self._values(trial, context)
        resume = filled(self._resume, values, self._path) if context.continued and self._resume else []
        arguments = filled(self._command, {**values, "resume": resume}, self._path)
        return arguments if "resume" in placeholders(self._command) else [*arguments, *resume]

    def _values(self, trial: FactorTrial, context: Context) -> dict[str, Any]:
        values = {
            **trial.values,
            "seed": context.seed,
            "folder": str(context.folder),
            "device": context.device,
            "threads": context.threads,
            "python": sys.executable,
            "resume": [],
        }
        for name, (on, off) in self._flags.items():
            if isinstance(values[name], bool):
                values[name] = on if values[name] else off
        return values

    def _environment(self, trial: FactorTrial, context: Context, told: Path) -> dict[str, str]:
        values = self._values(trial, context)
        own = {name: "".join(filled([text], values, self._path)) for name, text in self._env.items()}
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        return {
            **inherited,
            **self._reader.environment(context.folder),
            TRIAL: str(told),
            "ABLATE_SEED": str(context.seed),
            **own,
        }

    def _path(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.home, os.path.expanduser(path)))

    def _resolved(self, value: Any) -> Any:
        return argument_text(value, self._path) if isinstance(value, dict) else value


@contextmanager
def _starting(program: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise TrialFailed(
            "error", f"cannot start {program!r}: {getattr(error, 'strerror', None) or error}"
        ) from error


def _failed(status: int, log: Path, since: int) -> TrialFailed:
    """Return the failure of a program that ended otherwise than with status 0."""
    how = f"exit status {status}"
    if status < 0:
        try:
            how = f"killed by {signal.Signals(-status).name}"
        except ValueError:
            how = f"killed by signal {-status}"
    words = _log_words(log, since)
    kind = "killed" if status < 0 else "oom" if "out of memory" in words.lower() else "error"
    return TrialFailed(kind, f"{how}; {words}")  # type: ignore[arg-type]


def _log_words(log: Path, since: int) -> str:
    """Return the last lines of what a program printed, and where all of it stands."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 4096))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = [line.strip() for line in lines if line.strip()][-_LAST_LINES:]
    where = f"logs/{log.name}"
    return (
        f"it printed last: {' / '.join(said)[-380:]}; all of it: {where}"
        if said
        else f"it printed nothing ({where})"
    )


def _mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    return mapping_field(f"experiment.{name}", fields.get(name, {}))


def _flags(name: str, value: object) -> tuple[list[str], list[str]]:
    texts = texts_field(f"experiment.flags.{name}", value)
    if len(texts) not in (1, 2):
        raise StudyError(
            f"experiment.flags.{name} is the option for true, or those for true and for false, got {value!r}"
        )
    return [texts[0]], [*texts[1:]]


def _variable(name: str, value: object) -> str:
    if not _NAME.fullmatch(name):
        raise StudyError(f"experiment.env: {name!r} is no name of an environment variable")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise StudyError(f"experiment.env.{name} must be a text, got {value!r}")
    return str(value)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3600:
        raise StudyError(f"experiment.grace must be seconds from 0 to 3600, got {value!r}")
    return float(value)


def _gpus(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= 1024:
        raise StudyError(f"experiment.gpus must be a whole number from 0, got {value!r}")
    return value
