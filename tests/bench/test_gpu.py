"""`bench/gpu.sh`: what its page says, that nothing is claimed of what was not measured, and its checks on the CPU."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from ablations.planning.trial import trial_key
from ablations.running.record.trial_record import TrialRecord
from bench.gpu import __main__ as program
from bench.gpu import checks
from bench.gpu import gauge as gauge_module
from bench.gpu.gauge import Busy, seen
from bench.gpu.in_workers import lose_gpu, use_gpu
from bench.gpu.page import failures, page
from bench.gpu.section6 import seconds_left
from bench.gpu.speed import flop_of_image
from bench.gpu.steps import ROUNDS, Measurement, measurements, smaller
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import line, study_design

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
        "launches_in_a_step": 9,
        "tflops": 1.25,
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
    {"part": "at once", "title": "2", "answer": {"images_per_second": 4000.0, "late": 0, "how": "mps"}},
    {
        "part": "accuracy",
        "title": "ours",
        "answer": {"seconds_to": {"90": 12.34, "94": None}, "best": 92.1, "epochs": 20},
    },
    {
        "part": "section6",
        "title": "the study",
        "answer": {
            "rows": 18,
            "seeds": [6, 12],
            "epochs": 6.0,
            "together": 4,
            "sharing": "mps",
            "said": ["trials on a GPU: 4, as SE"],
            "timed_trials": 18,
            "timed_seconds": 71.0,
            "estimated_seconds": [1234.0, 2468.0],
        },
    },
]


def test_the_page_has_medians_what_failed_and_what_was_left_out() -> None:
    text = page(FOUND, MACHINE, dry=False)
    assert text.startswith("# The GPU path on NVIDIA H200\n")
    for expected in (
        "| same bits | NO | a, b |",
        "| ours | yes | 3 | 2,000 | 1.500 | 0.50 | 700 | 9 | 1.25 | 0.250 |",
        "| 2 | with MPS | 4,000 | 0 |",
        "| 90 % | 12.3 | 92.1 |",
        "| 94 % | not in 20 epochs | 92.1 |",
        "- speed, compiled: it has no compiler",
        "`section6`, 18 rows of 6 epochs, 4 at once with MPS: about 20.6 min for 6 seeds, and 41.1 min for all 12, if",
        "took 71 s, the probe and the start of the workers included. Trials on a GPU: 4, as SE.",
    ):
        assert expected in text
    assert "PyTorch 2.14.1+cu130, CUDA 13.0." in text
    assert "dry run" not in text
    assert failures(FOUND) == ["same bits"]


def test_a_dry_page_says_so_first_and_what_was_not_measured_is_not_there() -> None:
    text = page([], {"device": "cpu", "torch": "2.14.1"}, dry=True)
    assert text.split("\n\n")[1].startswith("**A dry run on a processor**")
    assert text.count("It was not measured.") == 4
    assert "It was not checked." in text


def test_checks_come_first_and_each_way_is_timed_in_every_round_but_the_one_that_compiles() -> None:
    steps = list(measurements())
    assert steps[0].part == "checks"
    times = {
        title: sum(step.title == title for step in steps)
        for title in {s.title for s in steps if s.part == "speed"}
    }
    assert sorted(times.values()) == [1, *[ROUNDS] * (len(times) - 1)]
    assert {step.part for step in measurements(1)} == {"checks", "speed", "at once", "accuracy", "section6"}
    assert (smaller("steps", 40), smaller("images", 50_000), smaller("at_once", 4)) == (2, 500, 4)


def test_whoever_is_compared_is_timed_before_anything_is_timed_again() -> None:
    steps = [step for step in measurements() if step.part == "speed"]
    first = steps[: len(list(measurements(1))) - 7]
    assert len({step.title for step in first}) == len(first)
    assert [step.title.split(",")[0] for step in steps[:5]] == [
        "ours",
        "plain PyTorch",
        "plain PyTorch",
        "Lightning",
        "timm",
    ]


def test_a_step_has_its_budget_and_no_more_than_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, float] = {}

    def run(step: Measurement, *, patience_seconds: float, **_: Any) -> Any:
        given.setdefault(step.part, patience_seconds)
        raise UserError(f"it took longer than {patience_seconds:g} s")

    monkeypatch.setattr(Measurement, "run", run)
    words = ["--dry", "--out", str(tmp_path), "--minutes", "2.2"]
    ended = CliRunner().invoke(program.command, words, standalone_mode=False)
    assert (ended.exception, ended.return_value) == (None, 1)
    assert given["checks"] == 90
    assert 100 < given["section6"] < 132
    assert "- checks, whether it is right: it took longer than 90 s" in (tmp_path / "gpu.md").read_text()


@dataclass
class Event:
    """An average of a profile."""

    key: str
    count: int
    self_device_time_total: float
    device_type: Any = torch.autograd.DeviceType.CUDA  # type: ignore[attr-defined]
    is_user_annotation: bool = False


def test_a_profile_tells_how_long_the_gpu_computes_what_it_runs_and_what_starts_it() -> None:
    on_cpu = torch.autograd.DeviceType.CPU  # type: ignore[attr-defined]
    events = [
        Event("implicit_gemm", 300, 4e6),
        Event("batch_norm", 200, 1e6),
        Event("aten::conv2d", 300, 4e6, on_cpu),
        Event("Optimizer.step#SGD.step", 10, 1e6, is_user_annotation=True),
        Event("cudaLaunchKernel", 20, 0.0, on_cpu),
        Event("cudaGraphLaunch", 10, 0.0, on_cpu),
        Event("cudaStreamSynchronize", 10, 0.0, on_cpu),
    ]
    assert seen(events, 10) == Busy(0.5, 50, 3)


def test_only_the_steps_between_warm_up_and_profile_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 103.0])
    monkeypatch.setattr(gauge_module.time, "perf_counter", lambda: next(clock))
    gauge, taken = gauge_module.Gauge(CPU, warmup=2, steps=6), []
    gauge.take(lambda: taken.append(1))
    assert (len(taken), gauge.seconds, gauge.busy) == (8, 0.5, None)


def test_what_is_left_of_whole_trials_takes_the_time_of_the_last_epochs_steps() -> None:
    plan = study_design(seeds=2)
    entry = line(plan, plan.baseline, 0, 9.0, epochs=2)
    trial = {**entry["trial"], "data": {**entry["trial"]["data"], "train_images": 1280}}
    history = [{**epoch, "seconds": seconds} for epoch, seconds in zip(entry["history"], (9, 2), strict=True)]
    changed = {"trial": trial, "key": trial_key(trial), "history": history}
    record = TrialRecord.from_line(json.dumps({**entry, **changed}))
    steps = 10 * (50_000 // 128) - 20  # of 0.2 s each
    assert seconds_left([record, record], 10, 128) == pytest.approx(2 * 0.2 * steps)


def test_what_a_step_computes_is_that_of_the_images_that_it_sees() -> None:
    """Three passes of two operations for each of the 40.8 million multiply-adds of a ResNet-20, and its gates."""
    assert flop_of_image() == pytest.approx(6 * 40.9e6, rel=0.01)


def test_a_dry_run_writes_nothing_into_results() -> None:
    words = ["--dry", "--out", str(program.RESULTS / "dry")]
    ended = CliRunner().invoke(program.command, words, standalone_mode=False)
    assert isinstance(ended.exception, UserError)
    assert "of a dry run is no place in" in str(ended.exception)


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
    assert "it needs a compiler" in (tmp_path / "gpu.md").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert (content["dry"], content["environment"]["device"]) == (True, "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_only_a_dry_run_is_made() -> None:
    ended = CliRunner().invoke(program.command, [], standalone_mode=False)
    assert isinstance(ended.exception, UserError)
    assert "give `--dry` to try the script" in str(ended.exception)
