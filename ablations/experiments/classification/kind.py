"""Classification: the built-in experiment, whose studies have a form of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ablations.planning.design import Design
from ablations.planning.experiment import Context, Experiment
from ablations.planning.metric import Metric
from ablations.planning.trial import Trial

TOP1 = Metric("top1", "top-1 error", "%", "points", 2, True, "top1_error")
TOP5 = Metric("top5", "top-5 error", "%", "points", 2, True, "top5_error")

RECORDED = (
    "top1_error", "top5_error", "test_loss", "train_loss", "train_error", "parameters", "multiply_adds",
    "train_seconds", "test_seconds", "peak_memory_mib",
)  # fmt: skip


class Classification(Experiment):
    """Training of a network, and its errors on the test images."""

    name = "classification"
    runner = "ablations.running.training.runner:NetworkRunner"
    page = "ablations.analysis.networks.page:NetworkPage"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The errors of the best guess and of the five best, in per cent."""
        return (TOP1, TOP5)

    @property
    def recorded(self) -> tuple[str, ...]:
        """Errors in per cent, counts for one image, seconds, MiB."""
        return RECORDED

    @property
    def curves(self) -> tuple[str, ...]:
        """What each epoch has."""
        return ("train_loss", "train_error", "validation_error", "lr", "seconds")

    def to_json(self) -> dict[str, Any]:
        """Return nothing: its trials say all of it themselves."""
        return {}

    def check(self, design: Design) -> None:
        """Refuse what cannot be trained here, and rows that are the same network, trained alike."""
        from ablations.running.training.refusals.identical import refuse_identical
        from ablations.running.training.refusals.untrainable import refuse_untrainable

        refuse_untrainable(design)
        refuse_identical(design)

    def run(self, trial: Trial, context: Context) -> Mapping[str, float] | None:
        """Not called: its runner has workers of its own, which continue a training bit by bit."""
        raise NotImplementedError("networks are trained by ablations.running.training")
