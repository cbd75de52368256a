"""The learning rate and the size of the images as functions of the step."""

from __future__ import annotations

import math

from ablations.planning.networks.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, *, total: int, cuts: int = 0) -> float:
    """Return the learning rate of a step.

    Args:
        recipe: schedule, warm-up, milestones, restarts and highest rate.
        step: from 0 to total - 1.
        total: steps of the whole training.
        cuts: how often a plateau schedule has cut the rate.

    Returns:
        The rate: during warm-up it rises linearly to `lr` (or stays at `warmup_lr`); then "cosine" and "linear"
        fall to 0 over what is left, cosine in each of its cycles, "step" multiplies by gamma at each milestone,
        "plateau" at each cut, "constant" stays.
    """
    warmup = min(round(recipe.warmup * total), total - 1)
    if step < warmup:
        return recipe.warmup_lr if recipe.warmup_lr is not None else recipe.lr * (step + 1) / warmup
    if recipe.schedule == "step":
        passed = sum(step >= round(milestone * total) for milestone in recipe.milestones)
        return recipe.lr * recipe.gamma**passed
    if recipe.schedule == "plateau":
        return recipe.lr * recipe.gamma**cuts
    if recipe.schedule == "constant":
        return recipe.lr
    left = total - warmup
    cycles = min(recipe.restarts + 1, left)  # of at least a step
    done = (step - warmup) * cycles % left / left  # of the cycle, in whole numbers until the end
    return recipe.lr * (0.5 * (1 + math.cos(math.pi * done)) if recipe.schedule == "cosine" else 1 - done)


def image_size(recipe: Recipe, step: int, *, total: int, full: int) -> int:
    """Return the side of the images of a step, in pixels.

    Args:
        recipe: its `start_size` and `full_size_from`.
        step: from 0 to total - 1.
        total: steps of the whole training.
        full: side of the images of the data.

    Returns:
        One of `smaller_sizes`, each for an equally long part of the training, then `full`; the last step always
        has `full`.

    Source: progressive learning, Tan and Le 2021, arXiv:2104.00298, section 3.2, with sizes alone rising.
    """
    smaller, until = smaller_sizes(recipe, full), _full_from(recipe, total)
    return smaller[step * len(smaller) // until] if smaller and step < until else full


def smaller_sizes(recipe: Recipe, full: int) -> tuple[int, ...]:
    """Return the sides below `full` that a training goes through, rising: by 4 pixels, from 128 pixels on by 32.

    Sides that are multiples of 4 stay even where a network halves them.
    """
    return () if recipe.start_size is None else tuple(range(recipe.start_size, full, 4 if full < 128 else 32))


def pixel_share(recipe: Recipe, *, total: int, full: int) -> float:
    """Return the pixels of all steps as a share, 0 to 1, of those with images of full size."""
    smaller, until = smaller_sizes(recipe, full), _full_from(recipe, total)
    if not smaller:
        return 1.0
    ends = [math.ceil(part * until / len(smaller)) for part in range(len(smaller) + 1)]
    parts = zip(smaller, ends, ends[1:], strict=False)
    return (sum((end - start) * (side / full) ** 2 for side, start, end in parts) + total - until) / total


def _full_from(recipe: Recipe, total: int) -> int:
    return 0 if recipe.full_size_from is None else min(round(recipe.full_size_from * total), total - 1)
