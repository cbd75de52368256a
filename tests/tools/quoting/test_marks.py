"""Marks of documents: what is between them changes, nothing else does, and a wrong mark is said with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from senet_core.errors import UserError
from tools.quoting.marks import find_marks, replace_marked

PROSE = (
    "The error is <!--from a-a: trials-->70<!--end--> %, with <!-- from a-a : rows -->7<!-- end --> rows.\n"
)
BLOCK = "Before.\n\n<!--from a-a: table repeat-->\n\n| old |\n\n<!--end-->\n\nAfter.\n"


def test_two_marks_on_a_line_are_two() -> None:
    marks = find_marks(PROSE, "x.md")
    assert [(m.line, m.source, m.what, m.block) for m in marks] == [
        (1, "a-a", "trials", False),
        (1, "a-a", "rows", False),
    ]
    assert [PROSE[m.start : m.end] for m in marks] == ["70", "7"]


def test_only_what_is_between_marks_changes() -> None:
    written = replace_marked(PROSE, find_marks(PROSE, "x.md"), lambda mark: mark.what.upper())
    assert written == PROSE.replace("70", "TRIALS").replace(">7<", ">ROWS<")
    assert find_marks(written, "x.md")[1].what == "rows"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_block_keeps_the_line_ends_of_its_document(newline: str) -> None:
    text = BLOCK.replace("\n", newline)
    written = replace_marked(text, find_marks(text, "x.md"), lambda _: "| new |\n| newer |\n")
    assert written == BLOCK.replace("| old |", "| new |\n| newer |").replace("\n", newline)
    assert replace_marked(written, find_marks(written, "x.md"), lambda _: "| new |\n| newer |") == written


def test_an_empty_block_is_filled() -> None:
    text = "<!--from a-a: answer-->\n<!--end-->\n"
    [mark] = find_marks(text, "x.md")
    assert replace_marked(text, [mark], lambda _: "Größe −1") == (
        "<!--from a-a: answer-->\n\nGröße −1\n\n<!--end-->\n"
    )


def test_a_mark_may_be_broken_over_lines_before_its_words() -> None:
    [mark] = find_marks("We see <!--from a-a: repeat, SE r=8\nrepeat 1, verdict-->so<!--end-->.\n", "x.md")
    assert (mark.what, mark.block) == ("repeat, SE r=8 repeat 1, verdict", False)


@pytest.mark.parametrize(
    "text",
    [
        "```\n<!--from a: b-->\n```\n",
        "~~~md\n```\n<!--end-->\n~~~\n",
        "As `<!--from a: b-->` and ``<!--end--> ` ``.\n",
        "```\n<!--from a: b-->\n",
        "<!-- a comment of another kind -->\n<!-- ending -->\n",
        "",
    ],
)
def test_code_and_other_comments_are_no_marks(text: str) -> None:
    assert find_marks(text, "x.md") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n<!--from a-a: trials-->70\n", "x.md:2: this mark is never ended"),
        ("a <!--from a: b-->1 <!--from a: c-->2<!--end--><!--end-->", "x.md:1: a mark within that of line 1"),
        ("a\n\nb 1<!--end-->\n", "x.md:3: this mark ends nothing"),
        ("é\nb <!--from trials-->1<!--end-->\n", "x.md:2: '<!--from trials-->' does not say what"),
        ("b <!--from a-a:-->1<!--end-->\n", "does not say what it asks for"),
        ("a <!--from a: b-->1\n2<!--end-->\n", "x.md:1: a mark within a line must be ended in that line"),
        ("<!--from a: b-->1<!--end--> is\n", "x.md:1: a mark within prose may not begin a line"),
        ("* <!--from a: b-->1<!--end--> is\n", "may not begin a line"),
        ("<!--from a: table b-->\n|x| <!--end-->\n", "must stand alone on its line"),
    ],
)
def test_a_wrong_mark_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        find_marks(text, "x.md")
    assert said in str(raised.value)


@given(
    st.lists(st.sampled_from(["a", " ", "`", "\n", "\r\n", "```\n", "<!--from a: b-->", "<!--end-->", "|"]))
)
def test_whatever_stands_there_writing_twice_is_writing_once(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        marks = find_marks(text, "x.md")
    except UserError:
        return
    once = replace_marked(text, marks, lambda _: "1")
    again = find_marks(once, "x.md")
    assert [m.what for m in again] == [m.what for m in marks]
    assert replace_marked(once, again, lambda _: "1") == once
