"""The style of every plot: one column wide, or two, colour-blind safe, the same bytes for the same numbers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ablations.planning.row import RowKind

COLUMN_INCHES, PAGE_INCHES = 3.5, 7.16
"""The widths of one column and of both, in the two-column pages of journals."""
SCREEN_DPI = 150
"""Of figures in notebooks: their text is as large as that around them."""
# Okabe and Ito's palette without its yellow, which is too light on white
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4EAB")
BLACK, GREY = "#000000", "#777777"
_NO_TIME: Mapping[str, Mapping[str, str | None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None},
}
MARK_FIELDS = {"svg": "Description", "png": "Description", "pdf": "Subject"}
"""The field of each format's metadata in which a picture says what it shows."""
MARKERS = "osD^vP*X"
FAMILY = ("DejaVu Sans", "sans-serif")
PAPER_FAMILY = ("STIXGeneral", "DejaVu Sans")
"""Of PDF figures, which papers take up."""
_PAPER_SCALE = 1.16
_STYLE: Mapping[Any, Any] = {
    "font.family": list(FAMILY),
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "figure.dpi": 100,
    "svg.hashsalt": "ablations",  # equal input, equal bytes
    "svg.fonttype": "path",  # a viewer without our font shows the same
    "pdf.fonttype": 42,  # publishers refuse Type 3
    "ps.fonttype": 42,
}


def render(figure: Figure, suffixes: Sequence[str], mark: str | None = None) -> dict[str, bytes]:
    """Return a figure's files by suffix; equal figures give equal bytes.

    Args:
        figure: as drawn here.
        suffixes: of "svg", "png" (300 dots per inch) and "pdf".
        mark: what a picture says of the numbers that it shows, kept in its metadata (see `picture_mark`).
    """
    files = {}
    with style():
        fix_layout(figure)
        for suffix in sorted(suffixes, key=lambda suffix: suffix == "pdf"):  # whose letters are others
            if suffix == "pdf":
                _set_in_paper_fonts(figure)
            file = BytesIO()
            told = {} if mark is None else {MARK_FIELDS[suffix]: mark}
            figure.savefig(file, format=suffix, dpi=300, metadata={**_NO_TIME[suffix], **told})
            files[suffix] = file.getvalue()
    return files


def _set_in_paper_fonts(figure: Figure) -> None:
    """Set all words of a figure in a face like the Times of two-column papers, as large as small letters stay alike.

    Its letters are narrower, so that what had room in the other face has room in this one.
    """
    for text in figure.findobj(Text):
        text.set_fontfamily(list(PAPER_FAMILY))
        text.set_fontsize(_PAPER_SCALE * float(text.get_fontsize()))


def fix_layout(figure: Figure) -> None:
    """Lay a figure out once: every file of it has the same distances, and none is laid out again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


@contextmanager
def style() -> Iterator[None]:
    """Set the house's style, and put back what was set before."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from font"
        )  # such a letter is a box, in every viewer
        mpl.rcdefaults()  # a matplotlibrc of the user's does not change a report
        mpl.rcParams.update(_STYLE)
        yield


class ColumnFigure(Figure):
    """A figure of the width of one column or two, outside of pyplot, which notebooks show by themselves."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return a picture in twice the screen's resolution, and its size in pixels of the screen."""
        file, size = BytesIO(), self.get_size_inches() * SCREEN_DPI
        with style():
            self.savefig(file, format="png", dpi=2 * SCREEN_DPI, metadata=_NO_TIME["png"])
        return file.getvalue(), {"width": round(size[0]), "height": round(size[1])}


def new_figure(height_inches: float, *, width_inches: float = COLUMN_INCHES) -> ColumnFigure:
    """Return an empty figure outside of pyplot, of one column's width if not given."""
    figure = ColumnFigure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def colour_of(kind: RowKind) -> str:
    """Return the colour of a kind of row."""
    return {"baseline": BLACK, "plain": GREY, "variant": PALETTE[0]}[kind]
