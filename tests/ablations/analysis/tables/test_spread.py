"""How much of the spread between runs is real is told as far as a few runs can tell it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ablations.analysis.results.results import Results
from ablations.analysis.tables.spread import spread_between_runs
from ablations.running.record.outcomes import Outcomes, hash_of
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

IMAGES = 800


def spread(folder: Path, missed: list[int]) -> str | None:
    """Return what is said of runs that miss so many images, each a stretch of its own."""
    plan = study_design(axes={"reduction": [4, 16]}, seeds=len(missed))
    record = StudyRecord(folder)
    for told in simulated(plan):
        line = TrialRecord.from_line(json.dumps(told))
        seed = plan.by_key[line.key][1].seed
        right = np.roll(np.arange(IMAGES) >= missed[seed], 100 * seed)
        content = Outcomes(line.key, line.data_digest, right).to_bytes()
        assert line.result is not None
        result = replace(
            line.result, top1_error=100 * missed[seed] / IMAGES, outcomes_sha256=hash_of(content)
        )
        record.add_trials(replace(line, result=result), outcomes={line.key: content})
    return spread_between_runs(Results(plan, record))


def test_what_is_real_is_told_beside_what_was_seen(tmp_path: Path) -> None:
    missed = [80, 120, 160]
    # by hand: MS between runs and MS of the rest, of 3 runs on 800 images, in points
    right = np.stack([np.roll(np.arange(IMAGES) >= many, 100 * seed) for seed, many in enumerate(missed)])
    values = 100.0 * ~right
    means = values.mean(axis=1, keepdims=True)
    rest = values - means - values.mean(axis=0, keepdims=True) + values.mean()
    ms_runs = IMAGES * means.var(ddof=1)
    ms_rest = (rest**2).sum() / (2 * (IMAGES - 1))
    left = ((ms_runs - ms_rest) / IMAGES) ** 0.5
    assert spread(tmp_path, missed) == (
        f"SE: sd 5.00 points over 3 seeds on these 800 test images, of which {left:.2f} would be left on an endless"
        " test set"
    )


def test_a_spread_that_the_test_set_explains_is_not_called_zero(tmp_path: Path) -> None:
    said = spread(tmp_path, [100, 101, 99])
    assert said is not None
    assert said.endswith(
        "on these 800 test images, no more than a finite test set alone would make it, as far as 3 runs tell"
    )
    assert "0.00" not in said


def test_without_outcomes_or_with_one_run_nothing_is_said(tmp_path: Path) -> None:
    plan = study_design(axes={"reduction": [4, 16]}, seeds=3)
    assert spread_between_runs(Results(plan, write_record(tmp_path / "none", simulated(plan)))) is None
    assert spread(tmp_path / "one", [100]) is None
