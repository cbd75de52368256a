"""Text that came from outside, made safe for Markdown (HTML is escaped by Jinja, LaTeX in a folder of its own)."""

from __future__ import annotations

import re

from senet_core.errors import printable

# brackets of intervals, and "<" before a number, mean nothing in Markdown and stay readable
_MARKDOWN = re.compile(
    r"[\\`*|~#$]|!(?=\[)|\[(?![+\d\N{MINUS SIGN}])|\](?=[(\[:])|<(?![\s\d])|(?<![^\W_])_|_(?![^\W_])"
)


def markdown_escape(text: str) -> str:
    """Return text on one line, with what Markdown would read as markup escaped."""
    return _MARKDOWN.sub(lambda match: "\\" + match.group(0), " ".join(printable(text).split()))


def markdown_code(text: str) -> str:
    """Return text as code on one line, whatever backticks and bars it has."""
    line = printable(text).replace("\n", " ").replace("|", "\\|")  # blanks may be part of a command
    fence = "`"
    while fence in line:
        fence += "`"
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"
