"""Makes a worker ready for the training of networks."""

from __future__ import annotations


def warm_up(threads: int) -> None:
    """Import torch and the training now, so that the first trial's time is the trial's.

    Args:
        threads: for torch.
    """
    from ablations.running.machine.cuda.determinism import reserve_workspace

    reserve_workspace()
    import torch

    import ablations.running.training.attempt  # noqa: F401

    torch.set_num_threads(threads)
