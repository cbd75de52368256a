"""NVIDIA's Multi-Process Service: used where it runs, else started and ended; never claimed where it is not."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.running.machine.cuda import mps
from ablations.running.machine.cuda.mps import CONTROL, LOGS, MPS, PIPES, TURNS, gpu_service
from ablations.running.machine.holder import Holder

STAND_IN = """#!/bin/sh
# a control program: its daemon is the file `daemon` in the folder of pipes, its server the file `server`
pipes="${CUDA_MPS_PIPE_DIRECTORY:-$USUAL_PIPES}"
if [ "$1" = "-d" ]; then
    echo "start gpus=$CUDA_VISIBLE_DEVICES logs=$CUDA_MPS_LOG_DIRECTORY" >> "$CALLS"
    if [ -n "$REFUSES" ]; then echo "$REFUSES" >&2; exit 1; fi
    touch "$pipes/daemon"; exit 0
fi
read command
if [ ! -e "$pipes/daemon" ]; then echo "Cannot find MPS control daemon process"; exit 1; fi
if [ "$command" = "get_server_list" ]; then cat "$pipes/server" 2>/dev/null; exit 0; fi
echo "$command" >> "$CALLS"
rm "$pipes/daemon"
"""


class Control:
    """The stand-in for NVIDIA's program, and what it was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.usual, self._calls = folder / "usual", folder / "calls"
        program = folder / "bin" / CONTROL
        for made in (self.usual, program.parent, folder / "tmp"):
            made.mkdir()
        program.write_text(STAND_IN)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("USUAL_PIPES", str(self.usual))
        monkeypatch.setenv("CALLS", str(self._calls))
        for name in (PIPES, LOGS, "CUDA_VISIBLE_DEVICES", "REFUSES"):
            monkeypatch.delenv(name, raising=False)
        self.temporary = folder / "tmp"
        monkeypatch.setattr(mps.tempfile, "tempdir", str(self.temporary))

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Control:
    return Control(tmp_path, monkeypatch)


def test_where_it_is_not_installed_trials_take_turns_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mps.shutil, "which", lambda name: None)
    said: list[str] = []
    with gpu_service(said.append) as service:
        assert (dict(service.environment), service.how()) == ({}, TURNS)
    assert said == [
        "trials that share a GPU take turns on it, which gains little: no MPS, as nvidia-cuda-mps-control is not"
        " installed"
    ]


def test_a_daemon_of_our_own_is_started_in_a_folder_of_its_own_and_ended(control: Control) -> None:
    with gpu_service() as service:
        folder = Path(service.environment[PIPES])
        assert service.environment == {PIPES: str(folder), LOGS: str(folder)}
        assert (folder / "daemon").exists()
        assert service.how() == TURNS  # no process has come yet
        (folder / "server").write_text("4711\n")
        assert service.how() == MPS
        (folder / "server").unlink()
        assert service.how() == MPS  # one has
    assert control.calls == [f"start gpus= logs={folder}", "quit"]
    assert not folder.exists()


def test_it_is_ended_when_the_sweep_fails_too(control: Control) -> None:
    with pytest.raises(KeyboardInterrupt), gpu_service():
        raise KeyboardInterrupt
    assert control.calls[-1] == "quit"
    assert list(control.temporary.iterdir()) == []


def test_a_daemon_that_is_there_is_used_and_left(control: Control) -> None:
    (control.usual / "daemon").touch()
    (control.usual / "server").write_text("12\n")
    with gpu_service() as service:
        assert (dict(service.environment), service.how()) == ({}, MPS)
    assert control.calls == []
    assert (control.usual / "daemon").exists()


def test_where_it_cannot_be_started_the_reason_is_said(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSES", "An instance of this daemon is already running")
    said: list[str] = []
    with gpu_service(said.append) as service:
        assert (dict(service.environment), service.how()) == ({}, TURNS)
    assert said[0].endswith("no MPS, as An instance of this daemon is already running")
    assert list(control.temporary.iterdir()) == []


@pytest.mark.parametrize(("chosen", "seen"), [("2,3", ""), ("GPU-89ab,GPU-01cd", "GPU-89ab,GPU-01cd")])
def test_numbers_of_gpus_are_not_told_to_the_daemon_which_would_number_them_anew(
    control: Control, monkeypatch: pytest.MonkeyPatch, chosen: str, seen: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    with gpu_service():
        assert control.calls[0].startswith(f"start gpus={seen} ")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == chosen


def test_the_daemon_of_a_sweep_that_was_killed_is_ended_and_that_of_one_that_lives_is_not(
    control: Control,
) -> None:
    here = Holder.this_process()
    for name, holder in (("dead", replace(here, start=here.start + 1)), ("lives", here)):
        folder = control.temporary / f"ablate-mps-{name}"
        folder.mkdir()
        (folder / "owner").write_text(holder.to_text())
        (folder / "daemon").touch()
    with gpu_service():
        pass
    assert [path.name for path in control.temporary.iterdir()] == ["ablate-mps-lives"]
    assert [call for call in control.calls if call == "quit"] == ["quit", "quit"]
