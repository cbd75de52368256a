"""Inputs: what a study's trials read, made ready before any of them begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablations.running.record.image_labels import ImageLabels


@dataclass(frozen=True)
class Inputs:
    """The data that the harness provides; nothing where trials find their own.

    Attributes:
        digest: of the data; trials with different ones are not compared.
        file: of the prepared data, which nodes of a cluster need; None for none.
        labels: of the test examples, kept beside the outcomes; None where nobody asks.
    """

    digest: str = ""
    file: Path | None = None
    labels: ImageLabels | None = None


NO_INPUTS = Inputs()
