"""Words in plots: how wide they are, how they are folded, and which way is better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from ablations.analysis.plots.style import COLUMN_INCHES, FAMILY, GREY
from ablations.planning.metric import Metric

SMALL = 5.8
"""Points of labels within a plot."""


def direction(lower_is_better: bool) -> str:
    """Return which way is better, as axes say it."""
    return "lower is better" if lower_is_better else "higher is better"


def axis_head(metric: Metric) -> str:
    """Return what an axis of a plot is called: "top-1 error (%)"."""
    return f"{metric.name} ({metric.unit})" if metric.unit else metric.name


def difference_head(metric: Metric) -> str:
    """Return what an axis of differences is called: "difference to baseline (points)"."""
    return f"difference to baseline ({metric.points})" if metric.points else "difference to baseline"


def say_direction(axes: Axes, lower_is_better: bool = True) -> None:
    """Say above a vertical axis which way on it is better."""
    axes.set_title(direction(lower_is_better), loc="left", fontsize=SMALL, color=GREY, pad=3)


def text_width(text: str, size: float) -> float:
    """Return the width of one line in points, without kerning.

    Args:
        text: without line feeds.
        size: of the font in points.
    """
    return size * sum(map(_ems, text))


def folded(text: str, size: float, points: float, most_lines: int = 2) -> str:
    """Return a text in lines of at most so many points; of one that needs more lines the middle is left out."""
    words = " ".join(text.split())
    lines, left_out = _lines(words, size, points), 0
    while len(lines) > most_lines:
        left_out += max(1, len(words) // 50)
        begin = (len(words) - left_out + 1) // 2
        lines = _lines(f"{words[:begin]}…{words[begin + left_out :]}", size, points)
    return "\n".join(lines)


def _lines(text: str, size: float, points: float) -> list[str]:
    """Return a text in lines, broken at blanks where that is possible."""
    lines = [""]
    for word in text.split(" "):
        rest = word
        longer = f"{lines[-1]} {rest}".lstrip()
        if text_width(longer, size) <= points:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        while text_width(rest, size) > points and len(rest) > 1:
            fits = max(1, next(n for n in range(1, len(rest)) if text_width(rest[: n + 1], size) > points))
            lines[-1:] = [rest[:fits], ""]
            rest = rest[fits:]
        lines[-1] = rest
    return lines


def points_across(axes: Axes) -> float:
    """Return how many points wide the inside of a plot is, as its figure is laid out."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_window_extent().width) * 72 / figure.dpi


def legend_below(figure: Figure, handles: Sequence[Artist], labels: Sequence[str], title: str = "") -> None:
    """Draw a legend below a figure, which grows by it, in as many columns as its labels leave room for."""
    room = 72 * figure.get_figwidth() - 6
    shown = [folded(label, LEGEND, room - _HANDLE) for label in labels]
    lines = [line for label in shown for line in label.split("\n")]
    widest = max((text_width(line, LEGEND) for line in lines), default=0.0) + _HANDLE
    most = _MOST_COLUMNS * round(figure.get_figwidth() / COLUMN_INCHES)
    columns = min(most, max(1, int(room // widest)), max(1, len(shown)))
    figure.set_figheight(figure.get_figheight() + _LINE_INCHES * (bool(title) - (-len(lines) // columns)))
    figure.legend(
        handles, shown, loc="outside lower center", ncols=columns, handlelength=1.6, columnspacing=1.2,
        fontsize=LEGEND, title=title or None, title_fontsize=LEGEND,
    )  # fmt: skip


LEGEND = 6.5
"""Points of labels in a legend."""
_HANDLE = 26.0  # points that handle and gap take
_MOST_COLUMNS = 3  # in the width of one column
_LINE_INCHES = 0.14


@cache
def _ems(character: str) -> float:
    """Return how far a character moves the next one; alone, a blank has no width."""
    widths = (
        TextToPath().get_text_width_height_descent(text, _font(), ismath=False)[0]
        for text in (f"|{character}|", "||")
    )
    between, nothing = widths
    return (between - nothing) / _POINTS


_POINTS = 100.0  # of the font in which characters are measured


@cache
def _font() -> FontProperties:
    return FontProperties(family=list(FAMILY), size=_POINTS)
