"""The content of a report, in order, before it is set in any format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablations.analysis.plots.axis import draw_axis, draw_curves
from ablations.analysis.plots.cost import draw_cost
from ablations.analysis.plots.data import (
    CurvesInfo,
    axis_info,
    cost_info,
    cost_words,
    costs_alike,
    curves_info,
)
from ablations.analysis.plots.overview import draw_overview
from ablations.analysis.report.answer import short_answer
from ablations.analysis.report.parts import Extra, Plot, Section
from ablations.analysis.report.sections import choice_answer, extras_of
from ablations.analysis.results.account import account_sentence
from ablations.analysis.results.families import Family, SampleFamily
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import seal_sentence
from ablations.analysis.tables import provenance
from ablations.analysis.tables.axis import axis_table
from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.comparisons.details import detail_table
from ablations.analysis.tables.comparisons.intervals import interval_words
from ablations.analysis.tables.comparisons.keys import distinct_key, family_key
from ablations.analysis.tables.comparisons.notes import comparison_notes, unequal_seeds_notes
from ablations.analysis.tables.confirmation import confirmation_answer
from ablations.analysis.tables.frame import family_table, further_tables
from ablations.analysis.tables.glance.glance import FirstScreen, Glance, glance_of
from ablations.analysis.tables.interactions import interaction_answer
from ablations.analysis.tables.page import page_of
from senet_core.words import counted

_MOST_ROWS = 100  # beyond, a plot is longer than a page can show, and the table says it
_AXIS_CAPTION = (
    "Left: {name} of every seed (small dots), with mean and {level}; the line and the band are the baseline's. "
    "Right: paired difference to the baseline with its {interval}, each taken alone{margin}. Triangle up: better; "
    "down: worse; square: equivalent; all corrected for all comparisons of this report. Hollow circle: undetermined."
)
_WITHHELD_CAPTION = (
    "Left: {name} of every seed (small dots), with mean and {level}; the line and the band are the baseline's. "
    "Right: mean of the paired differences to the baseline so far{margin}."
)
_COST_CAPTION = (
    "{name} against {cost}: mean and {level}. Colour and marker tell the axes apart; the baseline is black. Points of "
    "about equal cost are set side by side, the cheaper to the left. Where names have no room, numbers stand at the "
    "points instead, as far as they have room, and the names below."
)
_CURVES_CAPTION = (
    "By epoch: {figures}, mean over seeds with their range as a band; below, the {compared} error minus the baseline's "
    "with the same seed, mean over seeds, in points."
)
_OVERVIEW = "Every row's difference to the baseline, with its interval and verdict"

_EMPTY = Table("", "", (), ())


@dataclass(frozen=True)
class Content:
    """A whole report; empty tables and missing plots are left out by the templates.

    What a study has and a frame from anywhere has not (`setup` and what follows it) is empty for a frame, and the first
    screen, `glance` and `overview`, for what compares no rows.
    """

    name: str
    title: str
    question: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    extras: tuple[Extra, ...]
    glance: FirstScreen | None = None
    overview: Plot | None = None
    reading: tuple[str, ...] = ()
    setup: Table = _EMPTY
    answer: tuple[str, ...] = ()
    account: str = ""
    costs: tuple[Plot, ...] = ()
    costs_alike: tuple[str, ...] = ()
    curves: tuple[Plot, ...] = ()
    failures: Table = _EMPTY
    missing: Table = _EMPTY
    environment: Table = _EMPTY
    commands: Table = _EMPTY
    trials: Table = _EMPTY
    tracking: str | None = None

    def plots(self) -> tuple[Plot, ...]:
        """Return every plot once."""
        first = () if self.overview is None else (self.overview,)
        own = tuple(section.plot for section in self.sections if section.plot is not None)
        more = tuple(plot for extra in self.extras for plot in extra.plots)
        return (*first, *own, *more, *self.costs, *self.curves)

    def further_paper_tables(self) -> tuple[Table, ...]:
        """Return the tables that a paper may take up beside those of the sections: how, extras, what is missing."""
        of_sections = tuple(section.table for section in self.sections)
        others = (*of_sections, self.setup, self.environment, self.commands, self.trials)
        return tuple(table for table in self.tables() if not any(table is other for other in others))

    def tables(self) -> tuple[Table, ...]:
        """Return every table that has rows, once."""
        own = tuple(table for section in self.sections for table in (section.table, section.details))
        own += tuple(table for extra in self.extras for table in extra.tables)
        rest = (self.setup, self.failures, self.missing, self.environment, self.commands, self.trials)
        return tuple(table for table in (*own, *rest) if table.rows)


def content_of(
    results: Results,
    *,
    tracking: str | None = None,
    pairs: Sequence[str] = (),
) -> Content:
    """Return the content of a report.

    Args:
        results: the study's design and record.
        tracking: where the MLflow runs are, for a person to read.
        pairs: axes of which all pairs are compared.

    Raises:
        UserError: `pairs` names what is not an axis that the study varies alone.
    """
    study, groups = results.design.study, results.families
    costs, alike = _cost_plots(results)
    glance = glance_of(results)
    sections = tuple(_axis_section(group, results) for group in groups)
    return Content(
        name=study.name,
        title=study.title,
        question=glance.question,
        glance=glance,
        overview=_overview(glance),
        answer=(*_answer(results), *_further_answers(results)),
        account=" ".join(filter(None, (account_sentence(results), seal_sentence(results)))),
        warnings=provenance.warnings(results),
        setup=provenance.setup_table(results),
        sections=sections,
        reading=reading_notes(sections),
        extras=tuple(extras_of(results, pairs)),
        costs=costs,
        costs_alike=alike,
        curves=_curve_plots(groups, results),
        failures=provenance.failure_table(results),
        missing=provenance.missing_table(results),
        environment=provenance.environment_table(results),
        commands=provenance.command_table(results),
        trials=provenance.trial_table(results),
        tracking=tracking,
    )


def _answer(results: Results) -> tuple[str, ...]:
    """Return what was chosen, and once there is something to compare, what the comparisons show."""
    chosen = choice_answer(results)
    return (*_present(chosen), *(() if results.undecided else short_answer(results)))


def _further_answers(results: Results) -> Iterator[str]:
    """Return on what the choices depend, and how the best row did on fresh seeds, on each task."""
    metric = results.design.study.metric
    for part in results.tasks:
        on = f"On {part.task}: " if len(results.tasks) > 1 else ""
        if part.combinations is not None and (depends := interaction_answer(part.combinations, metric)):
            yield on + depends
        if part.confirmation is not None and (confirmed := confirmation_answer(part.confirmation, metric)):
            yield on + confirmed


def _present(sentence: str | None) -> tuple[str, ...]:
    return () if sentence is None else (sentence,)


def frame_content(results: FrameResults) -> Content:
    """Gather the report of a frame from anywhere: a section for each task, all pairs, all tasks together."""
    glance = glance_of(results)
    sections = tuple(_section(family, family_table(family)) for family in results.families)
    return Content(
        name="frame",
        title=results.title,
        question=glance.question,
        glance=glance,
        overview=_overview(glance),
        account=results.account,
        warnings=results.notes,
        sections=sections,
        reading=reading_notes(sections),
        extras=tuple(Extra(table.title, (table,)) for table in further_tables(results)),
    )


def _overview(glance: Glance) -> Plot | None:
    """Return the picture of all rows; None where nothing can be compared yet."""
    if not glance.rows.compared:
        return None
    return Plot("overview", glance.caption, draw_overview(glance.rows), glance.rows, alt=_OVERVIEW)


def _axis_section(group: Family, results: Results) -> Section:
    study = results.design.study.of_task(group.task)
    table = axis_table(group, study)
    return _section(group, table, page_of(study).caveat(group), prefix="axis-")


def _section(group: SampleFamily, table: Table, told: str | None = None, *, prefix: str = "") -> Section:
    found = group.comparisons.values()
    info = axis_info(group)
    words = interval_words(found)
    margin = "" if group.margin is None else "; the green band is the margin of equivalence"
    tested = not any(c.withheld for c in found)
    caption = (_AXIS_CAPTION if tested else _WITHHELD_CAPTION).format(
        name=group.metric.name, interval=words.difference, level=words.level, margin=margin
    )
    plot = (
        Plot(prefix + table.key, caption, draw_axis(info), info) if 0 < len(info.rows) <= _MOST_ROWS else None
    )
    details = detail_table(table.key, found, decimals=group.metric.decimals + 1) if tested else _EMPTY
    general = (table.notes[:1], comparison_notes(found, group.metric), unequal_seeds_notes(group)[:1])
    own = tuple(note for note in table.notes if not any(note in known for known in general))
    counts = {outcome.level.n for outcome in group.outcomes if outcome.level.n}
    notes = (f"n = {counted(counts.pop(), 'seed')} each.", *own) if len(counts) == 1 else own
    return Section(table.title, table, details, plot, told, notes)


def reading_notes(sections: Sequence[Section]) -> tuple[str, ...]:
    """Return how all tables of a report are read, each note once: what is not a section's own."""
    return tuple(
        dict.fromkeys(
            note for section in sections for note in section.table.notes if note not in section.notes
        )
    )


