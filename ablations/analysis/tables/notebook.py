"""The table that a notebook shows for results: the summary, and a caption that says how to read it."""

from __future__ import annotations

from markupsafe import Markup

from ablations.analysis.results.results import Results
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.render import to_html
from ablations.analysis.tables.summary import summary_table

# rules as in a printed table; colours are the notebook's own, which may be dark
_STYLE = Markup("""<style>
.ablations table { border-collapse: collapse; border: 0; margin: 0; font-size: .9em;
  font-variant-numeric: tabular-nums; }
.ablations tr, .ablations tbody tr:nth-child(even), .ablations tbody tr:hover { background: none; }
.ablations th, .ablations td { border: 0; padding: .25em .8em; white-space: nowrap; }
div.ablations table .left { text-align: left; }
div.ablations table .right { text-align: right; }
.ablations thead th { border-top: 1.5px solid; border-bottom: 1px solid; font-weight: 600; }
.ablations tbody tr:last-child td { border-bottom: 1.5px solid; }
.ablations tr.baseline td { font-weight: 600; }
.ablations caption { caption-side: bottom; text-align: left; padding: .5em 0 0; line-height: 1.35; color: inherit;
  opacity: .75; }
</style>""")


def notebook_table(results: Results) -> str:
    """Return the summary table of a study as HTML, with a caption.

    Args:
        results: the study's design and record.
    """
    caption = Markup("<table>\n<caption>{}</caption>").format(_caption(results))
    table = to_html(summary_table(results)).replace("<table>", caption, 1)
    return Markup('<div class="ablations">\n{}\n{}\n</div>').format(_STYLE, table)


def _caption(results: Results) -> str:
    words = interval_words(results.comparisons.values())
    metric = results.design.study.metric
    name, points = metric.name, f"{metric.points}, " if metric.points else ""
    failed = f", {len(results.failed)} failed" if results.failed else ""
    return (
        f"{results.design.study.name}: {len(results.finished)} of {results.asked_trials} trials finished{failed}. "
        f"{name[:1].upper()}{name[1:]}: mean ± half-width of the {words.level} (seeds). To baseline: {points}paired by "
        f"seed, with their {words.difference}. Generalises over {words.over}; p corrected for all rows."
    )
