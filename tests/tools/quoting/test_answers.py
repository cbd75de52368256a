"""What a mark may ask for, and what is said where there is no such thing. The figures are those of reports/a-a."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from senet_core.errors import UserError
from tools.quoting.answers import answer
from tools.quoting.sources import Library

WORDS = {
    "trials": "70",
    "commits": "b9be6945d675",
    "processor": "AMD EPYC",
    "core hours": "0.40",
    "repeat, SE r=8 repeat 1, difference": "−0.02 [−0.80, +0.76]",
    "repeat, SE r=8 repeat 1, difference; 1 decimal": "0.0 [−0.8, +0.8]",
    "repeat, SE r=8 repeat 2, difference value": "−0.46",
    "repeat, SE r=8 repeat 2, difference value; without sign": "0.46",
    "repeat, SE r=8 repeat 2, difference interval": "[−1.11, +0.19]",
    "repeat, SE r=8, top1": "3.68 ± 0.34 (10)",
    "repeat, SE r=8, top1 mean": "3.68",
    "repeat, SE r=8, top1 sd; 3 decimals": "0.473",
    "repeat, SE r=8, top1 n": "10",
    "repeat, SE r=8, top1 half": "0.34",
    "repeat, SE r=8 repeat 2, p_corrected": "0.611",
    "repeat, SE r=8 repeat 2, verdict value": "undetermined",
    "repeat, SE r=8 repeat 2, verdict more_seeds": "62",
    "repeat, SE r=8, parameters value": "76,346",
    "repeat, smallest, difference value": "−0.46",
    "repeat, largest, difference value": "+0.16",
    "repeat, how many, verdict undetermined": "6",
    "repeat-comparisons, largest, sd": "1.353",
    "trials, SE r=8 / 3, key": "`4219b1b7dc1eb8ae`",
    "setup, backbone, value": "resnet8",
}


@pytest.mark.parametrize(("what", "said"), WORDS.items())
def test_words(library: Library, what: str, said: str) -> None:
    assert answer(library.source("a-a"), what, block=False) == said


def test_a_table_is_the_reports(library: Library, clone: Path) -> None:
    table = answer(library.source("a-a"), "table repeat", block=True)
    assert table in (clone / "reports/a-a/report.md").read_text(encoding="utf-8")


def test_some_columns_and_rows_of_a_table(library: Library) -> None:
    asked = "table repeat; columns variant, verdict; rows SE r=8, SE r=8 repeat 6"
    assert answer(library.source("a-a"), asked, block=True).splitlines()[2:] == [
        "| **SE r=8** | **baseline** |",
        "| SE r=8 repeat 6 | undetermined (about 120 more seeds) |",
    ]


def test_the_answer_and_notes_are_the_reports(library: Library, clone: Path) -> None:
    report = (clone / "reports/a-a/report.md").read_text(encoding="utf-8")
    for note in answer(library.source("a-a"), "notes repeat", block=True).split("\n\n"):
        assert note in report
    for sentence in answer(library.source("a-a"), "answer", block=True).split("\n\n"):
        assert sentence in report


WRONG = [
    ("trails", False, "unknown fact of a-a 'trails'; did you mean 'trials'?"),
    ("repeat, SE r=8 repaet 1, top1", False, "unknown row of table repeat 'SE r=8 repaet 1'; did you mean"),
    ("repaet, SE r=8, top1", False, "unknown table of a-a 'repaet'; did you mean 'repeat'?"),
    ("repeat, SE r=8, tpo1", False, "unknown column of table repeat 'tpo1'; did you mean 'top1'?"),
    ("repeat, SE r=8, top1 maen", False, "unknown part of top1 'maen'; did you mean 'mean'?"),
    ("repeat, SE r=8, difference", False, "there is no value in that place"),
    ("repeat, largest, top1 maen", False, "unknown part of top1 'maen'; did you mean 'mean'?"),
    ("repeat, how many, verdict beter", False, "unknown value of that column 'beter'"),
    ("repeat, top1", False, "neither a fact nor TABLE, ROW, COLUMN"),
    ("trials; 2 decimal places", False, "unknown way to show a number"),
    ("repeat, SE r=8 repeat 1, verdict value; 1 decimal", False, "is not a number"),
    ("table repeat", False, "its mark must stand alone on its line"),
    ("trials", True, "its mark may not stand alone on its line"),
    ("table repaet", True, "did you mean 'repeat'?"),
    ("table repeat; colums top1", True, "unknown change of a table 'colums'; did you mean 'columns'?"),
    ("table repeat; rows SE r=9", True, "unknown row of table repeat 'SE r=9'; did you mean 'SE r=8'?"),
    ("page tables", True, "unknown page of a-a 'tables'"),
]


@pytest.mark.parametrize(("what", "block", "said"), WRONG)
def test_what_is_not_there_is_refused_with_the_nearest(
    library: Library, what: str, block: bool, said: str
) -> None:
    with pytest.raises(UserError) as raised:
        answer(library.source("a-a"), what, block=block)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_study_is_refused_with_the_nearest(library: Library) -> None:
    with pytest.raises(UserError, match=r"unknown source in results/ 'a-b'; did you mean 'a-a'\?"):
        library.source("a-b")


def test_a_bench_is_quoted_from_its_record(clone: Path) -> None:
    timing = {
        "name": "ours", "title": "ours", "rounds": [480.2, 500.0], "median": 490.1, "ratio": 1.5004,
        "cpu_rounds": [4.0, 4.1], "cpu_ratio": 1.385,
    }  # fmt: skip
    bench = {
        "network": "SE-ResNet-20", "batch": 128, "images": "random", "cores_used": 2, "commit": "abc",
        "dirty": False, "load_before": 0.4878, "timings": [timing],
    }  # fmt: skip
    (clone / "results/bench").mkdir()
    (clone / "results/bench/one.json").write_text(json.dumps(bench), encoding="utf-8")
    source = Library(clone).source("bench/one")
    asked = (
        "timings, ours, ratio",
        "timings, ours, speed",
        "timings, ours, cpu",
        "rounds",
        "load_before",
        "commit",
    )
    said = [answer(source, what, block=False) for what in asked]
    assert said == ["1.50", "490", "4.05", "2", "0.49", "abc"]


def test_a_page_of_another_program_is_quoted_whole(clone: Path) -> None:
    (clone / "results/simulation").mkdir()
    (clone / "results/simulation/tables.md").write_text("| a |\n| - |\n", encoding="utf-8")
    assert answer(Library(clone).source("simulation"), "page tables", block=True) == "| a |\n| - |\n"


def test_another_measurement_of_the_bench_is_quoted_by_its_values(clone: Path) -> None:
    measured = {
        "busy": 0.9344,
        "trials": 24,
        "median_seconds": {"ours": 388.6},
        "runs": {"ours": [{"seconds": 1.0}]},
    }
    (clone / "results/bench").mkdir()
    (clone / "results/bench/unequal.json").write_text(json.dumps(measured), encoding="utf-8")
    source = Library(clone).source("bench/unequal")
    asked = ("busy", "trials", "median_seconds ours; 0 decimals")
    assert [answer(source, what, block=False) for what in asked] == ["0.93", "24", "389"]
