"""`ablate analyse` says at once what it needs of a file with names of its own, and what it takes for granted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPREADSHEET = "Methode;Seed;Genauigkeit\n" + "".join(
    f"{name};{seed};{level + 0.1 * seed:.2f}\n".replace(".", ",")
    for name, level in (("ResNet-20", 91.2), ("SE", 92.0), ("Ours", 92.9))
    for seed in range(5)
)
NAMED = ("--variant-column", "Methode", "--seed-column", "Seed", "--value-column", "Genauigkeit")


@pytest.fixture
def file() -> str:
    Path("own.csv").write_text(SPREADSHEET, encoding="utf-8")
    return "own.csv"


def test_which_values_are_better_is_said_where_nobody_has_said_it(
    ablate: Callable[..., Any], file: str
) -> None:
    assumed = "A lower Genauigkeit counts as better; --higher-is-better is for accuracies."
    said = ablate("analyse", file, *NAMED, "--baseline", "SE", "--out", "out")
    assert assumed in said.out
    assert assumed in Path("out/report.md").read_text(encoding="utf-8")
    told = ablate("analyse", file, *NAMED, "--baseline", "SE", "--higher-is-better")
    assert "counts as better" not in told.out


def test_a_latex_table_has_the_assumption_beside_it_and_not_in_it(
    ablate: Callable[..., Any], file: str
) -> None:
    said = ablate("analyse", file, *NAMED, "--baseline", "SE", "--format", "latex")
    assert "A lower Genauigkeit counts as better" in said.err
    assert "counts as better" not in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--baseline", "SE"),
            "'own.csv': unknown columns 'variant', 'seed', 'value'; known: Methode, Seed, Genauigkeit;"
            " --variant-column NAME --seed-column NAME --value-column NAME say which are meant",
        ),
        (
            ("--baseline", "SE", "--variant-column", "Methode", "--value-column", "Genauigkeit"),
            "unknown column 'seed'; did you mean 'Seed'? known: Methode, Seed, Genauigkeit; --seed-column NAME",
        ),
        (NAMED, "--baseline NAME says which variant the others are compared with: ResNet-20, SE, Ours"),
        ((*NAMED, "--baseline", "se"), "unknown variant 'se'; did you mean 'SE'? known: ResNet-20, SE, Ours"),
        ((*NAMED, "--baseline", "OURS"), "unknown variant 'OURS'; did you mean 'Ours'?"),
    ],
)
def test_all_that_is_missing_is_said_at_once(
    ablate: Callable[..., Any], file: str, words: tuple[str, ...], message: str
) -> None:
    said = ablate("analyse", file, *words)
    assert said.status == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
