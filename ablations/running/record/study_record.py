"""The record of a study: its files on the disk, read once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ablations.errors import RecordError
from ablations.planning.trial import in_precision, trial_key
from ablations.running.machine.durable import FULL_OR_FAILING, DiskError, not_written
from ablations.running.record.calibrations import StudyCalibration, load_calibration
from ablations.running.record.forecasts import FILE_NAME as FORECASTS
from ablations.running.record.forecasts import Forecast, load_forecasts
from ablations.running.record.image_labels import ImageLabels, read_labels
from ablations.running.record.interim_plans import FILE_NAME as INTERIM_PLANS
from ablations.running.record.interim_plans import (
    InterimPlan,
    add_interim_plan,
    read_interim_plans,
    read_plans_elsewhere,
)
from ablations.running.record.outcomes import Outcomes, outcomes_file, read_outcomes, write_kept
from ablations.running.record.proposals import FILE_NAME as PROPOSALS
from ablations.running.record.proposals import Proposal, add_proposal, read_proposals
from ablations.running.record.seals import Seal, read_seals
from ablations.running.record.tested.lines import MeasuredLine, read_tests
from ablations.running.record.trial_file import FILE_NAME as TRIALS
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import check_weights, has_weights, weights_file

log = logging.getLogger("ablations")

_MOST_WARNINGS = 3
NOTHING: Mapping[str, bytes] = MappingProxyType({})


class NoRoom(DiskError):
    """A file of a trial cannot be written, as the disk is full or fails: neither is the trial's line."""


