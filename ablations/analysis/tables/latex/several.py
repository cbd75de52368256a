"""The tables of one report or one command as files for a paper: asked-for columns and caption are those of families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.latex.table import PaperStyle, latex_table


def latex_tables(
    families: Sequence[Table], further: Sequence[Table], style: PaperStyle, *, prefix: str = ""
) -> Mapping[str, str]:
    """Return the LaTeX of some tables by their keys.

    Args:
        families: tables of one layout, shown in the given style; of several, each adds its key to the label and its
            title to the caption.
        further: tables of their own layouts, of which only the spread is that of the style.
        style: how a paper shows them.
        prefix: before the keys in labels, where several reports may stand in one paper.
    """
    found = {}
    for table in families:
        label, caption = style.label, style.caption
        if len(families) > 1:
            label = None if label is None else f"{label}-{table.key}"
            caption = None if caption is None else f"{caption} {table.title}."
        own = replace(style, label=label or f"tab:{prefix}{table.key}", caption=caption)
        found[table.key] = latex_table(table, own)
    for table in further:
        own = PaperStyle(spread=style.spread, label=f"tab:{prefix}{table.key}")
        found[table.key] = latex_table(table, own)
    return found
