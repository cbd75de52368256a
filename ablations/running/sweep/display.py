"""The display of a sweep: bars on a terminal, a line for each finished trial elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ablations.planning.metric import Metric
from ablations.planning.row import Row
from ablations.running.machine.durations import duration_text
from ablations.running.record.trial_record import EpochMetrics, Step, TrialRecord
from ablations.running.sweep.values import Running
from senet_core.words import counted


class SweepDisplay:
    """Show a sweep on a console.

    Args:
        study: its name.
        console: where to write; bars appear only where it is a terminal.
        metric: what each trial that ended is shown with.
        judged_by: what those are shown with that take part in a choice; that metric, too, if None.
        faults: where to write what goes wrong; the same console if None.
    """

    def __init__(
        self,
        study: str,
        console: Console,
        faults: Console | None = None,
        *,
        metric: Metric,
        judged_by: Metric | None = None,
    ) -> None:
        self._study, self._metric = study, metric
        self._judged_by = metric if judged_by is None else judged_by
        self._console = console
        self._faults = console if faults is None else faults
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._whole: TaskID | None = None
        self._shown: dict[str, TaskID] = {}
        self._ended = self._total = 0
        self._at_a_time = 1
        self._took: list[float] = []  # seconds of each trial that ended, from its first step to its last

    def __enter__(self) -> SweepDisplay:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, total: int, done: int, shared: int) -> None:
        """Show what is done already."""
        self._total, self._ended = total, done
        parts = [f"study {self._study}: {counted(total, 'trial')}"]
        if done:
            parts.append(
                f"{done} recorded" + (f" ({shared} of them trained for another study)" if shared else "")
            )
        parts.append(f"{total - done} to train" if total > done else "nothing to train")
        self._console.print(", ".join(parts))
        if total > done:
            self._whole = self._bars.add_task(self._study, total=total, completed=done, note="")

    def extend(self, total: int, more: int) -> None:
        """Show that another round begins."""
        self._total = total
        self._console.print(f"next round: {counted(more, 'more trial')}, {total} so far")
        if self._whole is not None:
            self._bars.update(self._whole, total=total)

    def say(self, message: str) -> None:
        """Print a line."""
        self._console.print(message, soft_wrap=True)  # it may hold a command

    def update(self, running: Sequence[Running]) -> None:
        """Move the bars of the trials that are running."""
        self._at_a_time = max(self._at_a_time, len(running))
        keys = {trial.trial.key for trial in running}
        for key in [key for key in self._shown if key not in keys]:
            self._bars.remove_task(self._shown.pop(key))
        for trial in running:
            progress = trial.progress
            if trial.trial.key not in self._shown:
                name = f"  {trial.row.label}, seed {trial.trial.seed}"
                self._shown[trial.trial.key] = self._bars.add_task(name, total=None, note="")
            last = progress.epochs[-1] if progress.epochs else None
            note = _note(last) if last else ""
            self._bars.update(
                self._shown[trial.trial.key], completed=progress.done, total=progress.total or None, note=note
            )

    def finished(self, row: Row, record: TrialRecord) -> None:
        """Print a line for a trial that ended."""
        self._ended += 1
        # a search by hours, or one whose failed trials are replaced, comes to more than was planned
        self._total = max(self._total, self._ended)
        self._took.append(_seconds(record))
        if self._whole is not None:
            self._bars.update(self._whole, completed=self._ended)
        name = f"[{self._ended}/{self._total}] {row.label}, seed {record.trial['seed']}"
        if record.result is not None:
            metric = self._judged_by if record.proposed else self._metric
            value, seconds = record.result.value(metric.column), record.result.train_seconds
            shown = "no value" if value is None else metric.text(value)
            took = "" if seconds is None else f" in {seconds:.1f} s"
            self._console.print(f"{name}: {metric.name} {shown}{took}{self._left()}")
        elif record.failure is None:
            self._console.print(f"{name}: pruned after {len(record.history)} epochs")
        else:
            text = f"{name}: failed ({record.failure.kind}): {record.failure.message}"
            self._faults.print(text, style="red")

    def _left(self) -> str:
        """Return how long the rest takes, where no bar shows it; trials of other sizes make it wrong at first."""
        waiting = self._total - self._ended
        if self._console.is_terminal or not waiting:
            return ""
        # those that run are half done, on average
        rounds = max((waiting - (self._at_a_time - 1) / 2) / self._at_a_time, 0.5)
        return f", {duration_text(rounds * sum(self._took) / len(self._took))} left"


def _note(step: Step) -> str:
    """Return what a running trial told last."""
    if isinstance(step, EpochMetrics):
        return f"epoch {step.epoch}: loss {step.train_loss:.3f}"
    return f"step {step.step}: " + ", ".join(
        f"{name} {value:.4g}" for name, value in list(step.metrics.items())[:3]
    )


def _seconds(record: TrialRecord) -> float:
    """Return how long a trial takes; one that was continued took longer than its last attempt."""
    begun, ended = datetime.fromisoformat(record.started), datetime.fromisoformat(record.finished)
    attempt = (ended - begun).total_seconds()
    return attempt if record.result is None else max(attempt, record.result.train_seconds or 0.0)
