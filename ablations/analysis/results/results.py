"""Results: a design and its record together. Every table, plot, report, status and MLflow summary takes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ablations.analysis.results.interims import schedule_of, seed_order
from ablations.analysis.results.selection import Choice, Selection, select
from ablations.planning.commands import Places, StudyCommands
from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.planning.typed_study import plan_digest
from ablations.running.record.forecasts import Forecast
from ablations.running.record.interim_plans import KnownPlans
from ablations.running.record.set_aside import ended_keys
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord

# pandas and scipy take a second to import, which `ablate status` need not wait for: they come where they are used
if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ablations.analysis.results.confirmation import Confirmation
    from ablations.analysis.results.families import Family
    from ablations.analysis.results.frame_results import frame_results
    from ablations.analysis.results.interactions import Combinations
    from ablations.analysis.results.race import Race
    from ablations.analysis.stats.comparison import Comparison
    from ablations.analysis.stats.interims.schedule import InterimSchedule
    from ablations.analysis.tables.latex.cells import Spread


class Results:
    """The results of a study at one moment; nothing behind it opens a file that the record has not read.

    What is expensive is computed when it is first asked for, and kept.

    Args:
        design: the study, as it was asked.
        record: what was measured; lines of other trials are passed over.
        selection: the rows that the study's choices have led to, where they are known already.
        places: where the study's files are, for the commands that are shown; None for commands without places.
        whole: the results of all tasks, where these are of one of several.

    Attributes:
        asked: the design as it was asked.
        record: what was measured.
        design: the rows that the study has come to; those of `asked` where it chooses nothing.
        commands: those that make its numbers again.
    """

    if TYPE_CHECKING:
        from_frame = staticmethod(frame_results)
    else:

        class _FromFrame:
            """`from_frame`: see `ablations.analysis.results.frame_results`."""

            def __get__(self, results: object, owner: type) -> object:
                from ablations.analysis.results.frame_results import frame_results

                return frame_results

        from_frame = _FromFrame()

    def __init__(
        self,
        design: Design,
        record: StudyRecord,
        *,
        selection: Selection | None = None,
        places: Places | None = None,
        whole: Results | None = None,
    ) -> None:
        self.asked, self.record = design, record
        self.commands = StudyCommands(design.study, places)
        self._given, self._whole = selection, whole
        # as they are at this moment: a sweep adds to the record while somebody may still read these results
        self._finished = dict(record.finished if whole is None else whole.measured)
        self._failed = dict(record.failed if whole is None else whole.all_failed)
        self.interim_plans = KnownPlans(record.interim_plans, record.plans_elsewhere, _sealed(design, record))

    @cached_property
    def selection(self) -> Selection:
        """The rows and trials that the study's choices have led to."""
        return select(self.asked, self.record) if self._given is None else self._given

    @property
    def design(self) -> Design:
        """The rows that the study has come to."""
        return self.selection.design

    @cached_property
    def tasks(self) -> tuple[Results, ...]:
        """The results on each of the study's tasks, whose comparisons are corrected together; itself for one task."""
        parts = self.asked.tasks
        if len(parts) == 1:
            return (self,)
        places = self.commands.places
        return tuple(Results(part, self.record, places=places, whole=self) for part in parts)

    @property
    def task(self) -> str:
        """The name of the task that these results are of; "" where they are of all."""
        return "" if len(self.asked.tasks) > 1 else self.asked.baseline.task

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The state of the study's choices; none where it chooses nothing."""
        return self.selection.choices

    @property
    def undecided(self) -> frozenset[str]:
        """Labels of the rows that wait for a choice."""
        return self.selection.undecided

    @property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial that the study has come to so far, by key, with its row."""
        return self.selection.by_key

    @property
    def planned(self) -> Sequence[Trial]:
        """The trials of all rows with all seeds, seed by seed, as far as the rows are known."""
        return self.selection.planned

    @cached_property
    def ended(self) -> frozenset[str]:
        """Keys of the trials that are not waited for: they failed, or a value of theirs only ever fails."""
        return ended_keys(self.by_key, self._finished, self._failed)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The study's seeds in the order in which they were analysed, and then rising."""
        if self._whole is not None:
            return self._whole.seeds
        return seed_order(self.design, self.interim_plans)

    @cached_property
    def schedule(self) -> InterimSchedule | None:
        """At which numbers of seeds the comparisons are tested; None where there is one analysis only."""
        if self._whole is not None:
            return self._whole.schedule
        return schedule_of(self.design, self.interim_plans)

    @cached_property
    def race(self) -> Race | None:
        """The state of a race; None for other designs."""
        if self._whole is not None:
            return self._whole.race
        if not self.design.kind.races:
            return None
        from ablations.analysis.results.race import play

        return play(self, self.ended)

    def race_trials(self, ended: Collection[str]) -> Sequence[Trial]:
        """Return what the present round of a race lacks, without the trials that have ended."""
        from ablations.analysis.results.race import play

        return play(self, ended).trials

    def next_trials(self, ended: Collection[str] = ()) -> Sequence[Trial]:
        """Return what is to be trained next: what the design asks for, then the trials of a confirmation.

        Args:
            ended: keys of trials that are not waited for: they failed in this sweep.
        """
        lacking = self.design.kind.next_trials(self, ended)
        if lacking or self.undecided:
            return lacking
        from ablations.analysis.results.confirmation import confirmation_trials

        return tuple(trial for part in self.tasks for trial in confirmation_trials(part, ended))

    def asked_seeds(self, row: Row) -> Sequence[int]:
        """Return the seeds that a row was to be trained with so far; a race asks as it goes."""
        return self.design.seeds if self.race is None else self.seeds[: self.race.asked(row.label)]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row for each row and seed that was asked for.

        Columns: `row`, `seed`, `key`, `status` ("finished", "failed" or "missing"), `axis.NAME` for each axis, and
        every figure that the experiment records (NaN where there is no result).
        """
        from ablations.analysis.results.trial_frames import trials_frame

        return trials_frame(self)

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row for each finished trial's epochs: `row`, `seed`, `epoch`, and what each recorded."""
        from ablations.analysis.results.trial_frames import history_frame

        return history_frame(self)

    @cached_property
    def finished(self) -> Mapping[str, TrialRecord]:
        """Records with a result by key, of the trials that were asked for."""
        return {key: self._finished[key] for key in self._asked_keys if key in self._finished}

    @cached_property
    def failed(self) -> Mapping[str, TrialRecord]:
        """Records of failed trials that have no result by key, of the trials that were asked for."""
        return {key: self._failed[key] for key in self._asked_keys if key in self._failed}

    @property
    def measured(self) -> Mapping[str, TrialRecord]:
        """Every finished trial of the record by key, whether this study's tables show it or not."""
        return self._finished

    @property
    def all_failed(self) -> Mapping[str, TrialRecord]:
        """Every failed trial of the record by key that has no result."""
        return self._failed

    @property
    def asked_trials(self) -> int:
        """The number of trials that were asked for so far."""
        return sum(len(self.asked_seeds(row)) for row in self.design.rows)

    @property
    def racing(self) -> bool:
        """Whether a race waits for trials, after which it may ask for more."""
        return self.race is not None and bool(self.race.trials)

    @property
    def unfinished(self) -> bool:
        """Whether a trial that was asked for has no result yet, or a race still runs."""
        return self.racing or len(self.finished) < len(self._asked_keys)

    @cached_property
    def fixed(self) -> Results | None:
        """A tuned study's rows with the study's own recipe; None where it does not train them."""
        tune = self.asked.study.tune
        if tune is None or not tune.compare_fixed or self._given is not None:
            return None
        return Results(
            self.asked,
            self.record,
            selection=Selection((), self.asked),
            places=self.commands.places,
        )

    @cached_property
    def withheld(self) -> str | None:
        """Why no verdict is given yet; None where the study has reached an analysis that it declared."""
        if self._whole is not None:
            return self._whole.withheld
        from ablations.analysis.results.account import withheld

        return withheld(self)

    @cached_property
    def comparisons(self) -> Mapping[str, Comparison]:
        """Each other row's comparison with the baseline, by label, corrected for all of them."""
        if self._whole is not None:
            own = {row.label for row in self.design.rows}
            return {label: found for label, found in self._whole.comparisons.items() if label in own}
        from ablations.analysis.results.account import comparisons_of

        return comparisons_of(self)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The study's tables: rows with their part of the comparisons."""
        from ablations.analysis.results.families import families

        return families(self)

    @cached_property
    def confirmation(self) -> Confirmation | None:
        """The best row on fresh seeds; None where there are none, and for several tasks together."""
        if len(self.tasks) > 1:
            return None
        from ablations.analysis.results.confirmation import confirm

        return confirm(self)

    @cached_property
    def combinations(self) -> Combinations | None:
        """Main effects and interactions of a study of combinations; None for other studies, or too few results.

        Each task has its own.
        """
        if len(self.tasks) > 1:
            return None
        from ablations.analysis.results.interactions import combinations_of

        return combinations_of(self)

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """The forecasts of the study, oldest first."""
        return self.record.forecasts

    def outcomes(self, key: str) -> NDArray[np.bool_] | None:
        """Return for each test image whether a trial of this study got it right; None where that is not known."""
        line = self.finished.get(key)
        if line is None or line.result is None or line.result.outcomes_sha256 is None:
            return None
        return self.record.outcomes(key)

    def key_of(self, row: Row, seed: int) -> str:
        """Return the key of a row's trial; "" where the row is not decided yet."""
        return "" if row.label in self.undecided else row.key(seed)

    def values(self, metric: str | None = None, rows: Sequence[Row] | None = None) -> pd.DataFrame:
        """Return one metric as (variant, seed, value, ended), for `ablations.analysis.stats.compare`.

        With several tasks there is a column `task`, too.

        Args:
            metric: a column of `trials`; that which decides if None.
            rows: these alone, in this order; all if None.
        """
        chosen = self.trials
        if rows is not None:
            order = chosen["row"].map({row.label: place for place, row in enumerate(rows)})
            chosen = chosen[order.notna()].assign(_order=order).sort_values("_order", kind="stable")
        columns = {"row": "variant", "seed": "seed", metric or self.design.study.metric.column: "value"}
        found = chosen[list(columns)].rename(columns=columns).assign(ended=chosen["status"] != "missing")
        if len(self.tasks) == 1:
            return found
        return found.assign(task=found["variant"].map({row.label: row.task for row in self.design.rows}))

    def of_row(self, row: Row) -> tuple[TrialRecord, ...]:
        """Return the finished records of a row, by seed."""
        keys = (self.key_of(row, seed) for seed in self.asked_seeds(row))
        return tuple(self.finished[key] for key in keys if key in self.finished)

    def compare(self) -> pd.DataFrame:
        """Return every comparison with the baseline: `axis`, then the columns of `comparison_frame`.

        Returns:
            One row for each table and row of it, in the order of the report; `axis` is None where one table shows all.
        """
        from ablations.analysis.results.comparison_frame import families_frame

        return families_frame(self.families, "axis")

    def to_dict(self) -> dict[str, Any]:
        """Return what the report says in numbers, for programs: what `ablate report` prints as JSON."""
        from ablations.analysis.programs.contents import document_of

        return document_of(self).to_dict()

    def plot(self, axis: str | None = None) -> Figure:
        """Return the figure of a table's rows: errors by seed, and differences to the baseline.

        Args:
            axis: one that the study varies alone, with "on TASK" behind it where there are several tasks; None where
                one table shows every row, or there is one table only.

        Raises:
            UserError: the study has no table of that axis.
        """
        from ablations.analysis.plots.axis import draw_axis
        from ablations.analysis.plots.data import axis_info
        from ablations.analysis.plots.style import SCREEN_DPI
        from ablations.analysis.results.families import family_of

        figure = draw_axis(axis_info(family_of(self.families, axis, "axis of this study's tables")))
        figure.set_dpi(SCREEN_DPI)  # for notebooks in which pyplot shows it
        return figure

    def to_latex(
        self,
        axis: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        spread: Spread = "interval",
        caption: str | None = None,
        label: str | None = None,
    ) -> str:
        r"""Return an axis's table as LaTeX to `\input` into a paper.

        Args:
            axis: as of `plot`.
            columns: see `FrameResults.to_latex`.
            spread: likewise.
            caption: likewise.
            label: None for "tab:AXIS".
        """
        from ablations.analysis.results.families import family_of
        from ablations.analysis.tables.axis import axis_table
        from ablations.analysis.tables.latex.table import PaperStyle, latex_table

        family = family_of(self.families, axis, "axis of this study's tables")
        chosen = None if columns is None else tuple(columns)
        style = PaperStyle(chosen, spread=spread, caption=caption, label=label)
        return latex_table(axis_table(family, self.design.study), style)

    def _repr_html_(self) -> str:
        """Return the first screen of the report, and the summary table with a caption, for notebooks."""
        from ablations.analysis.plots.notebook import first_screen
        from ablations.analysis.tables.notebook import notebook_table

        return f"{first_screen(self)}\n{notebook_table(self)}"

    def __repr__(self) -> str:
        """Return what it is of, in a line."""
        finished = f"{len(self.finished)} of {self.asked_trials} trials finished"
        return f"<Results of study {self.design.study.name!r}: {len(self.design.rows)} rows, {finished}>"

    @cached_property
    def _asked_keys(self) -> dict[str, None]:
        """The keys of the trials that were asked for, once each; "" stands for those of undecided rows."""
        return dict.fromkeys(
            self.key_of(row, seed) for row in self.design.rows for seed in self.asked_seeds(row)
        )


def _sealed(design: Design, record: StudyRecord) -> bool:
    """Return whether a race is sealed as it is planned now; that of other designs changes no analysis."""
    return design.kind.races and plan_digest(design.study) in {seal.digest for seal in record.seals}
