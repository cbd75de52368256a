"""No file that somebody may get from somebody else runs code, and none leads out of its folder."""

from __future__ import annotations

import ast
import csv
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.analysis.plots.axis import draw_axis
from ablations.analysis.plots.data import axis_info
from ablations.analysis.plots.style import render
from ablations.analysis.report.write import write_report
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Column, Table, TableRow, Text
from ablations.analysis.tables.escape import markdown_code, markdown_escape
from ablations.analysis.tables.render import to_csv
from ablations.analysis.tables.screen import ScreenTable
from ablations.cli import group, run_command
from ablations.commands.shared.console import make_console
from ablations.planning.design import Design
from ablations.planning.study_file import load_study, parse_study
from ablations.planning.yaml_text import read_yaml
from ablations.running.mlflow.store import ui_command
from ablations.running.training.checkpoint import MAGIC, read_checkpoint
from senet_core.errors import UserError
from senet_core.weights import load_weights

sys.path.insert(0, str(Path(__file__).parent / "analyse"))
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for package in ("ablations", "senet_core") for path in (ROOT / package).rglob("*.py"))

NASTY = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&{{ 7*7 }}"

TERMINAL = "\x1b]0;owned\x07\x1b[2J"
"""What a terminal does something at."""

LABEL = '<b onclick="x">'
"""Shorter, for labels have little room in figures."""

BANNED = {
    "pickle.load": "runs code",
    "pickle.loads": "runs code",
    "yaml.load": "runs code but for the safe loader",
    "yaml.unsafe_load": "runs code",
    "yaml.full_load": "runs code",
    "joblib.load": "is pickle",
    "shelve.open": "is pickle",
    "marshal.loads": "runs code",
    "pandas.read_pickle": "is pickle",
    "pd.read_pickle": "is pickle",
    "eval": "runs code",
    "os.system": "goes through a shell",
    "torch.jit.load": "runs code",
    "torch.hub.load": "runs code of a repository",
}
ALLOWED = {
    # what it loads was pickled by itself, a line before: a contract says that networks can be pickled
    ("senet_core/contracts/copies.py", "pickle.loads"),
    # between a process and the one that it started
    ("senet_core/contracts/fresh_process.py", "pickle.loads"),
    ("ablations/experiments/function/by_value.py", "pickle.loads"),
}
PICKLES = r"^\s*(import|from) (pickle|dill|cloudpickle|joblib|shelve|marshal)\b"
PICKLE_MODULES = {
    "ablations/running/data/plain_pickle.py",  # an unpickler that answers five names with stand-ins
    "senet_core/weights.py",  # names the error of torch.load
    "senet_core/contracts/copies.py",
    "ablations/experiments/function/by_value.py",  # of a value that no file can hold
    "ablations/experiments/function/kind.py",  # writes that value
    "senet_core/contracts/fresh_process.py",  # names the error of what a contract pickles
}


