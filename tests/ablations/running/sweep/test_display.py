"""What a sweep prints where no bars are drawn: a line for each trial, with the time that the rest will take."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from small import small_study

from ablations.planning.design import Design
from ablations.running.sweep.display import SweepDisplay
from ablations.running.sweep.values import Running
from ablations.running.trials.progress import Progress
from tests.ablations.running.record.test_trial_file import FAILED, LINE


def _lines(study: Design, *, failed: bool = False, train_seconds: float = 50.0) -> list[str]:
    """Two trials at a time, each ended a minute after it was begun; the words of the whole sweep of six."""
    assert LINE.result is not None
    trained = replace(LINE, result=replace(LINE.result, train_seconds=train_seconds))
    out = io.StringIO()
    console = Console(file=out, width=120, no_color=True)
    trials = list(zip([*study.rows, *study.rows], study.trials, strict=True))
    with SweepDisplay("small", console, metric=study.study.metric) as display:
        display.begin(len(trials), done=0, shared=0)
        for number, (row, trial) in enumerate(trials):
            running = [Running(t, c, Progress(Path("p"))) for c, t in trials[number : number + 2]]
            display.update(running)
            line = FAILED if failed and number == 0 else trained
            display.finished(row, replace(line, trial=trial.to_json()))
    return out.getvalue().splitlines()


def test_every_line_says_how_long_the_rest_takes() -> None:
    said = _lines(small_study())
    assert said[0] == "study small: 6 trials, 6 to train"
    # five are left of which one is half done: four and a half minutes of two workers
    assert said[1] == "[1/6] SE r=8, seed 0: top-1 error 12.34 % in 50.0 s, 2.2 min left"
    assert said[5].endswith("in 50.0 s, 30 s left")
    assert said[6].endswith("in 50.0 s")


def test_trials_that_were_continued_do_not_make_the_rest_look_short() -> None:
    """They began in an earlier sweep: two minutes of training, of which one is of this sweep."""
    assert _lines(small_study(), train_seconds=120.0)[1].endswith("in 120.0 s, 4.5 min left")


def test_a_failure_says_what_went_wrong() -> None:
    said = _lines(small_study(), failed=True)
    assert said[1] == "[1/6] SE r=8, seed 0: failed (diverged): the loss is nan"
