"""Tables of comparisons, whatever was compared: how each was made, and all pairs of some variants."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from ablations.analysis.results.families import TOP1, Measure, Sample, SampleFamily
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.analysis.stats.paired import Share
from ablations.analysis.stats.sign_flip import smallest_sign_flip_p
from ablations.analysis.stats.verdict import limits
from ablations.analysis.tables.cells import (
    Column,
    Difference,
    Number,
    PValue,
    Table,
    TableCell,
    TableRow,
    Text,
    Value,
    about,
)
from senet_core.words import counted


@dataclass(frozen=True)
class VerdictCell:
    """The verdict of a comparison; for an open one, how many more seeds would probably settle it."""

    comparison: Comparison

    def text(self) -> str:
        """Return "better", "equivalent (worse by less than 0.2)", "undetermined (about 14 more seeds)"."""
        words, more = self.comparison.reading.words, self.comparison.more_seeds
        return words if more is None else f"{words} (about {about(more)} more seed{'s' * (more != 1)})"

    def values(self) -> Mapping[str, Value]:
        """Return the verdict and the number of seeds, unrounded."""
        return {"": self.comparison.reading.verdict, "_more_seeds": self.comparison.more_seeds}


_LONGEST_KEY = 40
_ENDINGS = ("-pairs", "-comparisons")  # of the files of other tables
_MOST_TOLD = 8

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
    "effect": ("effect (sd)", lambda c, _: Number(c.difference.effect, 2, signed=True)),
    "better": ("P(better)", lambda c, _: _probability(c.better)),
    "rho": ("seed correlation", lambda c, _: Number(c.difference.rho)),
    "gain": ("gain of pairing", lambda c, _: Number(c.difference.gain, 2, unit=" ×")),
}
_OF_PAIRS = ("pairs", "t_p", "flip_p", "effect", "better")
_OF_PAPERS = ("pairs", "sd", "t_p", "p_corrected", "p_tost_corrected", "effect")


def detail_table(key: str, comparisons: Collection[Comparison], *, decimals: int = 3) -> Table:
    """Return the table of how each comparison of a family was made, and what pairing gained.

    Args:
        key: for the file's name.
        comparisons: of one family.
        decimals: of standard deviations.
    """
    rows = tuple(TableRow((Text(c.variant), *_detail_cells(c, _DETAILS, decimals))) for c in comparisons)
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
    )
    columns = (Column("variant", "variant", "left"), *_detail_columns(_DETAILS, in_paper=_OF_PAPERS))
    subject = f"{DETAIL_TITLE}: {key}"
    return Table(f"{key}-comparisons", DETAIL_TITLE, columns, rows, notes, subject=subject)


def pair_table(key: str, title: str, comparisons: Collection[Comparison], measure: Measure = TOP1) -> Table:
    """Return the table of all pairs of some variants.

    Args:
        key: for the file's name.
        title: one line.
        comparisons: of one family; each is `variant` minus `against`.
        measure: what was compared.
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
            Text(c.variant), Text(c.against), Difference(d.mean, d.lo, d.hi, decimals=measure.decimals, sd=d.sd),
            PValue(c.p_corrected), PValue(c.p_tost_corrected), VerdictCell(c), *_detail_cells(c, _OF_PAIRS),
        )  # fmt: skip
        rows.append(TableRow(cells))
    return Table(
        f"{key}-pairs", title, columns, tuple(rows), comparison_notes(comparisons, measure)
    ).without_empty_columns()


_ONE_ANALYSIS = (
    "Differences are paired by seed, with their 95 % t-interval, each taken alone; p is the paired t-test's,"
)


def _corrected(comparisons: Collection[Comparison]) -> str:
    """Return how p is corrected, and for how many comparisons."""
    one = next((c for c in comparisons if c.p_corrected is not None), None)
    if one is None or one.members == 1:
        return "uncorrected: it is the one comparison."
    how = "step-down max-T over joint sign flips" if one.correction == "max-T" else "Holm's method"
    return f"corrected for {one.members} comparisons by {how}."


def _interim_words(schedule: InterimSchedule) -> str:
    at = schedule.at
    times = f"at {at[0]} to {at[-1]} seeds" if len(at) > 3 else f"at {', '.join(map(str, at))} seeds"
    return (
        f"Differences are paired by seed and looked at more than once ({len(at)} looks, {times}). The intervals are "
        "repeated 95 % intervals: all looks' hold together, each comparison taken alone. p is that of the "
        "group-sequential paired t-test over all looks so far, valid whenever one stops,"
    )


