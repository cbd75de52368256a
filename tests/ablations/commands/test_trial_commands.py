"""retry, why and reproduce: what a person asks of single trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.commands.shared.trials import find_line
from ablations.running.machine.kernels import ALL_KERNELS
from ablations.running.record.trial_record import Failure
from ablations.running.trials.task import TaskOutcome

_missing = ", ".join(ALL_KERNELS.missing(torch.device("cpu")).values())
RUN = ("run", "small.yaml", "--no-tracking", "--seeds", "1")
RECORD = Path("results/small/trials.jsonl")


def _lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]


def _rewrite(lines: list[dict[str, Any]]) -> None:
    RECORD.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_reproduce_is_bit_identical_and_says_what_is_not(ablate: Callable[..., Any]) -> None:
    assert ablate(*RUN).status == 0
    first, *rest = _lines()
    same = ablate("reproduce", "small", first["key"][:6])
    assert same.status == 0, same.out + same.err
    assert f"trial {first['key']}: bit-identical" in same.out
    first["history"][0]["train_loss"] += 1e-9
    first["result"]["weights_sha256"] = "another"
    first["environment"] |= {"torch": "1.0", "cudnn": "92400", "not_deterministic": "max_pool2d"}
    _rewrite([first, *rest])
    other = ablate("reproduce", "small.yaml", first["key"])
    assert other.status == 1
    assert "weights_sha256: recorded another, now " in other.out
    assert "the epochs differ from epoch 1 on" in other.out
    assert "torch differs: recorded '1.0'" in other.out
    assert "cudnn differs: recorded '92400', now None" in other.out
    assert "operations without a deterministic form on CUDA: max_pool2d" in other.out


def test_reproduce_keeps_weights_and_status_counts_the_trials_without(ablate: Callable[..., Any]) -> None:
    assert ablate(*RUN, "--only", "plain").status == 0
    [line] = _lines()
    assert "without weights" not in ablate("status", "small.yaml", "--seeds", "1").out
    keeps = ("small.yaml", "--seeds", "1", "--set", "keep_weights=true")
    assert "1 finished trial without weights (keys: --json)" in ablate("status", *keeps).out
    assert json.loads(ablate("status", *keeps, "--json").out)["without_weights"] == [line["key"]]
    again = ablate("reproduce", "small", line["key"], "--keep-weights")
    assert again.status == 0, again.out + again.err
    [path] = Path("results/small/weights").iterdir()
    assert f"weights: {path}" in again.out
    assert path.name == f"{line['key']}-{line['result']['weights_sha256'][:8]}.safetensors"
    assert _lines() == [line]
    assert "without weights" not in ablate("status", *keeps).out


@pytest.mark.skipif(bool(_missing), reason=_missing)
@pytest.mark.parametrize(
    ("said", "fused", "winograd"),
    [(("--no-fused",), False, True), (("--no-winograd",), True, False), ((), True, True)],
    ids=["--no-fused", "--no-winograd", "neither"],
)
def test_a_trial_is_made_again_with_the_kernels_that_it_was_trained_with(
    ablate: Callable[..., Any], said: tuple[str, ...], fused: bool, winograd: bool
) -> None:
    assert ablate(*RUN, "--only", "plain", *said).status == 0
    [line] = _lines()
    assert (line["environment"]["fused"], line["environment"]["winograd"]) == (fused, winograd)
    same = ablate("reproduce", "small", line["key"])
    assert same.status == 0, same.out + same.err


@pytest.mark.skipif(bool(_missing), reason=_missing)
def test_a_record_from_before_there_was_a_choice_is_made_again_as_it_was(ablate: Callable[..., Any]) -> None:
    assert ablate(*RUN, "--only", "plain", "--no-winograd").status == 0
    [line] = _lines()
    del line["environment"]["winograd"]
    _rewrite([line])
    same = ablate("reproduce", "small", line["key"])
    assert same.status == 0, same.out + same.err
    assert "winograd" not in same.out


def test_why_says_what_a_sweep_would_do(ablate: Callable[..., Any]) -> None:
    assert ablate(*RUN, "--only", "plain").status == 0
    [plain] = _lines()
    done = ablate("why", "small.yaml", plain["key"])
    assert done.status == 0, done.err
    assert "finished on" in done.out
    assert "it would not run: a finished trial is never trained again" in done.out
    failed = {
        **plain,
        "status": "failed",
        "result": None,
        "failure": {"kind": "oom", "message": "no memory", "epoch": 1},
    }
    _rewrite([failed])
    again = ablate("why", "small.yaml", plain["key"][:5])
    assert "failed on" in again.out
    assert "oom: no memory" in again.out
    assert "it would run: a trial that failed is tried again" in again.out
    RECORD.unlink()
    assert "it would run: it is not in the record" in ablate("why", "small.yaml", plain["key"]).out


def test_retry_trains_the_failed_of_a_kind_and_nothing_else(ablate: Callable[..., Any]) -> None:
    assert ablate(*RUN).status == 0
    lines = _lines()
    failure = {"kind": "oom", "message": "no memory", "epoch": 1}
    lines[0] |= {"status": "failed", "result": None, "failure": failure}
    lines[1] |= {"status": "failed", "result": None, "failure": {**failure, "kind": "timeout"}}
    _rewrite(lines[:2])
    said = ablate("retry", "small.yaml", "--seeds", "1", "--kind", "oom", "--no-tracking")
    assert said.status == 0, said.err
    assert [line["key"] for line in _lines()[2:]] == [lines[0]["key"]]
    none = ablate("retry", "small.yaml", "--seeds", "1", "--kind", "disk", "--no-tracking")
    assert none.status == 2
    assert "has no trials that failed by 'disk' to try again" in none.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("reproduce", "small", "abc"), "unknown study with a record in results 'small'"),
        (("why", "small.yaml", "zzz"), "no trial 'zzz' in study 'small'"),
        (("why", "small.yaml", ""), "no trial '' in study 'small'"),
        (("retry", "small.yaml", "--kind", "omo"), "unknown kind of failure 'omo'; did you mean 'oom'?"),
        (("retry", "small.yaml"), "study 'small' has no failed trials to try again"),
    ],
)
def test_bad_input_is_one_line(ablate: Callable[..., Any], words: tuple[str, ...], expected: str) -> None:
    said = ablate(*words)
    assert (said.status, len(said.err.splitlines())) == (2, 1)
    assert expected in said.err


def test_a_study_with_a_dot_in_its_name_is_itself(ablate: Callable[..., Any], tmp_path: Path) -> None:
    assert ablate(*RUN, "--only", "plain").status == 0
    [line] = _lines()
    for name, key in (("net", "a" * 16), ("net.v2", line["key"])):
        (tmp_path / "results" / name).mkdir()
        (tmp_path / "results" / name / "trials.jsonl").write_text(json.dumps({**line, "key": key}) + "\n")
    for study in ("net.v2", "net.v2.yaml"):
        assert find_line(study, line["key"][:6], Path("results")).key == line["key"]
    said = ablate("reproduce", "net.v3", line["key"])
    assert said.status == 2
    assert said.err == (
        "ablate: unknown study with a record in results 'net.v3'; did you mean 'net.v2'? known: net, net.v2, small\n"
    )


def test_a_full_disk_is_no_bad_input(ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert ablate(*RUN, "--only", "plain").status == 0
    [line] = _lines()
    full = Failure("disk", "No space left on device", None)
    monkeypatch.setattr(
        "ablations.running.sweep.reproduce._run",
        lambda *_, **__: TaskOutcome(None, (), full, {}, "", "", "", ""),
    )
    said = ablate("reproduce", "small", line["key"])
    assert said.status == 1
    assert said.err.endswith("cannot be made again here: No space left on device\n")
