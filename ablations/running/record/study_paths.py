"""Study paths: the files and folders of a study."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

from ablations.errors import RecordError, StudyError
from ablations.planning.commands import Places
from ablations.running.machine.durable import not_written
from ablations.running.record.interim_plans import FILE_NAME as INTERIM_PLANS
from ablations.running.record.last_plan import read_last_plan
from ablations.running.record.leases import FOLDER as LEASES
from ablations.running.record.outcomes import FOLDER as OUTCOMES
from ablations.running.record.proposals import FILE_NAME as PROPOSALS
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import FILE_NAME, TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import FOLDER as WEIGHTS
from senet_core.errors import UserError

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
"""The names that the results folder has beside the studies: the MLflow store, where no server is named."""

PROBE = ".writable-"
"""Begins the name of a file that is there for a moment, to see whether a folder can be written to."""


@dataclass(frozen=True)
class StudyPaths:
    """The folders of one study.

    Attributes:
        study: its name.
        results_dir: holds a folder for each study.
        reports_dir: likewise.

    Raises:
        StudyError: the results folder has a file of its own of that name.
    """

    study: str
    results_dir: Path
    reports_dir: Path

    def __post_init__(self) -> None:
        name = self.study.casefold()  # some file systems do not tell mlflow.db from MLflow.DB
        if name == ARTIFACTS or name.startswith(DATABASE):  # with its locks and journals
            raise StudyError(
                f"study {self.study!r} cannot have that name: the results folder keeps MLflow's {DATABASE} and"
                f" {ARTIFACTS} beside the studies; rename the study's file"
            )

    @property
    def results(self) -> Path:
        """The study's results."""
        return self.results_dir / self.study

    @property
    def record(self) -> Path:
        """The study's record."""
        return self.results / FILE_NAME

    @property
    def interim_plans(self) -> Path:
        """The plans of its interim analyses."""
        return self.results / INTERIM_PLANS

    @property
    def proposals(self) -> Path:
        """The proposals of the study's choices."""
        return self.results / PROPOSALS

    @property
    def outcomes(self) -> Path:
        """The outcomes of its trials."""
        return self.results / OUTCOMES

    @property
    def weights(self) -> Path:
        """The weights of its trials' networks, where the study keeps them."""
        return self.results / WEIGHTS

    @property
    def running(self) -> Path:
        """The progress files of running trials."""
        return self.results / "running"

    @property
    def running_keys(self) -> frozenset[str]:
        """Keys of the trials that are running now, or were when their sweep was killed."""
        return frozenset(path.name.partition(".")[0] for path in self.running.glob("*.jsonl"))

    @property
    def checkpoints(self) -> Path:
        """A folder of checkpoints for each trial that is not done."""
        return self.results / "checkpoints"

    @property
    def leases(self) -> Path:
        """The leases of the trials that are being trained."""
        return self.results / LEASES

    @property
    def report(self) -> Path:
        """The study's report."""
        return self.reports_dir / self.study

    def places(self, data_dir: Path | None = None, tracking_uri: str | None = None) -> Places:
        """Return where the study's files are, for commands; the data are where they were last if they are not given."""
        if data_dir is None:
            with suppress(RecordError):
                plan = read_last_plan(self.results)
                data_dir = None if plan is None else Path(plan.data_dir)
        return Places(self.results_dir, self.reports_dir, data_dir, tracking_uri)

    def check_writable(self) -> None:
        """Refuse folders for results and report that cannot be made or written to; makes none of them.

        Raises:
            UserError: one, or the nearest folder above it that exists, is no folder or cannot be written to.
        """
        for name, folder in (("results", self.results), ("reports", self.report)):
            place = folder
            while not os.path.lexists(place) and place != place.parent:
                place = place.parent
            if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
                why = "may not be written to" if place.is_dir() else "is not a folder"
                raise UserError(f"cannot write to the {name} folder {folder}: {place} {why}")

    def make_writable(self) -> None:
        """Make the study's results folder.

        Raises:
            UserError: it cannot be made or written to.
        """
        try:
            self.results.mkdir(parents=True, exist_ok=True)
            probe = self.results / f"{PROBE}{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise not_written(f"to the results folder {self.results}", error, chosen=True) from error

    def remove_empty(self) -> None:
        """Remove the folders that only a running sweep needs, where nothing is left in them."""
        for folder in (self.running, self.checkpoints, self.leases):
            with suppress(OSError):
                folder.rmdir()

    def set_record_aside(self) -> Path | None:
        """Rename the record and what belongs to it, and return its new name; None where there is none."""
        if not self.record.exists():
            return None
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        aside = self.record.with_name(f"trials.before-{stamp}.jsonl")
        while aside.exists():  # twice within a second
            aside = aside.with_name(f"{aside.stem}-again.jsonl")
        try:
            self.record.rename(aside)
            for other in (self.interim_plans, self.proposals):
                if other.exists():
                    other.rename(other.with_name(f"{other.stem}.before-{stamp}.jsonl"))
            for folder in (self.outcomes, self.weights):  # after the record: no line is without its outcomes
                if folder.exists():
                    folder.rename(aside.with_name(aside.stem.replace("trials", folder.name, 1)))
        except OSError as error:
            raise not_written(f"{aside}, to set the old record aside", error, chosen=True) from error
        return aside

    def lines_set_aside(self) -> list[TrialRecord]:
        """Return the lines of the records that were set aside; a file that cannot be read is passed over."""
        lines: list[TrialRecord] = []
        for path in sorted(self.results.glob("trials.before-*.jsonl")):
            with suppress(RecordError):
                lines += TrialFile.load(path).lines
        return lines

    def open_record(self) -> StudyRecord:
        """Return the study's record, whose parts are read when they are asked for, and then only what was added."""
        self._record.refresh()
        return self._record

    @cached_property
    def _record(self) -> StudyRecord:
        return StudyRecord(self.results)
