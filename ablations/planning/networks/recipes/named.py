"""The recipes that have names, and where each comes from."""

from __future__ import annotations

from ablations.planning.networks.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    "cifar-quick": Recipe(
        epochs=10,
        batch_size=128,
        lr=0.3,
        weight_decay=5e-4,
        decay_norm_and_bias=False,
        schedule="linear",
        warmup=0.2,
    ),
    "cifar-paper": Recipe(
        iterations=64_000,
        batch_size=128,
        lr=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        milestones=(32 / 64, 48 / 64),
        warmup=400 / 64_000,
        warmup_lr=0.01,
        precision="fp32",
    ),
    "imagenet-ablation": Recipe(
        epochs=270,
        batch_size=256,
        lr=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        milestones=(125 / 270, 200 / 270, 250 / 270),
        label_smoothing=0.1,
        crop="resized",
        pad=0,
    ),
    "imagenet-plateau": Recipe(
        epochs=300,
        batch_size=256,
        lr=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="plateau",
        patience=10,
        cuts=3,
        watched=0.01,
        label_smoothing=0.1,
        crop="resized",
        pad=0,
    ),
}
"""The named recipes that studies may use."""

RECIPE_SOURCES = {
    "cifar-quick": "for processors without a GPU: one cycle to a high rate and back to zero, decay on weights only; "
    "the study `quick-recipe` asks whether it is well chosen.",
    "cifar-paper": "He et al. 2015, arXiv:1512.03385, section 4.2, with the warm-up of He et al. 2016, "
    "arXiv:1603.05027.",
    "imagenet-ablation": "arXiv:1709.01507, section 6 with the fixed schedule of footnote 2; batch, smoothing, "
    "momentum and decay are not printed there: the authors' released code and the cited papers have these values.",
    "imagenet-plateau": "arXiv:1709.01507, section 6 with its own rule: the rate is divided by 10 where the validation "
    "loss falls no more, three times in about 300 epochs. Patience and watched images are ours; all else as in "
    "`imagenet-ablation`.",
}
"""Where each named recipe comes from."""
