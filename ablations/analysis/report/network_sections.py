"""The sections that only reports of networks have: variants against no block, and the paper's tables beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ablations.analysis.networks.plain import plain_pairs, variants_of_plain
from ablations.analysis.report import paper_sections
from ablations.analysis.report.parts import Extra
from ablations.analysis.results.imported import confounded_rows
from ablations.analysis.results.results import Results
from ablations.analysis.tables.comparisons.details import pair_table
from ablations.analysis.tables.comparisons.notes import ON_TOP, correction_words

TITLE = "Every variant compared with the plain network"
_READ = (
    "Tested and read like the study's own comparisons, and {corrected} The baseline's comparison with the plain network"
    " is among those."
)
_RACED = (
    "The race is decided by the comparisons with the baseline: a row whose own is decided, or the plain network's, gets"
    " no more seeds for the one here, which may stay undetermined for want of them."
)


def sections_of(results: Results) -> Iterator[Extra]:
    """Yield them, each where there is something to show."""
    found, plain = plain_pairs(results), results.design.plain
    if found and plain is not None:
        table = pair_table("plain", TITLE, found, results.design.study.metric)
        across = confounded_rows(results, variants_of_plain(results), plain)
        raced = (_RACED,) if results.design.kind.races else ()
        read = _READ.format(corrected=correction_words(found))
        notes = (*filter(None, (across,)), read, *raced, ON_TOP)
        yield Extra(TITLE, (replace(table, notes=notes),), folded=True)
    yield from paper_sections.sections_of(results)
