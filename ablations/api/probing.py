"""The gates of trained networks: of a study, or of any network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.api.results import load_results

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor, nn

    from ablations.analysis.probe.gate_probe import GateProbe
    from ablations.api.studies import AnyStudy

_BATCH = 250


def probe_gates(
    study: AnyStudy,
    *,
    rows: Sequence[str] = (),
    images_per_class: int | None = None,
    results_dir: str | Path = "results",
    data_dir: str | Path = "data",
    say: Callable[[str], object] = lambda text: None,
) -> GateProbe:
    """Return the gates of a study's trained networks on its test images, as section 7.2 of the paper looks at them.

    Nothing is trained. The gates are computed in float32, on a GPU if there is one.

    Args:
        study: see `load_results`; it said `keep_weights: true` when its trials were trained. It may be unfinished.
        rows: labels of those that are probed; all that have gates if not given.
        images_per_class: the first so many test images of each class, at least 2; all if None. The paper has 50.
        results_dir: holds a folder for each study.
        data_dir: holds the prepared data sets.
        say: is told what is done next.

    Raises:
        StudyError: the study is wrong.
        RecordError: no weights are kept, or a file of them is damaged.
        DataError: the images are missing, or not those of the record.
        UserError: there is no such row, or none of the networks has gates.
    """
    from ablations.analysis.probe.of_study import probe_results

    results = load_results(study, results_dir=results_dir)
    return probe_results(
        results, rows=rows, images_per_class=images_per_class, data_dir=Path(data_dir), say=say
    )


def probe_network(
    network: nn.Module | Mapping[int, nn.Module],
    images: Tensor | Iterable[Tensor],
    labels: ArrayLike,
    *,
    classes: Sequence[str] | None = None,
    gates: Mapping[str, str] | None = None,
    name: str = "network",
) -> GateProbe:
    """Return the gates of any network: one of `senet_core`, torchvision's and timm's with SE, or your own.

    Args:
        network: in any mode, and left as it was; or one for each seed, for intervals over seeds.
        images: (N, C, H, W) as the network takes them, on its device; or batches of them.
        labels: (N,) whole numbers from 0.
        classes: their names; the numbers if not given.
        gates: names of units, such as SE_2_1, to the paths of the modules whose output is the gates, (B, C) or
            (B, C, 1, 1); for networks in which no block is known.
        name: on the page.

    Raises:
        UserError: no gates are found, or images, labels and classes do not fit.
    """
    import numpy as np
    from torch import Tensor, nn

    from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
    from ablations.analysis.probe.summary import summarise
    from ablations.running.probe.collecting import collect_gates
    from senet_core.errors import UserError

    known = np.asarray(labels)
    if known.ndim != 1 or not np.issubdtype(known.dtype, np.integer) or len(known) == 0 or known.min() < 0:
        raise UserError("`labels` must be whole numbers from 0, one for each image")
    names = tuple(map(str, range(known.max() + 1))) if classes is None else tuple(classes)
    if known.max() >= len(names):
        raise UserError(f"`labels` go up to {known.max()}, and there are {len(names)} `classes`, from 0")
    batches = (
        tuple(images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
        if isinstance(images, Tensor)
        else tuple(images)
    )
    networks = {0: network} if isinstance(network, nn.Module) else dict(network)
    if not networks:
        raise UserError("`network` is a mapping without any network")
    found = {
        seed: summarise(collect_gates(one, batches, known.astype(np.int64), named=gates), len(names))
        for seed, one in networks.items()
    }
    notes = tuple(
        f"{path} is not read: {why}." for path, why in next(iter(found.values())).not_probed.items()
    )
    return GateProbe(name, names, (ProbedRow(name, found),), notes)
