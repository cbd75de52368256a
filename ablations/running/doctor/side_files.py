"""Checks of what stands beside a study's record: plans of interim analyses, proposals, forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.doctor.finding import Finding, mended, problem, warning
from ablations.running.doctor.leftovers import check_drafts
from ablations.running.machine.locks import locked
from ablations.running.record import (
    calibrations,
    forecasts,
    interim_plans,
    last_plan,
    proposals,
    seals,
)
from ablations.running.record.json_lines import cut_off, set_cut_off_aside
from ablations.running.record.study_paths import PROBE, StudyPaths

_LOCKS = {
    interim_plans.FILE_NAME: ".looks.lock",
    proposals.FILE_NAME: ".choice.lock",
    seals.FILE_NAME: seals.LOCK_NAME,
}
"""By file: what its writers hold while they add a line."""
_LEFT_OUT = {
    forecasts.FILE_NAME: "reports leave the forecasts out",
    calibrations.FILE_NAME: "reports leave the calibration out",
}
"""By file that no verdict needs: what its loss does."""
_DRAFTS = (f"{PROBE}*", ".*.partial")


def check_side_files(paths: StudyPaths, *, fix: bool) -> Iterator[Finding]:
    """Yield findings on the files beside a study's record; none where all are as they should be.

    Args:
        paths: of the study.
        fix: set lines aside that were cut off, and remove what was not written to its end.
    """
    folder = paths.results
    readers: dict[str, Callable[[], object]] = {
        interim_plans.FILE_NAME: partial(interim_plans.read_interim_plans, folder),
        proposals.FILE_NAME: partial(proposals.read_proposals, folder),
        seals.FILE_NAME: partial(seals.read_seals, folder),
        forecasts.FILE_NAME: partial(forecasts.load_forecasts, folder / forecasts.FILE_NAME),
        calibrations.FILE_NAME: partial(calibrations.load_calibration, folder),
    }
    try:
        last_plan.read_last_plan(folder)
    except RecordError as error:
        yield warning(
            str(error), "the next run writes it anew; until then commands take the study as it is given"
        )
    for name, read in readers.items():
        try:
            read()
        except RecordError as error:
            blocked = "neither `ablate run` nor `ablate report` works for the study"
            yield problem(str(error), f"until then {_LEFT_OUT.get(name, blocked)}")
        if name in _LOCKS:
            yield from _cut_off(folder / name, folder / _LOCKS[name], fix=fix)
    yield from check_drafts((path for pattern in _DRAFTS for path in folder.glob(pattern)), fix=fix)


def _cut_off(path: Path, lock: Path, *, fix: bool) -> Iterator[Finding]:
    torn = cut_off(path)
    if not torn:
        return

    def set_aside() -> None:
        with locked(lock):
            set_cut_off_aside(path)

    with suppress(OSError), locked(lock):  # nobody writes just now
        torn = cut_off(path)
    if torn:
        found = warning(
            f"{path}: the last line was cut off after {torn} bytes when its writer died",
            "the next sweep that writes there, or `fix=True`, sets it aside",
        )
        yield mended(found, set_aside, fix=fix)
