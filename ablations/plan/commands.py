"""What a person types to do something again."""

from __future__ import annotations

import shlex

from ablations.plan.design import Cell, Design


def row_command(design: Design, cell: Cell, prefix: str = "ablate") -> str:
    """Return the command that trains one row of a study.

    Args:
        design: the study, with what the command line changed in it.
        cell: the row.
        prefix: how the command line is called.
    """
    return f"{prefix} run {shlex.join(design.study.typed or (design.study.name,))} --only {shlex.quote(cell.label)}"
