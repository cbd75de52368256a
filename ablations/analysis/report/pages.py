"""The content of a report set as Markdown, HTML or LaTeX, by templates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ablations.analysis.report.content import Content
from ablations.analysis.report.parts import Plot
from ablations.analysis.tables.escape import markdown_escape
from ablations.analysis.tables.glance.few_columns import few_columns
from ablations.analysis.tables.latex.escape import latex_code, latex_escape
from ablations.analysis.tables.latex.table import long_table
from ablations.analysis.tables.render import to_html, to_markdown
from senet_core.errors import printable

Images = Mapping[str, Mapping[str, bytes]]
"""Rendered plots: bytes by suffix, by the plot's key."""


class _Safe(str):
    """Text that is already markup of its format."""

    __slots__ = ()


def render_markdown(content: Content) -> str:
    """Return a report in Markdown, with the figures beside it."""
    environment = _environment(markdown_escape)
    environment.filters |= {
        "safe_key": _Safe,
        "table": lambda table: _Safe(to_markdown(table)),
        "few": few_columns,
        "unseen": _unseen(),
    }
    return environment.get_template("report.md.j2").render(content=content)


def render_html(content: Content, images: Images) -> str:
    """Return a report as one HTML file that holds its figures.

    Args:
        content: what to say.
        images: the SVG of each plot, by the plot's key.
    """

    def visible(value: object) -> object:
        return printable(value) if type(value) is str else value  # markup is another type

    environment = Environment(autoescape=True, finalize=visible, **_OPTIONS)

    def embedded(plot: Plot) -> Markup:
        data = base64.b64encode(images[plot.key]["svg"]).decode("ascii")
        return Markup("data:image/svg+xml;base64,") + data

    environment.filters |= {"table": to_html, "few": few_columns, "embedded": embedded, "unseen": _unseen()}
    script = Markup(_OPTIONS["loader"].get_source(environment, "page.js")[0])
    return environment.get_template("report.html.j2").render(content=content, script=script)


def render_latex(content: Content) -> str:
    """Return a report in LaTeX, with its figures and tables beside it; compiles on its own with pdflatex."""
    delimiters: dict[str, Any] = {
        "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "<<",
        "variable_end_string": ">>", "comment_start_string": "<#", "comment_end_string": "#>",
    }  # fmt: skip
    environment = _environment(latex_escape, **delimiters)
    environment.filters |= {
        "safe_key": _Safe,
        "code": lambda text: _Safe(latex_code(text)),
        "long_table": lambda table: _Safe(long_table(table)),
        "unseen": _unseen(),
    }
    return environment.get_template("report.tex.j2").render(content=content)


_AT_LENGTH = 60
_OPTIONS: dict[str, Any] = {
    "loader": PackageLoader("ablations.analysis.report"),
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}


def _environment(escape: Callable[[str], str], **options: Any) -> Environment:
    """Return an environment that escapes every value that is not marked as safe."""

    def escaped(value: object) -> object:
        return value if isinstance(value, _Safe) else escape(str(value))

    return Environment(autoescape=False, finalize=escaped, **_OPTIONS, **options)


def _unseen() -> Callable[[Iterable[str | None]], list[str]]:
    """Return a filter for one text: what several tables have to say at length is said at the first of them."""
    seen: set[str] = set()

    def unseen(said: Iterable[str | None]) -> list[str]:
        new = [text for text in said if text and (text not in seen or len(text) < _AT_LENGTH)]
        seen.update(new)
        return new

    return unseen
