"""Inputs: what a study's trials read, made ready before any of them begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablations.running.record.image_labels import ImageLabels


@dataclass(frozen=True)
class InputData:
    """One data set that the harness provides.

    Attributes:
        digest: of the whole of it; trials with different ones are not compared.
        file: that it was prepared in, which nodes of a cluster need; None for none.
        labels: of the test examples, kept beside the outcomes: one for each part of the test examples that rows are
            tested on; empty where nobody asks.
    """

    digest: str
    file: Path | None = None
    labels: tuple[ImageLabels, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """The data that the harness provides; nothing where trials find their own.

    Attributes:
        data: by what `Runner.data_of` says of a trial.
    """

    data: Mapping[str, InputData] = field(default_factory=dict)

    def digest(self, name: str) -> str:
        """Return the digest of a data set; empty where the harness does not provide it."""
        return self.data[name].digest if name in self.data else ""

    @property
    def digests(self) -> frozenset[str]:
        """Those that trials may have been recorded with."""
        return frozenset(data.digest for data in self.data.values()) or frozenset({""})


NO_INPUTS = Inputs()
