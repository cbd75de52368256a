"""One trial, one holder: whoever dies, whatever the clocks say."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.running.machine import holder as holders
from ablations.running.machine.durable import DiskError
from ablations.running.machine.holder import Holder, process_start
from ablations.running.record import leases as module
from ablations.running.record.leases import Leases


def _another(folder: Path, **changed: object) -> Leases:
    leases = Leases(folder)
    leases._me = replace(leases._me, **{"token": "another's", **changed})  # type: ignore[arg-type]
    return leases


def test_a_trial_has_one_holder_until_it_is_given_back(tmp_path: Path) -> None:
    mine, theirs = Leases(tmp_path), _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid()))
    assert mine.take("a")
    assert not theirs.take("a")
    assert theirs.take("b")
    assert mine.held() == ["a", "b"]
    assert str(mine.holder("b")).startswith(f"process {os.getppid()} on ")
    theirs.release("a")  # not theirs to give
    assert not theirs.take("a")
    mine.release("a")
    assert theirs.take("a")
    theirs.release_all()
    assert mine.held() == []


def test_a_dead_holder_loses_its_trial_at_once(tmp_path: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    assert _another(tmp_path, pid=int(gone.stdout), start=1).take("a")
    assert Leases(tmp_path).take("a")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_dead_holder_loses_its_trial_though_nobody_has_asked_for_its_end(tmp_path: Path) -> None:
    """In a container whose first process asks for nobody, it keeps its number for ever."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as holder:
        alive = _another(tmp_path, pid=holder.pid, start=process_start(holder.pid))
        assert alive.take("a")
        assert not Leases(tmp_path).take("a")
        holder.kill()
        os.waitid(
            os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT
        )  # it is dead, and still there to be asked for
        assert process_start(holder.pid) == alive._me.start
        assert Leases(tmp_path).take("a")


def test_a_process_number_that_was_given_anew_is_not_the_holder(tmp_path: Path) -> None:
    assert _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid()) + 1).take("a")
    assert Leases(tmp_path).take("a")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Leases, int], None]:
    """Pass seconds, in each of which a process looks at the lease of trial "a"."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def pass_seconds(leases: Leases, seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1
            leases.is_stale("a")

    return pass_seconds


@pytest.mark.parametrize(
    "changed",
    [
        {"boot": "another boot"},
        {"boot": ""},
        {"namespace": "pid:[1]"},
        {"namespace": ""},
        {"host": "elsewhere"},
    ],
)
def test_who_cannot_be_seen_is_dead_only_after_silence(
    tmp_path: Path, changed: dict[str, str], watch: Callable[[Leases, int], None]
) -> None:
    """Two containers may share host name, boot and numbers; none of them says that the other's process ended."""
    far = _another(tmp_path, pid=2**22 + 1, start=1, **changed)
    assert far.take("a")
    mine = Leases(tmp_path, stale_seconds=60)
    assert not mine.take("a")
    watch(mine, 60)
    assert not mine.take("a")
    watch(mine, 1)
    assert mine.take("a")
    assert far.refresh() == ["a"]
    assert not far.holds("a")
    far.release("a")
    assert mine.refresh() == []
    assert mine.holds("a")


