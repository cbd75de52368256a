"""Rules for the fields of a recipe: which go together, and which have no effect beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.planning.networks.recipes.losses import FOCAL_GAMMA
from ablations.planning.networks.recipes.optimizers import OPTIMIZERS, SPECIAL, readers

if TYPE_CHECKING:
    from ablations.planning.networks.recipe import Recipe

LEAST_STRENGTH = 1e-6
"""Of mixup and CutMix: with less, their share is 0 or 1 in single precision, and they do nothing."""

PLATEAU = ("patience", "cuts")
"""Fields of the plateau schedule, and of no other."""


def check(recipe: Recipe) -> None:
    """Refuse fields that do not go together.

    Raises:
        ValueError: with what was given, and what would do.
    """
    if (recipe.epochs is None) == (recipe.iterations is None):
        raise ValueError("give the length of the training by epochs or by iterations, one of the two")
    _check_schedule(recipe)
    _check_optimizer(recipe)
    if recipe.focal_gamma is not None and recipe.loss != "focal":
        raise ValueError(f"focal_gamma belongs to loss 'focal', and the loss is {recipe.loss!r}")
    if recipe.freeze and recipe.weights is None:
        raise ValueError("freeze needs weights: stages that begin at random would stay so")
    if len(set(recipe.freeze)) < len(recipe.freeze):
        raise ValueError(f"freeze names a stage twice: {', '.join(map(str, recipe.freeze))}")
    for field in ("mixup", "cutmix"):
        if 0 < getattr(recipe, field) < LEAST_STRENGTH:
            raise ValueError(f"{field} is 0 or at least {LEAST_STRENGTH:g}, got {getattr(recipe, field):g}")
    if (recipe.start_size is None) != (recipe.full_size_from is None):
        raise ValueError("start_size and full_size_from belong together: give both or neither")


def _check_schedule(recipe: Recipe) -> None:
    milestones = recipe.milestones
    if (recipe.schedule == "step") != bool(milestones):
        raise ValueError("milestones belong to schedule 'step', which needs at least one")
    if any(not 0 < m < 1 for m in milestones) or list(milestones) != sorted(set(milestones)):
        raise ValueError("milestones are shares of the training: they must rise and lie between 0 and 1")
    if recipe.restarts and recipe.schedule != "cosine":
        raise ValueError(f"restarts belong to schedule 'cosine', and the schedule is {recipe.schedule!r}")
    needed = (*PLATEAU, "watched")
    lacking = [name for name in needed if getattr(recipe, name) is None]
    if recipe.schedule == "plateau" and lacking:
        raise ValueError(f"schedule 'plateau' needs {', '.join(needed)}; not given: {' and '.join(lacking)}")
    of_plateau = [name for name in PLATEAU if getattr(recipe, name) is not None]
    if recipe.schedule != "plateau" and of_plateau:
        raise ValueError(
            f"{of_plateau[0]} belongs to schedule 'plateau', and the schedule is {recipe.schedule!r}"
        )
    if recipe.warmup_lr is not None and recipe.warmup == 0:
        raise ValueError("warmup_lr needs a warmup")


def _check_optimizer(recipe: Recipe) -> None:
    reads = OPTIMIZERS[recipe.optimizer].reads
    if "nesterov" in reads and recipe.nesterov and recipe.momentum == 0:
        raise ValueError("nesterov needs a momentum above 0")
    for field in ("betas", "eps"):
        if getattr(recipe, field) is not None and field not in reads:
            raise ValueError(f"optimizer {recipe.optimizer!r} does not read {field}; {readers(field)} do")
    if recipe.betas is not None and (len(recipe.betas) != 2 or not all(0 <= b < 1 for b in recipe.betas)):
        given = ", ".join(f"{beta:g}" for beta in recipe.betas)
        raise ValueError(f"betas are two numbers of at least 0 and below 1, got [{given}]")


def unread(recipe: Recipe) -> list[str]:
    """Return the fields that the recipe's optimiser does not read."""
    return [name for name in SPECIAL if name not in OPTIMIZERS[recipe.optimizer].reads]


def idle(recipe: Recipe) -> list[str]:
    """Return the fields that have no effect beside the others, or say what would be the case without them."""
    optimizer = OPTIMIZERS[recipe.optimizer]
    found = unread(recipe)
    if recipe.betas == optimizer.betas:
        found.append("betas")
    if recipe.eps == optimizer.eps:
        found.append("eps")
    if recipe.focal_gamma == FOCAL_GAMMA:
        found.append("focal_gamma")
    if recipe.randaugment == 0:
        found.append("magnitude")
    if recipe.crop != "pad":
        found.append("pad")
    if recipe.schedule not in ("step", "plateau"):
        found.append("gamma")
    if recipe.weight_decay == 0:
        found.append("decay_norm_and_bias")
    return found
