"""`ablate analyse` gives verdicts and a table for a paper of runs that anybody has recorded, by one command each."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ablations as ab
from ablations.analysis.external.asked import Asked
from ablations.analysis.external.registry import SOURCES, find_source, read_source
from tests.ablations.analysis.external import recorded

VERDICTS = {"lr=0.1": "baseline", "lr=0.01": "worse", "lr=0.001": "better"}


def verdicts(out: str) -> dict[str, str]:
    """The last word of each row of the first table."""
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: row[-1] for row in rows if row and row[0] in VERDICTS}


def values_of(text: str, **asked: Any) -> dict[tuple[str, int], float]:
    read = read_source(text, Asked(**asked))
    return {(row.variant, row.seed): row.value for row in read.frame.itertuples()}  # type: ignore[misc]


EXPECTED = {
    (f"lr={rate}", seed): pytest.approx(recorded.error_of(rate, seed)) for rate, seed in recorded.runs()
}


def semicolons(folder: Path) -> None:
    rows = (
        f"{rate};{seed};{recorded.error_of(rate, seed)}".replace(".", ",") for rate, seed in recorded.runs()
    )
    (folder / "runs.csv").write_text("lr;seed;error\n" + "\n".join(rows) + "\n")


def in_tensorboard(folder: Path) -> None:
    recorded.by_tensorboard(folder / "tb", "lr{rate}_s{seed}")


def in_json(folder: Path) -> None:
    recorded.by_json(folder / "js")


def in_wandb_export(folder: Path) -> None:
    rows = [["Name", "State", "lr", "seed", "error"]]
    rows += [
        ["x", "finished", rate, str(seed), str(recorded.error_of(rate, seed))]
        for rate, seed in recorded.runs()
    ]
    (folder / "export.csv").write_text("".join(",".join(map('"{}"'.format, row)) + "\n" for row in rows))


WRITERS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "mlflow:rates": (lambda folder: None, ("--variant", "lr", "--metric", "error")),
    "runs.csv": (semicolons, ("--variant", "lr", "--metric", "error")),
    "tb": (in_tensorboard, ("--pattern", "lr{lr}_s{seed}")),
    "optuna:optuna.db#rates": (recorded.by_optuna, ()),
    "json:js": (in_json, ("--pattern", "lr{lr}/{seed}", "--metric", "test.error")),
    "wandb": (recorded.by_wandb_offline, ("--variant", "lr", "--metric", "error")),
    "wandb:.": (recorded.by_wandb_summary, ("--variant", "lr")),
    "export.csv": (in_wandb_export, ("--variant", "lr", "--metric", "error")),
}  # fmt: skip


@pytest.mark.usefixtures("mlflow_here")
@pytest.mark.parametrize("source", WRITERS)
def test_every_source_gives_verdicts_and_latex(
    ablate: Callable[..., Any], tmp_path: Path, source: str
) -> None:
    write, words = WRITERS[source]
    write(tmp_path)
    said = ablate("analyse", source, *words, "--baseline", "lr=0.1", "--goal", "minimise")
    assert said.status == 0, said.err
    assert verdicts(said.out) == VERDICTS
    assert "counts as better" not in said.out
    paper = ablate("analyse", source, *words, "--baseline", "lr=0.1", "--format", "latex")
    assert paper.status == 0, paper.err
    assert r"\textbf{lr=0.001}" in paper.out
    assert paper.out.endswith("\\end{table}\n")


@pytest.mark.usefixtures("ablate", "mlflow_here")
@pytest.mark.parametrize("source", WRITERS)
def test_every_source_gives_the_values_that_were_logged(tmp_path: Path, source: str) -> None:
    write, words = WRITERS[source]
    write(tmp_path)
    given = dict(zip(words[::2], words[1::2], strict=True))
    asked = {"metric": given.get("--metric"), "pattern": given.get("--pattern")}
    assert values_of(source, variant=("lr",), **asked) == EXPECTED


PAGE = (Path(__file__).parents[4] / "docs" / "recorded-runs.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"\| `ablate (analyse [^`]+)` \|", PAGE)


def as_the_page_has_it(folder: Path) -> None:
    in_depths = "{rate}-2_s{seed}"
    recorded.by_tensorboard(folder / "runs", in_depths)
    recorded.by_optuna(folder)
    recorded.by_wandb_offline(folder)
    rows = (f"{rate},2,{seed},{recorded.error_of(rate, seed)}" for rate, seed in recorded.runs())
    (folder / "runs.csv").write_text("lr,depth,seed,error\n" + "\n".join(rows) + "\n")
    for name, level in (("adam", 1.0), ("sgd", 2.0)):
        for seed in range(3):
            place = folder / "runs" / name / f"seed{seed}"
            place.mkdir(parents=True)
            (place / "metrics.json").write_text(json.dumps({"test": {"error": level + seed}}))


@pytest.mark.usefixtures("mlflow_here")
@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_works(ablate: Callable[..., Any], tmp_path: Path, line: str) -> None:
    as_the_page_has_it(tmp_path)
    said = ablate(*shlex.split(line))
    assert said.status == 0, said.err
    assert "baseline" in said.out


def test_the_page_has_a_command_for_every_source() -> None:
    assert {find_source(shlex.split(line)[1])[0].name for line in COMMANDS} == set(SOURCES)
    assert all(f"| `{source.accepts.partition(':')[0]}" in PAGE for source in SOURCES.values())


def test_every_source_is_tried() -> None:
    assert {find_source(text)[0].name for text in WRITERS if ":" in text} | {"csv", "tensorboard"} == set(
        SOURCES
    )


@pytest.mark.parametrize("source", ["mlflow:rates", "wandb", "tensorboard:tb"])
def test_the_best_or_a_step_counts_where_it_is_asked_for(
    ablate: Callable[..., Any], tmp_path: Path, mlflow_here: Path, event_files: Path, source: str
) -> None:
    recorded.by_wandb_offline(tmp_path)
    in_tensorboard(tmp_path)
    asked: dict[str, Any] = {
        "variant": ("lr",),
        "pattern": "lr{lr}_s{seed}" if source == "tensorboard:tb" else None,
    }
    asked["metric"] = "val/error" if source == "tensorboard:tb" else "error"
    first = {
        (f"lr={rate}", seed): pytest.approx(recorded.error_of(rate, seed, 0))
        for rate, seed in recorded.runs()
    }
    assert values_of(source, at="0", **asked) == first
    assert values_of(source, at="best", goal="maximise", **asked) == first
    assert values_of(source, at="best", goal="minimise", **asked) == EXPECTED


def test_a_folder_of_event_files_is_recognised_with_its_seeds(
    ablate: Callable[..., Any], event_files: Path
) -> None:
    said = ablate("analyse", str(event_files), "--baseline", "0.1")
    assert said.status == 0, said.err
    assert (
        "The names of folders are read as {variant}/seed{seed}; --pattern TEXT says another way." in said.out
    )
    assert "val/error" in said.out


def test_a_variant_may_be_made_by_several_settings_a_tag_or_the_name(
    ablate: Callable[..., Any], mlflow_here: Path
) -> None:
    both = ablate(
        "analyse", "mlflow:rates", "--variant", "lr,optimizer", "--baseline", "optimizer=sgd lr=0.1"
    )
    assert both.status == 0, both.err
    assert "lr=0.01 optimizer=adam" in both.out
    named = ("--pattern", "rate {rate}, {number}", "--variant", "rate", "--seed", "number")
    assert ablate("analyse", "mlflow:rates", *named, "--baseline", "rate=0.1").status == 0
    kinds = ("--variant", "params.lr,tags.optimizer", "--baseline", "params.lr=0.1 tags.optimizer=sgd")
    assert ablate("analyse", "mlflow:rates", *kinds, "--seed", "params.seed").status == 0
    twice = ablate("analyse", "mlflow:rates", "--variant", "optimizer", "--baseline", "sgd")
    assert (
        "variant 'adam' has seed 0 more than once; they differ in lr: --variant-column NAMES takes several"
        in twice.err
    )


def test_a_store_of_files_is_read_too(ablate: Callable[..., Any], tmp_path: Path) -> None:
    from mlflow.store.tracking.file_store import FileStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        store = FileStore(str(tmp_path / "mlruns"))
    from mlflow.entities import Metric, Param, RunStatus

    experiment = store.create_experiment("old", None, [])
    for rate, seed in recorded.runs():
        run = store.create_run(experiment, "me", 0, [], f"{rate} {seed}").info.run_id
        store.log_batch(
            run,
            [Metric("error", recorded.error_of(rate, seed), 0, 0)],
            [Param("lr", rate), Param("seed", str(seed))],
            [],
        )
        store.update_run_info(run, RunStatus.FINISHED, 1, None)
    assert values_of("mlflow:old", variant=("lr",), tracking_uri="mlruns") == EXPECTED
    assert values_of("mlflow:old", variant=("lr",), tracking_uri=(tmp_path / "mlruns").as_uri()) == EXPECTED


def test_reading_a_store_leaves_its_folder_as_it_was(ablate: Callable[..., Any], mlflow_here: Path) -> None:
    recorded.by_optuna(mlflow_here.parent)
    before = {path.name: path.read_bytes() for path in mlflow_here.parent.iterdir() if path.is_file()}
    assert ablate("analyse", "mlflow:rates", "--variant", "lr", "--baseline", "lr=0.1").status == 0
    assert ablate("analyse", "optuna.db", "--baseline", "lr=0.1").status == 0
    assert {path.name: path.read_bytes() for path in mlflow_here.parent.iterdir() if path.is_file()} == before


@pytest.mark.usefixtures("ablate", "mlflow_here")
def test_python_gets_the_frame_with_what_was_found() -> None:
    frame = ab.read_runs("mlflow:rates", variant="lr", metric="error", at=0)
    assert list(frame.columns) == ["variant", "seed", "value"]
    assert frame.attrs["notes"] == ("Each run counts with its value of error at step 0.",)
    assert (frame.attrs["metric"], frame.attrs["goal"]) == ("error", None)
    compared = ab.compare(frame, baseline="lr=0.1", margin=0.2).set_index("variant")["verdict"]
    assert compared.to_dict() == {"lr=0.01": "worse", "lr=0.001": "better"}
    with pytest.raises(ab.UserError, match="did you mean 'best'"):
        ab.read_runs("mlflow:rates", at="bets")