class Bomb:
    """Unpickled, it would make a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return (open, (str(self.mark), "w"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls in a file, by their dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def given(call: ast.Call) -> dict[str | None, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


def test_nothing_in_our_own_reading_runs_code() -> None:
    found = {(str(path.relative_to(ROOT)), name) for path in SOURCES for name, _ in calls(path)}
    assert {(file, name) for file, name in found if name in BANNED} <= ALLOWED
    assert len(SOURCES) > 50


def test_pickle_is_imported_where_it_is_known_to_do_no_harm_only() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(PICKLES, path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found <= PICKLE_MODULES


def test_every_load_of_torch_is_of_weights_only() -> None:
    loads = [(path, call) for path in SOURCES for name, call in calls(path) if name == "torch.load"]
    assert len(loads) >= 3
    for path, call in loads:
        assert given(call).get("weights_only") == "True", path
    fetched = [call for path in SOURCES for name, call in calls(path) if name.endswith(".get_state_dict")]
    assert fetched
    assert all(given(call).get("weights_only") == "True" for call in fetched)


def test_numpy_never_unpickles_and_no_process_has_a_shell() -> None:
    for path in SOURCES:
        for name, call in calls(path):
            assert given(call).get("allow_pickle", "False") == "False", (path, name)
            assert given(call).get("shell", "False") == "False", (path, name)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch MARK']",
        "!!python/object/new:builtins.open [MARK, w]",
        "!!python/name:os.system",
        "!!python/module:os",
        "a: !!python/object/apply:builtins.open [MARK, w]",
    ],
)
def test_yaml_is_plain_data(tmp_path: Path, text: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(UserError, match="could not determine a constructor"):
        read_yaml(text.replace("MARK", str(mark)))
    assert not mark.exists()


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path) -> None:
    import hashlib
    import io

    mark, path = tmp_path / "mark", tmp_path / "1.pt"
    buffer = io.BytesIO()
    torch.save({"context": {}, "step": 1, "state": Bomb(mark)}, buffer)
    payload = buffer.getvalue()
    path.write_bytes(MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    with pytest.raises(ValueError, match="cannot be loaded"):
        read_checkpoint(path)
    assert not mark.exists()


def test_weights_with_code_in_them_are_refused(tmp_path: Path) -> None:
    from senet_core import build_model

    mark, path = tmp_path / "mark", tmp_path / "weights.pth"
    for content in (
        lambda: torch.save({"x": Bomb(mark)}, path),
        lambda: path.write_bytes(pickle.dumps(Bomb(mark), protocol=2)),
    ):
        content()
        with pytest.raises(UserError, match="cannot read weights"):
            load_weights(build_model("resnet8", num_classes=10), path, backbone="resnet8")
        assert not mark.exists()


def test_cached_hub_weights_with_code_in_them_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.models import ResNet18_Weights  # type: ignore[import-untyped,unused-ignore]

    from senet_core import build_model

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    mark = tmp_path / "mark"
    cached = tmp_path / "hub" / "checkpoints" / Path(ResNet18_Weights.IMAGENET1K_V1.url).name
    cached.parent.mkdir(parents=True)
    torch.save({"x": Bomb(mark)}, cached)
    with pytest.raises(UserError, match="cannot fetch"):
        load_weights(build_model("resnet18", num_classes=1000), "imagenet", backbone="resnet18")
    assert not mark.exists()


def nasty_design() -> Design:
    """A study whose title and question, and a plug-in's label, are markup."""
    made = study_design(title=f"{NASTY}{TERMINAL}", question=f"{NASTY}{TERMINAL}", seeds=3)
    rows = tuple(replace(row, label=f"{row.label} {LABEL}") for row in made.rows)
    named = {row.identity: row for row in rows}
    axes = tuple((axis, tuple(named[row.identity] for row in along)) for axis, along in made._axes)
    plain = made.plain and named[made.plain.identity]
    return replace(made, rows=rows, baseline=named[made.baseline.identity], plain=plain, _axes=axes)


def test_a_report_is_a_page_with_our_script_alone_whatever_its_record_says(tmp_path: Path) -> None:
    from html.parser import HTMLParser

    plan = nasty_design()
    environment = dict.fromkeys(
        ("commit", "host", "processor", "device", "precision", "torch", "platform"), NASTY
    )
    lines = simulated(plan, data_note=NASTY, shared_from=NASTY, environment=environment)
    failure = {"kind": "error", "message": NASTY, "epoch": 1}
    lines[4] = line(plan, plan.rows[1], 1, None, failure=failure, environment=environment, data_note=NASTY)
    record = write_record(tmp_path / "results", lines)
    html = write_report(Results(plan, record), tmp_path / "reports", formats=("html",)).html
    assert html is not None
    text = html.read_text(encoding="utf-8")
    tags: list[tuple[str, list[str]]] = []
    scripts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            if self.cdata_elem == "script":
                scripts.append(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, [name for name, _ in attrs]))
            assert all(not str(value).lower().startswith(("javascript", "x")) for _, value in attrs)

    Reader(convert_charrefs=True).feed(text)
    ours = files("ablations.analysis.report") / "templates" / "page.js"
    assert ["".join(scripts).strip()] == [ours.read_text(encoding="utf-8").strip()]
    assert [names for tag, names in tags if tag == "script"] == [[]], "one, which is in the page itself"
    assert not [name for _, names in tags for name in names if name.startswith("on")]
    for tag, names in tags:
        assert tag != "img" or "alt" in names, "ours have a description, the one in the text has none"
    assert text.count("&lt;script&gt;") > 20
    assert "{{ 7*7 }}" in text