@dataclass
class StudyRecord:
    """Trials, plans of interim analyses, proposals and forecasts of one study.

    Each part is read when it is first asked for, and again only by `refresh`, where its file has changed. So everything
    that one command says of a study, it says of one reading.

    Attributes:
        folder: results/STUDY; it need not exist.

    Raises:
        RecordError: on asking for a part that cannot be read or is corrupt: which, and why.
    """

    folder: Path
    _sizes: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    _warned: set[str] = field(default_factory=set, repr=False, compare=False)

    @cached_property
    def trials(self) -> TrialFile:
        """The trials, in trials.jsonl."""
        return TrialFile.load(self.folder / TRIALS)

    @property
    def finished(self) -> Mapping[str, TrialRecord]:
        """Finished trials by key, the newest line of each."""
        return self.trials.finished

    @property
    def failed(self) -> Mapping[str, TrialRecord]:
        """Trials that failed and have not been finished since, by key."""
        return self.trials.failed

    @cached_property
    def interim_plans(self) -> tuple[InterimPlan, ...]:
        """The plans of its interim analyses, oldest first, in looks.jsonl."""
        self._sizes["interim_plans"] = self._size(INTERIM_PLANS)
        known = self._with_seed_0
        return tuple(
            replace(plan, asked=asked, rows=tuple(key for row in plan.rows for key in known.get(row, (row,))))
            for plan in read_interim_plans(self.folder)
            for asked in known.get(plan.asked, (plan.asked,))
        )

    @property
    def _with_seed_0(self) -> Mapping[str, tuple[str, ...]]:
        """Keys with seed 0 of the trials that were written as "auto", by those that they had so."""
        found: dict[str, dict[str, None]] = {}
        for line in self.trials.lines:
            if line.written_as is not None:
                trial = {**line.trial, "seed": 0}
                found.setdefault(trial_key(in_precision(trial, "auto")), {})[trial_key(trial)] = None
        return {key: tuple(keys) for key, keys in found.items()}

    @cached_property
    def plans_elsewhere(self) -> tuple[InterimPlan, ...]:
        """The plans of the interim analyses of the other studies beside this one."""
        return read_plans_elsewhere(self.folder)

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        """The proposals of its choices, in their order, in proposals.jsonl."""
        self._sizes["proposals"] = self._size(PROPOSALS)
        return read_proposals(self.folder)

    @cached_property
    def seals(self) -> tuple[Seal, ...]:
        """Its sealed plans, oldest first, in seal.jsonl."""
        return read_seals(self.folder)

    @cached_property
    def forecasts(self) -> tuple[Forecast, ...]:
        """Its forecasts, oldest first, in forecast.json; none where that cannot be read, as no verdict needs them."""
        try:
            return load_forecasts(self.folder / FORECASTS)
        except RecordError as error:
            log.warning("the forecasts are left out: %s", error)
            return ()

    @cached_property
    def calibration(self) -> StudyCalibration | None:
        """Its last calibration, in calibration.json; None where that cannot be read, as no verdict needs it."""
        try:
            return load_calibration(self.folder)
        except RecordError as error:
            log.warning("the calibration is left out: %s", error)
            return None

    def outcomes(self, key: str) -> npt.NDArray[np.bool_] | None:
        """Return for each test image whether a finished trial's network knows it, read from the disk at each call.

        None where the trial has no outcomes, or where they cannot be read: a warning names the file (of many, the first
        few), and whoever asked goes on without them.

        Returns:
            (images,) bool, in the order of the prepared test images; those of trials that have one `data_digest` and
            one number of images belong together.
        """
        found = self._outcomes(key)
        return None if found is None else found.right

    @cached_property
    def tests(self) -> tuple[MeasuredLine, ...]:
        """The tests of its networks after the training, in tests/tests.jsonl."""
        return read_tests(self.folder)

    def labels(self, key: str) -> ImageLabels | None:
        """Return the labels of the test images of a finished trial's outcomes; None as for these."""
        found = self._outcomes(key)
        try:
            return None if found is None else read_labels(self.folder, found.data_digest, len(found.right))
        except RecordError as error:
            self._warn(str(error))
            return None

    def weights(self, key: str) -> Path | None:
        """Return the file of the weights of a finished trial's network; None where they are not kept."""
        line = self.finished.get(key)
        return None if line is None or not has_weights(self.folder, line) else weights_file(self.folder, line)

    def keep_weights(self, line: TrialRecord, content: bytes) -> Path:
        """Keep the weights of a line that is recorded, of a training that has ended as that one did; return their file.

        Raises:
            RecordError: they are others than those of the line.
            DiskError: they cannot be written.
        """
        path = weights_file(self.folder, line)
        try:
            check_weights(content, line)
        except ValueError as error:
            raise RecordError(f"the weights of trial {line.key} are not kept: {error}") from error
        assert path is not None  # a line that has weights has a place for them
        try:
            write_kept(path, content)
        except OSError as error:
            raise not_written(f"the weights {path}", error, chosen=False) from error
        return path

    def _outcomes(self, key: str) -> Outcomes | None:
        line = self.finished.get(key)
        try:
            return None if line is None else read_outcomes(self.folder, line)
        except RecordError as error:
            self._warn(f"trial {key} is reported without its outcomes: {error}")
            return None

    def _warn(self, said: str) -> None:
        if said in self._warned or len(self._warned) > _MOST_WARNINGS:
            return
        enough = len(self._warned) == _MOST_WARNINGS
        more = "outcomes of more trials cannot be read; `ablate doctor` names them all"
        log.warning("%s", more if enough else said)
        self._warned.add(said)

    @property
    def version(self) -> tuple[int, ...]:
        """A number for each part that grows with every line: what was made of an equal version still holds."""
        return (self.trials.version, len(self.interim_plans), len(self.proposals))

    def refresh(self) -> None:
        """Take over what others have added since the parts were read.

        Raises:
            RecordError: a file cannot be read, or a line is corrupt.
        """
        if "trials" in self.__dict__:
            self.trials.refresh()
        for part, file in (("proposals", PROPOSALS), ("interim_plans", INTERIM_PLANS)):
            if part in self.__dict__ and self._sizes[part] != self._size(file):
                del self.__dict__[part]

    def add_trials(
        self,
        *lines: TrialRecord,
        outcomes: Mapping[str, bytes] = NOTHING,
        weights: Mapping[str, bytes] = NOTHING,
    ) -> list[TrialRecord]:
        """Add lines durably, but for trials that are finished meanwhile; their files are on the disk before them.

        Args:
            lines: how trials ended.
            outcomes: the contents of their files, by key, checked by the caller.
            weights: likewise.

        Returns:
            The lines that were added, as they are read back.

        Raises:
            NoRoom: the disk is full or fails; no line was added.
            DiskError: another reason why files cannot be written.
        """
        written: list[tuple[str, Path]] = []
        for what, file_of, contents in (
            ("outcomes", outcomes_file, outcomes),
            ("weights", weights_file, weights),
        ):
            for line in lines:
                path = file_of(self.folder, line) if line.key in contents else None
                if path is None:
                    continue
                try:
                    write_kept(path, contents[line.key])
                except OSError as error:
                    said = not_written(f"the {what} {path}", error, chosen=False)
                    raise NoRoom(str(said)) if error.errno in FULL_OR_FAILING else said from error
                written.append((line.key, path))
        added = self.trials.append(*lines, unless_finished=True)
        ours = {line.key for line in added}
        for key, path in written:
            # another sweep has finished it: that line has its own files, other bits if its processor rounds otherwise
            if key not in ours and path not in self._files_of(key):
                with suppress(OSError):
                    path.unlink()
        return added

    def _files_of(self, key: str) -> tuple[Path | None, ...]:
        """Return where the outcomes and the weights of a finished trial are."""
        line = self.finished[key]
        return outcomes_file(self.folder, line), weights_file(self.folder, line)

    def add_proposal(self, proposal: Proposal) -> None:
        """Add a proposal durably; the caller holds the choice's lock.

        Raises:
            DiskError: the file cannot be written.
        """
        add_proposal(self.folder, proposal)
        self.refresh()

    def add_interim_plan(self, plan: InterimPlan) -> None:
        """Write down under which plan the study is analysed now, unless the last line says so already.

        Raises:
            RecordError: the file cannot be read.
            DiskError: it cannot be written.
        """
        if self.interim_plans[-1:] != (plan,):
            add_interim_plan(self.folder, plan)
            del self.interim_plans

    def _size(self, file: str) -> int:
        path = self.folder / file
        return path.stat().st_size if path.exists() else 0
