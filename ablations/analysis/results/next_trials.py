"""The next trials of a sweep, from the study's results alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ablations.analysis.results.results import CurrentResults
from ablations.planning.row import Row
from ablations.planning.trial import Trial


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
