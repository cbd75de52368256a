"""DensePage: what a report says of detectors and segmenters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ablations.analysis.networks.page import NetworkPage
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Value
from ablations.analysis.tables.page import Page
from ablations.experiments.dense.kind import DenseExperiment, factor_values
from ablations.experiments.dense.recipe import recipe_words
from ablations.experiments.dense.trunk_factors import backbone_of, variant_of
from ablations.planning.row import Row
from ablations.planning.study import Study
from senet_core.variants.text import variant_text


class DensePage(Page):
    """What a report says of detectors and segmenters."""

    versions = (*NetworkPage.versions, "pycocotools")
    sections = "ablations.experiments.dense.sections:sections_of"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        assert isinstance(study.experiment, DenseExperiment)
        self._dense = study.experiment

    def facts(self, results: Results) -> Iterator[tuple[str, str]]:
        """Return data, recipe and first weights."""
        yield from super().facts(results)
        yield "recipe", recipe_words(self._dense.whole_recipe({}))
        told = self._dense.weights.to_json().get("weights")
        first = "drawn by the seed" if told is None else told if isinstance(told, str) else ", ".join(told)
        yield "first weights of the trunk", first

    def _values_of(self, row: Row) -> str:
        """Return the values of a row as labels have them."""
        texts = (
            (name, self._dense.factors()[name].text(value)) for name, value in factor_values(row).items()
        )
        return ", ".join(f"{name} {text}" for name, text in texts)

    def varied(self) -> str:
        """Return what the seed varies."""
        drawn = "first weights, order of images, flips, and what the network draws in training"
        return f"{drawn}; test images: one set for all"

    def trial_fields(self, row: Row) -> Mapping[str, Value]:
        """Return what is trained, backbone and block."""
        values, slot = factor_values(row), self._dense.slot
        block = variant_text(variant_of(values))
        return {slot: values[slot], "backbone": backbone_of(values), "block": block}
