"""What sweeps leave behind when they are killed: leases, running files, checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

from ablations.running.doctor.finding import Finding, mended, ok, warning
from ablations.running.machine.environment import code_version
from ablations.running.record.leases import Leases, process_exists
from ablations.running.record.study_paths import Places

_TAKEN_OVER = "the next sweep takes it over; --fix removes it"
_UNUSED = "it is of no use any more; --fix removes it"


def check_leases(places: Places, *, fix: bool) -> Generator[Finding, None, frozenset[str]]:
    """Look at who is said to be training what.

    Returns:
        The trials that somebody may be training now.
    """
    leases = Leases(places.leases)
    alive = set()
    for key in leases.held():
        holder = leases.holder(key)
        if leases.is_stale(key):
            found = warning(f"{places.study}: trial {key} is leased by {holder}, which is dead", _TAKEN_OVER)
            yield mended(found, partial(_take_and_release, leases, key), fix=fix)
            continue
        alive.add(key)
        if holder is None:
            yield warning(
                f"{places.study}: the lease of trial {key} does not say whose it is",
                "a sweep takes it over when it is not refreshed; if nothing runs, remove "
                f"{places.leases / key}.json",
            )
    if alive:
        yield ok(f"study {places.study!r}: {len(alive)} trials are being trained")
    return frozenset(alive)


def check_running(places: Places, alive: frozenset[str], *, fix: bool) -> Iterator[Finding]:
    """Look for files of running trials that nobody runs.

    Args:
        places: of the study.
        alive: the trials that somebody may be training now.
        fix: remove what is left.
    """
    for path in _sorted(places.running, "*.jsonl"):
        if path.stem not in alive:
            found = warning(f"{path} says that a trial is running, which is not", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
    for path in _sorted(places.running, "stop.*"):
        number = path.suffix[1:]
        if not alive and not (number.isdigit() and process_exists(int(number))):
            found = warning(f"{path} asks a sweep to stop that has ended", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)


def check_checkpoints(
    places: Places, alive: frozenset[str], finished: frozenset[str], *, fix: bool
) -> Iterator[Finding]:
    """Look for checkpoints that no training will continue from.

    Args:
        places: of the study.
        alive: the trials that somebody may be training now; theirs are left alone.
        finished: the trials that have a result.
        fix: remove those that cannot be read and those of finished trials; those of other code stay, for that code may
            come back.
    """
    for folder in _sorted(places.checkpoints, "*"):
        if not folder.is_dir() or folder.name in alive:
            continue
        if folder.name in finished:
            found = warning(f"{folder} has checkpoints of a trial that is finished", _UNUSED)
            yield mended(found, partial(shutil.rmtree, folder), fix=fix)
            continue
        for path in _sorted(folder, ".*.partial"):
            found = warning(f"{path} is a checkpoint whose writing was interrupted", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
        for path in _sorted(folder, "*.pt"):
            yield from _check_checkpoint(path, fix=fix)


def _check_checkpoint(path: Path, *, fix: bool) -> Iterator[Finding]:
    from ablations.running.training.checkpoint import Unreadable, read_checkpoint

    try:
        context = read_checkpoint(path)["context"]
    except Unreadable as error:
        yield warning(f"checkpoint {path}: {error}", "see that it can be read; it is left alone")
        return
    except ValueError as error:
        found = warning(
            f"checkpoint {path}: {error}", "the trial goes on from an older one, or anew; --fix removes it"
        )
        yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
        return
    now = code_version()
    was = {name: context.get(name) for name in now} if isinstance(context, dict) else {}
    if was != now:
        yield warning(
            f"checkpoint {path} is of other code ({_code(was)}; this is {_code(now)})",
            "the trial starts anew with this code; the code of the checkpoint would go on from it",
        )


def _code(version: dict[str, object]) -> str:
    return f"{version.get('commit') or 'no commit'}{', changed' if version.get('dirty') else ''}"


def _take_and_release(leases: Leases, key: str) -> None:
    """Take a stale lease, as a sweep would, and give it back: safe beside sweeps that try the same."""
    if leases.take(key):
        leases.release(key)


def _sorted(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))
