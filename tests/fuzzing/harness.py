"""Gives a reader of files many changed ones, in a process of its own, and says what went wrong.

`python tests/fuzzing/harness.py KIND --first 17 --count 1` makes input 17 of a kind again, with the traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 8
"""Of processor time, for one input; this machine may be busy."""

MEMORY_BYTES = 2**30
"""What one input may take, beside what the process has at its start."""

SHOWN = 8


@dataclass(frozen=True)
class Fault:
    """An input that a reader did not answer as it should.

    Attributes:
        kind: of file.
        number: makes the input again.
        what: happened, and where.
    """

    kind: str
    number: int
    what: str

    def __str__(self) -> str:
        again = f"python tests/fuzzing/harness.py {self.kind} --first {self.number} --count 1"
        return f"{self.what}\n  again: {again}"


def find_faults(kinds: Sequence[str], first: int, count: int) -> list[Fault]:
    """Try inputs of some kinds; a process that dies is told as a fault of its input, and the rest is tried by another.

    Args:
        kinds: names in `kinds.KINDS`.
        first: number of the first input of each kind.
        count: inputs of each kind.
    """
    faults: list[Fault] = []
    todo = [(kind, first, count) for kind in kinds]
    while todo:
        words = [f"{kind}:{start}:{many}" for kind, start, many in todo]
        command = [sys.executable, str(Path(__file__).absolute()), "--child", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        faults += [Fault(**line["fault"]) for line in said if "fault" in line]
        at = next((line["at"] for line in reversed(said) if "at" in line), None)
        if done.returncode == 0:
            return faults
        if at is None or done.returncode == 1:
            raise RuntimeError(f"the process with {words} did not begin: status {done.returncode}")
        kind, number = at
        faults.append(Fault(kind, number, _death(kind, done.returncode)))
        rest = todo[[name for name, _, _ in todo].index(kind) :]
        todo = [(kind, number + 1, rest[0][1] + rest[0][2] - number - 1), *rest[1:]]
        if len(faults) > 50:
            break
    return faults


def _death(kind: str, status: int) -> str:
    if status == -signal.SIGPROF:
        return f"{kind}: takes longer than {LONGEST_SECONDS} s"
    return f"{kind}: the process ends with status {status}"


def told(faults: Sequence[Fault]) -> str:
    """Return the faults, one of each sort, for a person."""
    sorts: dict[str, list[Fault]] = {}
    for fault in faults:
        sorts.setdefault(fault.what, []).append(fault)
    shown = [f"{len(same)} x {same[0]}" for same in list(sorts.values())[:SHOWN]]
    return f"{len(faults)} faults of {len(sorts)} sorts\n" + "\n".join(shown)


def _try_all(words: Sequence[str], *, verbose: bool = False) -> None:
    """Try inputs in this process: what is being tried is printed before, so that a death is told."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="fuzzing-") as folder:
        os.environ["HOME"] = os.environ["ABLATE_CACHE_DIR"] = folder
        os.environ["ABLATE_CALIBRATE"] = "0"
        os.chdir(folder)
        from kinds import KINDS

        for word in words:
            name, first, count = word.split(":")
            kind = KINDS[name]
            here = Path(folder) / name
            here.mkdir()
            os.chdir(here)
            seeds = kind.prepare(here)
            kind.read(here, seeds[0], 0)  # the valid one; what is imported late is imported now
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))
            for number in range(int(first), int(first) + int(count)):
                print(json.dumps({"at": [name, number]}), file=out)
                data = kind.mutate(random.Random(f"{name} {number}"), seeds)
                if verbose:
                    print(repr(data[:3000]), file=sys.stderr)
                what = _trouble(kind.read, here, data, number, verbose=verbose)
                if what:
                    fault = {"kind": name, "number": number, "what": f"{name}: {what}"}
                    print(json.dumps({"fault": fault}), file=out)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.chdir("/")


def _trouble(read: object, here: Path, data: bytes, number: int, *, verbose: bool) -> str:
    from ablations.running.machine.durable import DiskError
    from senet_core.errors import UserError

    signal.setitimer(signal.ITIMER_PROF, LONGEST_SECONDS)  # its signal ends the process, even inside C
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            read(here, data, number)  # type: ignore[operator]
    except (UserError, DiskError):
        pass
    except BaseException as error:
        if verbose:
            traceback.print_exc()
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if str(ROOT) in frame.filename][
            -1
        ]
        place = f"{Path(ours.filename).relative_to(ROOT)}:{ours.lineno}"
        return f"{type(error).__name__} at {place}" + (
            f": {error}" if isinstance(error, AssertionError) else ""
        )
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def main() -> None:
    """Try inputs of a kind and print the faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="+")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _try_all(options.kinds)
    elif options.count == 1:
        sys.path.insert(0, str(ROOT))
        _try_all([f"{kind}:{options.first}:1" for kind in options.kinds], verbose=True)
    else:
        faults = find_faults(options.kinds, options.first, options.count)
        print(told(faults))
        sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