def test_no_file_of_a_report_acts_on_a_terminal(tmp_path: Path) -> None:
    plan = nasty_design()
    environment = dict.fromkeys(("commit", "host", "processor"), TERMINAL)
    record = write_record(tmp_path / "results", simulated(plan, data_note=TERMINAL, environment=environment))
    write_report(Results(plan, record), tmp_path / "reports", formats=("md", "html", "latex"))
    texts = [
        path for path in (tmp_path / "reports").rglob("*") if path.suffix in (".md", ".html", ".tex", ".csv")
    ]
    assert {path.suffix for path in texts} == {".md", ".html", ".tex", ".csv"}
    for path in texts:
        found = re.findall(r"[^\x20-\x7e\n\t\u00a0-\U0010ffff].{20}", path.read_text(encoding="utf-8"))
        assert found == [], path


def test_figures_embed_labels_as_text(tmp_path: Path) -> None:
    plan = nasty_design()
    record = write_record(tmp_path / "results", simulated(plan))
    figures = write_report(Results(plan, record), tmp_path / "reports").figures
    assert figures
    for path in figures:
        if path.suffix == ".svg":
            assert "<b " not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["../x", "..", ".hidden", "a/b", "a\\b", "/etc", "", "a\nb", "a\0b", "C:x", "-x", "a b"]
)
def test_a_studys_name_stays_in_its_folder(name: str) -> None:
    content = study_design().study.model_dump(exclude={"name"})
    with pytest.raises(UserError, match="name"):
        parse_study({**content, "name": name})


def test_a_file_cannot_give_its_study_another_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: ../../x\n", encoding="utf-8")
    with pytest.raises(UserError, match="'name' is not for the user to set"):
        load_study(str(file))


def test_the_pages_are_served_to_this_machine_only() -> None:
    words = ui_command()
    assert words[words.index("--host") + 1] == "127.0.0.1"
    from ablations.commands.ui import command

    assert not [parameter.name for parameter in command.params if parameter.name == "host"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![1](http://e/1.png)", r"\![1\](http://e/1.png)"),
        ("[+1](http://e)", r"[+1\](http://e)"),
        ("![x][r]", r"\!\[x\]\[r]"),
        ("a [−3.82, −1.68] (6)", "a [−3.82, −1.68] (6)"),
        (TERMINAL, r"\\x1b]0;owned\\x07\\x1b[2J"),
    ],
)
def test_markdown_loads_and_links_nothing(text: str, shown: str) -> None:
    assert markdown_escape(text) == shown


def test_a_command_keeps_its_blanks() -> None:
    assert markdown_code("ablate run --set 'title=a  b'") == "`ablate run --set 'title=a  b'`"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_computes_nothing_of_a_name(text: str) -> None:
    table = Table("t", "T", (Column("variant", "variant", "left"),), (TableRow((Text(text),)),))
    assert list(csv.reader(to_csv(table).splitlines()))[1][0].startswith("'")


def test_terminals_are_sent_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table as RichTable

    console = make_console()
    console.print(f"a {TERMINAL} b")
    table = RichTable(title=TERMINAL)
    table.add_column(TERMINAL)
    table.add_row(TERMINAL)
    console.print(table)
    console.print(ScreenTable(Table("t", "T", (Column("v", "v", "left"),), (TableRow((Text(TERMINAL),)),))))
    with pytest.raises(SystemExit):
        run_command(group, "ablate", ["run", f"{TERMINAL}.yaml"])
    printed = capsys.readouterr()
    assert "\x1b]" not in printed.out + printed.err
    assert "\x07" not in printed.out + printed.err


@pytest.mark.parametrize("name", ["a $x$ b", r"$\frac{$", "$$", r"\$"])
def test_a_dollar_in_a_name_is_drawn_as_one(name: str, tmp_path: Path) -> None:
    results = Results(study_design(), write_record(tmp_path, simulated(study_design())))
    info = axis_info(results.families[0])
    rows = tuple(row._replace(label=name) for row in info.rows)
    assert render(draw_axis(info._replace(rows=rows)), ("png",))["png"]
