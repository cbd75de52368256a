"""The outcome of a trial that no one trained, with plausible numbers: ten epochs of SE-ResNet-20."""

from __future__ import annotations

from ablations.running.record.trial_record import EpochMetrics, TrialResult

BEGUN, ENDED = "2026-01-01T00:00:00+00:00", "2026-01-01T00:03:00+00:00"


def made_up(error: float) -> tuple[TrialResult, tuple[EpochMetrics, ...]]:
    """Return a result with that top-1 error in per cent, and its epochs."""
    result = TrialResult(
        top1_error=round(error, 2), top5_error=0.4, test_loss=0.4, train_loss=0.3, train_error=10.0,
        parameters=274_847, multiply_adds=40_810_000, bottleneck_widths={"2": 1, "3": 2, "4": 4},
        train_seconds=160.0, test_seconds=2.0, peak_memory_mib=800.0, weights_sha256="0" * 64,
    )  # fmt: skip
    return result, tuple(EpochMetrics(e, 0.9**e, error + 50 / e, 0.1, 16.0) for e in range(1, 11))
