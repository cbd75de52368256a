"""Fast paths end at the loss of the plain ones."""

from __future__ import annotations

import json
import sys

import pytest

from bench.kernels import same_loss
from bench.programs import run_program


def test_pairs_of_one_seed_are_closer_than_seeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["same_loss.py", "--steps", "8", "--batch", "16", "--seeds", "3"])
    same_loss.main()
    *_, found = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["steps"], found["seeds"]) == (8, 3)
    assert found["largest_difference_of_a_pair"] < found["standard_deviation_of_seeds"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", "4", "--batch", "8"], "train_images must be between 10 and 10 for this data set, got 8"),
        (["--seeds", "1"], "`--seeds` must be at least 2, for they have a spread, got 1"),
        (["--batch", "0"], "argument --batch: must be a positive integer, got '0'"),
        (["--steps", "many"], "argument --steps: must be a positive integer, got 'many'"),
    ],
)
def test_a_program_refuses_in_a_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["same_loss.py", *words])
    with pytest.raises(SystemExit) as ended:
        run_program(same_loss.main)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(said)
