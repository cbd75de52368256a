"""`bench/gpu.sh`: what its page says, that nothing is claimed of what was not measured, and its checks on the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from bench.gpu import __main__ as program
from bench.gpu import checks
from bench.gpu.in_workers import lose_gpu, use_gpu
from bench.gpu.page import failures, page
from bench.gpu.steps import ROUNDS, Measurement, measurements, smaller
from senet_core.errors import UserError

CPU = torch.device("cpu")
MACHINE = {
    "device": "NVIDIA H200",
    "torch": "2.14.1",
    "torch_build": "2.14.1+cu130",
    "cuda": "13.0",
    "commit": "abc",
}


def timed(speed: float, busy: float | None = 0.5) -> dict[str, Any]:
    return {
        "graph": "yes",
        "images_per_second": speed,
        "step_ms": 1.5,
        "busy": busy,
        "kernels_in_a_step": 700,
        "product_tflops": 600.0,
        "share_of_product": 0.25,
    }


FOUND: list[dict[str, Any]] = [
    {
        "part": "checks",
        "title": "right",
        "answer": {"checks": [{"what": "same bits", "passed": False, "said": "a, b"}]},
    },
    *({"part": "speed", "title": "ours", "answer": timed(speed)} for speed in (1000.0, 3000.0, 2000.0)),
    {"part": "speed", "title": "compiled", "left_out": "it has no compiler"},
    {"part": "at once", "title": "2", "answer": {"images_per_second": 4000.0, "late": 0}},
    {
        "part": "accuracy",
        "title": "ours",
        "answer": {"seconds_to": {"90": 12.34, "94": None}, "best": 92.1, "epochs": 20},
    },
]


def test_the_page_has_medians_what_failed_and_what_was_left_out() -> None:
    text = page(FOUND, MACHINE, dry=False)
    assert text.startswith("# The GPU path on NVIDIA H200\n")
    for line in (
        "| same bits | NO | a, b |",
        "| ours | yes | 3 | 2,000 | 1.500 | 0.50 | 700 | 0.250 |",
        "| 2 | 4,000 | 0 |",
        "| 90 % | 12.3 | 92.1 |",
        "| 94 % | not in 20 epochs | 92.1 |",
        "- compiled: it has no compiler",
    ):
        assert line in text
    assert "PyTorch 2.14.1+cu130, CUDA 13.0." in text
    assert "dry run" not in text
    assert failures(FOUND) == ["same bits"]


def test_a_dry_page_says_so_first_and_what_was_not_measured_is_not_there() -> None:
    text = page([], {"device": "cpu", "torch": "2.14.1"}, dry=True)
    assert text.split("\n\n")[1].startswith("**A dry run on a processor**")
    assert text.count("It was not measured.") == 3
    assert "It was not checked." in text


def test_checks_come_first_and_each_way_is_timed_in_every_round_but_the_one_that_compiles() -> None:
    steps = list(measurements())
    assert steps[0].part == "checks"
    times = {
        title: sum(step.title == title for step in steps)
        for title in {s.title for s in steps if s.part == "speed"}
    }
    assert sorted(times.values()) == [1, *[ROUNDS] * (len(times) - 1)]
    assert {step.part for step in measurements(1)} == {"checks", "speed", "at once", "accuracy"}
    assert (smaller("steps", 40), smaller("images", 50_000), smaller("at_once", 4)) == (2, 500, 4)


@pytest.mark.parametrize("name", ["same_bytes", "rounding"])
def test_quick_checks_pass_on_a_processor(name: str) -> None:
    found = checks.same_bytes(CPU, 4) if name == "same_bytes" else checks.rounding(CPU, "fp32")
    assert found[0], found[1]


def test_a_check_that_raises_did_not_pass() -> None:
    assert checks.seen(lambda: 1 / 0) == {"passed": False, "said": "ZeroDivisionError: division by zero"}  # type: ignore[arg-type, return-value]


def test_a_lost_gpu_is_told_from_an_error() -> None:
    lost = lose_gpu(dry=True)
    assert (lost.spent, lost.data_note) == (True, "CUDA error: device-side assert triggered")
    assert use_gpu(dry=True) == 4.0


def test_a_dry_run_writes_figures_and_a_page_and_fails_where_a_check_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {one["part"]: one for one in FOUND if "answer" in one}

    def run(step: Measurement, **_: Any) -> Any:
        if step.title.startswith("plain"):
            raise UserError("it needs a compiler")
        return answers[step.part]["answer"]

    monkeypatch.setattr(Measurement, "run", run)
    ended = CliRunner().invoke(program.command, ["--dry", "--out", str(tmp_path)], standalone_mode=False)
    assert (ended.exception, ended.return_value) == (None, 1)
    assert "NOT RIGHT   same bits" in ended.output
    assert "it needs a compiler" in (tmp_path / "page.md").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    assert (content["dry"], content["environment"]["device"]) == (True, "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_only_a_dry_run_is_made() -> None:
    ended = CliRunner().invoke(program.command, [], standalone_mode=False)
    assert isinstance(ended.exception, UserError)
    assert "give `--dry` to try the script" in str(ended.exception)
