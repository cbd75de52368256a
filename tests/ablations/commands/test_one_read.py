"""One command says all that it says of one reading of the record, and of one value made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.results.results import Results
from ablations.running.record.trial_file import TrialFile


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often this study's trials.jsonl is read, and results are made of it."""
    counts: Counter[str] = Counter()
    load, init = TrialFile.load.__func__, Results.__init__  # type: ignore[attr-defined]

    def counting_load(cls: type[TrialFile], path: Path) -> TrialFile:
        counts["reads"] += path.parent.name == "small"
        found: TrialFile = load(cls, path)
        return found

    def counting_init(self: Results, *given: Any, **named: Any) -> None:
        counts["results"] += 1
        init(self, *given, **named)

    monkeypatch.setattr(TrialFile, "load", classmethod(counting_load))
    monkeypatch.setattr(Results, "__init__", counting_init)
    return counts


@pytest.mark.parametrize(
    "words", [("run", "small.yaml", "--workers", "1"), ("report", "small.yaml"), ("status", "small.yaml")]
)
def test_a_command_with_nothing_to_train_reads_the_record_once(
    ablate: Callable[..., Any], counted: Counter[str], words: tuple[str, ...]
) -> None:
    assert ablate("run", "small.yaml", "--workers", "1").status == 0
    counted.clear()
    said = ablate(*words)
    assert said.status == 0, said.err
    assert counted == {"reads": 1, "results": 1}
