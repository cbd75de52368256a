"""GateProbe: the gates of a study's rows, or of one network; what plots, tables and files take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ablations.analysis.probe.statements import StatementFinding, judge
from ablations.analysis.probe.summary import MEASURES, NetworkSummary, UnitSummary
from ablations.analysis.stats.paired import Estimate, estimate
from senet_core.errors import unknown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ProbedRow:
    """The networks of one row.

    Attributes:
        label: of the row.
        networks: by seed; all have the same units.
    """

    label: str
    networks: Mapping[int, NetworkSummary]

    @property
    def first(self) -> NetworkSummary:
        """The network of the first seed: channels of different seeds have nothing in common, so one is drawn."""
        return next(iter(self.networks.values()))

    @cached_property
    def findings(self) -> tuple[StatementFinding, ...]:
        """What they say of the paper's statements."""
        return judge(tuple(self.networks.values()))

    def over_seeds(self, measure: str) -> dict[str, Estimate]:
        """Return a measure of every unit, over seeds."""
        values: dict[str, list[float]] = {unit.name: [] for unit in self.first.units}
        for network in self.networks.values():
            for unit in network.units:
                value = unit.values[measure]
                values[unit.name].append(np.nan if value is None else value)
        return {name: estimate(found) for name, found in values.items()}


@dataclass(frozen=True, eq=False)
class GateProbe:
    """The gates of trained networks.

    Attributes:
        name: of the study, or of the network.
        classes: names, in the order of the labels.
        rows: at least one.
        notes: sentences on what was probed and what was not.
    """

    name: str
    classes: tuple[str, ...]
    rows: tuple[ProbedRow, ...]
    notes: tuple[str, ...] = ()

    def only(self, labels: Sequence[str]) -> GateProbe:
        """Return the probe of some rows.

        Args:
            labels: of these, in the probe's order; all if empty.

        Raises:
            UserError: there is no such row.
        """
        known = [row.label for row in self.rows]
        for label in labels:
            if label not in known:
                raise unknown("row of the probe", label, known)
        return replace(self, rows=tuple(row for row in self.rows if row.label in labels)) if labels else self

    @property
    def units(self) -> pd.DataFrame:
        """The measures: a line for each row, seed and unit."""
        import pandas as pd

        return pd.DataFrame(
            {**where, "channels": unit.channels, **{name: _number(unit.values[name]) for name in MEASURES}}
            for where, unit, _ in self._places()
        )

    @property
    def statements(self) -> pd.DataFrame:
        """The paper's statements: a line for each row and statement, with figure, interval and judgement."""
        import pandas as pd

        return pd.DataFrame(
            {
                "row": row.label,
                "statement": found.statement.key,
                "units": ", ".join(found.units),
                "figure": _number(found.estimate.mean),
                "lo": _number(found.estimate.lo),
                "hi": _number(found.estimate.hi),
                "seeds": found.estimate.n,
                "threshold": found.statement.threshold,
                "judgement": found.judgement,
                "why": found.why,
            }
            for row in self.rows
            for found in row.findings
        )

    @property
    def gates(self) -> pd.DataFrame:
        """The mean gates by class: a line for each row, seed, unit, channel and class, with the spread over images."""
        import pandas as pd

        return pd.concat(list(self.gate_frames()), ignore_index=True)

    def gate_frames(self) -> Iterator[pd.DataFrame]:
        """Yield the frame `gates` in pieces, one for each row, seed and unit: with 1000 classes it is large."""
        import pandas as pd

        for where, unit, network in self._places():
            classes, channels = unit.by_class.shape
            yield pd.DataFrame(
                {
                    **{name: np.full(classes * channels, value) for name, value in where.items()},
                    "channel": np.tile(np.arange(channels), classes),
                    "class": np.repeat(np.array(self.classes, dtype=object), channels),
                    "images": np.repeat(network.images, channels),
                    "mean": unit.by_class.astype(np.float32).ravel(),
                    "deviation": unit.spread.astype(np.float32).ravel(),
                }
            )

    def _places(self) -> Iterator[tuple[dict[str, str | int], UnitSummary, NetworkSummary]]:
        for row in self.rows:
            for seed, network in row.networks.items():
                for unit in network.units:
                    where: dict[str, str | int] = {
                        "row": row.label,
                        "seed": seed,
                        "unit": unit.name,
                        "stage": unit.stage,
                    }
                    yield {**where, "place": unit.place}, unit, network


def _number(value: float | None) -> float:
    return np.nan if value is None else value
