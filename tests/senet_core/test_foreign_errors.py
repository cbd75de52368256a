"""The errors of foreign code: whatever they are, a person gets one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_core.errors import UserError, one_line, typed_line
from senet_core.plugins import load_plugin_file


class Ending(Exception):
    def __str__(self) -> str:
        raise SystemExit(5)


class Wrong(Exception):
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]


class Deep(Exception):
    def __str__(self) -> str:
        return str(self)


@pytest.mark.parametrize("kind", [Ending, Wrong, Deep])
def test_an_error_whose_text_cannot_be_had_is_shown_by_its_type(kind: type[Exception]) -> None:
    assert one_line(kind()) == typed_line(kind()) == kind.__name__


def test_a_long_text_is_cut_and_a_type_acts_on_nothing() -> None:
    named = type("\x1b[2J\n" + "N" * 300, (Exception,), {})
    said = typed_line(named("x" * 10**6))
    assert said.isprintable()
    assert len(said) < 3000


@pytest.mark.parametrize("raised", ["GeneratorExit", "Odd('why')", "Silent()", "UserError(Silent())"])
def test_whatever_a_plugin_raises_when_it_is_loaded_is_said(tmp_path: Path, raised: str) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "from senet_core.errors import UserError\nclass Odd(BaseException): pass\n"
        f"class Silent(Exception):\n    def __str__(self): raise RuntimeError\nraise {raised}\n"
    )
    with pytest.raises(UserError, match=r"odd\.py"):
        load_plugin_file(file)