def comparison_notes(comparisons: Collection[Comparison], measure: Measure = TOP1) -> tuple[str, ...]:
    """Return how to read a family of comparisons, and what its seeds cannot show.

    Args:
        comparisons: of one family.
        measure: what was compared.
    """
    unit = f" {measure.points}".rstrip()
    tested = [c.difference.n for c in comparisons if c.p_corrected is not None]
    if any(c.withheld for c in comparisons):
        return ()
    margin = next((c.margin for c in comparisons if c.margin is not None), None)
    schedule = next((c.schedule for c in comparisons if c.schedule is not None), None)
    said = f"{_interim_words(schedule) if schedule is not None else _ONE_ANALYSIS} {_corrected(comparisons)} "
    if margin is not None:
        said += (
            f"Smallest effect of interest: {margin:g}{unit}; p of equivalence is that of two one-sided t-tests "
            "against it, corrected likewise. “Better” and “worse”: a difference is shown. “Equivalent”: it is shown "
            f"to lie within ±{margin:g}{unit}. “Undetermined”: these seeds show neither, and neither "
            "is excluded; the number of seeds beside it is a forecast of what would settle it with 80 % "
            "probability, and looking again after adding them is a second look. "
        )
    spreads = [c.difference.sd for c in comparisons if c.difference.sd]
    counts = tested or [c.difference.n for c in comparisons]
    if schedule is not None:  # what so few seeds cannot give is said for one analysis of all of them
        return (said.strip(),)
    members = max((c.members for c in comparisons), default=len(tested))
    return (said.strip(), *limits(counts, members, margin=margin, spreads=spreads))


COMPARED = (
    Column("difference", "difference to baseline", gives_way=4),
    Column("p_corrected", "p, corrected", gives_way=2, in_paper=False),
    Column("p_tost_corrected", "p, equivalence", gives_way=1, in_paper=False),
    Column("verdict", "verdict", "left"),
)
"""The columns of `compared_cells`."""


def compared_cells(family: SampleFamily, outcome: Sample) -> tuple[TableCell, ...]:
    """Return how a sample compares with the baseline of its family, for the columns COMPARED."""
    c = family.comparisons.get(outcome.label)
    d = None if c is None else c.difference
    instead = (
        "baseline" if outcome.label == family.baseline else None if outcome.level.n else "not yet measured"
    )
    return (
        Text(None)
        if d is None
        else Difference(d.mean, d.lo, d.hi, decimals=family.measure.decimals, sd=d.sd),
        PValue(None if c is None else c.p_corrected),
        PValue(None if c is None else c.p_tost_corrected),
        verdict_cell(c, instead),
    )


def verdict_cell(comparison: Comparison | None, instead: str | None) -> TableCell:
    """Return the cell of a verdict, or of what stands in its place."""
    return VerdictCell(comparison) if comparison is not None and instead is None else Text(instead)


def file_key(name: str) -> str:
    """Return a name in small letters, digits and hyphens, for file names."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "table"


def distinct_key(name: str) -> str:
    """Return a file name of a foreign name that no other name has: "cifar10", "cifar-10-1c9d2a7e" for "CIFAR 10".

    What is not small Latin letters, digits and hyphens as it stands gets a digest behind what of it can be read.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    if words == name and len(name) <= _LONGEST_KEY and not name.endswith(_ENDINGS):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words[:_LONGEST_KEY]}-{digest}".strip("-")


def unequal_seeds_note(family: SampleFamily) -> str | None:
    """Return that means and differences are over different seeds, and which; None where all are over the same."""
    levels = {outcome.label: outcome.level for outcome in family.outcomes}
    base = levels[family.baseline].n if family.baseline in levels else 0
    apart = [
        f"{label}: mean over {counted(levels[label].n, 'seed')}, difference over {c.difference.n}"
        for label, c in family.comparisons.items()
        if c.difference.n and label in levels and {levels[label].n, base} != {c.difference.n}
    ]
    if not apart:
        return None
    more = f"; and {counted(len(apart) - _MOST_TOLD, 'more row')}" if len(apart) > _MOST_TOLD else ""
    return (
        f"Means are over all seeds of a row (the baseline's over {counted(base, 'seed')}), a difference is over the "
        "seeds that the row shares with the baseline alone, so it need not be that of the two means. "
        f"{'; '.join(apart[:_MOST_TOLD])}{more}."
    )


def _probability(share: Share | None) -> Difference:
    value, lo, hi = (None, None, None) if share is None else (share.value, share.lo, share.hi)
    return Difference(value, lo, hi, signed=False)


def _detail_columns(keys: Iterable[str], *, in_paper: Collection[str]) -> list[Column]:
    return [Column(key, _DETAILS[key][0], gives_way=1, in_paper=key in in_paper) for key in keys]


def _detail_cells(comparison: Comparison, keys: Iterable[str], decimals: int = 3) -> list[TableCell]:
    return [_DETAILS[key][1](comparison, decimals) for key in keys]
