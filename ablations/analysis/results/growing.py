"""Results of a record that grows, and the next trials of a sweep, which follow from them alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ablations.analysis.results.results import Results
from ablations.planning.commands import Places
from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.study_record import StudyRecord


class CurrentResults:
    """The results of a record that grows: made anew only when the record has changed.

    Args:
        design: the study, as it was asked.
        record: what was measured; whoever adds to it refreshes it.
        places: where the study's files are; see `Results`.
    """

    def __init__(self, design: Design, record: StudyRecord, places: Places | None = None) -> None:
        self.design, self.record, self.places = design, record, places
        self._made: tuple[tuple[int, ...], Results] | None = None

    @property
    def now(self) -> Results:
        """The results of the record as it is at this moment."""
        version = self.record.version
        if self._made is None or self._made[0] != version:
            self._made = (version, Results(self.design, self.record, places=self.places))
        return self._made[1]


class NextTrials:
    """The source of a sweep's trials (`TrialSource`).

    Args:
        results: the study's, as its record grows.
        only: keys of the trials that may be trained; None for all of them.
    """

    def __init__(self, results: CurrentResults, *, only: Collection[str] | None = None) -> None:
        self._results, self._only = results, only

    @property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial that the study has come to so far, by key, with its row."""
        return self._results.now.by_key

    def next_trials(self, ended: Collection[str]) -> Sequence[Trial]:
        """Return the trials of the next round; see `TrialSource`."""
        now = self._results.now
        if self._only is None:
            return now.next_trials(ended)
        # what failed before and is not to be tried now is not waited for
        others = now.all_failed.keys() - set(self._only)
        return [trial for trial in now.next_trials(others | set(ended)) if trial.key in self._only]
