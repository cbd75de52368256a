"""Bad input: one line on the error stream, status 2, no traceback, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

RUN = ("run", "small.yaml", "--no-tracking")

CASES: list[tuple[tuple[str, ...], str]] = [
    (("rnu",), "unknown command 'rnu'; did you mean 'run'?"),
    (("run",), "Missing argument 'STUDY'; usage: ablate run [OPTIONS] STUDY"),
    (("why", "0123456789abcdef"), "Missing argument 'KEY'; usage: ablate why [OPTIONS] STUDY KEY"),
    (("status", "smoke", "quickstart"), "extra argument (quickstart); usage: ablate status [OPTIONS] STUDY"),
    (("run", "SMOKE"), "unknown study 'SMOKE'; did you mean 'smoke'?"),
    (("run", "smoek"), "unknown study 'smoek'; did you mean 'smoke'?"),
    (("run", "absent.yaml"), "cannot read study 'absent.yaml': No such file or directory"),
    (("run", "small"), "unknown study 'small'; did you mean 'small.yaml'?"),
    (
        ("run", "smal.yaml"),
        "cannot read study 'smal.yaml': No such file or directory; did you mean 'small.yaml'?",
    ),
    (("run", "small.yml"), "No such file or directory; did you mean 'small.yaml'?"),
    (("run", "."), "'.' is a folder; give a .yaml file or a shipped study's name"),
    ((*RUN, "--wrokers", "2"), "No such option '--wrokers'"),
    ((*RUN, "--workers", "0"), "Invalid value for '--workers'"),
    ((*RUN, "--seeds", "0"), "seeds: give between 1 and 10000 seeds, got 0"),
    (
        (*RUN, "--only", "SE r=9"),
        "unknown row 'SE r=9'; did you mean 'SE r=8'? known: SE r=8, plain, SE max r=8",
    ),
    ((*RUN, "--set", "recipe.epoch=3"), "unknown field 'recipe.epoch'; did you mean 'recipe.epochs'?"),
    ((*RUN, "--set", "recipe.epochs=many"), "recipe.epochs must be a number, got 'many'"),
    ((*RUN, "--set", "recipe=cifar-quik"), "unknown recipe 'cifar-quik'; did you mean 'cifar-quick'?"),
    ((*RUN, "--set", "baseline.backbone=resnet21"), "unknown backbone 'resnet21'"),
    ((*RUN, "--set", "baseline.data=cifar11"), "unknown data set 'cifar11'; did you mean 'cifar10'?"),
    ((*RUN, "--set", "baseline.data.train_images=5"), "train_images must be between 10 and 1297"),
    (
        (*RUN, "--set", "baseline.data={name: digits, size: 8}"),
        "data set 'digits' takes no size; its images have 8 pixels",
    ),
    (("plan", "small.yaml", "--set", "baseline.data=cifra10"), "unknown data set 'cifra10'"),
    (
        (*RUN, "--set", "recipe.batch_size=81"),
        "row 'SE r=8': batch_size is 81, and there are 80 training images; give recipe.batch_size at most 80",
    ),
    (
        (
            "plan",
            "small.yaml",
            "--set",
            "axes={recipe.batch_size: [16, 1298]}",
            "--set",
            "baseline.data=digits",
        ),
        "row 'SE r=8 batch_size=1298': batch_size is 1,298, and there are 1,297 training images",
    ),
    ((*RUN, "--set", "baseline.data.train_images=9999"), "train_images must be between 10 and 1297"),
    (
        (*RUN, "--set", "baseline.variant.reduction=0"),
        "reduction must be a whole number of at least 1, got 0",
    ),
    ((*RUN, "--set", "baseline.variant.squeeze=mean"), "unknown squeeze 'mean'"),
    ((*RUN, "--set", "axes.squeeze=[avg, avg]"), "axis 'squeeze' has the value 'avg' twice"),
    ((*RUN, "--set", "axes.stages=[[]]"), "stages is empty"),
    ((*RUN, "--set", "axes.stages=[[7]]"), "unknown stage 7; known: 2, 3, 4"),
    ((*RUN, "--set", "axes.colour=[red]"), "unknown axis 'colour'"),
    ((*RUN, "--plugin", "absent.py"), "cannot read plug-in 'absent.py': No such file or directory"),
    (("status", "small.yaml", "--results-dir", "bad"), "line 1 is corrupt"),
    (("report", "small.yaml", "--results-dir", "bad"), "line 1 is corrupt"),
    ((*RUN, "--results-dir", "bad"), "line 1 is corrupt"),
    (("report", "small.yaml"), "has no record in results/small; first: "),
    (("report", "small.yaml", "--format", "pdf"), "unknown format 'pdf'; known: md, html, latex"),
    (("list", "sqeeze"), "unknown slot 'sqeeze'; did you mean 'squeeze'?"),
    (("complexity",), "name a table of the paper (table_10), or a network by --backbone"),
    (("complexity", "table_99"), "unknown table of the paper 'table_99'"),
    (("complexity", "--backbone", "resnet50", "--variant", "se:r=8"), "unknown field of a variant 'r'"),
    (("data", "prepare", "cifar11"), "unknown data set 'cifar11'"),
    (("data", "prepare", "cifar10", "--from", "absent"), "absent"),
    (
        ("run", "small.yaml", "--tracking-uri", "nonsense://x"),
        "tracking URI 'nonsense://x' is no place that MLflow writes to",
    ),
]


@pytest.mark.parametrize(("words", "expected"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_one_line_and_status_two(ablate: Callable[..., Any], words: tuple[str, ...], expected: str) -> None:
    bad = Path("bad/small")
    bad.mkdir(parents=True)
    (bad / "trials.jsonl").write_text("{}\n", encoding="utf-8")
    said = ablate(*words)
    assert said.status == 2
    lines = said.err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("ablate: ")
    assert expected in lines[0]
    assert not Path("results/small").exists()
    assert (bad / "trials.jsonl").read_text(encoding="utf-8") == "{}\n"


@pytest.mark.parametrize("name", ["mlflow.db", "mlflow.db.lock", "MLflow.DB", "mlartifacts"])
@pytest.mark.parametrize("command", ["run", "plan", "status", "report"])
def test_a_study_may_not_have_the_name_of_a_file_of_the_results_folder(
    ablate: Callable[..., Any], name: str, command: str
) -> None:
    Path(f"{name}.yaml").write_bytes(Path("small.yaml").read_bytes())
    said = ablate(command, f"{name}.yaml")
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert f"study {name!r} cannot have that name: the results folder keeps MLflow's mlflow.db" in said.err
    assert [path.name for path in Path("results").iterdir()] == ["mlflow.db"]


def test_a_reports_folder_that_cannot_be_had_is_said_before_anything_is_trained(
    ablate: Callable[..., Any],
) -> None:
    Path("reports").mkdir()
    Path("reports/small").write_text("a file where a folder should be", encoding="utf-8")
    said = ablate(*RUN)
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert "cannot write to the reports folder reports/small: reports/small is not a folder" in said.err
    assert not Path("results/small").exists()


def test_a_batch_larger_than_a_data_set_that_had_to_be_read_is_said_before_anything_is_trained(
    ablate: Callable[..., Any],
) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for number in range(count):
            for kind in ("cat", "dog"):
                place = Path("images", part, kind, f"{number}.png")
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8), (30 * number, 99, 200)).save(place)
    said = ablate(*RUN, "--set", "baseline.data={name: image-folder, path: images, size: 8}")
    assert (said.status, len(said.err.splitlines())) == (2, 1), said.err
    assert "batch_size is 32, and there are 6 training images; give recipe.batch_size at most 6" in said.err
    assert not Path("results/small").exists()


def test_an_unwritable_results_folder_is_said(ablate: Callable[..., Any]) -> None:
    Path("taken").write_text("a file where a folder should be", encoding="utf-8")
    said = ablate(*RUN, "--results-dir", "taken")
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert "cannot write to the results folder taken/small" in said.err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("def broken(:\n", "fails when loaded: SyntaxError"),
        ("raise RuntimeError('two\\nlines')\n", "fails when loaded: RuntimeError: two lines"),
        ("raise SystemExit(0)\n", "fails when loaded: SystemExit"),
        ("x = 1\n", "registers nothing"),
        (
            "from senet_core import SQUEEZES\nSQUEEZES.register('avg', source='ours')(abs)\n",
            "registered twice",
        ),
    ],
)
def test_a_broken_plug_in_is_said(ablate: Callable[..., Any], content: str, expected: str) -> None:
    Path("mine.py").write_text(content, encoding="utf-8")
    said = ablate(*RUN, "--plugin", "mine.py")
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert expected in said.err


def test_no_data_and_no_network_names_both_ways_out(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody answers there
    said = ablate("run", "smoke", "--no-tracking")
    assert said.status == 2
    [line] = said.err.splitlines()
    assert "ablate data prepare cifar10 --data-dir " in line
    assert "/data --from PATH`" in line
    assert "network" in line or "connect" in line
    assert not Path("results/smoke/trials.jsonl").exists()


def test_debug_shows_the_traceback(ablate: Callable[..., Any]) -> None:
    said = ablate("run", "smoek", "--debug")
    assert said.status == 2
    assert "Traceback" in said.err


def test_a_defect_is_one_line_too(ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from ablations.planning import study_file

    monkeypatch.setattr(study_file, "load_study", lambda *a, **k: 1 / 0)
    said = ablate("status", "small.yaml")
    assert said.status == 1
    assert said.err == "ablate: internal error: ZeroDivisionError: division by zero (--debug shows where)\n"


@pytest.mark.parametrize("words", [(), ("data",)])
def test_a_command_without_words_shows_its_help_in_lines(
    ablate: Callable[..., Any], words: tuple[str, ...]
) -> None:
    done = ablate(*words)
    asked = ablate(*words, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out == asked.out
    _, commands, summaries = done.out.partition("Commands:\n")
    assert commands
    assert "..." not in summaries  # each is said in a line
