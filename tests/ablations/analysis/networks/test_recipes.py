"""The set-up says how a training was done, and no more."""

from __future__ import annotations

from ablations.analysis.networks.recipes import recipe_text
from ablations.planning.networks.recipe import Recipe


def test_a_recipe_names_what_came_later_only_where_it_is_said() -> None:
    plain = recipe_text(Recipe(epochs=2, precision="fp32"))
    assert plain == (
        "epochs 2, batch_size 128, lr 0.1, momentum 0.9, nesterov yes, weight_decay 0.0001, decay_norm_and_bias yes, "
        "schedule cosine, gamma 0.1, warmup 0, label_smoothing 0, crop pad, pad 4, flip yes, cutout 0, precision fp32"
    )
    said = recipe_text(Recipe(epochs=2, optimizer="adamw", betas=(0.9, 0.99), clip_norm=1, restarts=1))
    assert "optimizer adamw" in said
    assert "betas 0.9/0.99" in said
    assert "clip_norm 1" in said
    assert "restarts 1" in said
    assert "focal" not in said
    assert "momentum" not in said
    assert "nesterov" not in said
