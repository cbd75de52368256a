"""The paper's own figures beside ours, where a row of a study is one of the paper's."""

from __future__ import annotations

from dataclasses import replace

from ablations.analysis.networks.published import CIFAR_TABLES, PaperRow, cifar_row, paper_row
from ablations.analysis.results.families import Family, Outcome
from ablations.analysis.tables.cells import Printed
from ablations.planning.networks.datasets import DATASETS
from ablations.planning.networks.row import network_row
from ablations.planning.networks.study import NetworkStudy
from senet_core.variants.variant import PAPER_SE


def paper_difference(outcome: Outcome, family: Family, study: NetworkStudy) -> float | None:
    """Return the paper's top-1 error of a row minus that of the study's baseline, where it prints both."""
    row, base = (_paper(o, family, study) for o in (outcome, family.outcome(family.baseline)))
    if row is None or base is None or outcome.label == family.baseline:
        return None
    return row.top1 - base.top1


def paper_tables_of(family: Family, study: NetworkStudy) -> tuple[int, ...]:
    """Return the numbers of the paper's tables from which a family's figures come."""
    if not in_paper(family, study):
        return ()
    rows = (_paper(outcome, family, study) for outcome in family.outcomes)
    return tuple(sorted({row.table for row in rows if row is not None}))


def printed(outcome: Outcome, family: Family, study: NetworkStudy) -> Printed:
    """Return the paper's figures for a row."""
    row = _paper(outcome, family, study)
    if row is None:
        return Printed(None, None, None)
    return Printed(row.top1, row.top5, paper_difference(outcome, family, study))


def _paper(outcome: Outcome, family: Family, study: NetworkStudy) -> PaperRow | None:
    row, base = network_row(outcome.row), network_row(family.outcome(family.baseline).row)
    if (row.backbone, row.recipe, row.repeat) != (base.backbone, base.recipe, 0):
        return None  # the paper varies none of them
    if "path" in DATASETS[row.data.name].asks:
        return None  # images of the user's own, of which the paper says nothing
    if _is_of_cifar(study):
        return cifar_row(row.backbone, row.data.name, row.variant)
    variant = row.variant
    if variant is not None and at_other_reduction(family):
        variant = replace(variant, reduction=PAPER_SE.reduction)
    return paper_row(variant, family.axis, study.paper_tables)


def at_other_reduction(family: Family) -> bool:
    """Return whether a family varies one choice at a reduction ratio of its own, and the paper varies it at r = 16.

    The same choice is set beside it then: a study may take the ratio at which its small networks have hidden units.
    """
    base = network_row(family.outcome(family.baseline).row).variant
    return (
        family.axis not in (None, "reduction") and base is not None and base.reduction != PAPER_SE.reduction
    )


def _is_of_cifar(study: NetworkStudy) -> bool:
    """Return whether a study is set beside Tables 4 and 5: it says so, or it asks no more than they do."""
    named = {f"table_{number}" for number in CIFAR_TABLES}
    if study.paper_tables is not None:
        return bool(named.intersection(study.paper_tables))
    baseline = study.baseline
    return not study.axes and cifar_row(baseline.backbone, baseline.data.name, baseline.variant) is not None


def in_paper(family: Family, study: NetworkStudy) -> bool:
    """Return whether the paper has a figure for what is varied here; baseline and plain alone say little."""
    variants = [o for o in family.outcomes if o.label not in (family.baseline, family.plain)]
    return any(_paper(o, family, study) is not None for o in variants or family.outcomes)
