"""What an import leaves out and takes for granted, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablations.analysis.external.importing.planned import Mismatch, PlannedSettings
from ablations.analysis.external.importing.taken import Taken
from ablations.analysis.external.runs import Recorded, RecordedRun, listed
from ablations.analysis.external.variants import varying
from ablations.planning.factors.study import FactorStudy
from senet_core.words import counted

_SHOWN = 3


def note_of(recorded: Recorded, runs: Sequence[RecordedRun], what: str) -> tuple[str, ...]:
    """Return the note of some runs; none where there are none."""
    names = listed((run.name for run in runs), _SHOWN)
    return (f"{counted(len(runs), recorded.kind)} {what}: {names}.",) if runs else ()


def notes_of_others(recorded: Recorded, others: Sequence[tuple[RecordedRun, Mismatch]]) -> Iterator[str]:
    """Yield which runs are no trials of the study: those whose seeds are not planned, and others."""
    seeds = sorted({mismatch.seed for _, mismatch in others if mismatch.seed is not None})
    if seeds:
        of = [run for run, mismatch in others if mismatch.seed is not None]
        yield from note_of(
            recorded,
            of,
            f"left out, of seeds that the study does not plan ({listed(seeds, 10)}; `seeds=N` takes 0 to N-1)",
        )
    rest = [(run, mismatch.why) for run, mismatch in others if mismatch.seed is None]
    if rest:
        run, why = rest[0]
        which = f"of {recorded.kind} {run.name} " if len(rest) > 1 else f"of {run.name} "
        yield f"{counted(len(rest), recorded.kind)} left out, as no trial of the study: {which}{why}."


def notes_of_failures(recorded: Recorded, new: Sequence[Taken]) -> Iterator[str]:
    """Yield the runs that become failed trials, by reason."""
    reasons = dict.fromkeys(one.failed for one in new if one.failed)
    for reason in reasons:
        of = [one.found.run for one in new if one.failed == reason]
        yield from note_of(recorded, of, f"({reason}) taken as failed, which counts")


def notes_of_assumed(study: FactorStudy, kept: Sequence[Taken]) -> Iterator[str]:
    """Yield the settings of the study that no run says."""
    assumed = dict.fromkeys(factor for one in kept for factor in one.match.assumed)
    if assumed:
        said = listed((f"{name} {study.text_of(name, study.baseline[name])}" for name in assumed), 10)
        yield f"Taken for granted, as runs do not say it: {said}."


def notes_of_other_settings(
    recorded: Recorded, kept: Sequence[Taken], planned: PlannedSettings, seed: str
) -> Iterator[str]:
    """Yield the other settings that are one in each row, and not the same: a difference may be theirs."""
    by_row: dict[str, list[RecordedRun]] = {}
    for one in kept:
        by_row.setdefault(one.match.row.label, []).append(one.found.run)
    ours = {*planned.names.values(), seed, "run_name", "run_id"}
    for name in varying([one.found.run for one in kept]):
        of_rows = [{run.settings.get(name, "") for run in runs} for runs in by_row.values()]
        one_each = len(kept) > len(of_rows) and all(len(values) == 1 for values in of_rows)
        if name not in ours and not name.startswith("senet.") and one_each and len(set().union(*of_rows)) > 1:
            yield (
                f"Confounded: rows differ in {name}, too, which is no factor of the study; a difference between them"
                " may be its."
            )
