"""The signal that a row starts with is that of its gates: halved around a sum, restored by a batch norm after it."""

from __future__ import annotations

import pytest
import torch

from bench.studies.signal_at_start import page, signal_of
from senet_core.model import build_model
from senet_core.variants.variant import SEVariant

IMAGES = torch.randn(32, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def _ratio(**variant: object) -> float:
    plain, gated = (
        signal_of(build_model("resnet8", v, num_classes=10, seed=0), IMAGES, 10)
        for v in (None, SEVariant(**variant))  # type: ignore[arg-type]
    )
    return gated / plain


def test_gates_before_a_batch_norm_leave_the_signal() -> None:
    assert _ratio(integration="pre") == pytest.approx(1, abs=0.05)
    assert _ratio(integration="conv3x3") == pytest.approx(1, abs=0.05)


def test_gates_around_the_sum_cost_more_than_gates_in_the_branch() -> None:
    assert _ratio(integration="post") < 0.8 * _ratio(integration="standard") < 0.8


def test_the_page_ranks_rows_and_says_how_errors_follow() -> None:
    text = page(
        {"plain": [1.0, 1.0], "a": [0.25, 0.5], "b": [0.5, 0.5]}, {"plain": 10.0, "a": 30.0, "b": 20.0}
    )
    rows = [line.split(" | ")[0] for line in text.splitlines()[2:5]]
    assert rows == ["| a", "| b", "| plain"]
    assert "| a | 0.3536 | 0.2500 | 0.5000 | 30.00 |" in text
    assert "over 3 rows: −1.00." in text
