"""Checks of what killed sweeps leave behind: leases, progress files, checkpoints, drafts."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from pathlib import Path

from ablations.running.doctor.finding import Finding, mended, ok, warning
from ablations.running.machine.code_version import code_version
from ablations.running.machine.durable import is_abandoned
from ablations.running.record.leases import Leases, is_left_behind
from ablations.running.record.study_paths import StudyPaths
from ablations.running.trials.progress import progress_file
from senet_core.words import counted

_TAKEN_OVER = "the next sweep takes it over; `fix=True` removes it"
_UNUSED = "it is of no use any more; `fix=True` removes it"


def check_leases(paths: StudyPaths, *, fix: bool) -> Generator[Finding, None, frozenset[str]]:
    """Yield findings on the leases of a study.

    Returns:
        The keys of the trials that may be in training now.
    """
    leases = Leases(paths.leases)
    alive = set()
    for key in leases.held():
        holder = leases.holder(key)
        if leases.is_stale(key):
            found = warning(f"{paths.study}: trial {key} is leased by {holder}, which is dead", _TAKEN_OVER)
            yield mended(found, partial(_take_and_release, leases, key), fix=fix)
            continue
        alive.add(key)
        if holder is None:
            yield warning(
                f"{paths.study}: the lease of trial {key} does not say whose it is",
                "a sweep takes it over when it is not refreshed; if nothing runs, remove "
                f"{paths.leases / key}.json",
            )
    for path in leases.drafts_of_the_dead():
        found = warning(f"{path} is a lease that was not finished", _UNUSED)
        yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
    if alive:
        yield ok(
            f"study {paths.study!r}: {counted(len(alive), 'trial')} {'is' if len(alive) == 1 else 'are'} being trained"
        )
    return frozenset(alive)


def check_running(paths: StudyPaths, alive: frozenset[str], *, fix: bool) -> Iterator[Finding]:
    """Yield findings on progress files of trials that do not run, and stop files of sweeps that have ended.

    Args:
        paths: of the study.
        alive: keys of the trials that may be in training now.
        fix: remove those files.
    """
    leases = Leases(paths.leases)
    holders = {key: leases.holder(key) for key in alive}
    live = {
        progress_file(paths.running, key, held.token) for key, held in holders.items() if held is not None
    }
    unknown = {key for key, held in holders.items() if held is None}
    for path in sorted((*paths.running.glob("*.jsonl"), *paths.running.glob("*.prune"))):
        if path.with_suffix(".jsonl") not in live and path.name.partition(".")[0] not in unknown:
            said = "says that a trial is running, which is not"
            if path.suffix == ".prune":
                said = "asks a trial to stop that does not run"
            found = warning(f"{path} {said}", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
    for path in sorted(paths.running.glob("stop.*")):
        if is_left_behind(path):
            found = warning(f"{path} asks a sweep to stop that has ended", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)


def check_checkpoints(
    paths: StudyPaths, alive: frozenset[str], finished: frozenset[str], *, fix: bool
) -> Iterator[Finding]:
    """Yield findings on checkpoints from which no training will continue.

    Args:
        paths: of the study.
        alive: keys of the trials that may be in training now; theirs are left alone.
        finished: keys of the trials that have a result.
        fix: remove damaged ones and those of finished trials; those of other code stay, since that code may return.
    """
    for folder in sorted(paths.checkpoints.glob("*")):
        if not folder.is_dir() or folder.name in alive:
            continue
        if folder.name in finished:
            found = warning(f"{folder} has checkpoints of a trial that is finished", _UNUSED)
            yield mended(found, partial(shutil.rmtree, folder), fix=fix)
            continue
        for path in sorted(folder.glob(".*.partial")):
            found = warning(f"{path} is a checkpoint whose writing was interrupted", _UNUSED)
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
        for path in sorted(folder.glob("*.pt")):
            yield from _check_checkpoint(path, fix=fix)


def check_drafts(drafts: Iterable[Path], *, fix: bool) -> Iterator[Finding]:
    """Yield findings on drafts and probes that nobody finishes any more, of those given; remove them if `fix`."""
    for path in sorted(drafts):
        if is_abandoned(path):
            found = warning(
                f"{path} was left by a process that died", "it is of no use; `fix=True` removes it"
            )
            yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)


def move_aside(path: Path, folder: Path) -> None:
    """Move a file that no line of the record names into a folder, which is made if need be."""
    folder.mkdir(exist_ok=True)
    path.rename(folder / path.name)


def _check_checkpoint(path: Path, *, fix: bool) -> Iterator[Finding]:
    from ablations.running.training.checkpoint import Unreadable, read_checkpoint

    try:
        context = read_checkpoint(path)["context"]
    except Unreadable as error:
        yield warning(f"checkpoint {path}: {error}", "see that it can be read; it is left alone")
        return
    except ValueError as error:
        found = warning(
            f"checkpoint {path}: {error}",
            "the trial goes on from an older one, or anew; `fix=True` removes it",
        )
        yield mended(found, partial(path.unlink, missing_ok=True), fix=fix)
        return
    now = code_version()["source"]
    was = context.get("source") if isinstance(context, dict) else None
    if was != now:
        yield warning(
            f"checkpoint {path} is of other code (source {was or 'unknown'}; this is {now})",
            "the trial starts anew with this code; the code of the checkpoint would go on from it",
        )


def _take_and_release(leases: Leases, key: str) -> None:
    """Take a stale lease, as a sweep would, and release it: safe beside sweeps that do the same."""
    if leases.take(key):
        leases.release(key)
