"""How a trial of detection or segmentation begins: data, network and training; and the weights that it may leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ablations.errors import DataError
from ablations.experiments.dense.coco import CocoSplit, data_digest
from ablations.experiments.dense.loop import Training
from ablations.experiments.dense.trunk_factors import check_code
from senet_core.dense.trunk import Trunk

if TYPE_CHECKING:
    from ablations.experiments.dense.kind import DenseExperiment, DensePlaces
    from ablations.planning.experiment import Context


@dataclass(frozen=True)
class Begun:
    """A trial that is about to train.

    Attributes:
        training: with the network, where an earlier attempt left it.
        train, test: the splits.
        digest: of both.
    """

    training: Training
    train: CocoSplit
    test: CocoSplit
    digest: str


def started(
    experiment: DenseExperiment, values: Mapping[str, Any], context: Context, places: DensePlaces
) -> Begun:
    """Read the data, build the network, and take up what an earlier attempt has saved.

    Raises:
        DataError: the data are others than when the study was planned.
        UserError: the code of a plug-in was changed.
    """
    torch.set_num_threads(context.threads)
    check_code(values)
    train, test = experiment.splits(places.data_dir)
    digest = data_digest(train, test)
    if places.data_digest and digest != places.data_digest:
        raise DataError(
            f"the data in {experiment.folder(places.data_dir)} were changed after the study had begun"
        )
    recipe = experiment.whole_recipe(values)
    model: nn.Module = experiment.network(
        values,
        recipe,
        num_classes=len(train.categories) + 1,
        seed=context.seed,
        weights=experiment.weights.file_of(values),
    )
    if recipe["freeze_norms"]:
        for part in model.modules():
            if isinstance(part, Trunk):
                part.freeze_norms()
    model.to(torch.device(context.device))
    return Begun(Training(model, recipe, len(train.images), context), train, test, digest)


def weights_of(model: nn.Module) -> bytes:
    """Return a network's state dict as the content of a file of safetensors."""
    from safetensors.torch import save

    return save(
        {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    )
