"""What is judged in arrays is what `compare_family` says of each study."""

from __future__ import annotations

import numpy as np
import pytest

from ablations.analysis.calibration.judging import judge, through_frames
from ablations.analysis.stats.comparison import Rules

RULES = Rules(margin=0.2, rests_on="seeds", forecast=False)


def studies(n: int, rows: int, *, odd: bool) -> np.ndarray:
    """Studies with differences from none to large, and where it is `odd`, runs far off and skew."""
    generator = np.random.default_rng([n, rows, odd])
    noise = generator.standard_normal((60, n, rows)) + 0.7 * generator.standard_normal((60, n, 1))
    if odd:
        noise = np.where(
            generator.random(noise.shape) < 0.1, noise + 10, generator.exponential(size=noise.shape)
        )
    size = np.geomspace(0.05, 0.5, 60)[:, None, None]
    effects = generator.choice([0.0, 0.0, 0.1, -0.3, 0.6], size=(60, 1, rows))
    return noise * size + effects


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize(("n", "rows"), [(5, 1), (5, 12), (7, 3), (8, 5), (10, 2), (16, 3)])
def test_arrays_and_frames_agree(n: int, rows: int, odd: bool) -> None:
    drawn = studies(n, rows, odd=odd)
    fast, slow = judge(drawn, RULES), through_frames(drawn, RULES)
    assert (fast.sign == slow.sign).all()
    assert (fast.alike == slow.alike).all()
    for name in ("mean", "lo", "hi"):
        assert getattr(fast, name) == pytest.approx(getattr(slow, name))
    if rows > 1:
        assert {-1, 0, 1} <= set(fast.sign.ravel().tolist())
        assert fast.alike.any()


def test_guards_take_verdicts_back() -> None:
    drawn = studies(10, 3, odd=True)
    far = np.zeros((1, 10, 3))
    far[0] = 0.01 * drawn[0] - 1.0
    far[0, 0, 0] = 12.0
    assert judge(far, RULES).sign.tolist() == through_frames(far, RULES).sign.tolist()
    assert judge(far, RULES).sign[0, 0] == 0
