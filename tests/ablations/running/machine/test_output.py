"""Output that cannot be written ends no work, and what is lost for another reason than a reader's leaving is known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TWICE = """
import os, sys
from ablations.running.machine.output import lost_output, make_patient
make_patient()
print('first')
sys.stdout.flush()
{between}
print('second')
print(lost_output(), file=sys.stderr)
"""


def script(between: str = "", *, redirected: str = "") -> subprocess.CompletedProcess[str]:
    command = f'"$0" -c "$1" {redirected}'
    code = TWICE.format(between=between)
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    return subprocess.run(
        ["sh", "-c", command, sys.executable, code],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_closed_output_goes_nowhere_and_its_number_is_not_given_to_a_file(closed: str) -> None:
    done = script("print(open('/dev/zero').fileno() > 1, file=sys.stderr)", redirected=closed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "True\nNone\n")


def test_a_closed_standard_error_is_no_file_of_ours_either() -> None:
    done = script("print(open('/dev/zero').fileno() > 2)", redirected="2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "first\nTrue\nsecond\n", "")


def test_a_program_that_is_called_may_write_where_the_output_was_closed() -> None:
    called = "import subprocess; print(subprocess.run(['echo', 'heard']).returncode, file=sys.stderr)"
    done = script(called, redirected=">&-")
    assert (done.returncode, done.stderr) == (0, "0\nNone\n")


def test_a_full_disk_behind_the_output_is_told_and_ends_nothing() -> None:
    done = script(redirected=">/dev/full")
    assert (done.returncode, done.stderr) == (0, "[Errno 28] No space left on device\n")


def test_a_terminal_that_is_closed_is_a_reader_that_has_gone() -> None:
    terminal = "import pty; ours, theirs = pty.openpty(); os.dup2(theirs, 1); os.close(theirs)"
    code = TWICE.format(between="os.close(ours)").replace("make_patient()\n", f"{terminal}; make_patient()\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "None\n")


def test_all_output_arrives_at_a_reader_that_is_slower_than_a_pipe_without_waiting() -> None:
    done = script(
        "os.set_blocking(1, False); print('x' * 1_000_000)", redirected="| (sleep 0.3; wc -c); exit 0"
    )
    assert (done.stdout.strip(), done.stderr) == (str(1_000_000 + len("first\n\nsecond\n")), "None\n")


@pytest.mark.slow
def test_a_plugin_that_prints_fails_no_trial_when_nobody_reads_any_more() -> None:
    code = """
import os
from ablations.running.executors.process_pool import WorkerPool
if __name__ == "__main__":
    reader, writer = os.pipe()
    os.dup2(writer, 1)
    os.close(writer)
    with WorkerPool(1) as pool:
        pool.submit(print, "heard", flush=True).result()
        os.close(reader)
        pool.submit(print, "not heard", flush=True).result()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
