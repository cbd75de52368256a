"""What is wrong with a source, or with what is asked of it, is said in one line, with what would be accepted."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ablations.analysis.external import recorded

LR = ("--variant", "lr")
ERROR = (*LR, "--metric", "error")


def nothing(folder: Path) -> None:
    return None


def tree(**files: Any) -> Callable[[Path], None]:
    """A folder `js` of metrics.json, by folders with __ for /."""

    def write(folder: Path) -> None:
        for name, content in files.items():
            place = folder / "js" / name.replace("__", "/")
            place.mkdir(parents=True)
            text = content if isinstance(content, str) else json.dumps(content)
            (place / "metrics.json").write_text(text)

    return write


def table(*rows: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "runs.csv").write_text("\n".join(("variant,seed,value", *rows)) + "\n")

    return write


def two_per_step(folder: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    [run, *_] = client.search_runs([client.get_experiment_by_name("rates").experiment_id])
    for step in (0, 9):
        client.log_metric(run.info.run_id, "error", 50, step=step)


def events(folder: Path) -> None:
    recorded.by_tensorboard(folder / "tb", "lr{rate}_s{seed}")


def damaged_events(folder: Path) -> None:
    for name in ("a/seed0", "b/seed0"):
        (folder / "tb" / name).mkdir(parents=True)
        (folder / "tb" / name / "events.out.tfevents.1.x.1.0").write_bytes(b"no events at all" * 10)


def wandb_bytes(content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        place = folder / "wandb" / "offline-run-20260101_000000-a"
        place.mkdir(parents=True)
        (place / "run-a.wandb").write_bytes(content)

    return write


def empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir()


def two_kinds(folder: Path) -> None:
    events(folder)
    recorded.by_json(folder / "tb")


def two_studies(folder: Path) -> None:
    import optuna

    recorded.by_optuna(folder)
    optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", study_name="sizes")


def two_writers(folder: Path) -> None:
    """Training and validation log under one name into one folder."""
    for shift in (0, 1):
        recorded.by_tensorboard(folder / "tb", "lr{rate}_s{seed}", shift=shift)


A = {"error": 1.0}
FRACTIONS = [f"{v},{s},{x + 0.001 * s}" for v, x in (("a", 0.91), ("b", 92.0)) for s in range(3)]
CASES: list[tuple[str, Callable[[Path], None], tuple[str, ...], str]] = [
    # names
    (
        "mlflo:rates",
        nothing,
        LR,
        "unknown source 'mlflo'; did you mean 'mlflow'? known: mlflow, tensorboard, wandb",
    ),
    ("mlflow:rate", nothing, LR, "unknown experiment 'rate'; did you mean 'rates'? known: rates, Default"),
    ("mlflow:", nothing, LR, "unknown experiment ''; known: rates, Default"),
    (
        "mlflow:rates",
        nothing,
        ("--variant", "lrr", "--metric", "error"),
        "unknown parameter 'lrr'; did you mean 'lr'? known: run_name",
    ),
    (
        "mlflow:rates",
        nothing,
        (*LR, "--metric", "eror"),
        "unknown metric 'eror'; did you mean 'error'? known: error; --metric NAME",
    ),
    ("mlflow:rates", nothing, (*ERROR, "--seed", "sed"), "unknown parameter 'sed'; did you mean 'seed'?"),
    (
        "mlflow:rates",
        nothing,
        ("--baseline", "0.1"),
        "--variant-column NAMES says what makes a variant; its runs differ in optimizer, lr",
    ),
    ("mlflow:rates", nothing, ("--variant", "lr,seed"), "'seed' cannot be the seed and part of the variant"),
    ("mlflow:rates", nothing, ("--variant", "lr,lr"), "--variant-column names 'lr' twice"),
    (
        "mlflow:rates",
        nothing,
        (*ERROR, "--baseline", "lr=1"),
        "unknown variant 'lr=1'; did you mean 'lr=0.1'?",
    ),
    (
        "mlflow:rates",
        nothing,
        ERROR,
        "--baseline NAME says which variant the others are compared with: lr=0.1, lr=0.01",
    ),
    ("optuna:optuna.db#rats", recorded.by_optuna, (), "unknown study 'rats'; did you mean 'rates'?"),
    ("optuna:optuna.db", two_studies, (), "has several studies; say which as optuna.db#STUDY: rates, sizes"),
    (
        "js",
        tree(a__seed0={**A, "loss": 2}, b__seed0=A),
        (),
        "has several metrics; --metric NAME says which is compared: error, loss",
    ),
    (
        "js",
        tree(a__seed0={"val": A}, b__seed0={"val": A}),
        ("--metric", "error"),
        "no metric is called 'error'; --metric NAME takes val.error",
    ),
    # places
    ("mlflow:rates", nothing, (*LR, "--tracking-uri", "absent.db"), "is no place that MLflow writes to"),
    (
        "mlflow:rates",
        nothing,
        (*LR, "--tracking-uri", "sqlite:///absent.db"),
        "absent.db' is not there",
    ),
    (
        "mlflow:rates",
        recorded.by_optuna,
        (*LR, "--tracking-uri", "sqlite:///optuna.db"),
        "optuna.db' is a database of something else",
    ),
    (
        "optuna:mlflow.db",
        nothing,
        (),
        "'mlflow.db' is no storage of Optuna, but MLflow's, which mlflow:EXPERIMENT reads",
    ),
    ("optuna:sqlite:///absent.db#x", nothing, (), "Optuna's storage 'absent.db' is not there"),
    ("optuna:small.yaml", nothing, (), "Optuna's storage small.yaml cannot be read"),
    ("tensorboard:absent", nothing, (), "'absent' is not there"),
    ("json:small.yaml", nothing, (), "'small.yaml' is a file, not a folder"),
    (
        "empty",
        empty_folder,
        (),
        "nothing in the folder 'empty' is known as recorded runs; accepted are mlflow:EXPERIMENT",
    ),
    ("wandb:empty", empty_folder, (), "'empty' has no runs of W&B below it"),
    ("tensorboard:empty", empty_folder, (), "'empty' has no event files of TensorBoard below it"),
    ("json:empty", empty_folder, (), "'empty' has no metrics.json below it"),
    ("tb", two_kinds, (), "could be read in several ways; say which: tensorboard:tb or json:tb"),
    (
        "tensorboard:tb/lr0.1_s0",
        events,
        (),
        "is the folder of one run; name the folder that has all runs in it",
    ),
    # patterns
    (
        "tb",
        events,
        (),
        "--pattern TEXT says how folders are named, such as {variant}/seed{seed}; found: lr0.001_s0, lr0.001_s1",
    ),
    (
        "tb",
        events,
        ("--pattern", "{lr}_seed{seed}"),
        "no name follows the pattern '{lr}_seed{seed}'; found: lr0.001_s0",
    ),
    ("tb", events, ("--pattern", "{lr}_s{seed"), "has a brace that is not closed or not opened"),
    ("tb", events, ("--pattern", "lr_s"), "has no part in braces"),
    ("tb", events, ("--pattern", "{seed}{lr}"), "nothing stands between {seed} and {lr}"),
    ("tb", events, ("--pattern", "{lr}_{lr}"), "has the part 'lr' more than once"),
    (
        "tb",
        events,
        ("--pattern", "lr{lr}_{run}"),
        "unknown parameter 'seed'; known: lr, run; --seed-column NAME says which is meant",
    ),
    (
        "js",
        tree(**{"my-net-x_s0": A}),
        ("--pattern", "{net}-{size}_s{seed}"),
        "splits 'my-net-x_s0' in two ways: net=my, size=net-x",
    ),
    (
        "runs.csv",
        table("a,0,1"),
        ("--pattern", "{variant}"),
        "--pattern is for mlflow, tensorboard, wandb, json, not for csv",
    ),
    ("tb", events, ("--tracking-uri", "x"), "--tracking-uri is for mlflow, not for tensorboard"),
    # which value
    (
        "mlflow:rates",
        nothing,
        (*ERROR, "--at", "first"),
        "--at takes last, best or the number of a step, got 'first'",
    ),
    ("mlflow:rates", nothing, (*ERROR, "--at", "bst"), "got 'bst'; did you mean 'best'?"),
    (
        "mlflow:rates",
        nothing,
        (*ERROR, "--at", "-1"),
        "--at takes last, best or the number of a step, got '-1'",
    ),
    (
        "mlflow:rates",
        nothing,
        (*ERROR, "--at", "8"),
        "no run has 'error' at step 8; there are 2, from 0 to 9, and 9 is the nearest",
    ),
    ("mlflow:rates", nothing, (*ERROR, "--at", "best"), "--at best needs --goal GOAL, minimise or maximise"),
    (
        "runs.csv",
        table("a,0,1", "b,0,1"),
        ("--at", "best"),
        "keeps one value for each line: --at best needs values by step",
    ),
    (
        "mlflow:rates",
        nothing,
        (*ERROR, "--goal", "minimize"),
        "unknown goal 'minimize'; did you mean 'minimise'?",
    ),
    ("mlflow:rates", nothing, (*ERROR, "--goal", "minimise", "--higher-is-better"), "say opposite things"),
    (
        "optuna.db",
        recorded.by_optuna,
        ("--goal", "maximise"),
        "was made to minimise 'value'; --goal maximise says the opposite",
    ),
    # runs
    (
        "js",
        tree(a__seed0=A, a__seed1=A, b__seed0={**A, "seed": 7}),
        (),
        "says seed=7, and its path says seed=0",
    ),
    (
        "js",
        tree(x={**A, "variant": "a", "seed": 0}, y={**A, "variant": "a", "seed": 0.0}),
        (),
        "runs 'x' and 'y': variant 'a' has seed 0 more than once",
    ),
    (
        "js",
        tree(x={**A, "variant": "a", "seed": 0}, y={**A, "variant": "b"}),
        (),
        "run 'y': it has 'error', and no 'seed'",
    ),
    (
        "js",
        tree(a__seed0=A, b__seed0={"eror": 1.0}),
        ("--metric", "error"),
        "no run of variant 'b' has the metric 'error'; they have eror",
    ),
    ("js", tree(a__seed0=A, b__seed0={"error": "low"}), ("--metric", "error"), "'error' is 'low', no number"),
    ("js", tree(a__seed0='{"error": 1, "error": 2}'), (), "has 'error' more than once"),
    (
        "js",
        tree(a__seed0='{"a.b": 1, "a": {"b": 2}}'),
        (),
        "has 'a.b' more than once, nested and with a dot in its name",
    ),
    ("js", tree(a__seed0="[1, 2]"), (), "holds a list; accepted is an object"),
    ("js", tree(a__seed0={"x" * 600: {"a": 1, "b": 2}}), (), "or a name of more than 500 characters"),
    ("js", tree(a__seed0={f"x{i}": 1 for i in range(100_001)}), (), "has more than 100,000 values"),
    ("js", tree(a__seed0='{"error": 1'), (), "is not valid JSON: Expecting"),
    ("js", tree(a__seed0="[" * 100_000), (), "is not valid JSON"),
    ("tb", damaged_events, (), "has no metric, in any run"),
    ("wandb", wandb_bytes(b"no log"), LR, "is no log of W&B: it does not begin with :W&B"),
    ("wandb", wandb_bytes(b":W&B\xe1\xbe\0" + b"\x01" * 300), LR, "W&B's folder 'wandb'"),
    ("wandb", wandb_bytes(b":W&B\xe1\xbe\0\0\0\0\0\2\0\x09\xff\xff"), LR, "is damaged: a piece of kind 9"),
    # two metrics under one name
    (
        "tb",
        two_writers,
        ("--pattern", "lr{lr}_s{seed}"),
        "run 'lr0.001_s0': 'val/error' has two values at 10 of its 10 steps, such as 9.7",
    ),
    ("mlflow:rates", two_per_step, ERROR, "'error' has two values at 2 of its 2 steps, such as"),
    # units
    (
        "runs.csv",
        table(*FRACTIONS),
        (),
        "values of 'value' have mixed units: 0.91 to 0.912 as if fractions, and 92 to 92.002 as if per cent",
    ),
    (
        "runs.csv",
        table("a,0,0.05", "a,1,5.1", "b,0,0.04", "b,1,0.05"),
        (),
        "have mixed units: 0.04 to 0.05 as if fractions, and 5.1 as if per cent",
    ),
]


@pytest.mark.usefixtures("mlflow_here")
@pytest.mark.parametrize(
    ("source", "write", "words", "expected"), CASES, ids=[case[3][:60] for case in CASES]
)
def test_what_is_wrong_is_one_line(
    ablate: Callable[..., Any],
    tmp_path: Path,
    source: str,
    write: Callable[[Path], None],
    words: tuple[str, ...],
    expected: str,
) -> None:
    write(tmp_path)
    said = ablate("analyse", source, *words)
    assert (said.status, said.out) == (2, "")
    [line] = said.err.splitlines()
    assert line.startswith("ablate: ")
    assert expected in line


def test_without_tensorboard_its_extra_is_named(
    ablate: Callable[..., Any], event_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.backend.event_processing.event_file_loader", None)
    said = ablate("analyse", str(event_files), "--baseline", "0.1")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        'ablate: event files are read with the package tensorboard: pip install "senet-ablations[tensorboard]"\n'
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("json:x", "x/a/seed0/metrics.json"),
        ("tensorboard:x", "x/a/seed0/events.out.tfevents.1.x.1.0"),
        ("wandb:x", "x/offline-run-20260101_000000-a/run-a.wandb"),
        ("optuna:x/db", "x/db"),
        ("csv:x/db", "x/db"),
    ],
)
def test_a_pipe_is_not_waited_for(ablate: Callable[..., Any], source: str, name: str) -> None:
    Path(name).parent.mkdir(parents=True)
    os.mkfifo(name)
    said = ablate("analyse", source, "--baseline", "a")
    assert said.status == 2
    assert "no plain file" in said.err or "is no file" in said.err


@pytest.mark.parametrize(
    ("kind", "shape", "content"),
    [
        (1, [10**9, 10**9], {"float_val": [1.0]}),
        (7, [1], {"string_val": [b"x"]}),
        (99, [1], {}),
        (1, [1], {}),
    ],
    ids=["huge", "text", "no such type", "nothing"],
)
def test_a_scalar_that_is_none_is_left_out_or_refused(
    ablate: Callable[..., Any], tmp_path: Path, kind: int, shape: list[int], content: dict[str, Any]
) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for name in ("a/seed0", "b/seed0"):
        writer = EventFileWriter(str(tmp_path / "tb" / name))
        event = Event(step=1)
        value = event.summary.value.add(tag="error")
        value.metadata.plugin_data.plugin_name = "scalars"
        value.tensor.dtype = kind
        for size in shape:
            value.tensor.tensor_shape.dim.add(size=size)
        for field, numbers in content.items():
            getattr(value.tensor, field).extend(numbers)
        writer.add_event(event)
        writer.close()
    said = ablate("analyse", "tb", "--baseline", "a")
    assert said.status == 2
    [line] = said.err.splitlines()
    assert "is damaged" in line or "has no metric" in line


def test_whatever_a_log_of_wandb_holds_it_is_read_or_refused(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    recorded.by_wandb_offline(tmp_path)
    path = next(tmp_path.glob("wandb/*/*.wandb"))
    whole = path.read_bytes()
    for place in range(0, len(whole), 31):
        for content in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            path.write_bytes(content)
            said = ablate("analyse", "wandb", *ERROR, "--baseline", "lr=0.1", "--json")
            assert said.status in (0, 2)
            assert "internal error" not in said.err
            assert said.status == 0 or len(said.err.splitlines()) == 1
