"""The precision in which a study's trials are computed, where the study leaves it open: the one place that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ablations.errors import RecordError
from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design, design
from ablations.planning.networks.recipe import PRECISIONS
from ablations.planning.study import Study
from ablations.running.machine.preference import precision_here
from ablations.running.record.study_record import StudyRecord
from ablations.running.search.judged import own_proposals

_SHOWN = 5
"""How many rows are named."""


class Confounded(RecordError):
    """The record holds rows of one study in both precisions, so that they cannot be compared."""


def design_of(study: Study, record: StudyRecord | None, *, refuse: bool = True) -> Design:
    """Unfold a study into rows whose recipes say in which precision they are trained.

    Where the study leaves it open, it goes on in the precision in which its record has trials of it; a study that has
    none yet takes what this machine computes in.

    Args:
        study: what is asked.
        record: its record; None to begin anew.
        refuse: whether to refuse rows in both precisions; else the study is that in which more trials are finished.

    Raises:
        StudyError: see `design`.
        RecordError: the record cannot be read.
        Confounded: it holds rows in both.
    """
    if not study.leaves_precision_open:
        return design(study)
    known = (
        {} if record is None else {p: _Begun(design(study.in_precision(p)), record) for p in _held(record)}
    )
    for kind in ("finished", "begun"):
        found = {p: begun for p, begun in known.items() if getattr(begun, kind)}
        if len(found) == 1 or (found and not refuse):
            return max(found.values(), key=lambda begun: len(begun.finished)).design
        if kind == "finished" and found:
            raise Confounded(_sentence(study, found))
    here = precision_here()
    return known[here].design if here in known else design(study.in_precision(here))


def both_precisions(study: Study, record: StudyRecord) -> str:
    """Return a sentence that says which rows a record holds in which precision; "" where they are all in one."""
    if not study.leaves_precision_open or len(_held(record)) < 2:
        return ""
    try:
        design_of(study, record)
    except Confounded as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class _Begun:
    """What a record has of a study in one precision."""

    design: Design
    record: StudyRecord

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Labels by the keys of the trials: of the rows and of what was proposed for them."""
        proposed = {
            proposal.key: arm.label
            for arm in arms_of(self.design)
            for proposal in own_proposals(arm, self.record.proposals, self.record.trials)
        }
        return proposed | {key: row.label for key, (row, _) in self.design.by_key.items()}

    @cached_property
    def finished(self) -> Mapping[str, int]:
        """How many trials are finished, by label."""
        counts: dict[str, int] = {}
        for key in self.record.finished:
            if key in self.keys:
                counts[self.keys[key]] = counts.get(self.keys[key], 0) + 1
        return counts

    @cached_property
    def begun(self) -> bool:
        """Whether there is anything: a trial that failed or was pruned, or a proposal."""
        ended = {line.key for line in self.record.trials.lines} & self.keys.keys()
        return bool(ended or self.keys.keys() - self.design.by_key.keys())

    def __str__(self) -> str:
        said = [f"{label} ({count})" for label, count in self.finished.items()]
        more = [f"{len(said) - _SHOWN} more rows"] if len(said) > _SHOWN else []
        return ", ".join(said[:_SHOWN] + more)


def _held(record: StudyRecord) -> tuple[str, ...]:
    """Return the precisions that a study may have been begun in, as its record has something in them."""
    recipes = [line.trial.get("recipe") for line in record.trials.lines]
    held = [
        recipe.get("precision") for recipe in recipes if isinstance(recipe, Mapping)
    ]  # a stranger's may be a list
    return PRECISIONS if record.proposals else tuple(p for p in PRECISIONS if p in held)


def _sentence(study: Study, found: Mapping[str, _Begun]) -> str:
    each = "; ".join(f"{precision}: {begun}" for precision, begun in found.items())
    ways = " or ".join(f"`overrides=recipe.precision={precision}`" for precision in found)
    several = "both" if len(found) == 2 else "several"
    return (
        f"study {study.name!r} is confounded with precision: its record has trials of it in {several}, {each}; go on in"
        f" one of them: {ways}"
    )
