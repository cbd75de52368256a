"""NetworkPage: what a report says of networks: set-up, widths of bottlenecks, the paper's own figures, chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ablations.analysis.networks.paper import (
    at_other_reduction,
    in_paper,
    paper_difference,
    paper_tables_of,
    printed,
)
from ablations.analysis.networks.published import caveat
from ablations.analysis.networks.recipes import recipe_text
from ablations.analysis.networks.widths import width_notes, width_text, widths_of
from ablations.analysis.results.families import Family, Outcome
from ablations.analysis.results.results import Results
from ablations.analysis.stats.shape import no_network_learned
from ablations.analysis.tables.cells import Column, TableCell, Text, Value
from ablations.analysis.tables.choices.words import ChoiceWords
from ablations.analysis.tables.page import Page
from ablations.planning.networks.datasets import DATASETS
from ablations.planning.networks.row import network_row
from ablations.planning.networks.study import NetworkStudy, network_study
from ablations.planning.row import Row
from ablations.planning.study import Study
from senet_core.variants.text import variant_text
from senet_core.variants.variant import PAPER_SE
from senet_core.words import counted

_WIDTHS = Column("widths", "units by stage", in_paper=False)
_PAPER = Column("paper", "paper: top-1 / top-5 (difference)", gives_way=3)


class NetworkPage(Page):
    """What a report says of networks."""

    plain = "plain network"
    plain_is = "the network without blocks"
    sections = "ablations.analysis.report.network_sections:sections_of"
    versions = ("senet-ablations", "python", "torch", "torchvision", "numpy")

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._study: NetworkStudy = network_study(study)

    def facts(self, results: Results) -> Iterator[tuple[str, str]]:
        """Return backbone, baseline, data and recipe."""
        baseline, study = self._study.baseline, network_study(results.design.study)
        block = str(baseline.variant or "plain").replace(",", ", ")
        yield "backbone", baseline.backbone
        yield "baseline", f"{results.design.baseline.label} ({block})"
        yield "data", "; ".join(map(str, study.data_sets.values()))
        for note in sorted({record.data_note for record in results.finished.values() if record.data_note}):
            yield "note on the data", note
        yield "recipe", recipe_text(study.trained_recipe) + _chosen_fields(study)

    def varied(self) -> str:
        """Return what the seed varies."""
        drawn = {data.resample == "train" for data in self._study.data_sets.values()}
        subset = (
            "yes" if drawn == {True} else "no, the same for all seeds" if drawn == {False} else "of some data"
        )
        given = self._study.recipe.weights is not None
        first = "first weights that the file lacks" if given else "first weights"
        return f"{first}, order and augmentation of images; training subset: {subset}; test set: one for all"

    def columns(self) -> Sequence[Column]:
        """Return the columns of widths and of the paper's figures."""
        return (_WIDTHS, _PAPER)

    def cells(self, family: Family, outcome: Outcome) -> Sequence[TableCell]:
        """Return a row's widths, and the paper's figures for it."""
        return (Text(width_text(widths_of(outcome))), printed(outcome, family, self._study))

    def dropped(self, family: Family) -> set[str]:
        """Return the columns in which all rows agree, or the paper says nothing."""
        widths = {tuple(found.items()) for o in family.outcomes if (found := widths_of(o))}
        return ({_WIDTHS.key} if len(widths) < 2 else set()) | (
            set() if in_paper(family, self._study) else {_PAPER.key}
        )

    def notes(self, family: Family) -> Iterator[str]:
        """Return notes on widths, and which of the paper's tables are shown."""
        if family.plain is None:
            yield "The study has no plain network, so no extra cost is stated."
        yield from width_notes(family.outcomes)
        tables = paper_tables_of(family, self._study)
        if tables:
            at = f", at r = {PAPER_SE.reduction}" if at_other_reduction(family) else ""
            yield f"Paper: Table{'s' * (len(tables) > 1)} {', '.join(map(str, tables))}, one run each{at}."

    def caveat(self, family: Family) -> str | None:
        """Return how far the paper's figures can be compared with ours, where they are shown."""
        baseline = self._study.baseline
        shown = paper_tables_of(family, self._study)
        return caveat(baseline.backbone, baseline.data.name, shown) if shown else None

    def name_of(self, baseline: Outcome) -> str:
        """Return the baseline with its backbone, its data and the length of its training."""
        row = network_row(baseline.row)
        epochs = row.recipe.epochs
        length = "" if epochs is None else f" after {counted(epochs, 'epoch')}"
        on = "" if row.task else f" on {row.data.name}"  # its label says the task
        return f"{baseline.label} in {row.backbone}{on}{length}"

    def published(self, family: Family, outcome: Outcome) -> float | None:
        """Return the paper's difference for a row, where a family's table shows the paper's figures."""
        return (
            paper_difference(outcome, family, self._study)
            if outcome.records and in_paper(family, self._study)
            else None
        )

    def choice_words(self) -> ChoiceWords:
        """Return how the study chose on validation images."""
        return ChoiceWords(
            judged=f"on {self._study.held_back:,} training images that were held back",
            unread="no test image was read",
            own_first="the study's own recipe first where it lies in the ranges",
            compared="seed by seed, on the test images",
            again="a network was proposed",
            quote_tuned="The lowest of several validation errors is flattered by its luck: quote the test errors, not "
            "these.",
            quote_search="What is lowest here is flattered by its luck; the comparison on fresh seeds and test images "
            "is the one to quote.",
            front="Every network that the search tried (grey), by {cost} and error on the validation images; the line "
            "joins the Pareto front. Black circle: the baseline; square: the plain network; diamonds: compared on "
            "fresh seeds. Triangles at the top: errors above it.",
        )

    def trial_fields(self, row: Row) -> Mapping[str, Value]:
        """Return backbone, block and data."""
        own = network_row(row)
        return {"backbone": own.backbone, "block": variant_text(own.variant), "data": own.data.name}

    def doubts(self, results: Results) -> Iterator[str]:
        """Return a sentence where every error is at the level of chance."""
        for part in results.tasks:
            lines = part.finished.values()
            found = (line.result.value("top1_error") for line in lines if line.result is not None)
            errors = [error for error in found if error is not None]
            data = network_study(part.design.study).baseline.data
            classes = DATASETS[data.name].classes
            if (
                errors
                and classes is not None
                and no_network_learned(errors, classes, images=data.test_images)
            ):
                where = f" on {part.task}" if part.task else ""
                yield (
                    f"No network learned{where}: every error is at the level of chance,"
                    f" {100 * (1 - 1 / classes):g} % for {classes} classes. The differences say nothing about networks"
                    " that learn."
                )


def _chosen_fields(study: NetworkStudy) -> str:
    if study.tune is None:
        return ""
    return f"; in each row another {', '.join(study.tune.ranges)}, chosen for it (see The choice of recipes)"
