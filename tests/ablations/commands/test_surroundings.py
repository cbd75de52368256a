"""What surrounds a command, and is not ours, ends no sweep: back ends, encodings, pipes, names of folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = """
title: Small
question: Does it matter?
baseline:
  backbone: resnet8
  variant: se
  data: {name: digits, train_images: 40, test_images: 20}
recipe: {base: cifar-quick, epochs: 1, batch_size: 20}
axes: {squeeze: [avg, max]}
include_plain: false
seeds: 1
"""
COMMAND = (sys.executable, "-m", "ablations", "run", "study.yaml")
REPORT = Path("reports/study/report.md")


def surroundings(folder: Path, **variables: str | None) -> dict[str, str]:
    """Return the variables of a process; None is not set."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("ABLATE_", "MLFLOW_"))}
    root = str(Path(__file__).parents[3])
    named = {**ours, "PYTHONPATH": root, "ABLATE_DATA_DIR": str(folder / "data"), **variables}
    return {name: value for name, value in named.items() if value is not None}


def run(folder: Path, **variables: str | None) -> subprocess.CompletedProcess[bytes]:
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_text(STUDY)
    return subprocess.run(
        COMMAND, cwd=folder, env=surroundings(folder, **variables), capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        {"MPLBACKEND": "nonsense"},
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1:strict", "LANG": "de_DE.ISO-8859-1"},
        {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/"},
        {"PATH": "/nowhere"},
        {"HOME": "/nowhere", "XDG_CACHE_HOME": "/dev/null"},
        {"HOME": None, "USER": None, "LOGNAME": None},
        {"HOME": "", "ABLATE_CACHE_DIR": "kernels of mine"},
        {"TMPDIR": "/tmp", "COLUMNS": "20", "TERM": "dumb"},
        {"TMPDIR": "/nowhere", "FORCE_COLOR": "1", "TERM": "unknown", "COLUMNS": "0"},
        {"TMPDIR": "odd %41 \u00e9\u732b", "NO_COLOR": "1"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONDEVMODE": "1"},
        {"CXX": "ccache g++", "PATH": f"wrappers{os.pathsep}{os.environ['PATH']}"},
        {"CXX": "no-such-compiler g++"},
        {"CXX": "g++ -m64 -O1"},
        {"CXX": "false"},
        {"CXX": "'g++"},
        {"LANGUAGE": "de", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
        {"OMP_NUM_THREADS": "0", "MKL_NUM_THREADS": "-1"},
        {"OMP_NUM_THREADS": "nonsense", "CUDA_VISIBLE_DEVICES": "nonsense"},
    ],
    ids=lambda variables: next(f"{name}={value}" for name, value in variables.items()),
)  # fmt: skip
@pytest.mark.slow
def test_a_study_reaches_its_report_whatever_the_environment_says(
    tmp_path: Path, variables: dict[str, str | None]
) -> None:
    (tmp_path / "wrappers").mkdir()
    if (odd := variables.get("TMPDIR")) and not odd.startswith("/"):
        (tmp_path / odd).mkdir()
    wrapper = tmp_path / "wrappers" / "ccache"
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(0o755)
    done = run(tmp_path, **variables)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"internal error" not in done.stderr
    assert (tmp_path / REPORT).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "mark", ["%", "?", "#", "&", "+", ";", "'", '"', " ", "é", "猫", "%20", "$HOME", "`", "*"]
)
def test_a_study_reaches_its_report_in_a_folder_of_any_name(tmp_path: Path, mark: str) -> None:
    folder = tmp_path / f"a{mark}b"
    done = run(folder)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert (folder / REPORT).exists()
    assert (folder / "results" / "mlflow.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_an_odd_folder_an_ascii_terminal_and_a_reader_that_leaves(tmp_path: Path) -> None:
    folder = tmp_path / "100%20 é?a#b&c+d;e'f"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    variables = {"PYTHONIOENCODING": "ascii", "MPLBACKEND": "nonsense"}
    process = subprocess.Popen(
        COMMAND,
        cwd=folder,
        env=surroundings(folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()  # as `| head` does
    _, said = process.communicate()
    assert (process.returncode, said) == (0, b"")
    assert (folder / REPORT).exists()
    assert (folder / "results" / "mlflow.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_an_ascii_terminal_is_shown_the_nearest_characters(tmp_path: Path) -> None:
    code = "from ablations.running.machine.output import make_patient; make_patient(); print('1 ± 2 × 猫')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(tmp_path, PYTHONIOENCODING="ascii"),
        capture_output=True,
    )
    assert done.stdout == b"1 +- 2 x \\u732b\n"


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_command_works_without_standard_files(tmp_path: Path, closed: str) -> None:
    done = in_shell(tmp_path, f"init my {closed}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "my.yaml").exists()


def test_a_command_whose_output_is_lost_does_its_work_and_says_so(tmp_path: Path) -> None:
    done = in_shell(tmp_path, "init my >/dev/full")
    assert done.returncode == 1
    assert done.stderr == b"ablate: it is done, but not all output was written: No space left on device\n"
    assert (tmp_path / "my.yaml").exists()


def test_a_working_folder_that_was_removed_is_said_in_one_line(tmp_path: Path) -> None:
    done = in_shell(tmp_path, "doctor", before="mkdir gone && cd gone && rmdir ../gone &&")
    assert (done.returncode, done.stdout) == (2, b"")
    said = b"ablate: the working folder cannot be used (No such file or directory): change to a folder that is there"
    assert done.stderr == said + b" (cd)\n"


def in_shell(folder: Path, words: str, *, before: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", f'{before} "$0" -m ablations {words}', sys.executable],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        check=False,
    )


def said_by_script(folder: Path, study: str, *lines: str) -> str:
    (folder / "study.yaml").write_text(study)
    (folder / "script.py").write_text("\n".join(["import ablations as ab", *lines]))
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=surroundings(folder), stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def test_a_script_trains_without_a_guard_and_is_run_once(tmp_path: Path) -> None:
    said = said_by_script(tmp_path, STUDY, "print('begun')", "print(ab.run('study.yaml', workers=1))")
    assert said == "begun\n<Results of study 'study': 2 rows, 2 of 2 trials finished>\n"


def test_a_block_that_a_script_registers_itself_is_refused_before_training(tmp_path: Path) -> None:
    said = said_by_script(
        tmp_path,
        STUDY.replace("[avg, max]", "[avg, mine]"),
        "from senet_core import SQUEEZES",
        "@SQUEEZES.register('mine', source='ours')",
        "def mine(x): return x.mean(dim=(2, 3)) * 2",
        "try: ab.run('study.yaml')",
        "except ValueError as error: print(error)",
    )
    assert "the squeeze 'mine' is registered by the running script or notebook" in said
