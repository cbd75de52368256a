"""Text that came from outside, made safe for LaTeX in whatever font encoding the document has."""

from __future__ import annotations

import re
import unicodedata

from senet_core.errors import printable

_COMMANDS = {
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
    '"': r"\symbol{34}",  # \textquotedbl is not in every encoding
    "`": r"\textasciigrave{}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT SINGLE QUOTATION MARK}": r"\textquoteleft{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{HORIZONTAL ELLIPSIS}": r"\textellipsis{}",
    "\N{BULLET}": r"\textbullet{}",
    "\N{EURO SIGN}": r"\texteuro{}",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{HYPHEN}": "-",
}
_SYMBOLS = {
    "\N{PLUS-MINUS SIGN}": "pm",
    "\N{MULTIPLICATION SIGN}": "times",
    "\N{MIDDLE DOT}": "cdot",
    "\N{LESS-THAN OR EQUAL TO}": "leq",
    "\N{GREATER-THAN OR EQUAL TO}": "geq",
    "\N{NOT EQUAL TO}": "neq",
    "\N{ALMOST EQUAL TO}": "approx",
    "\N{INFINITY}": "infty",
    "\N{CHECK MARK}": "surd",
    "\N{RIGHTWARDS ARROW}": "rightarrow",
    "\N{LEFTWARDS ARROW}": "leftarrow",
    "\N{UPWARDS ARROW}": "uparrow",
    "\N{DOWNWARDS ARROW}": "downarrow",
    "\N{INCREMENT}": "Delta",
    "\N{GREEK SMALL LETTER FINAL SIGMA}": "varsigma",
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")
_LETTERS = frozenset(
    re.findall(
        r"\w+",
        "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi "
        "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
    )
)
"""Commands of Greek letters; the other capitals look as in Latin."""
_AS_LATIN = {
    name: name[0]
    for name in ("Alpha", "Beta", "Epsilon", "Zeta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Tau")
}
_AS_LATIN |= {"Eta": "H", "Rho": "P", "Chi": "X", "omicron": "o"}
_ONLY_T1 = frozenset("«»ÐÞðþĄąĐđĘęĮįŊŋŲų")  # what the encoding that documents begin with does not have
_IN_NONE = frozenset("ĦħĸĿŀŉŦŧſ")


def latex_escape(text: str) -> str:
    """Return text on one line, with what LaTeX would read as a command escaped.

    It may stand in running text, in a caption, or in a cell of a table, also as the first one. What the Latin fonts of
    pdflatex cannot set becomes its code point, so that the file always compiles.
    """
    words = " ".join(printable(unicodedata.normalize("NFC", text)).split())
    escaped = "".join(map(_character, words))
    escaped = re.sub("(?<=-)-|(?<=,),|(?<=')'", r"{}\g<0>", escaped)  # else a dash, and quotation marks
    return (
        f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped
    )  # else read as part of a \\


def latex_code(text: str) -> str:
    """Return text to be typed in a typewriter face, with quotation marks as they are typed."""
    typed = latex_escape(text).replace("'", r"\textquotesingle{}")
    return rf"\texttt{{{typed}}}"


def is_settable(character: str) -> bool:
    """Return whether a character is set as itself, and not as its code point."""
    return not _character(character).startswith("[U+")


def _character(character: str) -> str:
    if character in _COMMANDS:
        return _COMMANDS[character]
    if character == "\N{MINUS SIGN}":
        return "$-$"
    if character in _SYMBOLS:
        return rf"$\{_SYMBOLS[character]}$"
    if character.isascii() and character.isprintable():
        return character
    if character in _ONLY_T1:
        return rf"{{\fontencoding{{T1}}\selectfont {character}}}"
    if (
        "\N{INVERTED EXCLAMATION MARK}" <= character <= "\N{LATIN SMALL LETTER LONG S}"
        and character not in _IN_NONE
    ):
        return character
    found = _GREEK.fullmatch(unicodedata.name(character, ""))
    return _greek(*found.groups()) or _code_point(character) if found else _code_point(character)


def _greek(case: str, name: str) -> str:
    """Return a Greek letter; "" for one that mathematics does not have."""
    command = {"LAMDA": "lambda", "EPSILON": "varepsilon"}.get(name, name.lower())
    if case == "CAPITAL":
        command = {"varepsilon": "Epsilon"}.get(command, command.title())
    return _AS_LATIN.get(command) or (rf"$\{command}$" if command in _LETTERS else "")


def _code_point(character: str) -> str:
    return f"[U+{ord(character):04X}]"
