"""One line of the record: what was trained, what came of it, and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from ablations.planning.explain import explain
from ablations.planning.factors.trial import JUDGED_BY
from ablations.planning.networks.recipe import PRECISIONS
from ablations.planning.trial import in_precision, trial_key
from ablations.running.record.imported import Imported
from ablations.running.record.schema import check_schema
from senet_core.errors import printable

SCHEMA = 1
_BEGINNING = f'{{"schema":{SCHEMA},'

Percent = Annotated[float, Field(ge=0, le=100)]
Number = Annotated[float, Field(ge=-1e100, le=1e100)]
Amount = Annotated[float, Field(ge=0, le=1e12)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
"""Ranges in which sums and squares of many values are numbers, and that databases hold."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_FINITE = ConfigDict(allow_inf_nan=False)

_FOREIGN = frozenset({"failure", "environment", "data_note", "imported"})
"""Fields with text of others; a trial was checked when it was planned."""

Kind = Literal["diverged", "oom", "disk", "timeout", "killed", "error"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@with_config(_FINITE)
@dataclass(frozen=True)
class EpochMetrics:
    """One epoch of training.

    Attributes:
        epoch: from 1.
        train_loss: mean loss over the epoch's batches, as it was optimised (with label smoothing, if any).
        train_error: errors on the augmented training images, in per cent.
        lr: learning rate of the epoch's last step.
        seconds: wall time of the epoch.
        validation_error: of the network after the epoch on images that were held back from the training, in per
            cent; None where none are. They are held back for a choice, and such trials never see a test image, or
            watched, where the recipe says so.
    """

    epoch: Count
    train_loss: Number
    train_error: Percent
    lr: Number
    seconds: Amount
    validation_error: Percent | None = None

    @property
    def number(self) -> int:
        """The epoch."""
        return self.epoch

    @property
    def values(self) -> Mapping[str, float | None]:
        """Its figures by name."""
        return {name: value for name, value in vars(self).items() if name != "epoch"}


@with_config(_FINITE)
@dataclass(frozen=True)
class TrialResult:
    """The measurements of one finished trial.

    Attributes:
        top1_error: errors on the test images by the last epoch's network, in per cent; on the validation images,
            where the trial's data hold some back.
        top5_error: the same for the five best guesses; None where there are at most five classes.
        test_loss: mean cross-entropy on the test images, without smoothing.
        train_loss: of the last epoch.
        train_error: of the last epoch, in per cent.
        parameters: learnable parameters.
        multiply_adds: for one image.
        bottleneck_widths: bottleneck units of the blocks of each stage, keyed by the stage's number as text.
        train_seconds: wall time of the training.
        test_seconds: wall time of the evaluation.
        peak_memory_mib: highest resident memory of the process during the trial (on CUDA: of the device).
        weights_sha256: of the final weights and statistics.
        latency_ms: median time of one image through the trained network, where the trial was asked for it.
        outcomes_sha256: of the file that has one bit for each test image; None for trials that are judged on validation
            images, and for those that were trained before outcomes were kept.
    """

    top1_error: Percent
    top5_error: Percent | None
    test_loss: Number
    train_loss: Number
    train_error: Percent
    parameters: Count
    multiply_adds: Count
    bottleneck_widths: Mapping[str, Count]
    train_seconds: Amount
    test_seconds: Amount
    peak_memory_mib: Amount
    weights_sha256: str
    latency_ms: Amount | None = None
    outcomes_sha256: Hash | None = None

    def value(self, name: str) -> float | None:
        """Return a figure; None where it was not measured."""
        found: float | None = getattr(self, name, None)
        return found

    @property
    def values(self) -> Mapping[str, Any]:
        """Its figures by name."""
        return vars(self)

    @property
    def proof(self) -> str:
        """What two runs of one trial have in common if they were the same run."""
        return self.weights_sha256


@with_config(_FINITE)
@dataclass(frozen=True)
class StepMetrics:
    """What a trial reported on its way.

    Attributes:
        step: from 1, rising.
        metrics: by name.
        seconds: wall time since the step before.
    """

    step: Count
    metrics: Mapping[str, Number]
    seconds: Amount

    @property
    def number(self) -> int:
        """The step."""
        return self.step

    @property
    def values(self) -> Mapping[str, float | None]:
        """Its figures by name."""
        return {**self.metrics, "seconds": self.seconds}


@with_config(_FINITE)
@dataclass(frozen=True)
class MetricsResult:
    """The measurements of one finished trial of any experiment.

    Attributes:
        metrics: by name.
        train_seconds: wall time of all attempts; None where it is not known, as of an imported trial.
        outcomes_sha256: of the file that has one bit for each test example; None where the trial kept none.
    """

    metrics: Mapping[str, Number]
    train_seconds: Amount | None
    outcomes_sha256: Hash | None = None

    @property
    def test_seconds(self) -> float:
        """Nothing: whatever it tests is in `train_seconds`."""
        return 0.0

    def value(self, name: str) -> float | None:
        """Return a metric; None where it was not measured."""
        return self.train_seconds if name == "train_seconds" else self.metrics.get(name)

    @property
    def values(self) -> Mapping[str, Any]:
        """Its figures by name."""
        return {**self.metrics, "train_seconds": self.train_seconds}

    @property
    def proof(self) -> str:
        """What two runs of one trial have in common if they were the same run."""
        return json.dumps(dict(self.metrics), sort_keys=True)


Result = TrialResult | MetricsResult
Step = EpochMetrics | StepMetrics


@dataclass(frozen=True)
class Failure:
    """The reason why a trial has no result.

    Attributes:
        kind: "diverged", "oom" (out of memory), "disk" (full or failing), "timeout", "killed" (its process died) or
            "error".
        message: one line.
        epoch: the epoch in which it happened, where that is known.
    """

    kind: Kind
    message: str
    epoch: Count | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One line of the record.

    Attributes:
        key: the trial's identity.
        study: the study in which it was trained or first used.
        status: "finished", "failed", or "pruned": stopped early by the pruner of a search.
        trial: the trial's canonical JSON.
        result: what a finished trial measured.
        history: its epochs, or the steps that it reported.
        failure: why a failed one has no result.
        environment: commit, host, processor, versions, device, precision, threads.
        data_digest: SHA-256 of the prepared images and labels.
        data_note: what a reader must know of the data.
        started, finished: ISO 8601 in UTC; when it was imported, of an imported trial.
        shared_from: the study whose record the line was taken from; None where it was trained for this one.
        imported: where its result was recorded; None where a sweep has run it.
        written_as: the key in the file, of a line whose trial says "auto" there: `key` and `trial` have the precision
            that its environment says. None where they are as written.
    """

    key: str
    study: str
    status: Literal["finished", "failed", "pruned"]
    trial: Mapping[str, Any]
    result: Annotated[Result, Field(union_mode="left_to_right")] | None
    history: tuple[Annotated[Step, Field(union_mode="left_to_right")], ...]
    failure: Failure | None
    environment: Mapping[str, Any]
    data_digest: str
    data_note: str
    started: str
    finished: str
    shared_from: str | None = None
    imported: Imported | None = None
    written_as: str | None = field(default=None, compare=False)

    @property
    def proposed(self) -> bool:
        """Whether it took part in a choice, and was judged on validation data."""
        data = self.trial.get("data")
        held_back = isinstance(data, Mapping) and data.get("validation_images") is not None
        return held_back or JUDGED_BY in self.trial

    @property
    def ran_here(self) -> bool:
        """Whether a sweep of this study has run it: it was neither taken from another study nor imported."""
        return self.shared_from is None and self.imported is None

    @property
    def data_name(self) -> str:
        """The data set, or what stands for it."""
        data = self.trial.get("data")
        return (
            str(data["name"]) if isinstance(data, Mapping) else str(self.trial["experiment"].get("kind", ""))
        )

    @property
    def mark(self) -> str:
        """A hash that tells this line from others of the same trial: 16 hexadecimal digits."""
        return self._mark(self.key)

    @property
    def marks(self) -> frozenset[str]:
        """The mark, and that which the line had under the key that it was written with."""
        return frozenset({self.mark, self._mark(self.written_as or self.key)})

    def _mark(self, key: str) -> str:
        end = self.failure if self.result is None else (self.result.proof, self.result.train_seconds)
        told = (key, self.started, self.finished, self.environment.get("host"), str(end))
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def to_line(self) -> str:
        """Return the line for the record, without the line feed. Numbers read back exactly."""
        content = {"schema": SCHEMA, **asdict(self)}
        if content.pop("written_as") is not None:  # what was hashed with it, as outcomes are, stays true
            content["key"], content["trial"] = self.written_as, in_precision(self.trial, "auto")
        if content["imported"] is None:
            del content["imported"]
        for name in _FOREIGN & content.keys():
            content[name] = _printable(content[name])
        for epoch in content["history"]:
            if epoch.get("validation_error", 0.0) is None:
                del epoch["validation_error"]
        for name in ("latency_ms", "outcomes_sha256"):
            if content["result"] is not None and content["result"].get(name, 0.0) is None:
                del content["result"][name]
        return json.dumps(content, allow_nan=False, separators=(",", ":"))

    def with_printable_texts(self) -> TrialRecord:
        """Return the record with its foreign texts printable, as `to_line` writes them."""
        failure = (
            None if self.failure is None else replace(self.failure, message=printable(self.failure.message))
        )
        return replace(
            self,
            failure=failure,
            environment=_printable(self.environment),
            data_note=printable(self.data_note),
            imported=None
            if self.imported is None
            else replace(
                self.imported, source=printable(self.imported.source), run=printable(self.imported.run)
            ),
        )

    @classmethod
    def from_line(cls, line: str) -> TrialRecord:
        """Read a line of the record.

        Raises:
            NewerSchema: a newer version wrote it.
            ValueError: it is not JSON, of another schema, or a field is missing or is not what it should be, as after
                an edit by hand.
        """
        if not line.startswith(_BEGINNING):  # else it is of this schema, and need not be read twice
            content = json.loads(line)
            if not isinstance(content, dict):
                raise ValueError("it is not a JSON object")
            check_schema(content.get("schema"), SCHEMA)
        try:
            record = _READER.validate_json(line, strict=True)
        except ValidationError as error:
            raise ValueError(explain(error)) from error
        data = record.trial.get("data")
        named = isinstance(data, Mapping) and isinstance(data.get("name"), str)
        if not named and not isinstance(record.trial.get("experiment"), Mapping):
            raise ValueError("its trial does not name its data")
        if not isinstance(record.trial.get("seed"), int):
            raise ValueError("its trial has no seed")
        if (record.result is None) == (record.status == "finished"):
            raise ValueError(f"its status {record.status!r} and its result do not belong together")
        record = record if line.isascii() and "\\u" not in line else record.with_printable_texts()
        return _resolved(record)


def _resolved(record: TrialRecord) -> TrialRecord:
    """Return a line whose trial says "auto" as that of the trial with the precision in which it was computed.

    One that was changed after it was written, or does not know its precision, stays what it is: no trial of a study.
    """
    if record.written_as is not None:  # the line says so itself: it is not for files
        record = replace(record, written_as=None)
    recipe, computed = record.trial.get("recipe"), record.environment.get("precision")
    if not isinstance(recipe, Mapping) or recipe.get("precision") != "auto" or computed not in PRECISIONS:
        return record
    try:
        trial = in_precision(record.trial, computed)
        if trial_key(record.trial) != record.key:
            return record
        return replace(record, key=trial_key(trial), trial=trial, written_as=record.key)
    except (TypeError, ValueError):  # what an edit by hand may hold, and JSON does not
        return record


def _printable(value: Any) -> Any:
    """Return JSON content with every text in it printable, so that whoever reads it can."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(name)): _printable(inner) for name, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


_READER = TypeAdapter(TrialRecord)
