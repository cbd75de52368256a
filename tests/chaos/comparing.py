"""What differs between a study that was killed again and again and the same study left alone."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, deserialize

STUDY = Path("results") / "chaos"
TIMED = ("train_seconds", "test_seconds", "peak_memory_mib")
LEFT_OVERS = ("checkpoints", "leases", "running")
DRAFTS = (".*.partial", ".*.draft", ".*.new")
"""Names of files that are being written."""
FORECAST = "## Forecast and what happened"


def compare(chaos: Path, quiet: Path, worker_kills: int, forecasts: int = 0) -> list[str]:
    """Compare two folders in which the same study was run; returns what is wrong, nothing if all is well.

    Args:
        chaos: where processes were killed.
        quiet: where none was.
        worker_kills: how many workers were killed.
        forecasts: how many forecasts were made to their end, in the first folder alone.
    """
    try:
        return [
            *_compare_records(chaos, quiet, worker_kills),
            *check_outcomes(chaos / STUDY, at_the_end=True),
            *check_outcomes(quiet / STUDY, at_the_end=True),
            *check_weights(chaos / STUDY, at_the_end=True),
            *check_weights(quiet / STUDY, at_the_end=True),
            *_compare_proposals(chaos, quiet),
            *_compare_reports(chaos, quiet),
            *_check_forecasts(chaos, forecasts),
            *check_mlflow(chaos / "results" / "mlflow.db", chaos / STUDY / "trials.jsonl"),
            *check_mlflow(quiet / "results" / "mlflow.db", quiet / STUDY / "trials.jsonl"),
            *(
                f"{chaos / STUDY / name} is left over"
                for name in LEFT_OVERS
                if (chaos / STUDY / name).exists()
            ),
            *(f"{path} is left over" for pattern in DRAFTS for path in chaos.rglob(pattern)),
        ]
    except (OSError, ValueError, sqlite3.Error) as error:
        return [f"cannot compare: {error}"]


def read_record(path: Path) -> list[dict[str, Any]]:
    """Read a record's whole lines; a missing file has none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def analysed_at(folder: Path) -> list[int]:
    """Return the numbers of seeds at which a folder's study had interim analyses; the report tells of them."""
    return [plan["most"] for plan in read_record(folder / STUDY / "looks.jsonl")]


def finished_keys(path: Path) -> Counter[str]:
    """Return how often each trial is finished in a record."""
    return Counter(line["key"] for line in _finished(read_record(path)))


def _finished(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["status"] == "finished"]


def _compare_records(chaos: Path, quiet: Path, worker_kills: int) -> list[str]:
    mine, theirs = (read_record(folder / STUDY / "trials.jsonl") for folder in (chaos, quiet))
    wrong = []
    for name, lines in (("chaos", mine), ("quiet", theirs)):
        count = Counter(line["key"] for line in _finished(lines))
        wrong += [f"{name}: {key} is finished {times} times" for key, times in count.items() if times > 1]
    have, want = ({line["key"]: timeless(line) for line in _finished(lines)} for lines in (mine, theirs))
    wrong += [f"{key} is lost" for key in want.keys() - have.keys()]
    wrong += [f"{key} is in excess" for key in have.keys() - want.keys()]
    differ = [key for key in have.keys() & want.keys() if have[key] != want[key]]
    wrong += [f"{key} differs: {_first_difference(have[key], want[key])}" for key in differ]
    failures = [line["failure"] for line in mine if line["status"] == "failed"]
    wrong += [f"a trial failed: {failure}" for failure in failures if failure["kind"] != "killed"]
    if len(failures) > worker_kills:
        wrong.append(f"{len(failures)} trials failed, but {worker_kills} workers were killed")
    wrong += [f"quiet: a trial failed: {line['failure']}" for line in theirs if line["status"] == "failed"]
    return wrong


def timeless(line: dict[str, Any]) -> dict[str, Any]:
    """Return a finished line without what may differ between two runs of the same trial on one machine."""
    rest = {name: value for name, value in line.items() if name not in ("started", "finished")}
    rest["result"] = {name: value for name, value in line["result"].items() if name not in TIMED}
    rest["environment"] = {name: value for name, value in line["environment"].items() if name != "host"}
    rest["history"] = [{**epoch, "seconds": None} for epoch in line["history"]]
    return rest