def test_two_that_were_stopped_together_take_nothing_from_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wakes up first has not watched the other meanwhile."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    far, mine = _another(tmp_path, host="elsewhere"), Leases(tmp_path, stale_seconds=60)
    assert far.take("a")
    assert not mine.take("a")
    now[0] += 1e6
    assert not mine.take("a")
    assert not mine.take("a")


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs /proc")
def test_a_process_of_which_the_system_tells_nothing_is_not_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where /proc hides the processes of other users."""
    alive = _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid()))
    assert alive.take("a")
    monkeypatch.setattr(holders, "_stat", lambda pid: [])
    assert not Leases(tmp_path).take("a")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"7", b'"host"', b"null", b"\xff", b"[" * 100_000, b"{}",
        b'{"host": "h", "boot": "", "pid": "1", "start": 0}',
        b'{"host": "h", "boot": "", "pid": 99999999999999999999, "start": 0}',
        b'{"host": ["h"], "boot": "", "pid": 1, "start": 0}',
    ],
)  # fmt: skip
def test_a_lease_that_does_not_say_whose_it_is_falls_silent_as_others_do(
    tmp_path: Path, content: bytes, watch: Callable[[Leases, int], None]
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    mine = Leases(tmp_path, stale_seconds=60)
    assert not mine.is_free("a")
    watch(mine, 60)
    assert not mine.take("a")
    watch(mine, 1)
    assert mine.take("a")


def test_a_lease_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"host": "h\\u001b[2J", "boot": "b", "pid": 7, "start": 3}')
    assert Leases(tmp_path).holder("a") == Holder("h\x1b[2J", "b", 7, 3)
    assert "\x1b" not in str(Leases(tmp_path).holder("a"))


def test_a_child_is_another_holder_than_its_parent() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, Holder.this_process().token.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 99).decode() != Holder.this_process().token


def test_a_lease_that_is_taken_over_while_it_is_given_back_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = _another(tmp_path, host="elsewhere")
    assert slept.take("a")
    rename = os.rename

    def stopped_before(one: Path, other: Path) -> None:
        (tmp_path / "a.json").unlink()
        assert Leases(tmp_path).take("a")
        rename(one, other)

    monkeypatch.setattr(os, "rename", stopped_before)
    slept.release("a")
    assert Leases(tmp_path).holder("a") == Holder.this_process()


def test_a_living_process_keeps_its_trial_however_silent(tmp_path: Path) -> None:
    assert _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid())).take("a")
    impatient = Leases(tmp_path, stale_seconds=0.0)
    assert not impatient.take("a")
    time.sleep(0.05)
    assert not impatient.take("a")


def test_another_machine_loses_its_trial_after_silence_by_our_clock(
    tmp_path: Path, watch: Callable[[Leases, int], None]
) -> None:
    far = _another(tmp_path, host="elsewhere")
    assert far.take("a")
    mine = Leases(tmp_path, stale_seconds=60)
    assert not mine.take("a")
    watch(mine, 59)
    assert not mine.take("a")
    far.refresh()
    watch(mine, 59)
    assert not mine.take("a")  # it was heard of
    watch(mine, 61)
    assert mine.take("a")


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_clock_that_jumps_takes_nothing_from_anybody(tmp_path: Path, jump: float) -> None:
    far = _another(tmp_path, host="elsewhere")
    assert far.take("a")
    mine = Leases(tmp_path, stale_seconds=60)
    assert not mine.take("a")
    os.utime(tmp_path / "a.json", (time.time() + jump, time.time() + jump))
    assert not mine.take("a")
    assert not mine.take("a")


def test_many_processes_at_once_agree_on_one_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ablations.running.record.leases import Leases;"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()));"
        "print(sum(Leases(Path(sys.argv[1])).take(f'k{i}') for i in range(50))); sys.stdout.flush(); sys.stdin.read()"
    )
    start = str(time.time() + 3)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    taken = [int(process.stdout.readline()) for process in started if process.stdout is not None]
    for process in started:
        process.communicate("")
    assert sum(taken) == 50


def test_this_process_is_alive() -> None:
    assert not Holder.this_process().is_dead()


def test_of_two_that_find_a_lease_stale_one_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _another(tmp_path, start=1).take("a")
    first, second = Leases(tmp_path), _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid()))
    judge = second.is_stale

    def judge_slowly(key: str) -> bool:
        stale = judge(key)
        first.take(key)  # between the judgement of the second and what it does about it
        return stale

    monkeypatch.setattr(second, "is_stale", judge_slowly)
    assert not second.take("a")
    assert first.holder("a") == Holder.this_process()


def test_what_dead_processes_left_is_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    assert _another(tmp_path, start=1).take("dead")
    assert _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid())).take("alive")
    assert _another(tmp_path, host="elsewhere").take("far")
    for name, owner in {
        "dead": replace(Holder.this_process(), start=1),
        "mine": Holder.this_process(),
    }.items():
        (tmp_path / f".a.{name}.new").write_text(owner.to_text())
    (tmp_path / ".a.old.new").touch()
    os.utime(tmp_path / ".a.old.new", (1.0, 1.0))
    Leases(tmp_path).clear_dead()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".a.mine.new",
        "alive.json",
        "far.json",
    ]


def test_a_process_that_slept_does_not_give_back_what_another_took_over(tmp_path: Path) -> None:
    slept = _another(tmp_path, host="elsewhere")
    assert slept.take("a")
    (tmp_path / "a.json").unlink()
    assert Leases(tmp_path).take("a")
    slept.refresh()
    slept.release_all()
    assert Leases(tmp_path).holder("a") == Holder.this_process()


def test_a_file_system_without_links_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*given: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    mine, theirs = Leases(tmp_path), _another(tmp_path, pid=os.getppid(), start=process_start(os.getppid()))
    assert mine.take("a")
    assert not theirs.take("a")
    assert mine.holder("a") == mine._me
    mine.release("a")
    assert theirs.take("a")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOTDIR])
def test_a_lease_that_cannot_be_written_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(path: Path, content: str, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(
        DiskError, match=rf"cannot write the lease .*: {os.strerror(number)}; nothing recorded"
    ):
        Leases(tmp_path).take("a")


def test_a_file_in_the_place_of_the_leases_is_no_other_sweep(tmp_path: Path) -> None:
    (tmp_path / "leases").write_text("")
    with pytest.raises(DiskError, match=r"cannot write the lease .*: File exists"):
        Leases(tmp_path / "leases").take("a")
