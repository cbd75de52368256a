"""Where the line of a trial comes from that no sweep has run: it was recorded elsewhere, and imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Imported:
    """Where the result of an imported trial comes from.

    Attributes:
        source: as it was typed, without secrets: "mlflow:rates", "runs.csv".
        run: by which the source knows it: "run" and MLflow's run_id, "line 3", "trial 7".
        digest: SHA-256 of what the source said of the run: its settings, its metrics and how it ended.
        at: which of its values counts: "last", or the number of a step.
        when: it was imported; ISO 8601 in UTC.
    """

    source: str
    run: str
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    at: str
    when: str

    @property
    def place(self) -> str:
        """Where it was recorded, and at which step where its last value does not count, in words."""
        return self.source if self.at == "last" else f"{self.source} at step {self.at}"

    def __str__(self) -> str:
        """Return where it is, in words."""
        return f"{self.place}, {self.run}"
