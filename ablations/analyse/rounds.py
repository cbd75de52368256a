"""What a study's sweep is to train next, from the study and its record alone."""

from __future__ import annotations

from collections.abc import Collection

from ablations.analyse.confirmation import confirmation_trials
from ablations.analyse.race import play
from ablations.plan.design import Design
from ablations.plan.trial import Trial
from ablations.run.record import Record


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
        lacking = tuple(t for t in design.trials if t.key not in finished and t.key not in ended)
    return lacking or confirmation_trials(design, record, ended)
