"""The calibration of a study as a table: a figure in each row, a kind of noise in each column."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.analysis.calibration.resampling import collapse_of
from ablations.analysis.tables.cells import Column, Table, TableRow, Text, Value, fixed
from ablations.planning.metric import Metric
from ablations.running.record.calibrations import Rate, StudyCalibration
from senet_core.words import counted

_HEADS = {
    "as found": "noise as found",
    "one row collapses": "one row collapses",
    "skewed": "exponential noise",
}


@dataclass(frozen=True)
class RateCell:
    """A rate with the standard error of its simulation, and what it rests on.

    Attributes:
        rate: a share, or a ratio.
        share: whether it is shown in per cent.
    """

    rate: Rate
    share: bool = True

    def text(self) -> str:
        """Return "4.1 ± 0.4 % (2,000)", "1.21 ± 0.02 (310)"."""
        value, error = self.rate.value, self.rate.error
        if value is None:
            return "none (0)"
        size, decimals, unit = (100.0, 1, " %") if self.share else (1.0, 2, "")
        plus = "" if error is None else f" ± {fixed(size * error, decimals)}"
        return f"{fixed(size * value, decimals)}{plus}{unit} ({self.rate.n:,})"

    def values(self) -> dict[str, Value]:
        """Return value, error and number."""
        return {"": self.rate.value, "_error": self.rate.error, "_n": self.rate.n}


def calibration_table(found: StudyCalibration, metric: Metric) -> Table:
    """Return the table of a calibration, with what was done in its notes.

    Args:
        found: the calibration.
        metric: of the study.
    """
    columns = (
        Column("figure", "of resampled reports", "left"),
        Column("promised", "promised", "left"),
        *(Column(one.noise.replace(" ", "_"), _HEADS.get(one.noise, one.noise)) for one in found.noises),
    )
    by_noise = [{rate.key: rate for rate in one.rates} for one in found.noises]
    rows = []
    for key in by_noise[0]:
        figure, promised = _words(key, found, metric)
        cells = (RateCell(rates[key], share=not key.startswith("exaggeration")) for rates in by_noise)
        rows.append(TableRow((Text(figure), Text(promised), *cells)))
    return Table("calibration", "Calibration", columns, tuple(rows), notes=_notes(found, metric))


def _words(key: str, found: StudyCalibration, metric: Metric) -> tuple[str, str | None]:
    """Return what a figure is, and what reports promise of it."""
    kind, _, effect = key.rpartition("_")
    if effect[:1].isdigit():
        points = (
            f"{counted(float(effect), 'margin')} ({metric.with_points(f'{float(effect) * found.margin:g}')})"
        )
        words = {
            "found": f"found: one row with a true difference of {points}",
            "exaggeration": f"|estimate| / |truth| where found, {points}",
            "wrong_sign": f"found with the wrong sign, {points}",
        }
        return words[kind], None
    return {
        "wrong_difference": ("any wrong better or worse, all rows equal", "at most 5 %"),
        "coverage": ("95 % intervals that cover, all rows equal", "95 %"),
        "alike": ("equal rows that are called equivalent", None),
        "forecast": ("forecasts of more seeds that came true", "80 %"),
        "wrong_equivalence": ("any wrong equivalent, all rows at the margin", "at most 5 %"),
    }[key]


def _notes(found: StudyCalibration, metric: Metric) -> tuple[str, ...]:
    left_out = (
        (f"Left out, for want of results or of noise: {', '.join(found.left_out)}.",)
        if found.left_out
        else ()
    )
    collapse = metric.with_points(f"{collapse_of(metric, found.margin):g}")
    sd = metric.with_points(f"{found.sd:.2g}")
    how = "joint sign flips (max-T)" if found.correction == "max-T" else "Holm's method"
    return (
        f"{counted(found.resamples, 'report')} of each kind, of {counted(found.rows, 'row')} with {found.seeds} seeds, "
        f"margin {found.margin:g}, corrected by {how}; behind ± the standard error of the simulation, in brackets "
        "the number of reports, intervals or findings.",
        "The noise is that of this study: paired differences without row and seed effects, whole seeds at a time, from "
        f"{found.from_seeds} seeds (sd {sd}), multiplied by (C / (C − 1))^½ and smoothed, because so few residuals are "
        "too regular. With 5 to 10 seeds of normal noise this by itself adds a point to wrong verdicts, and takes half "
        "a point from coverage.",
        f"One row collapses: {collapse} worse in 10 % of its seeds, and better in all by a tenth of that, so that its "
        "mean is as before. Exponential noise: every difference is skewed, with the study's spreads.",
        "Tests over seeds, on these test data. A row has a true difference to either side by turns.",
        *left_out,
    )
