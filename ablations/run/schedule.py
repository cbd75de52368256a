"""The learning rate, as a function of the step."""

from __future__ import annotations

import math

from ablations.plan.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, *, total: int) -> float:
    """Return the learning rate of a step.

    Args:
        recipe: schedule, warm-up, milestones and highest rate.
        step: from 0 to total - 1.
        total: steps of the whole training.

    Returns:
        The rate: during warm-up it rises linearly to `lr` (or stays at `warmup_lr`); then "cosine" and "linear"
        fall to 0 over what is left, "step" multiplies by gamma at each milestone, "constant" stays.
    """
    warmup = min(round(recipe.warmup * total), total - 1)
    if step < warmup:
        return recipe.warmup_lr if recipe.warmup_lr is not None else recipe.lr * (step + 1) / warmup
    if recipe.schedule == "step":
        passed = sum(step >= round(milestone * total) for milestone in recipe.milestones)
        return recipe.lr * recipe.gamma**passed
    if recipe.schedule == "constant":
        return recipe.lr
    done = (step - warmup) / (total - warmup)
    return recipe.lr * (0.5 * (1 + math.cos(math.pi * done)) if recipe.schedule == "cosine" else 1 - done)
