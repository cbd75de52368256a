"""A table as a plain value: columns, and rows of typed cells. `render` turns it into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Literal, Protocol

from ablations.planning.row import RowKind
from senet_core.errors import printable

if TYPE_CHECKING:  # it loads scipy, for which a table of texts need not wait
    from ablations.analysis.stats.paired import Estimate

Value = str | int | float | None
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


class TableCell(Protocol):
    """One entry of a table."""

    def text(self) -> str:
        """Return what a reader sees, without markup."""

    def values(self) -> Mapping[str, Value]:
        """Return what a program reads, in full precision: values by suffix of the column's key."""


@dataclass(frozen=True)
class Text:
    """Words; None where there is nothing to say."""

    words: str | None

    def text(self) -> str:
        """Return the words."""
        return NOTHING if self.words is None else printable(self.words)

    def values(self) -> Mapping[str, Value]:
        """Return the words."""
        return {"": self.words}


@dataclass(frozen=True)
class Code(Text):
    """Words to be typed or looked up, set in a typewriter face."""


@dataclass(frozen=True)
class Coloured(Text):
    """Words in a colour, where the screen has colours.

    Attributes:
        colour: "#rrggbb"; "" for the screen's own.
    """

    colour: str = ""


@dataclass(frozen=True)
class Number:
    """A number with its unit; None where it is not known.

    Attributes:
        value: the number.
        decimals: shown after the point.
        signed: whether a plus sign is shown.
        unit: set behind it.
    """

    value: float | None
    decimals: int = 2
    signed: bool = False
    unit: str = ""

    def text(self) -> str:
        """Return the number, or a dash."""
        return NOTHING if self.value is None else fixed(self.value, self.decimals, self.signed) + self.unit

    def values(self) -> Mapping[str, Value]:
        """Return the number."""
        return {"": self.value}


@dataclass(frozen=True)
class Mean:
    """A mean over seeds with the half-width of its interval.

    Attributes:
        estimate: the mean.
        planned: seeds planned.
        decimals: shown after the point.
    """

    estimate: Estimate
    planned: int
    decimals: int = 2

    def text(self) -> str:
        """Return "12.34 ± 0.21 (10)", "12.34 (1/10)" where there is no interval."""
        e = self.estimate
        if e.mean is None:
            return NOTHING
        half = f" ± {fixed(e.half_width, self.decimals)}" if e.half_width is not None else ""
        equal = ", all equal" if e.n > 1 and not e.sd else ""
        of = f"/{self.planned}" if e.n != self.planned else ""
        return f"{fixed(e.mean, self.decimals)}{half} ({e.n}{of}{equal})"

    def values(self) -> Mapping[str, Value]:
        """Return mean, sd, n and the ends of the interval."""
        e = self.estimate
        return {"_mean": e.mean, "_sd": e.sd, "_n": e.n, "_lo": e.lo, "_hi": e.hi}


@dataclass(frozen=True)
class Difference:
    """A difference, or with `signed` off another figure, with its interval; `sd` is that over seeds, where known."""

    mean: float | None
    lo: float | None
    hi: float | None
    signed: bool = True
    decimals: int = 2
    sd: float | None = None

    def text(self) -> str:
        """Return "−0.34 [−0.51, −0.17]"."""
        if self.mean is None:
            return NOTHING
        shown = self._fixed(self.mean)
        if self.lo is None or self.hi is None:
            return shown
        return f"{shown} [{self._fixed(self.lo)}, {self._fixed(self.hi)}]"

    def _fixed(self, value: float) -> str:
        return fixed(value, self.decimals, self.signed)

    def values(self) -> Mapping[str, Value]:
        """Return mean and ends."""
        return {"": self.mean, "_lo": self.lo, "_hi": self.hi}


@dataclass(frozen=True)
class PValue:
    """A p-value; None where there is no test."""

    p: float | None

    def text(self) -> str:
        """Return three decimals, and what is smaller as "<0.001"."""
        return NOTHING if self.p is None else p_text(self.p)

    def values(self) -> Mapping[str, Value]:
        """Return the p."""
        return {"": self.p}


