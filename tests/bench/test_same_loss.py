"""Fast paths end at the loss of the plain ones."""

from __future__ import annotations

import json
import sys

import pytest

from bench.kernels import same_loss


def test_pairs_of_one_seed_are_closer_than_seeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["same_loss.py", "--steps", "8", "--batch", "16", "--seeds", "3"])
    same_loss.main()
    *_, found = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["steps"], found["seeds"]) == (8, 3)
    assert found["largest_difference_of_a_pair"] < found["standard_deviation_of_seeds"]
