"""What a program measured, as kept in a folder of results/: figures to read again, and a page that documents quote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from ablations.analysis.tables.cells import Column, Table, TableCell, TableRow
from ablations.analysis.tables.render import to_markdown
from ablations.running.machine.code_version import code_version
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import ALL_KERNELS

FIGURES, PAGE = "measured.json", "tables.md"


def write_page(folder: Path, content: dict[str, Any], text: str, command: str) -> None:
    """Print the page, and write figures and page with the machine and the commit.

    Args:
        folder: of results/; made where it is not there.
        content: the figures.
        text: tables and sentences in Markdown.
        command: what measures it again, after `python -m bench.`.
    """
    print(text)
    command, version = f"python -m bench.{command}", code_version()
    machine = describe_environment(
        device=torch.device("cpu"), precision="fp32", threads=1, kernels=ALL_KERNELS
    )
    folder.mkdir(parents=True, exist_ok=True)
    figures = {**content, "command": command, **version, "environment": machine}
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    commit = f"commit {version['commit']}{' with changes' if version['dirty'] else ''}"
    made = f"{commit}; {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}."
    (folder / PAGE).write_text(f"{text.strip()}\n\n`{command}`, {made}\n", encoding="utf-8")


def markdown_table(heads: Sequence[str], rows: Iterable[tuple[TableCell, ...]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    columns = tuple(Column("", head, "right" if place else "left") for place, head in enumerate(heads))
    return to_markdown(Table("", "", columns, tuple(TableRow(row) for row in rows)))
