"""Where the programs of this folder keep what they measured: figures to read again, and a page that documents quote."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablations.running.machine.environment import code_version, describe_environment
from ablations.running.machine.kernels import ALL_KERNELS

FIGURES, PAGE = "measured.json", "tables.md"


def write_page(folder: Path, content: dict[str, Any], text: str, command: str) -> None:
    """Write figures and page, with the machine and the commit.

    Args:
        folder: of results/; made where it is not there.
        content: the figures.
        text: tables and sentences in Markdown.
        command: what measures it again.
    """
    version, machine = (
        code_version(),
        describe_environment(device="cpu", precision="fp32", threads=1, kernels=ALL_KERNELS),
    )
    folder.mkdir(parents=True, exist_ok=True)
    figures = {**content, "command": command, **version, "environment": machine}
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    text = re.sub(r"(?<![\w.])-(?=\d)", "−", text.strip())  # a minus sign, as in reports
    commit = f"commit {version['commit']}{' with changes' if version['dirty'] else ''}"
    made = (
        f"`{command}`, {commit}; {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}."
    )
    (folder / PAGE).write_text(f"{text}\n\n{made}\n", encoding="utf-8")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(heads) + " |", "| :-- |" + " --: |" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