def _first_difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    return next(
        f"{name} {one[name]!r} and {other.get(name)!r}"[:500] for name in one if one[name] != other.get(name)
    )


def check_outcomes(folder: Path, *, at_the_end: bool = False) -> list[str]:
    """Compare the finished trials of a record with the files of their outcomes.

    Args:
        folder: results/STUDY.
        at_the_end: whether nothing runs any more, so that a file without a line was left over.
    """
    wrong, named = [], set()
    for line in _finished(read_record(folder / "trials.jsonl")):
        key, sha256 = line["key"], line["result"].get("outcomes_sha256")
        if line["trial"]["data"].get("validation_images"):
            wrong += [] if sha256 is None else [f"{key} is judged on validation images and has outcomes"]
            continue
        path = folder / "outcomes" / f"{key}-{str(sha256)[:8]}.bits"
        named.add(path)
        content = path.read_bytes() if path.exists() else b""
        first, _, bits = content.partition(b"\n")
        if hashlib.sha256(content).hexdigest() != sha256:
            wrong.append(f"{key} is finished without its outcomes: {path}")
            continue
        header, right = json.loads(first), int.from_bytes(bits, "big").bit_count()
        images = header["images"]
        if header["key"] != key or 100 * (images - right) / images != line["result"]["top1_error"]:
            wrong.append(f"{key} has the outcomes of {header['key']}, {images - right} of {images} wrong")
    if at_the_end:
        wrong += [f"{path} is nobody's" for path in set(folder.glob("outcomes/*.bits")) - named]
        labels = len(list(folder.glob("outcomes/*.labels")))
        wrong += [f"{labels} files of labels"] if labels != 1 else []
    return wrong


def check_weights(folder: Path, *, at_the_end: bool = False) -> list[str]:
    """Compare the finished trials of a record with the files of their weights; each file must be a whole one.

    Args:
        folder: results/STUDY.
        at_the_end: whether nothing runs any more, so that a file without a line was left over.
    """
    wrong, hashes = [], {}
    lines = _finished(read_record(folder / "trials.jsonl"))
    for path in folder.glob("weights/*.safetensors"):
        try:
            weights = sorted(deserialize(path.read_bytes()), key=lambda named: named[0])
        except SafetensorError as error:
            wrong.append(f"{path} is not whole: {error}")
            continue
        digest = hashlib.sha256(b"".join(name.encode() + tensor["data"] for name, tensor in weights))
        hashes[path] = digest.hexdigest()
        if not path.stem.endswith(f"-{hashes[path][:8]}"):
            wrong.append(f"{path} has the weights {hashes[path]}")
    named = {
        folder / "weights" / f"{line['key']}-{line['result']['weights_sha256'][:8]}.safetensors": line
        for line in lines
    }
    wrong += [
        f"{line['key']} is finished without its weights: {path}"
        for path, line in named.items()
        if hashes.get(path) != line["result"]["weights_sha256"]
    ]
    return wrong + [f"{path} is nobody's" for path in hashes.keys() - named.keys() if at_the_end]


def _compare_proposals(chaos: Path, quiet: Path) -> list[str]:
    mine, theirs = (read_record(folder / STUDY / "proposals.jsonl") for folder in (chaos, quiet))
    wrong = [f"proposal {a} instead of {b}" for a, b in zip(mine, theirs, strict=False) if a != b]
    wrong += [f"{len(mine)} proposals, not {len(theirs)}"] if len(mine) != len(theirs) else []
    count = Counter(line["key"] for line in read_record(chaos / STUDY / "trials.jsonl"))
    return [
        *wrong,
        *(f"proposal {p['key']} has {count[p['key']]} lines" for p in mine if count[p["key"]] != 1),
    ]


def _check_forecasts(folder: Path, forecasts: int) -> list[str]:
    path = folder / STUDY / "forecast.json"
    kept = len(json.loads(path.read_text(encoding="utf-8"))["forecasts"]) if path.exists() else 0
    return [f"{kept} forecasts are kept, and {forecasts} were made"] if kept < forecasts else []


