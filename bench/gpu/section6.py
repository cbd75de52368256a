"""The study `section6`, run as a user runs it: a share of it is timed, and the whole of it estimated from that.

Every row is trained on one seed, for two epochs of some of the images; a probe says how many trials share the GPU. The
rest of the whole study is as many steps more, at the speed of the second epoch of each row: for all seeds, and where it
is a race, for those that it takes before its first look.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ablations.api.sweeping import RunOptions, StudyRun
from ablations.planning.design import design
from ablations.planning.networks.study import network_study
from ablations.planning.study_file import load_study
from ablations.running.executors.factories import AUTO, ExecutorOptions
from ablations.running.executors.gpu_sharing import HOW_SHARED, TRIALS_PER_GPU
from ablations.running.machine.devices import choose_device, preferred_precision
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import EpochMetrics, TrialRecord
from bench.programs import add_data, program_parser, run_program, tell
from bench.sweeps.sweeping import put_images
from senet_core.errors import UserError

NAME, IMAGES, TIMED_EPOCHS = "section6", 50_000, 2
"""The study, training images of each of its trials, and epochs of one that is timed."""


def main() -> None:
    """Run the share, and print JSON."""
    parser = program_parser(__doc__, images=10_000, batch=128)
    add_data(parser)
    parser.add_argument("--dry", action="store_true", help="with a smaller network, on a processor")
    options = parser.parse_args()
    changes = {
        "recipe.epochs": TIMED_EPOCHS,
        "recipe.batch_size": options.batch,
        "recipe.precision": "fp32" if options.dry else preferred_precision(choose_device()),
        "baseline.data": {"name": "cifar10", "train_images": options.images, "test_images": 1_000},
        **({"baseline.backbone": "resnet8"} if options.dry else {}),
    }
    whole = load_study(NAME)
    fields = {name: value for name, value in whole.fields().items() if name != "race"}
    first = whole.fields().get("race", {}).get("first", len(whole.seeds))
    timed = {**fields, "name": NAME, "design": "one-factor"}
    plan = design(
        load_study(timed, overrides=[f"{name}={value}" for name, value in changes.items()], seeds=1)
    )
    said: list[str] = []
    with TemporaryDirectory(prefix="ablate-bench-") as name:
        folder = Path(name)
        put_images(folder / "cifar10.safetensors", options.data)
        run = StudyRun(
            plan, StudyPaths(NAME, folder / "results", folder / "reports"), RunOptions(data_dir=folder)
        )
        executors = ExecutorOptions(trials_per_gpu=AUTO).factory()
        began = time.perf_counter()
        outcome = run.train(executors, Told(said))
        seconds = time.perf_counter() - began
        lines = tuple(outcome.record.trials.finished.values())
    if len(lines) < len(plan.trials):
        raise UserError(f"{len(plan.trials) - len(lines)} of {len(plan.trials)} trials failed")
    together = max(1, *(line.environment.get(TRIALS_PER_GPU, 1) for line in lines))
    epochs = network_study(whole).recipe.epochs or 0
    more = seconds_left(lines, epochs, options.batch) / together
    tell(
        rows=len(plan.rows),
        seeds=[first, len(whole.seeds)],
        epochs=epochs,
        together=together,
        sharing=lines[0].environment.get(HOW_SHARED, ""),
        said=[line for line in said if line.startswith(("trials on", "one trial", "trials that share"))],
        timed_trials=len(lines),
        timed_seconds=seconds,
        # what the probe and the start of the workers took counts for each seed: rather too long
        estimated_seconds=[seeds * (seconds + more) for seeds in (first, len(whole.seeds))],
    )


def seconds_left(lines: Sequence[TrialRecord], epochs: float, batch: int) -> float:
    """Return the seconds of training that whole trials take beyond those that were timed.

    Args:
        lines: of the timed trials, one of each row.
        epochs: of a whole trial.
        batch: images of a step.
    """
    more = 0.0
    for line in lines:
        last = line.history[-1]
        assert isinstance(last, EpochMetrics), "networks are trained"
        steps = line.trial["data"]["train_images"] // batch
        more += (epochs * (IMAGES // batch) - len(line.history) * steps) * last.seconds / steps
    return more


class Told:
    """A display that keeps what is said.

    Args:
        said: where.
    """

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def say(self, message: str) -> None:
        """Keep a line."""
        self._said.append(message)

    def begin(self, total: int, done: int, shared: int) -> None:
        """Show nothing."""

    def extend(self, total: int, more: int) -> None:
        """Show nothing."""

    def update(self, running: Sequence[Any]) -> None:
        """Show nothing."""

    def finished(self, row: Any, record: TrialRecord) -> None:
        """Show nothing."""


if __name__ == "__main__":
    run_program(main)
