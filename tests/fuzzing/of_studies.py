"""Studies, tables of results, and the files beside a record."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from functools import cache
from io import StringIO
from pathlib import Path

from ablations import cli
from ablations.analysis.report.request import read_request as request_of
from ablations.analysis.results.results import Results
from ablations.analysis.tables.forecast import hindsight_table
from ablations.analysis.tables.latex.table import long_table
from ablations.analysis.tables.render import to_csv, to_html, to_markdown
from ablations.planning.design import Design, design
from ablations.planning.study_file import SHIPPED, load_study
from ablations.running.doctor.records import check_record
from ablations.running.doctor.side_files import check_side_files
from ablations.running.record.forecasts import (
    Forecast,
    RowForecast,
    Sensitivity,
    SweepCost,
    keep_forecast,
    load_forecasts,
)
from ablations.running.record.study_paths import StudyPaths

ROOT = Path(__file__).parents[2]
STUDY = "quick-recipe"  # a small record with all that a study may have
REPORT_EVERY = 40  # a report takes a hundred times as long as a status


def run_command(*words: str) -> None:
    """Run a command line, and hold it to its promise: done, or one line and status 2."""
    status, said = _ended(*words)
    if not (status == 0 or (status == 2 and len(said.splitlines()) == 1)):
        _, shown = _ended("--debug", *words)
        places = re.findall(r'File "[^"]*/((?:ablations|senet_core)/[^"]*)", line (\d+)', shown)
        raise AssertionError(
            f"{words[0]} ends with {status}, {shown.splitlines()[-2][:60]!r} at {places[-1:]}"
        )


def _ended(*words: str) -> tuple[object, str]:
    said = StringIO()
    try:
        with redirect_stderr(said):
            cli.main(words)
    except SystemExit as ended:
        return ended.code, said.getvalue()
    raise AssertionError(f"{words[0]} does not end")


def studies(here: Path) -> Sequence[bytes]:
    names = ("quickstart", "smoke", "quick-recipe", "stages", "block-search", "gates")
    return [(SHIPPED / f"{name}.yaml").read_bytes() for name in names]


def read_study(here: Path, data: bytes, number: int) -> None:
    (here / "a.yaml").write_bytes(data)
    design(load_study("a.yaml"))


def overrides(here: Path) -> Sequence[bytes]:
    return [
        b"recipe.epochs=30",
        b"axes.squeeze=[avg, max]",
        b"axes.recipe.lr=[0.1, 1e-2]",
        b"seeds=3",
        b"margin=0.5",
        b"baseline.variant={reduction: 8}",
        b"baseline.data={name: digits, train_images: 80}",
        b"title=a b",
        b"design=grid",
        b"axes={reduction: [4, {2: 4, 3: 4, 4: 8}]}",
    ]


def read_override(here: Path, data: bytes, number: int) -> None:
    design(load_study("quickstart", overrides=[data.decode("utf-8", "surrogateescape")]))


def tables(here: Path) -> Sequence[bytes]:
    rows = [
        (variant, seed, 5 + seed + 0.1 * len(variant))
        for variant in ("se", "plain", "max")
        for seed in range(4)
    ]
    return [
        b"variant,seed,value\n" + b"".join(b"%s,%d,%.2f\n" % (v.encode(), s, x) for v, s, x in rows),
        b"\xef\xbb\xbfvariant;seed;value;task\r\n"
        + b"".join(b'"%s";%d;%d,5;t\r\n' % (v.encode(), s, x) for v, s, x in rows),
        "variant\tseed\tvalue\nse\t0\t1\nse\t1\t2\nplain\t0\t\nplain\t1\tnan\n".encode("utf-16"),
    ]


def read_csv(here: Path, data: bytes, number: int) -> None:
    (here / "a.csv").write_bytes(data)
    out = ["--out", str(here / "out")] if number % REPORT_EVERY == 0 else []
    run_command("analyse", "a.csv", "--baseline", "se", *out)


def side_files(name: str) -> Callable[[Path], Sequence[bytes]]:
    """Return what copies a record and returns one of its files."""

    def prepare(here: Path) -> Sequence[bytes]:
        source = ROOT / "results" / STUDY
        shutil.copytree(source, here / "results" / STUDY)
        return [(source / name).read_bytes()]

    return prepare


def forecasts(here: Path) -> Sequence[bytes]:
    folder = here / "results" / STUDY
    side_files("trials.jsonl")(here)
    row = RowForecast("avg", "0" * 16, 10.0, 8.0, 12.0, 1.0, "calibration")
    cost = SweepCost(6, 60.0, 30.0, 25.0, 35.0)
    able = Sensitivity(0.3, 0.2, 0.4, "stated", 3, 2, 0.05, 0.8, 0.5, 0.4, 0.5, 0.9, 0.8)
    for forecast in (
        Forecast(
            "2026-01-01T00:00:00+00:00", {"commit": "x", "cores": 2}, 2, 3, 4.0, (row,), cost, cost, able
        ),
        Forecast("2026-01-02T00:00:00+00:00", {}, 2, 3, None, (), None, None, None),
    ):
        keep_forecast(folder / "forecast.json", forecast)
    return [(folder / "forecast.json").read_bytes()]


def read_side_file(name: str) -> Callable[[Path, bytes, int], None]:
    """Return what reads a record one of whose files was changed, as `status`, `doctor` and `report` do."""

    def read(here: Path, data: bytes, number: int) -> None:
        paths = StudyPaths(STUDY, here / "results", here / "reports")
        (paths.results / name).write_bytes(data)
        list(check_record(paths, {}, fix=False))
        list(check_side_files(paths, fix=False))
        record = paths.open_record()
        assert record.trials is not None
        Results(_design(), record)
        folders = ("--results-dir", str(paths.results_dir))
        run_command("status", STUDY, *folders)
        if number % REPORT_EVERY == 0:
            _report(paths)

    return read


def read_forecast(here: Path, data: bytes, number: int) -> None:
    """Read a changed forecast as the doctor, the report's table and `plan` do; no other part of a command reads it."""
    paths = StudyPaths(STUDY, here / "results", here / "reports")
    file = paths.results / "forecast.json"
    file.write_bytes(data)
    list(check_side_files(paths, fix=False))
    if number % REPORT_EVERY == 0:
        run_command("status", STUDY, "--results-dir", str(paths.results_dir))
        _report(paths)
    forecasts = load_forecasts(file)
    table = hindsight_table(Results(_design(), paths.open_record()))
    if table is not None:
        assert all((to_markdown(table), to_html(table), long_table(table), to_csv(table)))
    for forecast in forecasts[:1]:
        keep_forecast(file, forecast)
        assert load_forecasts(file) == (*forecasts, forecast)


@cache
def _design() -> Design:
    return design(load_study(STUDY))


def _report(paths: StudyPaths) -> None:
    folders = ("--results-dir", str(paths.results_dir), "--reports-dir", str(paths.reports_dir))
    run_command("report", STUDY, *folders, "--format", "md,html,latex")


def requests(here: Path) -> Sequence[bytes]:
    typed = ["quickstart", "--set", "recipe.epochs=3", "--plugin", "a.py", "--seeds", "3"]
    return [json.dumps({"typed": typed, "formats": ["md", "html"], "pairs": ["squeeze"]}).encode()]


def read_request(here: Path, data: bytes, number: int) -> None:
    (here / "request.json").write_bytes(data)
    request = request_of(here)
    assert isinstance(request.asked.plugins, tuple)
