"""Rounds: the trials that a sweep trains, as the study comes to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.study_record import StudyRecord
from ablations.running.sweep.values import Settings, TrialSource


class Rounds:
    """The trials of a sweep, round by round; those that another study has finished on the same data are taken over.

    Args:
        design: the study, unfolded.
        settings: how it is swept.
        record: its record.
        others: the other studies of the results folder; None where nothing is shared with them.
        source: says what is to be trained.

    Attributes:
        shared: trials taken from other studies so far.
    """

    def __init__(
        self,
        design: Design,
        settings: Settings,
        record: StudyRecord,
        others: OtherStudies | None,
        source: TrialSource,
    ) -> None:
        self._others, self._settings, self._record, self._source = others, settings, record, source
        self._keys = {trial.key for trial in design.trials}
        self._in_rounds = design.kind.decides or bool(design.confirm_seeds)
        self._asked: set[str] = set()
        self.shared = 0

    @property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial that the study has come to so far, by key, with its row."""
        return self._source.by_key

    @property
    def total(self) -> int:
        """Trials that are asked for: all that the study has, or in rounds those it has come to so far."""
        known = self._asked | (self._record.finished.keys() & self._keys) if self._in_rounds else self._keys
        only = self._settings.only
        return len(known if only is None else known & only)

    def take(self, failed: Collection[str]) -> list[Trial]:
        """Return the next round's trials that are to be trained here; none where the study is done.

        Args:
            failed: keys of trials that are not waited for.
        """
        while True:
            self._record.refresh()
            finished = self._record.finished
            missing = [t for t in self._source.next_trials(failed) if t.key not in finished]
            missing = [t for t in missing if t.key not in failed]
            self._asked.update(trial.key for trial in missing)
            if missing and self._others is not None:
                self.shared += len(self._others.take_over([t.key for t in missing], self._record))
            waiting = [t for t in missing if t.key not in self._record.finished]
            if waiting or not missing:
                only = self._settings.only
                return waiting if only is None else [t for t in waiting if t.key in only]