@dataclass(frozen=True)
class CostCell:
    """A cost and what it adds to the plain network's; None where they are not known.

    Attributes:
        count: parameters or multiply-adds.
        extra_percent: over the plain network.
        exact: whether every digit is shown.
    """

    count: float | None
    extra_percent: float | None
    exact: bool

    def text(self) -> str:
        """Return "274,490 (+0.74 %)"."""
        if self.count is None:
            return NOTHING
        whole = float(self.count).is_integer()
        exact = f"{self.count:,.0f}" if whole else f"{self.count:,g}"
        shown = exact if self.exact else scaled(self.count)
        if self.extra_percent is None:
            return shown
        small = 0 < abs(self.extra_percent) < 0.1
        return f"{shown} ({fixed(self.extra_percent, 3 if small else 2, True)} %)"

    def values(self) -> Mapping[str, Value]:
        """Return the count and the extra."""
        return {"": self.count, "_extra_percent": self.extra_percent}


@dataclass(frozen=True)
class Printed:
    """The paper's figures for a row: errors in per cent, and the difference of top-1 to its baseline."""

    top1: float | None
    top5: float | None
    difference: float | None

    def text(self) -> str:
        """Return "22.57 / 6.09 (+0.29)"."""
        if self.top1 is None:
            return NOTHING
        difference = "" if self.difference is None else f" ({fixed(self.difference, 2, True)})"
        top5 = "" if self.top5 is None else f" / {fixed(self.top5, 2)}"
        return f"{fixed(self.top1, 2)}{top5}{difference}"

    def values(self) -> Mapping[str, Value]:
        """Return the three numbers."""
        return {"_top1": self.top1, "_top5": self.top5, "_difference": self.difference}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: for programs.
        head: for readers.
        align: of its entries.
        gives_way: where there is no room for all columns, 1 is left out first; 0 never is.
        in_paper: whether a table in a paper has it where nothing else is asked for.
        narrow: whether it holds marks alone, and does not count where columns are counted.
        whole: whether its entries are never broken, as those of numbers never are.
        prose: whether they are sentences, which may be broken anywhere.
    """

    key: str
    head: str
    align: Literal["left", "right"] = "right"
    gives_way: int = 0
    in_paper: bool = True
    narrow: bool = False
    whole: bool = False
    prose: bool = False


@dataclass(frozen=True)
class TableRow:
    """A row; `kind` marks the baseline and the plain network."""

    cells: tuple[TableCell, ...]
    kind: RowKind = "variant"


@dataclass(frozen=True)
class Table:
    """Columns, rows and what stands below them.

    Attributes:
        key: for file names: small letters, digits and hyphens.
        title: one line.
        columns: as many as each row has cells.
        rows: in the order of reading.
        notes: sentences below the table, without markup.
        records: what a program reads, where that is more than the cells show; else nothing.
        subject: with which a paper's caption begins; the title if empty.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()
    records: tuple[Mapping[str, Value], ...] = ()
    subject: str = ""

    def without_empty_columns(self) -> Table:
        """Return the table without columns in which no row has anything but a dash."""
        kept = [any(row.cells[i].text() != NOTHING for row in self.rows) for i in range(len(self.columns))]
        rows = tuple(replace(row, cells=tuple(compress(row.cells, kept))) for row in self.rows)
        return replace(self, columns=tuple(compress(self.columns, kept)), rows=rows)


def fixed(value: float, decimals: int, signed: bool = False) -> str:
    """Return a number as text with a true minus sign, and never a negative zero."""
    rounded = round(value, decimals) + 0.0
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{decimals}f}"


def about(count: int) -> str:
    """Return a forecast count in two digits, since it is no better known: "7", "84", "240", "1,300"."""
    return f"{round(count, min(0, 2 - len(str(count)))):,}"


def p_text(p: float) -> str:
    """Return a p-value to three decimals."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def scaled(count: float) -> str:
    """Return a large count in four digits: "41.01 M", "3.867 G"."""
    size, unit = unit_of(count)
    return f"{count / size:.4g} {unit}".rstrip()


def unit_of(count: float) -> tuple[float, str]:
    """Return the size and the name of the largest decimal unit in a count: (1e6, "M"); (1, "") below a thousand."""
    return next((unit for unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if count >= unit[0]), (1.0, ""))


def plain(value: object) -> str:
    """Return a recorded value as people read it; "" for None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return "/".join(map(plain, value))
    return "" if value is None else str(value)
