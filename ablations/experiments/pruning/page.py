"""PruningPage: what a report says of pruned networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ablations.analysis.networks.page import NetworkPage
from ablations.analysis.networks.recipes import recipe_text
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Value
from ablations.analysis.tables.page import Page
from ablations.experiments.pruning.kind import Pruning
from ablations.planning.row import Row
from ablations.planning.study import Study
from senet_core.variants.text import variant_text


class PruningPage(Page):
    """What a report says of pruned networks."""

    versions = (*NetworkPage.versions, "torch-pruning")
    sections = "ablations.experiments.pruning.sections:sections_of"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        assert isinstance(study.experiment, Pruning)
        self._pruning = study.experiment

    def facts(self, results: Results) -> Iterator[tuple[str, str]]:
        """Return networks, channels, and how they were trained on."""
        yield from super().facts(results)
        row = self._pruning.trained.row
        yield "networks", f"{row.backbone} with {str(variant_text(row.variant)).replace(',', ', ')}"
        full = results.trials.dropna(subset=["full_top1_error"]).drop_duplicates("seed")["full_top1_error"]
        if len(full):
            yield (
                "their error",
                f"{full.mean():.2f} % before anything is removed, mean over {len(full)} seeds",
            )
        yield "channels", _CHANNELS
        yield "fine-tuning", recipe_text(self._pruning.recipe)
        yield "gates", f"mean over {self._pruning.gate_images:,} training images, drawn by the seed"

    def varied(self) -> str:
        """Return what the seed varies."""
        return "the trained network, random rankings, order and augmentation of images; test set: one for all"

    def trial_fields(self, row: Row) -> Mapping[str, Value]:
        """Return backbone, block and data of the trained networks."""
        own = self._pruning.trained.row
        return {"backbone": own.backbone, "block": variant_text(own.variant), "data": own.data.name}


_CHANNELS = (
    "those that the gates weigh, for every ranking, or in networks without gates those inside of units; of each layer,"
    " or of the layers that additions tie, the same share is removed"
)
