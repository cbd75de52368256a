"""A recipe in words."""

from __future__ import annotations

from ablations.analysis.tables.cells import plain
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.rules import unread


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe on one line, without what is off and what its optimiser does not read."""
    left_out = unread(recipe)
    fields = {name: getattr(recipe, name) for name in recipe.to_json() if name not in left_out}
    return ", ".join(
        f"{name} {plain(value)}" for name, value in fields.items() if value is not None and value != ()
    )
