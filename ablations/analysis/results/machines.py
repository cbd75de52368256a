"""What the machines that trained a study's rows have to do with the differences between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ablations.running.machine.kernels import Kernels
from ablations.running.record.trial_record import TrialRecord

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

_FIELDS = {
    "processor": "processor",
    "device": "device",
    "threads": "number of threads",
    "processes": "number of processes",
    "torch": "version of torch",
    "fused": "setting of fused passes",
    "winograd": "setting of Winograd's convolutions",
}
"""Fields of the environment that change how numbers are rounded, and in words."""

_STACK = "the device's software"
_PARTS_OF_STACK = {
    "cuda": "CUDA",
    "cudnn": "cuDNN",
    "driver": "driver",
    "cublas_workspace": "cuBLAS workspace",
}
"""Fields of a trial on CUDA that decide its last bits, where the GPU and PyTorch are the same; and in words."""

_UNEVEN = 0.5
"""From this share of a row's trials on, those that ran elsewhere than the baseline's make it uneven."""

_SHOWN = 3


def precision_text(records: Iterable[TrialRecord]) -> str:
    """Return in which precision and on what trials were computed, and what that means; "" where none says it."""
    counts = Counter(
        f"{record.environment.get('precision') or 'unknown'} on {_hardware(record.environment)}"
        for record in records
    )
    if not counts or all(
        text.startswith("unknown on ") for text in counts
    ):  # programs of others do not say it
        return ""
    several = len(counts) > 1
    each = "; ".join(
        f"{where} ({count} trials)" if several else where for where, count in counts.most_common()
    )
    return (
        f"{each}. Rounded otherwise, as by another processor, a run ends about as differently as with another seed"
        " (Summers and Dinneen 2021)"
    )


def machine_warnings(results: Results) -> tuple[str, ...]:
    """Return a warning for each field of the machine that rows do not share with the baseline.

    A row is named if at least half of its finished trials would have to be trained elsewhere to be spread over the
    machines as the baseline's are: the total variation distance of the two is 1/2 or more.
    """
    found = _environments(results)
    against = results.design.baselines
    # a baseline has none where all of its trials were imported, too
    rows = {label: own for label, own in found.items() if against[label].label in found.keys() - {label}}
    base = {label: found[against[label].label] for label in rows}
    fields = {**_FIELDS, _STACK: "version or setting of CUDA, cuDNN or the driver"}
    if "recipe.precision" in results.design.study.axes:
        fields.pop("winograd")  # they follow from the precision and the processor
    elsewhere = {label for label, own in rows.items() if _distance(own, base[label], "device") >= _UNEVEN}
    said = []
    for field, words in fields.items():
        uneven = [label for label, own in rows.items() if _distance(own, base[label], field) >= _UNEVEN]
        if field == _STACK:  # that of another device is another one anyway
            uneven = [label for label in uneven if label not in elsewhere]
        if uneven:
            shown = [f"{label}: {_spread(rows[label], field)}" for label in uneven[:_SHOWN]]
            more = [f"{len(uneven) - _SHOWN} more rows"] if len(uneven) > _SHOWN else []
            said.append(
                f"Confounded with the machine: these rows have another {words} than the baseline"
                f" ({_spread(base[uneven[0]], field)}), so that a difference may be the machine's:"
                f" {'; '.join(shown + more)}."
            )
    return tuple(said)


def _environments(results: Results) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for label, key in results.trials[["row", "key"]].itertuples(index=False):
        line = results.finished.get(key)
        if line is not None and line.imported is None:
            kernels = Kernels.from_record(line.environment).to_json()
            stack = {_STACK: _stack(line.environment)}
            found.setdefault(str(label), []).append({**line.environment, **kernels, **stack})
    return found


def _stack(environment: Mapping[str, Any]) -> str | None:
    """Return what a trial on CUDA computed with, besides its GPU and PyTorch, in words; None for another trial."""
    said = [
        f"{words} {environment[field]}" for field, words in _PARTS_OF_STACK.items() if environment.get(field)
    ]
    return ", ".join(said) or None


def _distance(one: list[Mapping[str, Any]], other: list[Mapping[str, Any]], field: str) -> float:
    """Return the total variation distance of how two rows are spread over the values of a field, from 0 to 1."""
    mine, theirs = (Counter(str(e.get(field)) for e in row) for row in (one, other))
    return sum(abs(mine[v] / len(one) - theirs[v] / len(other)) for v in mine | theirs) / 2


def _spread(row: list[Mapping[str, Any]], field: str) -> str:
    counts = Counter(_plain(e.get(field)) for e in row)
    return ", ".join(f"{value} ({count} of {len(row)})" for value, count in counts.most_common())


def _hardware(environment: Mapping[str, Any]) -> str:
    device, processor = environment.get("device"), environment.get("processor")
    return str(processor or "an unknown processor") if device in (None, "cpu") else str(device)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "unknown" if value is None else str(value)
