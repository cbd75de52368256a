"""Page: what a report says of an experiment beside its metric. What stands here is what any experiment has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ablations.analysis.tables.cells import Column, TableCell, Value
from ablations.analysis.tables.choices.words import ChoiceWords, words_of_metrics
from ablations.planning.experiment import load_class
from ablations.planning.factors.points import BASELINE

if TYPE_CHECKING:
    from ablations.analysis.results.families import Family, Outcome
    from ablations.analysis.results.results import Results
    from ablations.planning.row import Row
    from ablations.planning.study import Study


class Page:
    """What a report says of an experiment that has no more to say of itself.

    Args:
        study: that the report is of.

    Attributes:
        plain: what the row beside the baseline is called, for studies that have one.
        plain_is: what this row is, for readers who only know its label; "" where its label says it.
        versions: packages whose versions are told in the set-up.
        sections: what yields the sections that only its reports have, as "module:function" of results; "" for none.
    """

    plain: ClassVar[str] = "row without"
    plain_is: ClassVar[str] = ""
    versions: ClassVar[tuple[str, ...]] = ("senet-ablations", "python")
    sections: ClassVar[str] = ""

    def __init__(self, study: Study) -> None:
        self.study = study

    def facts(self, results: Results) -> Iterator[tuple[str, str]]:
        """Return what was run, for the set-up: a word, and a sentence."""
        yield "experiment", self.study.experiment.words
        yield "baseline", self._values_of(results.design.baseline)

    def varied(self) -> str:
        """Return what the seed varies."""
        return "what the experiment draws from it"

    def columns(self) -> Sequence[Column]:
        """Return the columns that follow the comparisons in a table of rows."""
        return ()

    def cells(self, family: Family, outcome: Outcome) -> Sequence[TableCell]:
        """Return a row's entries in these columns."""
        return ()

    def dropped(self, family: Family) -> set[str]:
        """Return keys of columns that a table has no use for."""
        return set()

    def notes(self, family: Family) -> Iterator[str]:
        """Return what stands below a table of rows."""
        return iter(())

    def caveat(self, family: Family) -> str | None:
        """Return what stands above a table of rows; None for nothing."""
        return None

    def name_of(self, baseline: Outcome) -> str:
        """Return the baseline as the short answer calls it: by its values, where nobody gave it a name."""
        if baseline.label != BASELINE:
            return baseline.label
        return self._values_of(baseline.row)

    def published(self, family: Family, outcome: Outcome) -> float | None:
        """Return the difference to the baseline that a paper prints for a row; None where it prints none."""
        return None

    def choice_words(self) -> ChoiceWords:
        """Return what is said of how the study chose."""
        return words_of_metrics(self.study)

    def _values_of(self, row: Row) -> str:
        """Return the values of a row; those that were drawn from a range in three digits."""
        tune = self.study.tune
        drawn = [] if tune is None else [name for name, given in tune.ranges.items() if not given.choices]
        return ", ".join(
            f"{name} {float(text):.3g}" if name in drawn and "." in text else f"{name} {text}"
            for name, text in row.told.items()
        )

    def trial_fields(self, row: Row) -> Mapping[str, Value]:
        """Return what a program reads of a trial's row beside its axes."""
        return {}

    def doubts(self, results: Results) -> Iterator[str]:
        """Return what of the runs speaks against reading their means, that only this experiment knows."""
        return iter(())


def page_of(study: Study) -> Page:
    """Return what reports say of a study's experiment."""
    kind: type[Page] = load_class(study.experiment.page)
    return kind(study)
