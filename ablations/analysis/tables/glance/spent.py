"""What a study took: hours of training, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import plain
from ablations.running.record.trial_record import TrialRecord
from senet_core.words import counted

_SECONDS_PER_HOUR = 3600
_FEWEST_HOURS = 0.1


def progress_words(results: Results) -> str:
    """Return how many of the trials that were asked for have a result: "6 of 9 trials finished, 1 failed"."""
    failed = len(results.failed)
    done = f"{len(results.finished)} of {results.asked_trials} trials finished"
    return done + (f", {failed} failed" if failed else "")


def cost_sentence(results: Results | FrameResults) -> str:
    """Return what the answer cost: trials, hours, and the machine that ran most of them."""
    if isinstance(results, FrameResults):
        runs = sum(outcome.level.n for family in results.families for outcome in family.outcomes)
        return f"{counted(runs, 'run')}, measured elsewhere; what they took is not recorded."
    records = tuple(results.finished.values())
    took = training_time(records, fewest_hours=_FEWEST_HOURS)
    machines = Counter(hardware(record) for record in records if record.imported is None)
    machines.pop("", None)
    said = [progress_words(results)]
    if took:
        said.append(f"training took {took}")
    if machines:
        [(most, _)] = machines.most_common(1)
        more = len(machines) - 1
        said.append(f"on {most}" + (f" and {counted(more, 'other machine')} or settings" if more else ""))
    return f"{'; '.join(said)}."


def training_time(records: Iterable[TrialRecord], *, fewest_hours: float = 0.0) -> str:
    """Return the hours that finished trials trained for; "" where none is known.

    Args:
        records: of the trials.
        fewest_hours: less is said in minutes.
    """
    known = tuple(records)
    found = (None if record.result is None else record.result.train_seconds for record in known)
    seconds = sorted(took for took in found if took is not None)
    if not seconds:
        return ""
    total = sum(seconds) / _SECONDS_PER_HOUR
    unknown = len(known) - len(seconds)
    of = (
        f", of {counted(len(seconds), 'trial')}: that of {unknown} imported ones is not known"
        if unknown
        else ""
    )
    hours = f"{total:.2f} hours" if total >= fewest_hours else f"{60 * total:.1f} minutes"
    return f"{hours} in all, {seconds[len(seconds) // 2]:.1f} s for the median trial{of}"


def hardware(record: TrialRecord) -> str:
    """Return the machine that a trial ran on, and how it used it; "" where nothing is known."""
    e = record.environment
    parts = [plain(e.get("processor")), f"{e['cores']} cores" if "cores" in e else ""]
    run = [plain(e.get("device")), plain(e.get("precision"))]
    if "processes" in e:
        run.append(f"{counted(e['processes'], 'process')} a trial")
    if "threads" in e:
        run.append(f"{counted(e['threads'], 'thread')} a {'process' if 'processes' in e else 'trial'}")
    return ", ".join(part for part in (*parts, *run) if part)
