"""Text that came from outside, made safe for Markdown and LaTeX (HTML is escaped by Jinja)."""

from __future__ import annotations

import re

from senet_core.errors import printable

# brackets of intervals, and "<" before a number, mean nothing in Markdown and stay readable
_MARKDOWN = re.compile(
    r"[\\`*|~#$]|!(?=\[)|\[(?![+\d\N{MINUS SIGN}])|\](?=[(\[:])|<(?![\s\d])|(?<![^\W_])_|_(?![^\W_])"
)
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",
    "[": r"{[}",
    "]": r"{]}",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MINUS SIGN}": r"$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
}


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


def latex_escape(text: str) -> str:
    """Return text on one line, with what LaTeX would read as a command escaped.

    What the Latin fonts of pdflatex cannot set becomes its code point, so that the file always compiles.
    """
    return "".join(_latex_character(character) for character in " ".join(printable(text).split()))


def _latex_character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if character.isascii() and character.isprintable():
        return character
    if "\N{INVERTED EXCLAMATION MARK}" <= character <= "\N{LATIN SMALL LETTER Y WITH DIAERESIS}":
        return character  # Latin-1, which inputenc and T1 know
    return f"[U+{ord(character):04X}]"
