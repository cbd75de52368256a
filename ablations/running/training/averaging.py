"""The average of a network's weights over its training, which is what is tested."""

from __future__ import annotations

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return a network whose weights follow those of another as an exponential average, statistics included.

    It begins with the weights after the first step. It is in evaluation mode.

    Args:
        model: what is trained.
        decay: share that the average keeps at each step, above 0 and below 1.

    Source: Polyak and Juditsky 1992, SIAM J. Control Optim. 30, p. 838, for averages; exponential ones as torch has
    them, without a warm-up of the decay.
    """
    step = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(model, multi_avg_fn=step, use_buffers=True)
    average.requires_grad_(False)
    return average.eval()
