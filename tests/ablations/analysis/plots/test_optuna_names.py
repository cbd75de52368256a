"""Optuna's pictures of two choices are two files, whatever the choices are called."""

from __future__ import annotations

from ablations.analysis.plots.optuna import _file_names


def test_names_that_would_be_one_file_are_numbered() -> None:
    assert _file_names(["SE r=8", "SE tanh"]) == ["SE-r-8", "SE-tanh"]
    assert _file_names(["SE r=8", "SE r-8", "se R 8", "Größe", "!"]) == [
        "1-SE-r-8",
        "2-SE-r-8",
        "3-se-R-8",
        "Größe",
        "5-",
    ]
