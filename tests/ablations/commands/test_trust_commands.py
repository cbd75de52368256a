"""Code of others runs when the user named it, and the user is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """
from pathlib import Path
Path({mark!r}).touch()
from senet_core import SQUEEZES
@SQUEEZES.register("{name}", source="ours")
def squeeze(x):
    return x.mean((2, 3))
"""


def test_code_beside_a_study_runs_when_it_is_named_only(ablate: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for file in ("conftest.py", "plugin.py", "small.py", "sitecustomize.py"):
        Path(file).write_text(PLUGIN.format(mark=str(mark), name="trust-a"), encoding="utf-8")
    for words in (
        ("status", "small.yaml"),
        ("plan", "small.yaml"),
        ("list",),
        ("studies",),
        ("doctor", "--no-tracking"),
    ):
        said = ablate(*words)
        assert (said.status, said.err) == (0, ""), words
    assert not mark.exists()
    said = ablate("status", "small.yaml", "--plugin", "plugin.py")
    assert (said.status, said.err) == (0, "plug-in loaded: plugin.py\n")
    assert mark.exists()


def test_what_a_study_names_is_said_when_it_is_loaded(ablate: Callable[..., Any], tmp_path: Path) -> None:
    Path("mine.py").write_text(PLUGIN.format(mark=str(tmp_path / "ran"), name="trust-b"), encoding="utf-8")
    said = ablate("status", "small.yaml", "--json", "--set", "plugins=[mine.py]")
    assert said.err == "plug-in loaded: mine.py\n"
    assert said.out.startswith("{")


def test_installed_plug_ins_are_said_when_they_are_loaded(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ablations.commands.shared import opening
    from senet_core.blocks.registry import Origin

    monkeypatch.setattr(opening, "load_installed_plugins", lambda: [Origin("package", "extras 1.2", "1.2")])
    assert ablate("status", "small.yaml").err == "plug-in loaded: package extras 1.2\n"


def test_the_record_names_no_code_that_would_be_loaded(ablate: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    Path("evil.py").write_text(PLUGIN.format(mark=str(mark), name="trust-c"), encoding="utf-8")
    trial = {"backbone": "evil", "variant": "se:squeeze=trust-c", "plugins": {"squeeze:trust-c": "evil.py"}}
    trial |= {"data": {"name": "digits"}, "seed": 0}
    failure = {"kind": "error", "message": "evil.py", "epoch": 1}
    entry = {"schema": 1, "key": "0" * 16, "study": "small", "status": "failed", "trial": trial, "result": None,
             "history": [], "failure": failure, "environment": {}, "data_digest": "", "data_note": "",
             "started": "", "finished": ""}  # fmt: skip
    Path("results/small").mkdir()
    Path("results/small/trials.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
    for words in (
        ("status", "small.yaml"),
        ("plan", "small.yaml"),
        ("doctor", "small.yaml", "--no-tracking"),
    ):
        assert ablate(*words).status == (1 if words[0] == "doctor" else 0)
    assert not mark.exists()
