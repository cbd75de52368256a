"""Marks in Markdown: comments that do not show, around what comes from results/.

    top-1 error of <!--from a-a: repeat, SE r=8, top1 mean-->3.68<!--end--> %

    <!--from a-a: table repeat-->

    | variant | ...

    <!--end-->

A mark that stands alone on its line holds whole lines, any other holds words within its line. Marks in code are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from senet_core.errors import UserError

_TOKEN = re.compile(
    r"""
    ^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?^[ ]{0,3}(?P=fence)[`~]*[ \t]*\r?$|.*\Z)   # fenced code
    | (?P<ticks>(?<!`)`+(?!`))(?:(?!\r?\n[ \t]*\r?\n).)+?(?<!`)(?P=ticks)(?!`)              # a code span
    | <!--\s*from\b(?P<open>.*?)-->
    | <!--\s*(?P<close>end)\s*-->
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ASKED = re.compile(r"\s+(?P<source>[^\s:]+)\s*:\s*(?P<what>\S.*?)\s*", re.DOTALL)
_OPENS_HTML = re.compile(r"[\s>*+.)\d-]*")  # before a comment, only these: Markdown takes the line as HTML


@dataclass(frozen=True)
class Mark:
    """A marked place of a document.

    Attributes:
        line: of the opening mark, from 1.
        source: a study, a bench or another folder of results/.
        what: is asked of it.
        block: whether it holds whole lines.
        start: of what it holds, as a place in the document's text.
        end: of what it holds.
    """

    line: int
    source: str
    what: str
    block: bool
    start: int
    end: int


def find_marks(text: str, name: str) -> list[Mark]:
    """Find the marks of a document, in order.

    Args:
        text: the document.
        name: for messages.

    Raises:
        UserError: a mark is not closed, stands in another, closes nothing, does not say what it asks for, or begins a
            line of prose.
    """
    marks: list[Mark] = []
    opened: re.Match[str] | None = None
    for token in _tokens(text):
        if token["close"]:
            if opened is None:
                raise _wrong(
                    name, text, token, "this mark ends nothing; a mark begins <!--from STUDY: WHAT-->"
                )
            marks.append(_mark(text, name, opened, token))
            opened = None
        elif opened is not None:
            line = _line(text, opened.start())
            within = f"a mark within that of line {line}; end the first one before, <!--end-->"
            raise _wrong(name, text, token, within)
        else:
            opened = token
    if opened is not None:
        raise _wrong(name, text, opened, "this mark is never ended; end it with <!--end-->")
    return marks


def replace_marked(text: str, marks: list[Mark], written: Callable[[Mark], str]) -> str:
    """Put into each mark what `written` gives for it, in the line ends of the document."""
    pieces, at = [], 0
    for mark in marks:
        pieces += [text[at : mark.start], held(text, mark, written(mark))]
        at = mark.end
    return "".join([*pieces, text[at:]])


def held(text: str, mark: Mark, content: str) -> str:
    """Return what stands between the marks for some content: in a block, with an empty line on either side."""
    if not mark.block:
        return content
    newline = "\r\n" if text[: text.index("\n", mark.start)].endswith("\r") else "\n"
    return newline.join(["", "", *content.strip().split("\n"), "", ""])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return (token for token in _TOKEN.finditer(text) if token["open"] is not None or token["close"])


def _mark(text: str, name: str, opened: re.Match[str], closed: re.Match[str]) -> Mark:
    asked = _ASKED.fullmatch(opened["open"])
    before = text[text.rfind("\n", 0, opened.start()) + 1 : opened.start()]
    block = not before.strip() and re.match(r"[ \t]*\r?\n", text[opened.end() :]) is not None
    wrong = ""
    if asked is None:
        wrong = f"{opened[0]!r} does not say what it asks for: <!--from STUDY: WHAT-->"
    elif not block and "\n" in text[opened.end() : closed.start()]:
        wrong = "a mark within a line must be ended in that line; alone on a line it holds lines"
    elif not block and _OPENS_HTML.fullmatch(before):
        wrong = "a mark within prose may not begin a line, which Markdown would take as HTML"
    elif block and text[text.rfind("\n", 0, closed.start()) + 1 : closed.start()].strip():
        wrong = "this mark holds lines, so <!--end--> must stand alone on its line"
    if asked is None or wrong:
        raise _wrong(name, text, opened, wrong)
    what = " ".join(asked["what"].split())
    return Mark(_line(text, opened.start()), asked["source"], what, block, opened.end(), closed.start())


def _wrong(name: str, text: str, token: re.Match[str], why: str) -> UserError:
    return UserError(f"{name}:{_line(text, token.start())}: {why}")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
