"""Calibration: the trials of a study are tried for some seconds, as many at a time as the sweep will train."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from ablations.planning.trial import Trial
from ablations.running.cost.probe import Lap, Probe, Timing, run_probe
from ablations.running.cost.speed import Images, Span, Speed, speed_key, spread
from ablations.running.machine.kernels import ALL_KERNELS, Kernels

LEAST_SECONDS = 1.0
"""What a probe gets at least; where there are too many kinds of trials for that, some are left out."""

MOST_ROUNDS = 3
_ROUND_SECONDS = 3.0  # a kind that gets more is probed twice, at different times: a machine's load changes
_STEP_MULTIPLY_ADDS = {"cpu": 1e11, "cuda": 1e14, "mps": 1e13}
_FORWARD_AND_BACKWARD = 3
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Kind:
    """Trials that go equally fast.

    Attributes:
        label: of a row of this kind.
        trial: one of them.
        multiply_adds: of the network, for one image.
        gated: whether it has SE blocks.
    """

    label: str
    trial: Trial
    multiply_adds: int
    gated: bool

    @property
    def key(self) -> str:
        """What decides its speed."""
        return speed_key(self.trial.to_json())


@dataclass
class Calibration:
    """What was measured.

    Attributes:
        speeds: by speed key.
        start: seconds until a worker has begun; None where nothing was measured.
        seconds: that the calibration took, after its workers had begun.
        problems: row's label to why it could not be timed.
        share: of a core that each process had; below 1 where the machine was busy with other work.
        smaller: batches that were made smaller, as (images in the recipe, images timed).
    """

    speeds: dict[str, Speed] = field(default_factory=dict)
    start: float | None = None
    seconds: float = 0.0
    problems: dict[str, str] = field(default_factory=dict)
    share: float = 1.0
    smaller: set[tuple[int, int]] = field(default_factory=set)


def calibrate(
    kinds: Sequence[Kind],
    *,
    make_executor: Callable[[], Executor],
    workers: int,
    seconds: float,
    device: str,
    images: Images,
    data_dir: Path,
    plugins: tuple[str, ...] = (),
    kernels: Kernels = ALL_KERNELS,
) -> Calibration:
    """Time kinds of trials with as many processes at once as the sweep will use.

    The baseline, the plain network, the cheapest and the dearest are timed in any case, then those between; what no
    time is left for is taken to be as fast, for its multiply-adds, as the most similar kind that was timed.

    Args:
        kinds: what is to be timed.
        make_executor: opens as many workers as the sweep has; they are closed at the end.
        workers: how many.
        seconds: about how long, above 0; counted from when the workers have begun.
        device: "cpu", "cuda" or "mps".
        images: of the trial's data.
        data_dir: where the prepared data sets are.
        plugins: plug-in files that the study needs.
        kernels: which to train with where they can be had.
    """
    found = Calibration()
    ordered, least = by_use(kinds)
    share = seconds * workers / len(ordered)
    rounds = max(1, min(MOST_ROUNDS, int(share / _ROUND_SECONDS)))
    queue = ordered * rounds
    queue += islice(cycle(ordered), -len(queue) % workers)  # nobody works alone at the end
    probes = deque(
        (
            kind,
            Probe(kind.trial.to_json(), _batch(kind, device, images, found), 0.0, data_dir, plugins, kernels),
        )
        for kind in queue
    )
    each = max(LEAST_SECONDS, share / rounds)
    timings = _run(probes, make_executor(), workers, seconds, each, least, found)
    if timings:
        shares = _shares(timings) if device == "cpu" else None
        found.share = 1.0 if shares is None else shares.mid
        found.speeds |= {key: _speed(several, shares) for key, several in timings.items()}
    _fill_in(ordered, found)
    return found


def by_use(kinds: Sequence[Kind]) -> tuple[list[Kind], int]:
    """Order kinds by what timing them tells of the others.

    Args:
        kinds: in the study's order: the baseline and the plain network come first.

    Returns:
        The first two, the cheapest, the dearest, then what lies between, halving the gaps; and how many of these
        are timed in any case.
    """
    rising = sorted(kinds, key=lambda kind: kind.multiply_adds)
    bits = len(rising).bit_length()
    halving = sorted(range(len(rising)), key=lambda place: f"{place:0{bits}b}"[::-1])
    first = {kind.key: kind for kind in (*kinds[:2], rising[0], rising[-1])}
    every = first | {rising[place].key: rising[place] for place in halving}
    return list(every.values()), len(first)


def _batch(kind: Kind, device: str, images: Images, found: Calibration) -> int:
    """Make a batch smaller whose step would take seconds; time is then taken to grow with the images."""
    wanted = min(kind.trial.recipe.batch_size, images.train)
    room = _STEP_MULTIPLY_ADDS.get(device, 1e11) / (_FORWARD_AND_BACKWARD * max(1, kind.multiply_adds))
    batch = min(wanted, max(2, int(room)))
    if batch < wanted:
        found.smaller.add((wanted, batch))
    return batch


def _run(
    probes: deque[tuple[Kind, Probe]],
    executor: Executor,
    workers: int,
    seconds: float,
    each: float,
    least: int,
    found: Calibration,
) -> Mapping[str, list[Timing]]:
    """Keep every worker busy until the probes or the time have run out."""
    timings: dict[str, list[Timing]] = {}
    running: dict[Future[Timing], Kind] = {}
    asked, begun, handed_out = time.time(), None, 0
    try:
        while running or probes:
            over = begun is not None and time.time() - begun >= seconds - each / 2
            while probes and len(running) < workers and (handed_out < least or not over):
                kind, probe = probes.popleft()
                timed = Probe(probe.trial, probe.batch, each, probe.data_dir, probe.plugins, probe.kernels)
                running[executor.submit(run_probe, timed)] = kind
                handed_out += 1
            if not running:
                break
            done, _ = wait(running, timeout=_PATIENCE_SECONDS + 3 * seconds, return_when=FIRST_COMPLETED)
            if not done:
                break
            for future in done:
                kind = running.pop(future)
                error = future.exception()
                if error is not None:
                    found.problems[kind.label] = f"{type(error).__name__}: {' '.join(str(error).split())}"
                    continue
                timing = future.result()
                timings.setdefault(kind.key, []).append(timing)
                begun = timing.begun if begun is None else min(begun, timing.begun)
        if begun is not None:
            found.start, found.seconds = begun - asked, time.time() - begun
    finally:
        kill = getattr(executor, "kill", executor.shutdown)
        kill()
    return timings


def _shares(timings: Mapping[str, Sequence[Timing]]) -> Span:
    """Say which share of its cores a process had: over all the steps of all probes, and by probe its middle half."""
    probes = [timing.steps for several in timings.values() for timing in several]
    total = _share(step for steps in probes for step in steps)
    by_probe = spread(_share(steps) for steps in probes)
    return Span(total, min(total, by_probe.low), max(total, by_probe.high))


def _share(steps: Iterable[Lap]) -> float:
    known = list(steps)
    return min(1.0, sum(step.computed for step in known) / sum(step.wall for step in known))


def _speed(timings: Sequence[Timing], shares: Span | None) -> Speed:
    """Turn the timings of one kind into its speed.

    On processors a kind's own figure is the computing that a step needs, which hardly depends on what else the
    machine does; how much longer that takes is estimated from all probes together, as it changes from second to
    second and not from kind to kind.
    """
    steps = [step for timing in timings for step in timing.steps]
    rate = spread(step.computed if shares else step.wall for step in steps)
    return Speed(
        train=rate
        if shares is None
        else Span(rate.mid / shares.mid, rate.low / shares.high, rate.high / shares.low),
        test=_middle((timing.test for timing in timings), shares),
        save=median(timing.save.wall for timing in timings),
        rest=_middle((timing.rest for timing in timings), shares),
        source="calibration",
        measured=len(steps),
    )


def _middle(laps: Iterable[Lap], shares: Span | None) -> float:
    return median(lap.wall if shares is None else lap.computed / shares.mid for lap in laps)


def _fill_in(kinds: Sequence[Kind], found: Calibration) -> None:
    """Give kinds that were not timed the speed of the most similar one, in proportion to the multiply-adds."""
    timed = [kind for kind in kinds if kind.key in found.speeds]
    for kind in kinds:
        if kind.key in found.speeds or kind.label in found.problems or not timed:
            continue
        alike = [other for other in timed if other.gated == kind.gated] or timed
        near = min(alike, key=lambda other: abs(other.multiply_adds - kind.multiply_adds))
        known, factor = found.speeds[near.key], kind.multiply_adds / max(1, near.multiply_adds)
        found.speeds[kind.key] = Speed(
            known.train.scaled(factor), known.test * factor, known.save, known.rest, f"like {near.label}", 0
        )
