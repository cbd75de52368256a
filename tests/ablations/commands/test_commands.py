"""The commands, from their words to what is printed and written."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.networks.recipes.named import RECIPES

PLUGIN = '''
from torch import Tensor
from senet_core import SQUEEZES


@SQUEEZES.register("spread", source="ours: the spread of a channel instead of its level")
def spread_squeeze(x: Tensor) -> Tensor:
    """Shapes: x: (N, C, H, W); returns (N, C)."""
    return x.std(dim=(2, 3))
'''


def test_from_study_file_to_report(ablate: Callable[..., Any]) -> None:
    """Real workers, MLflow, report; then the same command trains nothing."""
    said = ablate("run", "small.yaml")
    assert said.status == 0, said.err
    assert "study small: 6 trials, 6 to train" in said.out
    assert "[6/6]" in said.out
    assert Path("reports/small/report.md").read_text(encoding="utf-8").startswith("# Small")
    assert Path("reports/small/report.html").exists()
    assert "http://127.0.0.1:5000/#/experiments/" in said.out
    record = Path("results/small/trials.jsonl").read_text(encoding="utf-8")
    assert len(record.splitlines()) == 6
    status = ablate("status", "small.yaml")
    assert "6 of 6 trials finished" in status.out
    again = ablate("run", "small.yaml")
    assert again.status == 0
    assert "6 recorded, nothing to train" in again.out
    assert Path("results/small/trials.jsonl").read_text(encoding="utf-8") == record


def test_a_plug_in_file_is_swept_by_name_and_reported(ablate: Callable[..., Any]) -> None:
    Path("spread.py").write_text(PLUGIN, encoding="utf-8")
    words = ("small.yaml", "--plugin", "spread.py", "--set", "axes.squeeze=[avg, spread]", "--seeds", "1")
    said = ablate("run", *words, "--no-tracking")
    assert said.status == 0, said.err
    assert said.err == "plug-in loaded: spread.py\n"
    report = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "SE spread r=8" in report
    [line] = [
        json.loads(line)
        for line in Path("results/small/trials.jsonl").read_text(encoding="utf-8").splitlines()
        if "squeeze=spread" in line
    ]
    assert list(line["trial"]["plugins"]) == ["squeeze:spread"]
    Path("spread.py").write_text(
        PLUGIN.replace("std(dim=(2, 3))", "var(dim=(2, 3))").replace('"spread"', '"spread2"')
    )
    changed = ablate(
        "plan", "small.yaml", "--plugin", "spread.py", "--set", "axes.squeeze=[avg, spread2]", "--seeds", "1"
    )
    assert "3 trials, 1 to train" in changed.out  # another plug-in, another trial


def test_a_plug_in_may_be_named_by_the_study(ablate: Callable[..., Any]) -> None:
    Path("own").mkdir()
    Path("own/mine.py").write_text(
        PLUGIN.replace('"spread"', '"spread3"') + "\n# in the study\n", encoding="utf-8"
    )
    study = Path("small.yaml").read_text(encoding="utf-8").replace("[avg, max]", "[avg, spread3]")
    Path("own/study.yaml").write_text(study + "plugins: [mine.py]\n", encoding="utf-8")
    said = ablate("plan", "own/study.yaml")
    assert said.status == 0, said.err
    assert "SE spread3 r=8" in said.out


def test_only_trains_the_named_row(ablate: Callable[..., Any]) -> None:
    said = ablate("run", "small.yaml", "--only", "plain", "--no-tracking")
    assert said.status == 0, said.err
    lines = Path("results/small/trials.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["trial"]["variant"] for line in lines] == ["plain", "plain"]


def test_plan_counts_and_trains_nothing(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--seeds", "7")
    assert "3 rows, 21 trials, 21 to train" in said.out
    assert not Path("results/small/trials.jsonl").exists()


def test_status_of_an_empty_folder(ablate: Callable[..., Any]) -> None:
    said = ablate("status", "small.yaml", "--json")
    status = json.loads(said.out)
    assert (status["total"], status["finished"]) == (6, 0)
    assert [row["label"] for row in status["rows"]] == ["SE r=8", "plain", "SE max r=8"]


def test_list_for_programs_names_every_entry_and_its_source(ablate: Callable[..., Any]) -> None:
    rows = json.loads(ablate("list", "--json").out)
    by_slot: dict[str, set[str]] = {}
    for row in rows:
        by_slot.setdefault(row["slot"], set()).add(row["name"])
        assert row["source"]
    assert by_slot["squeeze"] >= {"avg", "max", "none"}
    assert by_slot["integration"] >= {"standard", "pre", "post", "identity", "conv3x3"}
    assert by_slot["backbone"] >= {"resnet20", "resnet110", "resnet50"}
    assert by_slot["recipe"] == set(RECIPES)
    assert by_slot["optimizer"] == {"sgd", "adamw", "lion", "muon"}
    assert by_slot["loss"] == {"cross_entropy", "bce", "focal"}


def test_list_shows_what_a_person_reads(ablate: Callable[..., Any]) -> None:
    said = ablate("list", "excitation")
    assert "sigmoid" in said.out
    assert "arXiv:1709.01507" in said.out
    assert "avg" not in said.out


def test_list_shows_what_a_block_costs(ablate: Callable[..., Any]) -> None:
    rows = {row["name"]: row["parameters"] for row in json.loads(ablate("list", "gate", "--json").out)}
    assert rows["bottleneck"] == "2C²/r"
    assert "C²/r" in ablate("list", "gate").out
    assert "reduction r" in " ".join(ablate("list", "gate").out.split())
    assert "reduction r" not in ablate("list", "recipe").out


def test_list_counts_what_a_whole_block_costs(ablate: Callable[..., Any]) -> None:
    rows = {row["name"]: row["multiply_adds"] for row in json.loads(ablate("list", "block", "--json").out)}
    assert rows["se"] == "512"  # 2 * 64 * 64 / 16
    assert rows["triplet"] == f"{2 * 7 * 7 * (8 * 8 + 2 * 64 * 8):,}"
    assert "with C = 64 and r = 16, on a map of 8 x 8" in " ".join(ablate("list", "block").out.split())
    assert "multiply-adds" not in ablate("list", "gate").out


@pytest.mark.usefixtures("own_registries")
def test_list_counts_a_plug_ins_block_where_it_can_be_built(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    plugin = tmp_path / "bad.py"
    plugin.write_text(
        "from torch import nn\nfrom senet_core import BLOCKS\n\n\n"
        "@BLOCKS.register('mine', source='ours: a test')\n"
        "def mine(channels, *, width):\n    return nn.Conv2d(channels, channels, 1)\n\n\n"
        "@BLOCKS.register('bad', source='ours: a test')\n"
        "def bad(channels, *, width):\n    raise RuntimeError\n",
        encoding="utf-8",
    )
    listed = json.loads(ablate("list", "block", "--plugin", str(plugin), "--json").out)
    rows = {row["name"]: (row["parameters"], row["multiply_adds"]) for row in listed}
    assert rows["mine"] == ("4,160 with C = 64, r = 16", "262,144")
    assert rows["bad"] == ("", "")


def test_complexity_prints_table_10_within_its_rounding(ablate: Callable[..., Any]) -> None:
    said = ablate("complexity", "table_10")
    for count in ("45,676,584", "35,616,808", "30,586,920", "28,071,976", "26,814,504", "25,557,032"):
        assert count in said.out


def test_complexity_of_one_network(ablate: Callable[..., Any]) -> None:
    said = ablate(
        "complexity", "--backbone", "resnet20", "--variant", "plain", "--size", "32", "--classes", "10"
    )
    assert "269,722" in said.out  # He et al. 2015, Table 6: 0.27 M


def test_studies_and_schema(ablate: Callable[..., Any]) -> None:
    assert "reduction-ratio" in ablate("studies").out
    schema = json.loads(ablate("schema").out)["else"]
    assert "axes" in schema["properties"]


@pytest.mark.parametrize(
    "command", ["run", "status", "report", "plan", "list", "complexity", "ui", "data", "schema"]
)
def test_every_command_explains_itself(ablate: Callable[..., Any], command: str) -> None:
    said = ablate(command, "--help")
    assert said.status == 0
    assert said.out.startswith(f"Usage: ablate {command}")


def test_the_ui_needs_something_to_show(ablate: Callable[..., Any]) -> None:
    said = ablate("ui", "--results-dir", "empty")
    assert said.status == 2
    assert "nothing to show" in said.err


def test_training_tonight_and_looking_later(ablate: Callable[..., Any]) -> None:
    """Nobody has seen a figure before the report is asked for, so no analysis is noted either."""
    said = ablate(
        "run", "small.yaml", "--no-report", "--results-dir", "mine", "--seeds", "1", "--no-tracking"
    )
    assert said.status == 0, said.err
    later = shlex.split(said.out.splitlines()[-1].removeprefix("trained; no report was written: "))
    assert later[1:5] == ["report", f"{Path.cwd()}/small.yaml", "--seeds", "1"]
    assert not Path("reports").exists()
    assert not list(Path("mine").glob("*/looks.jsonl"))
    assert ablate(*later[1:]).status == 0
    assert Path("reports/small/report.md").exists()


def test_quiet_says_nothing_where_nothing_goes_wrong(ablate: Callable[..., Any]) -> None:
    said = ablate("run", "small.yaml", "-q", "--no-tracking", "--seeds", "1")
    assert (said.status, said.out, said.err) == (0, "", "")
    assert Path("reports/small/report.md").exists()


def test_quiet_still_says_what_goes_wrong(ablate: Callable[..., Any]) -> None:
    words = ("--trial-timeout", "0.001", "--no-tracking", "--seeds", "1")
    said = ablate("run", "small.yaml", "--quiet", *words)
    assert said.status == 1
    assert said.out.count("failed (timeout)") == 3
    assert "3 trials failed" in said.out
