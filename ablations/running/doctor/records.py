"""Checks of a study's record: undamaged lines, the right keys, no doubles, and results of the present data."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.trial import trial_key
from ablations.running.doctor.finding import Finding, mended, ok, problem, warning
from ablations.running.record.json_lines import cut_off
from ablations.running.record.schema import NewerSchema
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import MOST_LINE, TrialFile
from ablations.running.record.trial_record import TrialRecord
from senet_core.bounded import open_plain
from senet_core.errors import one_line
from senet_core.words import counted

_MOMENT = 0.2
_SHOWN = 5
"""How many lines of one kind are reported one by one."""

Lines = list[tuple[int, TrialRecord]]
"""Lines with their numbers in the file, from 1."""


@dataclass(frozen=True)
class _Read:
    lines: Lines
    corrupt: tuple[tuple[int, str], ...]
    newer: tuple[tuple[int, str], ...]
    torn: int


def check_record(
    paths: StudyPaths, digests: Mapping[DataSpec, str], *, fix: bool
) -> Generator[Finding, None, frozenset[str]]:
    """Yield findings on a study's record.

    Args:
        paths: of the study.
        digests: of the prepared data sets that are here.
        fix: set a torn last line aside.

    Returns:
        The keys of its finished trials, with those that they were written as.
    """
    path = paths.record
    try:
        read = _read(path)
    except FileNotFoundError:
        yield ok(f"study {paths.study!r} has no record yet")
        return frozenset()
    except OSError as error:
        yield problem(
            f"cannot read the record {path}: {error.strerror or error}", "give yourself the right to"
        )
        return frozenset()
    findings = [
        *_corrupt(path, read),
        *_torn(path, read, fix=fix),
        *_strangers(path, read.lines),
        *_doubles(path, read.lines),
        *_of_other_data(path, read.lines, digests),
    ]
    yield from findings
    finished = {line.key for _, line in read.lines if line.status == "finished"}
    once = {line.written_as for _, line in read.lines if line.status == "finished" and line.written_as}
    if not findings:
        failed = {line.key for _, line in read.lines} - finished
        done = f"{counted(len(finished), 'finished trial')}{_imported(read.lines)}"
        yield ok(f"{path}: {done}, {len(failed)} that failed, every line whole")
    return frozenset(finished | once)


def _imported(lines: Lines) -> str:
    count = len({line.key for _, line in lines if line.status == "finished" and line.imported is not None})
    return f" ({count} imported)" if count else ""


def _read(path: Path) -> _Read:
    if cut_off(path):
        time.sleep(_MOMENT)  # a sweep may be writing just now
    lines: Lines = []
    corrupt, newer, torn = [], [], 0
    with open_plain(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_LINE + 1), b""), 1):
            if len(line) > MOST_LINE:
                corrupt.append((number, f"it is longer than {MOST_LINE:,} bytes"))
                break  # the sweep reads no further either
            if not line.endswith(b"\n"):
                torn = len(line)
                break
            try:
                lines.append((number, TrialRecord.from_line(line[:-1].decode("utf-8"))))
            except NewerSchema as error:
                newer.append((number, one_line(error)))
            except (ValueError, RecursionError) as error:
                corrupt.append((number, one_line(error)))
    return _Read(lines, tuple(corrupt), tuple(newer), torn)


def _corrupt(path: Path, read: _Read) -> Iterator[Finding]:
    mend = "correct or remove that line; a trial without a line is trained again"
    for number, why in read.corrupt[:_SHOWN]:
        yield problem(f"{path}, line {number} is corrupt: {why}", mend)
    if read.newer:
        number, why = read.newer[0]
        more = f" (and {counted(len(read.newer) - 1, 'more line')})" if read.newer[1:] else ""
        yield problem(
            f"{path}, line {number}{more}: {why.partition(';')[0]}", "install that version; remove nothing"
        )
    others = read.corrupt[_SHOWN:]
    if others:
        yield problem(f"{path}: {len(others)} more corrupt lines: {_numbers([n for n, _ in others])}", mend)


def _torn(path: Path, read: _Read, *, fix: bool) -> Iterator[Finding]:
    if read.torn:
        found = warning(
            f"{path}: the last line was cut off after {read.torn} bytes when its sweep died",
            "the next sweep, or `fix=True`, sets it aside; its trial is trained again",
        )
        yield mended(found, lambda: TrialFile.load(path).set_torn_aside(), fix=fix)


def _strangers(path: Path, lines: Lines) -> Iterator[Finding]:
    wrong = [number for number, line in lines if not _is_itself(line)]
    if wrong:
        yield problem(
            f"{path}: the key is not that of the trial in {_named(wrong)}: the line was changed after it was written",
            "put the original line back from version control, or remove it; the trial is trained again",
        )


def _is_itself(line: TrialRecord) -> bool:
    try:
        return trial_key(line.trial) == line.key
    except (TypeError, ValueError):
        return False


def _doubles(path: Path, lines: Lines) -> Iterator[Finding]:
    finished: dict[str, Lines] = defaultdict(list)
    for number, line in lines:
        if line.status == "finished":
            finished[line.key].append((number, line))
    for key, same in list(finished.items()):
        if len(same) > 1:
            alike = len({line.result.proof for _, line in same if line.result is not None}) == 1
            end = "with the same weights" if alike else "with different weights"
            yield warning(
                f"{path}: trial {key} is finished in {_named([n for n, _ in same])}, {end}",
                "nothing is lost: the last line counts; remove the others if they disturb",
            )


def _of_other_data(path: Path, lines: Lines, digests: Mapping[DataSpec, str]) -> Iterator[Finding]:
    """Yield findings on results of the same data set that were computed on different data."""
    recorded: dict[tuple[Any, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, line in lines:
        if line.status == "finished":
            recorded[_data_of(line.trial.get("data"))][line.data_digest].append(number)
    here = {(spec.name, spec.path, spec.size): digest for spec, digest in digests.items()}
    mend = "`fresh=True` starts the study anew beside the old record; `results_dir` names another place"
    for data, found in recorded.items():
        shown = f"{path}: results of {data[0]}"
        if len(found) > 1:
            each = "; ".join(f"{digest[:12]} in {_named(numbers)}" for digest, numbers in found.items())
            yield problem(f"{shown} are of {len(found)} different preparations: {each}", mend)
        elif data in here and here[data] not in found:
            was = next(iter(found))
            yield problem(
                f"{shown} are of data with the digest {was[:12]}, the prepared file has {here[data][:12]}",
                mend,
            )


def _data_of(data: object) -> tuple[Any, ...]:
    if not isinstance(data, Mapping):
        return (repr(data), None, None)
    path, size = data.get("path"), data.get("size")
    plain = isinstance(path, (str, type(None))) and isinstance(size, (int, type(None)))
    return (str(data.get("name")), path, size) if plain else (str(data.get("name")), repr(path), repr(size))


def _named(numbers: Sequence[int]) -> str:
    return f"line{'s' if len(numbers) > 1 else ''} {_numbers(numbers)}"


def _numbers(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    return ", ".join(map(str, numbers[:10])) + more
