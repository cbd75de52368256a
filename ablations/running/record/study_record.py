"""The record of a study: its files on the disk, read once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.record.forecasts import FILE_NAME as FORECASTS
from ablations.running.record.forecasts import Forecast, load_forecasts
from ablations.running.record.interim_plans import FILE_NAME as INTERIM_PLANS
from ablations.running.record.interim_plans import InterimPlan, add_interim_plan, read_interim_plans
from ablations.running.record.proposals import FILE_NAME as PROPOSALS
from ablations.running.record.proposals import Proposal, add_proposal, read_proposals
from ablations.running.record.trial_file import FILE_NAME as TRIALS
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import TrialRecord

log = logging.getLogger("ablations")


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
        return read_interim_plans(self.folder)

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        """The proposals of its choices, in their order, in proposals.jsonl."""
        self._sizes["proposals"] = self._size(PROPOSALS)
        return read_proposals(self.folder)

    @cached_property
    def forecasts(self) -> tuple[Forecast, ...]:
        """Its forecasts, oldest first, in forecast.json; none where that cannot be read, as no verdict needs them."""
        try:
            return load_forecasts(self.folder / FORECASTS)
        except RecordError as error:
            log.warning("the forecasts are left out: %s", error)
            return ()

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
