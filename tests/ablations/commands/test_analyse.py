"""`ablate analyse`: verdicts for files from anywhere, and one line for those that cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOOD = "variant,seed,value\n" + "".join(
    f"{name},{seed},{8 + 0.1 * seed + shift + 0.02 * ((seed * k) % 5)}\n"
    for k, (name, shift) in enumerate((("SE", 0.0), ("worse", 1.0), ("alike", 0.01), ("better", -0.5)), 1)
    for seed in range(8)
)


def analyse(ablate: Callable[..., Any], text: str | bytes, *words: str, baseline: str = "SE") -> Any:
    content = text.encode() if isinstance(text, str) else text
    Path("own.csv").write_bytes(content)
    return ablate("analyse", "own.csv", "--baseline", baseline, *words)


def verdicts(out: str) -> dict[str, str]:
    """The last word of each row of the first table."""
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: row[-1] for row in rows if len(row) > 3 and row[0] in ("SE", "worse", "alike", "better")}


def test_a_file_gets_verdicts_table_and_plot(ablate: Callable[..., Any]) -> None:
    said = analyse(ablate, GOOD, "--out", "out")
    assert said.status == 0, said.err
    assert verdicts(said.out) == {
        "SE": "baseline",
        "worse": "worse",
        "alike": "equivalent",
        "better": "better",
    }
    assert "The smallest effect of interest is the default, 0.2; --margin sets it." in said.out
    report = Path("out/report.md").read_text(encoding="utf-8")
    assert "| worse |" in report
    assert "(figures/comparisons.svg)" in report
    assert Path("out/figures/comparisons.svg").stat().st_size > 1000
    with Path("out/tables/comparisons.csv").open(encoding="utf-8") as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    assert rows["alike"]["verdict"] == "equivalent"
    assert float(rows["worse"]["difference"]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", ";").replace(".", ","),
        GOOD.replace(",", " , "),
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n",
        GOOD.replace("variant,seed,value", '"variant","seed","value"'),
    ],
    ids=["bom", "utf-16", "tab", "semicolon", "decimal comma", "spaces", "crlf", "blank lines", "quotes"],
)
def test_a_file_may_look_as_spreadsheets_write_it(ablate: Callable[..., Any], text: str | bytes) -> None:
    said = analyse(ablate, text)
    assert said.status == 0, said.err
    assert verdicts(said.out)["better"] == "better"


def test_columns_have_any_names_and_higher_can_be_better(ablate: Callable[..., Any]) -> None:
    text = GOOD.replace("variant,seed,value", "model,run,acc")
    words = (
        "--variant-column",
        "model",
        "--seed-column",
        "run",
        "--value-column",
        "acc",
        "--higher-is-better",
    )
    said = analyse(ablate, text, *words, "--margin", "0.05")
    assert said.status == 0, said.err
    assert (verdicts(said.out)["better"], verdicts(said.out)["worse"]) == ("worse", "better")
    assert "default" not in said.out


def test_missing_values_are_left_out_and_counted(ablate: Callable[..., Any]) -> None:
    lines = GOOD.splitlines()
    lines[1], lines[12] = "SE,0,", "worse,3,nan"
    said = analyse(ablate, "\n".join(lines))
    assert said.status == 0, said.err
    assert "2 runs have no value and count as missing." in said.out
    assert "(6/8)" not in said.out
    assert "(7/8)" in said.out


def test_tasks_are_compared_one_by_one_and_together(ablate: Callable[..., Any]) -> None:
    rows = [line.split(",") for line in GOOD.splitlines()[1:]]
    text = "task,variant,seed,value\n" + "".join(
        f"{task},{v},{s},{float(x) + level}\n"
        for task, level in (("easy", 0), ("hard", 20))
        for v, s, x in rows
    )
    said = analyse(ablate, text, "--pairs", "--out", "out")
    assert said.status == 0, said.err
    for part in ("Task: easy", "Task: hard", "All pairs", "Over all tasks", "P(improvement)"):
        assert part in said.out
    assert {path.name for path in Path("out/tables").iterdir()} >= {
        "task-easy.csv",
        "task-hard-pairs.csv",
        "aggregates.csv",
    }


def lines(*chosen: str) -> str:
    return "\n".join(("variant,seed,value", *chosen))


CASES: Sequence[tuple[str | bytes, tuple[str, ...], str]] = [
    ("", (), "'own.csv' is empty"),
    ("\n \n", (), "'own.csv' is empty"),
    ("variant,seed,value\n", (), "has a first line and nothing below it"),
    (b"\xff\x00\x80", (), "is not a text file in UTF-8"),
    (b"PK\x03\x04\0\0", (), "is not a text file in UTF-8"),
    (
        "variant seed value\na 0 1\n",
        (),
        "has one column, 'variant seed value'; columns are separated by comma",
    ),
    (
        GOOD.replace("value", "vallue", 1),
        (),
        "unknown column 'value'; did you mean 'vallue'? known: variant, seed, vallue",
    ),
    (GOOD, ("--seed-column", "sed"), "unknown column 'sed'; did you mean 'seed'?"),
    (GOOD, ("--task-column", "dataset"), "unknown column 'dataset'"),
    (GOOD, ("--seed-column", "value"), "one column cannot be two things"),
    (GOOD.replace("seed,value", "value,value", 1), ("--seed-column", "value"), "more than once"),
    (lines("SE,0,1", "SE,1,abc"), (), "line 3: the value 'abc' is not a number"),
    (
        lines("SE,0,1", "SE,1,1e999"),
        (),
        "line 3: the value '1e999' is not finite; leave it empty for a failed run",
    ),
    (lines('SE,0,"1,5"'), (), "line 2: the value '1,5' is not a number; numbers have a decimal point"),
    (
        lines("SE,0,1,5"),
        (),
        "line 2: 4 fields, the first line has 3; a decimal comma needs another separator",
    ),
    ("variant;seed;value\nSE;0;1,5\nSE;1;1.5\n", (), "both decimal commas and decimal points"),
    (lines("SE,0,1", ",1,2"), (), "line 3: the variant is empty"),
    (lines("SE,0,1", "SE,,2"), (), "line 3: the seed is empty"),
    (lines("SE,0,1", "x,0,2", "SE,0,3"), (), "lines 2 and 4: variant 'SE' has seed 0 more than once"),
    (lines("SE,0,1", "SE,1,2"), (), "there is one variant, 'SE'; a comparison needs two or more"),
    (lines("SE,0,1", "x,1,2"), (), "no variant shares a measured seed with 'SE'"),
    (lines("SE16,0,1", "x,0,2"), (), "unknown variant 'SE'; did you mean 'SE16'? known: SE16, x"),
    (GOOD, ("--margin", "0"), "margin must be a number above 0, got 0.0"),
    (GOOD, ("--margin", "wide"), "Invalid value for '--margin'"),
    (GOOD, ("--out", "own.csv"), "cannot write to 'own.csv'"),
]


@pytest.mark.parametrize(("text", "words", "expected"), CASES, ids=[expected[:50] for *_, expected in CASES])
def test_what_is_wrong_is_said_in_one_line(
    ablate: Callable[..., Any], text: str | bytes, words: tuple[str, ...], expected: str
) -> None:
    said = analyse(ablate, text, *words)
    assert said.status == 2
    [line] = said.err.splitlines()
    assert line.startswith("ablate: ")
    assert expected in line


def test_a_file_that_is_not_there_is_said(ablate: Callable[..., Any]) -> None:
    said = ablate("analyse", "absent.csv", "--baseline", "SE")
    assert (said.status, said.err) == (2, "ablate: cannot read 'absent.csv': No such file or directory\n")


def test_a_wrong_file_of_bytes_never_ends_in_a_traceback(ablate: Callable[..., Any]) -> None:
    generator = np.random.default_rng(0)
    alphabet = np.frombuffer(b'variant,seed;value\n\t"0123.,-eSE\xff\x00\xc3', dtype=np.uint8)
    for _ in range(150):
        said = analyse(ablate, generator.choice(alphabet, generator.integers(0, 60)).tobytes())
        assert said.status == 2
        assert "internal error" not in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\n" + GOOD.replace(",", ";"),
        "variant;seed;value;notes, of a, b, c and d\n"
        + "".join(line.replace(",", ";") + ";x\n" for line in GOOD.splitlines()[1:]),
        GOOD.encode("utf-32"),
    ],
    ids=["sep=", "misleading first line", "utf-32"],
)
def test_the_separator_is_that_of_all_lines(ablate: Callable[..., Any], text: str | bytes) -> None:
    said = analyse(ablate, text)
    assert said.status == 0, said.err
    assert verdicts(said.out)["better"] == "better"


@pytest.mark.parametrize("value", ["1_000", "٣", "1e", "0x10", "1e5_0", "infinit", "--1", "1 000"])
def test_only_numbers_that_are_stated_are_accepted(ablate: Callable[..., Any], value: str) -> None:
    said = analyse(ablate, lines("SE,0,1", f"SE,1,{value}", "x,0,2", "x,1,3"))
    assert said.status == 2
    assert f"line 3: the value {value!r} is not a number; accepted are such as 8.25 and -1e-3" in said.err


def test_other_encodings_are_told(ablate: Callable[..., Any]) -> None:
    said = analyse(ablate, lines("SE,0,1", "café,0,2").encode("latin-1"))
    assert "line 3 has the byte 0xe9; if it is in Latin-1 or a code page, save it as UTF-8" in said.err
    assert "needs its byte-order mark" in analyse(ablate, GOOD.encode("utf-16-le")).err


def test_names_are_compared_in_composed_form(ablate: Callable[..., Any]) -> None:
    text = lines(
        *(
            f"{name},{seed},{seed + place}"
            for place, name in enumerate(("cafe\u0301", "x"))
            for seed in (1, 2, 3)
        )
    )
    for name in ("caf\u00e9", "cafe\u0301"):
        assert analyse(ablate, text, baseline=name).status == 0


def test_a_column_task_is_told_and_can_be_left_alone(ablate: Callable[..., Any]) -> None:
    text = "task,variant,seed,value\n" + "".join(
        f"t{i},{line}\n" for i, line in enumerate(GOOD.splitlines()[1:])
    )
    said = analyse(ablate, text, "--task-column", "")
    assert said.status == 0, said.err
    assert "Task:" not in said.out
    text = "task,variant,seed,value\n" + "".join(f"t,{line}\n" for line in GOOD.splitlines()[1:])
    assert "an empty --task-column takes the file as one" in analyse(ablate, text).out


def test_a_seed_that_only_a_crashed_run_had_counts_against_its_row_alone(ablate: Callable[..., Any]) -> None:
    said = analyse(ablate, GOOD + "worse,99,\n")
    assert said.out.count("(8/9)") == 1
    assert said.out.count("(8)") == 3


def test_means_over_other_seeds_than_the_difference_are_told(ablate: Callable[..., Any]) -> None:
    text = lines(
        *(f"SE,{s},{s}" for s in range(8)), *(f"short,{s},{s - 0.5 + 0.01 * (s % 2)}" for s in range(3))
    )
    out = analyse(ablate, text).out
    assert "Means are over all seeds of a row (the baseline's over 8 seeds)" in out
    assert "short: mean over" not in out  # it is over the same three seeds, which the table shows
    assert "Means are over all seeds" not in analyse(ablate, GOOD).out


def test_tasks_with_like_names_have_files_of_their_own(ablate: Callable[..., Any]) -> None:
    tasks = ("CIFAR 10", "CIFAR-10", "cifar-10", "日本", "中国", "x", "x-pairs", "x-comparisons")
    text = "task,variant,seed,value\n" + "".join(
        f"{task},{line}\n" for task in tasks for line in GOOD.splitlines()[1:]
    )
    assert analyse(ablate, text, "--pairs", "--out", "out").status == 0
    names = [path.name for path in Path("out/tables").iterdir()]
    assert len(names) == 3 * len(tasks) + 2
    assert len({name.lower() for name in names}) == len(names)
    assert len(list(Path("out/figures").glob("task-*.svg"))) == len(tasks)
    assert {"task-cifar-10.csv", "task-x.csv"} <= set(names)
    for path in Path("out/figures").glob("task-*.svg"):
        assert f"(figures/{path.name})" in Path("out/report.md").read_text(encoding="utf-8")


def test_a_table_for_a_paper_is_all_that_is_printed(ablate: Callable[..., Any]) -> None:
    said = analyse(ablate, GOOD, "--format", "latex", "--columns", "variant, value,verdict", "--spread", "sd")
    assert said.status == 0, said.err
    assert said.out.startswith("\\begin{table}\n")
    assert said.out.endswith("\\end{table}\n")
    assert "@{}lrl@{}" in said.out
    assert r"\textbf{better}" in said.out
    assert "The smallest effect of interest is the default" in said.err
    said = analyse(
        ablate, GOOD, "--format", "latex", "--caption", "Ours & 5 %", "--label", "tab:own", "--out", "out"
    )
    assert said.status == 0, said.err
    assert "begin" not in said.out
    table = Path("out/tables/comparisons.tex").read_text(encoding="utf-8")
    assert r"\caption{Ours \& 5\,\%}" in table
    assert r"\label{tab:own}" in table
    assert r"\input{tables/comparisons.tex}" in Path("out/report.tex").read_text(encoding="utf-8")


def test_each_task_has_its_table_label_and_caption(ablate: Callable[..., Any]) -> None:
    rows = [line.split(",") for line in GOOD.splitlines()[1:]]
    text = "task,variant,seed,value\n" + "".join(
        f"{task},{v},{s},{x}\n" for task in ("easy", "hard") for v, s, x in rows
    )
    said = analyse(ablate, text, "--format", "latex", "--label", "tab:own", "--caption", "Ours.")
    assert said.status == 0, said.err
    for part in (r"\label{tab:own-task-easy}", r"\label{tab:own-task-hard}", r"\caption{Ours. Task: hard.}"):
        assert part in said.out
    assert said.out.count(r"\begin{tabular}") == 4  # and two over all tasks


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "tex"), "unknown format 'tex'; did you mean 'text'? known: text, latex"),
        (("--columns", "variant"), "--columns is of tables for papers: it needs --format latex"),
        (
            ("--format", "latex", "--columns", "variant,verdikt"),
            "unknown column 'verdikt'; did you mean 'verdict'?",
        ),
        (("--format", "latex", "--columns", "variant,variant"), "the column 'variant' is named twice"),
        (("--format", "latex", "--columns", ""), "unknown column ''; known: variant, value"),
        (
            ("--format", "latex", "--spread", "std"),
            "unknown spread 'std'; did you mean 'sd'? known: interval, sd",
        ),
        (
            ("--format", "latex", "--label", "a}b"),
            "a label has letters, digits and : . _ - / + alone, not 'a}b'",
        ),
    ],
)
def test_a_table_that_cannot_be_set_is_one_line(
    ablate: Callable[..., Any], words: tuple[str, ...], message: str
) -> None:
    said = analyse(ablate, GOOD, *words, "--out", "none")
    assert said.status == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not Path("none").exists()
