"""Function: any Python function, called once for each trial in a worker process."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from ablations.errors import StudyError
from ablations.experiments.fields.checks import check_fields, text_field, texts_field
from ablations.experiments.fields.code import code_digests
from ablations.experiments.fields.metrics import parse_metrics
from ablations.experiments.function.by_value import BY_VALUE, ByValue
from ablations.planning.design import Design
from ablations.planning.experiment import Context, Experiment
from ablations.planning.factors.experiment_fields import FUNCTION
from ablations.planning.metric import Metric
from ablations.planning.trial import Trial
from senet_core.errors import one_line

FIELDS = (*FUNCTION, "source", BY_VALUE)
_FORM = "MODULE:FUNCTION, a function of (trial, context) that returns its metrics by name"


class Function(Experiment):
    """A function; see docs/your-own-training.md.

    Args:
        fields: of the study file.
        home: the folder of the study, from which modules are imported, too.

    Raises:
        StudyError: a field is wrong, or the function cannot be imported.
    """

    name = "function"

    def __init__(self, fields: Mapping[str, Any], home: str) -> None:
        check_fields("experiment", fields, FIELDS, ("call", "metrics"))
        self.home, self._given = home, dict(fields)
        self._call = text_field("experiment.call", fields["call"])
        self._metrics = parse_metrics(fields["metrics"])
        if not isinstance(fields.get("keep", False), bool):
            raise StudyError(f"experiment.keep must be true or false, got {fields['keep']!r}")
        self._source = fields.get("source")
        self._function = None if self._source is not None else self._found()
        self._code = code_digests(texts_field("experiment.code", fields.get("code", [])), home)
        if self._function is not None:
            self._source = _source_digest(self._function, by_value=BY_VALUE in fields)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], folder: str) -> Function:
        """Return the experiment that a study file describes."""
        return cls(fields, folder)

    @classmethod
    def fields_of(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a study file from what a recorded trial says of its experiment."""
        return {
            "call": recorded["call"],
            "metrics": recorded["metrics"],
            "code": list(recorded["code"]),
        }

    @classmethod
    def fields_for_files(cls, fields: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields as a file has them: a function that is given by value is known by its source there."""
        if BY_VALUE not in fields:
            return dict(fields)
        kept = {name: value for name, value in fields.items() if name != BY_VALUE}
        return {**kept, "source": recorded["source"]}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the function measures."""
        return self._metrics

    @property
    def words(self) -> str:
        """Which function it is."""
        return f"function {self._call}"

    def to_json(self) -> dict[str, Any]:
        """Return what makes its trials other ones: the function, its module's source, and other code that is named."""
        return {
            "call": self._call,
            "metrics": self._given["metrics"],
            "code": self._code,
            "source": self._source,
        }

    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Call the function; what it prints goes to the trial's log."""
        context.log.parent.mkdir(parents=True, exist_ok=True)
        with context.log.open("a", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
            found: Mapping[str, float] | None = self._known()(trial, context)
            return found

    def check(self, design: Design) -> None:
        """Refuse to run a function that only the script or notebook has that gave it."""
        self._known()

    def _known(self) -> Callable[[Any, Context], Any]:
        if self._function is None:
            raise StudyError(
                f"experiment.call: {self._call} was given from Python, by a script or a notebook, and is in no file:"
                " run it from there again"
            )
        return self._function

    def _found(self) -> Callable[[Any, Context], Any]:
        given = self._given.get(BY_VALUE)
        if given is not None:
            if not isinstance(given, ByValue):  # no file can have one
                raise StudyError(f"experiment.{BY_VALUE} is not for study files")
            return given.function()
        module_name, _, name = self._call.partition(":")
        if (
            not module_name
            or not name
            or not all(map(str.isidentifier, [*module_name.split("."), *name.split(".")]))
        ):
            raise StudyError(f"experiment.call takes {_FORM}, got {self._call!r}")
        if self.home not in sys.path:
            sys.path.insert(0, self.home)
        try:
            found: Any = importlib.import_module(module_name)
        except Exception as error:  # a module of the user's may raise anything
            raise StudyError(
                f"experiment.call: {module_name} cannot be imported: {type(error).__name__}: {one_line(error)}"
            ) from error
        for part in name.split("."):
            if not hasattr(found, part):
                raise StudyError(f"experiment.call: {module_name} has no {name!r}")
            found = getattr(found, part)
        if not callable(found):
            raise StudyError(f"experiment.call: {self._call} cannot be called; wanted is {_FORM}")
        function: Callable[[Any, Context], Any] = found
        return function


def fields_of_function(function: Callable[..., Any]) -> dict[str, Any]:
    """Return how a study names a function that Python holds: by its name, or by value where no worker can import it.

    Raises:
        StudyError: it can be sent to a worker in neither way.
    """
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if module not in ("", "__main__") and "<" not in name and _is_importable(module, name, function):
        return {"call": f"{module}:{name}"}
    try:
        import cloudpickle
    except ImportError as error:
        raise StudyError(
            f"{name or function!r} is not in a module of its own, which worker processes could import: move it into a"
            " file and import it, or pip install cloudpickle"
        ) from error
    try:
        content = cloudpickle.dumps(function)
    except Exception as error:  # whatever it holds
        raise StudyError(
            f"{name or function!r} cannot be sent to worker processes ({one_line(error)}): move it into a file of its"
            " own and import it, and open what it holds inside of it"
        ) from error
    call = f"{module or '__main__'}:{name.replace('<locals>.', '').replace('<', '').replace('>', '') or 'function'}"
    return {"call": call, BY_VALUE: ByValue(content)}


def _is_importable(module: str, name: str, function: Callable[..., Any]) -> bool:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function


def _source_digest(function: Callable[..., Any], *, by_value: bool) -> str:
    """Return a digest of the source of a function, or of its whole module where that is a file."""
    try:
        if by_value:
            text = inspect.getsource(function)
        else:
            module = sys.modules[function.__module__]
            text = inspect.getsource(module)
    except (OSError, TypeError, KeyError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
