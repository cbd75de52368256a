"""What the harness gives to a running trial: seed, streams, folder, states, progress, and whether to stop."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.running.machine.durable import write_durably
from ablations.running.record.trial_record import StepMetrics
from senet_core.bounded import GIB, read_bounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BYTES = 32 * GIB
"""Limit of a saved state."""

KEPT = 2
ASK_SECONDS = 0.2
"""How often at most a trial is asked for by looking at the disk."""


class States:
    """The states that a trial saves: each is complete or not there, and the two newest are kept.

    Args:
        folder: of the trial alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, state: bytes) -> None:
        """Save a state; it is on the disk when this returns.

        Raises:
            OSError: the disk is full, or fails.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        known = self._paths()
        number = int(known[-1].stem) + 1 if known else 0
        digest = hashlib.sha256(state).hexdigest().encode()
        write_durably(self._folder / f"{number:012d}.state", digest + b"\n" + state)
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def newest(self) -> bytes | None:
        """Return the newest state that is whole; None where there is none."""
        for path in reversed(self._paths()):
            digest, _, state = read_bounded(path, MOST_BYTES).partition(b"\n")
            if hashlib.sha256(state).hexdigest().encode() == digest:
                return state
        return None

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.state"))


class RunningContext:
    """The context of one attempt at a trial; see `ablations.planning.experiment.Context`.

    Args:
        seed: of the trial.
        place: the trial's own folder, which holds the others.
        log: the file for what it prints.
        asked_to_stop: returns whether the trial is to stop.
        tell: called with each step that the trial reports.
    """

    def __init__(
        self,
        seed: int,
        place: Path,
        log: Path,
        asked_to_stop: Callable[[], bool],
        tell: Callable[[StepMetrics], None],
    ) -> None:
        self.seed = seed
        self.folder = place / "folder"
        self.continued = self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = States(place / "states")
        self.log = log
        self.threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        self.right: NDArray[np.bool_] | None = None
        self._asked, self._tell = asked_to_stop, tell
        self._step, self._told = 0, time.monotonic()

    @property
    def device(self) -> str:
        """Where to compute: "cuda" where this worker has a GPU, else "mps" or "cpu"; torch says which."""
        from ablations.running.machine.devices import device_name

        return device_name()

    def rng(self, stream: str) -> np.random.Generator:
        """Return a generator of a stream by name, common to all rows of one seed."""
        import numpy as np

        words = hashlib.sha256(f"{self.seed}/{stream}".encode()).digest()
        return np.random.default_rng(np.frombuffer(words, np.uint32))

    def report(self, step: int, **metrics: float) -> None:
        """Tell metrics on the way; `step` rises from 1.

        Raises:
            ValueError: the step does not rise, or a metric is no number.
        """
        if type(step) is not int or step <= self._step:
            raise ValueError(f"report: steps rise from 1; after {self._step} came {step!r}")
        now = time.monotonic()
        self._step, seconds, self._told = step, now - self._told, now
        self._tell(StepMetrics(step, {name: float(value) for name, value in metrics.items()}, seconds))

    def should_stop(self) -> bool:
        """Return whether the trial was asked to stop."""
        return self._asked()

    def outcomes(self, right: Any) -> None:
        """Keep whether each test example was got right; the first metric must be their error in per cent.

        Raises:
            ValueError: it is no list of truth values.
        """
        import numpy as np

        found = np.asarray(right)
        if found.ndim != 1 or found.dtype != np.bool_ or not len(found):
            raise ValueError(
                f"outcomes: (examples,) of true or false, got {found.dtype} of shape {found.shape}"
            )
        self.right = found


def check_metrics(metrics: Mapping[str, Any] | None, wanted: tuple[str, ...]) -> dict[str, float]:
    """Return what a trial measured, as numbers.

    Raises:
        ValueError: one that is wanted is missing, or is no number.
        ArithmeticError: it is infinite or not a number.
    """
    if not isinstance(metrics, Mapping):
        raise ValueError(
            f"it returned {type(metrics).__name__}, not the metrics by name: {', '.join(wanted)}"
        )
    missing = [name for name in wanted if name not in metrics]
    if missing:
        has = ", ".join(map(str, metrics)) or "nothing"
        raise ValueError(f"it did not measure {', '.join(missing)}; it has {has}")
    found = {}
    for name, value in metrics.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            if name in wanted:
                raise ValueError(f"its {name} is no number: {value!r}") from None
            continue
        if number != number or abs(number) > 1e100:
            if name in wanted:
                raise ArithmeticError(f"its {name} is {number}")
            continue
        found[str(name)] = number
    return found


def throttled(ask: Callable[[], bool]) -> Callable[[], bool]:
    """Return a function that asks at most every `ASK_SECONDS`; a yes stays a yes."""
    last, said = 0.0, False

    def asked() -> bool:
        nonlocal last, said
        now = time.monotonic()
        if not said and now - last > ASK_SECONDS:
            last, said = now, ask()
        return said

    return asked