def _cost_plots(results: Results) -> tuple[tuple[Plot, ...], tuple[str, ...]]:
    """Return the plots of error against what differs between rows, and what is said of costs that do not."""
    found = [_cost_plots_of(part.families, part.task) for part in results.tasks]
    said = dict.fromkeys(sentence for _, alike in found for sentence in alike)
    return tuple(plot for plots, _ in found for plot in plots), tuple(said)


def _cost_plots_of(groups: tuple[Family, ...], task: str) -> tuple[list[Plot], list[str]]:
    plots, alike = [], []
    level = interval_words(c for group in groups for c in group.comparisons.values()).level
    metric = groups[0].metric
    name = metric.name[:1].upper() + metric.name[1:]
    for cost in dict.fromkeys(name for group in groups for o in group.outcomes for name in o.costs):
        words = cost_words(cost)
        info = cost_info(groups, cost)
        if costs_alike(groups, cost):
            alike.append(
                f"All rows are within 1 % of each other in {words}, so no plot shows the {metric.noun} against them."
            )
        elif info.points:
            plots.append(
                Plot(
                    f"cost-{words}" + (f"-{distinct_key(task)}" if task else ""),
                    (f"On {task}. " if task else "")
                    + _COST_CAPTION.format(name=name, cost=info.head, level=level),
                    draw_cost(info),
                    info,
                )
            )
    return plots, alike


_LEAST_EPOCHS = 3
"""Fewer make dots and not curves."""


def _curve_plots(groups: tuple[Family, ...], results: Results) -> tuple[Plot, ...]:
    plots = []
    if not {"train_loss", "train_error"} <= set(results.history):
        return ()
    for group in groups:
        info = curves_info(group, results)
        if any(max(len(c.loss.epochs), len(c.error.epochs)) >= _LEAST_EPOCHS for c in info.curves):
            of = "" if group.name is None else f" Axis: {group.name}."
            key = f"curves-{family_key(group.axis, group.task)}"
            caption = _curves_caption(info)
            plots.append(Plot(key, caption + of, draw_curves(info), info))
    return tuple(plots)


def _curves_caption(info: CurvesInfo) -> str:
    if not info.validated:
        return _CURVES_CAPTION.format(figures="training loss and training error", compared="training")
    held_back = "training loss, training error and the error on images that were held back from the training"
    return _CURVES_CAPTION.format(figures=held_back, compared="validation")