def _compare_reports(chaos: Path, quiet: Path) -> list[str]:
    mine, theirs = (_report(folder).splitlines() for folder in (chaos, quiet))
    if len(mine) != len(theirs):
        return [f"report.md has {len(mine)} lines, not {len(theirs)}"]
    pairs = enumerate(zip(mine, theirs, strict=True), 1)
    return [f"report.md, line {number}: {a!r}, not {b!r}" for number, (a, b) in pairs if a != b]


def _report(folder: Path) -> str:
    """Read a report without the time that the training took, and without what was forecast of it."""
    text = (folder / "reports" / "chaos" / "report.md").read_text(encoding="utf-8")
    text = text.replace(str(folder.absolute()), "FOLDER")
    text = re.sub(rf"^{FORECAST}$.*?(?=^## )", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^\| training time \|.*$", "| training time |", text, flags=re.MULTILINE)


def check_mlflow(store: Path, record: Path) -> list[str]:
    """Compare an MLflow database with a record: one finished run a trial, with its figures, and none open.

    There is one summary for each row, too, and one report.
    """
    finished = {line["key"]: line for line in _finished(read_record(record))}
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as database:
        runs = database.execute(
            "select r.run_uuid, r.status, l.value, k.value from runs r"
            " left join tags l on l.run_uuid = r.run_uuid and l.key = 'senet.level'"
            " left join tags k on k.run_uuid = r.run_uuid and k.key = 'senet.key'"
            " where r.lifecycle_stage = 'active'"
        ).fetchall()
        wrong = [
            f"MLflow: {level} run {run} is open" for run, status, level, _ in runs if status == "RUNNING"
        ]
        doubled = database.execute(
            "select l.value, coalesce(c.value, 'report'), count(*) from runs r"
            " join tags l on l.run_uuid = r.run_uuid and l.key = 'senet.level' and l.value not in ('trial', 'proposal')"
            " left join tags c on c.run_uuid = r.run_uuid and c.key = 'senet.cell'"
            " where r.lifecycle_stage = 'active' group by 1, 2 having count(*) > 1"
        ).fetchall()
        wrong += [f"MLflow: {count} {level} runs of {name}" for level, name, count in doubled]
        done = {
            run: key
            for run, status, level, key in runs
            if level in ("trial", "proposal") and status == "FINISHED"
        }
        count = Counter(done.values())
        wrong += [f"MLflow: {key} has {count[key]} finished runs" for key in finished if count[key] != 1]
        wrong += [f"MLflow: {key} is finished there only" for key in count.keys() - finished.keys()]
        for run, key in done.items():
            if key in finished:
                wrong += [f"MLflow: {key}: {fault}" for fault in _compare_run(database, run, finished[key])]
    return wrong


def _compare_run(database: sqlite3.Connection, run: str, line: dict[str, Any]) -> list[str]:
    logged = database.execute("select key, step, value from metrics where run_uuid = ?", (run,)).fetchall()
    steps = Counter((name, step) for name, step, _ in logged)
    wrong = [
        f"{name} is logged {times} times for step {step}"
        for (name, step), times in steps.items()
        if times > 1
    ]
    values = {(name, step): value for name, step, value in logged}
    last = len(line["history"])
    want = {
        (name, e["epoch"]): e[name] for e in line["history"] for name in ("train_loss", "train_error", "lr")
    }
    names = {"top1_error": "top1_error", "test_loss": "test_loss", "parameters": "parameters"}
    if line["trial"]["data"].get("validation_images"):
        names |= {"top1_error": "validation_error", "test_loss": "validation_loss"}
    want |= {(logged, last): line["result"][name] for name, logged in names.items()}
    for place, value in want.items():
        if values.get(place) != value:
            wrong += [f"{place[0]} of step {place[1]} is {values.get(place)}, not {value}"]
    if len([name for name, _ in steps if name == "lr"]) != last:
        wrong.append("it has epochs that the record does not have")
    return wrong
