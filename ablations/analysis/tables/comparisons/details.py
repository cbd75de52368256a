"""How each comparison of a table was made, and the table of all pairs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.paired import Share
from ablations.analysis.stats.sign_flip import smallest_sign_flip_p
from ablations.analysis.tables.cells import (
    Column,
    Difference,
    Number,
    PValue,
    Table,
    TableCell,
    TableRow,
    Text,
)
from ablations.analysis.tables.comparisons.notes import comparison_notes
from ablations.analysis.tables.comparisons.verdicts import VerdictCell
from ablations.planning.metric import Metric

DETAIL_TITLE = "How the comparisons were made"
_DETAILS: Mapping[str, tuple[str, Callable[[Comparison, int], TableCell]]] = {
    "pairs": ("paired seeds", lambda c, _: Number(c.difference.n, 0)),
    "left_out": (
        "unpaired seeds",
        lambda c, _: Number(c.difference.only_variant + c.difference.only_baseline, 0),
    ),
    "sd": ("sd of differences", lambda c, decimals: Number(c.difference.sd, decimals)),
    "t_p": ("p, paired t", lambda c, _: PValue(c.difference.t_p)),
    "flip_p": ("p, sign-flip", lambda c, _: PValue(c.difference.flip_p)),
    "least_flip_p": (
        "smallest possible",
        lambda c, _: PValue(smallest_sign_flip_p(c.difference.n) if c.difference.n else None),
    ),
    "p_corrected": ("p, corrected", lambda c, _: PValue(c.p_corrected)),
    "p_tost": ("p, equivalence", lambda c, _: PValue(c.p_tost)),
    "p_tost_corrected": ("p, equivalence, corrected", lambda c, _: PValue(c.p_tost_corrected)),
    "over_seeds": ("over new seeds alone", lambda c, decimals: _span(c, c.over_seeds, decimals)),
    "over_images": (
        "over new seeds and images",
        lambda c, decimals: _span(c, _crossed(c) if c.rests_on == "seeds" else (None, None), decimals),
    ),
    "failed": ("runs without a result", lambda c, _: Text(_failures(c))),
    "worst_ranks_p": (
        "p, failures as the worst",
        lambda c, _: PValue(None if c.ranks is None else c.ranks.p),
    ),
    "worst": ("worst seed", lambda c, decimals: Number(_odd(c, "worst"), decimals, signed=True)),
    "median": ("median", lambda c, decimals: Number(_odd(c, "median"), decimals, signed=True)),
    "trimmed": ("trimmed mean", lambda c, decimals: Number(_odd(c, "trimmed"), decimals, signed=True)),
    "skew_p": ("p, skew allowed for", lambda c, _: PValue(_odd(c, "skew_p"))),
    "effect": ("effect (sd)", lambda c, _: Number(c.difference.effect, 2, signed=True)),
    "better": ("P(better)", lambda c, _: _probability(c.better)),
    "rho": ("seed correlation", lambda c, _: Number(c.difference.rho)),
    "gain": ("gain of pairing", lambda c, _: Number(c.difference.gain, 2, unit=" ×")),
}
_IF_KNOWN = (
    "over_seeds",
    "over_images",
    "failed",
    "worst_ranks_p",
    "worst",
    "median",
    "trimmed",
    "skew_p",
)
"""Columns that a table has only where one of its rows has something to say in them."""

_OF_PAIRS = ("pairs", "t_p", "flip_p", "effect", "better")
_OF_PAPERS = ("pairs", "sd", "t_p", "p_corrected", "p_tost_corrected", "effect")


def detail_table(key: str, comparisons: Collection[Comparison], *, decimals: int = 3) -> Table:
    """Return the table of how each comparison of a family was made, and what pairing gained.

    Args:
        key: for the file's name.
        comparisons: of one family.
        decimals: of standard deviations.
    """
    shown = [k for k in _DETAILS if k not in _IF_KNOWN or any(_says(c, k, decimals) for c in comparisons)]
    rows = tuple(TableRow((Text(c.variant), *_detail_cells(c, shown, decimals))) for c in comparisons)
    several = any(c.schedule is not None for c in comparisons)
    notes = (
        "The p of all looks together is corrected and read; those of the t-test and the sign-flip test take the seeds "
        "as if looked at once, and stand beside it. A look at differences that are all equal says nothing."
        if several
        else "The t-test's p is corrected and read; the sign-flip p stands beside it. Where all differences are equal "
        "there is no t-test, and the sign-flip p is corrected instead.",
        "Effect: mean over standard deviation of the differences, with Hedges' correction for few seeds. P(better): "
        "share of seeds in which the variant is better, a tie half, with the exact 95 % interval.",
        "Gain of pairing: how many times larger the variance of the difference would be if the seeds were not "
        "common; at 1 pairing gains nothing.",
        *(_FAILED_NOTE for _ in range("failed" in shown)),
        *(_SHAPE_NOTE for _ in range("worst" in shown)),
    )
    columns = (Column("variant", "variant", "left"), *_detail_columns(shown, in_paper=_OF_PAPERS))
    subject = f"{DETAIL_TITLE}: {key}"
    return Table(f"{key}-comparisons", DETAIL_TITLE, columns, rows, notes, subject=subject)


def pair_table(key: str, title: str, comparisons: Collection[Comparison], metric: Metric) -> Table:
    """Return the table of all pairs of some variants.

    Args:
        key: for the file's name.
        title: one line.
        comparisons: of one family; each is `variant` minus `against`.
        metric: what was compared.
    """
    columns = (
        Column("variant", "variant", "left"),
        Column("against", "against", "left"),
        Column("difference", "difference", gives_way=4),
        Column("p_corrected", "p, corrected", gives_way=3),
        Column("p_tost_corrected", "p, equivalence", gives_way=2, in_paper=False),
        Column("verdict", "verdict", "left"),
        *_detail_columns(_OF_PAIRS, in_paper=()),
    )
    rows = []
    for c in comparisons:
        d = c.difference
        cells: tuple[TableCell, ...] = (
            Text(c.variant), Text(c.against), Difference(d.mean, d.lo, d.hi, decimals=metric.decimals, sd=d.sd),
            PValue(c.p_corrected), PValue(c.p_tost_corrected), VerdictCell(c), *_detail_cells(c, _OF_PAIRS),
        )  # fmt: skip
        rows.append(TableRow(cells))
    return Table(
        f"{key}-pairs", title, columns, tuple(rows), comparison_notes(comparisons, metric)
    ).without_empty_columns()


_FAILED_NOTE = (
    "A row with more failed runs than the baseline is called better only if a signed-rank test says so, too, in which "
    "each failure is worse than every measured result; and the baseline likewise."
)
_SHAPE_NOTE = (
    "Where runs lie far off, or differences are skewed, “better” and “worse” must hold by a t-test that allows for "
    "skew (Hall 1992), too, and “equivalent” is not said beside runs far off. Worst, median and trimmed mean are "
    "those of the differences."
)


def _says(comparison: Comparison, key: str, decimals: int) -> bool:
    return any(value not in (None, "") for value in _DETAILS[key][1](comparison, decimals).values().values())


def _span(comparison: Comparison, ends: tuple[float | None, float | None], decimals: int) -> Difference:
    mean = comparison.difference.mean if ends[0] is not None else None
    return Difference(mean, *ends, decimals=decimals)


def _crossed(comparison: Comparison) -> tuple[float | None, float | None]:
    found = comparison.crossed
    return (None, None) if found is None else (found.lo, found.hi)


def _failures(comparison: Comparison) -> str | None:
    """Return the runs that failed on this side alone, and on the other alone: "2 / 1"."""
    ranks = comparison.ranks
    return None if ranks is None else f"{ranks.lost} / {ranks.won}"


def _odd(comparison: Comparison, name: str) -> float | None:
    """Return a number of the shape of differences, where that is not ordinary."""
    shape = comparison.shape
    if shape is None or shape.ordinary:
        return None
    found: float | None = getattr(shape, name)
    return found


def _probability(share: Share | None) -> Difference:
    value, lo, hi = (None, None, None) if share is None else (share.value, share.lo, share.hi)
    return Difference(value, lo, hi, signed=False)


def _detail_columns(keys: Iterable[str], *, in_paper: Collection[str]) -> list[Column]:
    return [Column(key, _DETAILS[key][0], gives_way=1, in_paper=key in in_paper) for key in keys]


def _detail_cells(comparison: Comparison, keys: Iterable[str], decimals: int = 3) -> list[TableCell]:
    return [_DETAILS[key][1](comparison, decimals) for key in keys]
