"""What a study's sweep is to train next, from the study and its record alone."""

from __future__ import annotations

from collections.abc import Collection

from ablations.analysis.results.confirmation import confirmation_trials
from ablations.analysis.results.race import play
from ablations.analysis.results.selection import settled, trials_of_rows
from ablations.planning.design import Design
from ablations.planning.trial import Trial
from ablations.running.record.trial_file import Record


def next_trials(design: Design, record: Record, ended: Collection[str] = ()) -> tuple[Trial, ...]:
    """Give the trials of the next round: all that a plan lacks, a race's next seeds, then a confirmation's.

    Args:
        design: the study, unfolded.
        record: what was measured.
        ended: keys of trials that are not waited for: they failed in this sweep.

    Returns:
        Trials without a result, in the order in which they are to be trained; none where the study is done.
    """
    if design.study.design == "race":
        lacking = play(design, record, ended).trials
    else:
        finished = record.finished
        planned = trials_of_rows(design, record) if _chooses(design) else design.trials
        lacking = tuple(t for t in planned if t.key not in finished and t.key not in ended)
    if lacking:
        return lacking
    known = settled(design, record)
    return () if known.undecided else confirmation_trials(known, record, ended)


def _chooses(design: Design) -> bool:
    return design.study.design in ("tuned", "search")
