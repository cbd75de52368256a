"""What a report says, in order, before it is set in any format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ablations.analysis.plots.axis import draw_axis, draw_curves
from ablations.analysis.plots.cost import draw_cost
from ablations.analysis.plots.data import axis_info, cost_info, curves_info
from ablations.analysis.plots.interaction import draw_interaction
from ablations.analysis.plots.race import draw_race, lanes_of
from ablations.analysis.plots.selection import (
    FRONT_CAPTION,
    PROGRESS_CAPTION,
    TUNING_CAPTION,
    draw_front,
    draw_progress,
    draw_tuning,
    shown_by,
)
from ablations.analysis.report.answer import short_answer
from ablations.analysis.results.confirmation import Confirmation
from ablations.analysis.results.families import Family, axis_pairs, families
from ablations.analysis.results.interims import budget_note
from ablations.analysis.results.results import Results, history_frame
from ablations.analysis.results.selection import Choice, is_search
from ablations.analysis.tables import provenance
from ablations.analysis.tables.axis import axis_table, paper_tables_of
from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.comparisons import detail_table, file_key, pair_table
from ablations.analysis.tables.confirmation import confirmation_answer, confirmation_table
from ablations.analysis.tables.forecast import hindsight_table
from ablations.analysis.tables.interactions import (
    Combinations,
    combinations_of,
    effect_tables,
    interaction_answer,
)
from ablations.analysis.tables.published import caveat
from ablations.analysis.tables.race import race_table
from ablations.analysis.tables.search import front_table, importance_table, search_answer
from ablations.analysis.tables.tasks import aggregate_table, backbone_aggregates
from ablations.analysis.tables.tuned import changed_table, chosen_table, tuned_answer
from ablations.running.record.forecasts import Forecast

_MOST_INTERACTIONS = 10
_MOST_LANES = 21
_MOST_ROWS = 100  # beyond, a plot is longer than a page can show, and the table says it
_AXIS_CAPTION = (
    "Left: top-1 error of every seed (small dots), with mean and 95 % t-interval; the line and the band are the "
    "baseline's. Right: paired difference to the baseline with its {interval}, each taken alone; the green band "
    "is the margin of equivalence. Filled circle: better or worse; square: equivalent; both after Holm's correction "
    "over the table. Hollow: undetermined."
)
_COST_CAPTION = (
    "Top-1 error against {cost}: mean and 95 % t-interval. Colour and marker tell the axes apart; "
    "the baseline is "
    "black. Points of equal cost are set side by side."
)
_RACE_CAPTION = (
    "Mean paired difference to the baseline as seeds were added, and at its end the repeated 95 % interval. Dashed: "
    "the first look. Filled circle: better or worse; square: equivalent; hollow: undetermined. The green band is the "
    "margin of equivalence."
)
_INTERACTION_CAPTION = (
    "Mean top-1 error over seeds and the other axes. Bars: 95 % t-interval of the pooled residual, for comparisons "
    "within seeds. Parallel lines: the two choices add up; other lines: the one depends on the other."
)
_CURVES_CAPTION = (
    "By epoch: training loss and training error, mean over seeds with their range as a band; below, the training "
    "error minus the baseline's with the same seed, mean over seeds, in points."
)


@dataclass(frozen=True)
class Plot:
    """A figure and the words below it.

    Attributes:
        key: file name without suffix.
        caption: without markup.
        figure: as drawn.
        data: the numbers and words that it was drawn from, as nested tuples and dataclasses.
    """

    key: str
    caption: str
    figure: Figure
    data: object


@dataclass(frozen=True)
class Section:
    """One family: its table, how its comparisons were made, and its plot where there is something to draw."""

    title: str
    table: Table
    details: Table
    plot: Plot | None
    caveat: str | None


@dataclass(frozen=True)
class Extra:
    """What only some studies have: interactions, all pairs of an axis, several backbones together, a forecast."""

    title: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True)
class Content:
    """A whole report; empty tables and missing plots are left out by the templates."""

    name: str
    title: str
    question: str
    progress: str
    unfinished: bool
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    setup: Table
    sections: tuple[Section, ...]
    extras: tuple[Extra, ...]
    costs: tuple[Plot, ...]
    curves: tuple[Plot, ...]
    failures: Table
    missing: Table
    environment: Table
    commands: Table
    trials: Table
    tracking: str | None

    def plots(self) -> tuple[Plot, ...]:
        """Give every plot once."""
        own = tuple(section.plot for section in self.sections if section.plot is not None)
        more = tuple(plot for extra in self.extras for plot in extra.plots)
        return (*own, *more, *self.costs, *self.curves)

    def tables(self) -> tuple[Table, ...]:
        """Give every table that has rows, once."""
        own = tuple(table for section in self.sections for table in (section.table, section.details))
        own += tuple(table for extra in self.extras for table in extra.tables)
        rest = (self.setup, self.failures, self.missing, self.environment, self.commands, self.trials)
        return tuple(table for table in (*own, *rest) if table.rows)


def content_of(
    results: Results,
    *,
    command_prefix: str,
    tracking: str | None,
    pairs: Sequence[str] = (),
    confirmation: Confirmation | None = None,
    forecasts: Sequence[Forecast] = (),
) -> Content:
    """Gather a report.

    Args:
        results: the study's design and record.
        command_prefix: how the command line is called.
        tracking: where the MLflow runs are, for a person to read.
        pairs: axes of which all pairs are compared.
        confirmation: the best row on fresh seeds, for a study that has some.
        forecasts: that were made of the study, oldest first.

    Raises:
        UserError: `pairs` names what is not an axis that the study varies alone.
    """
    study, groups = results.design.study, families(results)
    combined = combinations_of(results)
    depends = None if combined is None else interaction_answer(combined)
    confirmed = None if confirmation is None else confirmation_answer(confirmation)
    done, failed, planned = len(results.finished), len(results.failed), results.planned
    return Content(
        name=study.name,
        title=study.title,
        question=study.question,
        progress=f"{done} of {planned} trials finished" + (f", {failed} failed" if failed else ""),
        unfinished=results.unfinished,
        answer=(*_answer(results, groups), *_present(depends), *_present(confirmed)),
        warnings=(*provenance.warnings(results), *_present(budget_note(results.design, results.plans))),
        setup=provenance.setup_table(results),
        sections=tuple(_section(group, results) for group in groups),
        extras=tuple(_extras(results, groups, combined, pairs, confirmation, forecasts)),
        costs=_cost_plots(groups),
        curves=_curve_plots(groups, results),
        failures=provenance.failure_table(results),
        missing=provenance.missing_table(results),
        environment=provenance.environment_table(results),
        commands=provenance.command_table(results, command_prefix),
        trials=provenance.trial_table(results),
        tracking=tracking,
    )


def _answer(results: Results, groups: tuple[Family, ...]) -> tuple[str, ...]:
    """Say what was chosen, and once there is something to compare, what the comparisons say."""
    if not results.choices:
        return short_answer(results, groups)
    chosen = search_answer(results) if is_search(results.choices[0]) else tuned_answer(results)
    return (*_present(chosen), *(() if results.design.undecided else short_answer(results, groups)))


def _present(sentence: str | None) -> tuple[str, ...]:
    return () if sentence is None else (sentence,)


def _extras(
    results: Results,
    groups: tuple[Family, ...],
    combined: Combinations | None,
    pairs: Sequence[str],
    confirmation: Confirmation | None,
    forecasts: Sequence[Forecast],
) -> Iterator[Extra]:
    yield from _choice_extras(results)
    if results.race is not None:
        yield Extra(
            "The race", (race_table(results, results.race, groups),), tuple(_race_plots(results, groups))
        )
    if confirmation is not None:
        yield Extra("The best row on fresh seeds", (confirmation_table(confirmation),))
    if combined is not None:
        plots = tuple(
            Plot(
                f"interaction-{file_key(f'{i.across}-{i.along}')}",
                _INTERACTION_CAPTION,
                draw_interaction(i),
                i,
            )
            for i in combined.plots[:_MOST_INTERACTIONS]
        )
        yield Extra("Main effects and interactions", effect_tables(combined), plots)
    together = backbone_aggregates(results)
    if together is not None:
        yield Extra("Over all backbones", (aggregate_table(*together, head="top-1 error, %"),))
    for axis in pairs:
        compared = axis_pairs(results, axis)
        title = f"All pairs of {axis}"
        yield Extra(title, (pair_table(file_key(axis), title, compared),))
    foreseen = hindsight_table(forecasts, results)
    if foreseen is not None:
        yield Extra(foreseen.title, (foreseen,))


def _choice_extras(results: Results) -> Iterator[Extra]:
    choices = results.choices
    if not choices or not any(choice.candidates for choice in choices):
        return
    if is_search(choices[0]):
        tables = (front_table(choices[0], results), *_tables(importance_table(choices[0])))
        yield Extra("The search", tables, tuple(_search_plots(choices[0], results)))
        return
    drawn = draw_tuning(choices)
    plots = () if drawn is None else (Plot("tuning", TUNING_CAPTION, drawn, shown_by(choices)),)
    yield Extra(
        "The choice of recipes", (chosen_table(choices, results), *_tables(changed_table(results))), plots
    )


def _tables(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)


def _search_plots(choice: Choice, results: Results) -> Iterator[Plot]:
    others = [name for name in choice.arm.objectives if name != "validation_error"]
    for name in others:
        words = name.replace("_", "-")
        caption = FRONT_CAPTION.format(cost=words.replace("multiply-adds", "multiply-adds of one image"))
        yield Plot(f"front-{words}", caption, draw_front(choice, results, name), shown_by([choice]))
    if not others:
        yield Plot("search", PROGRESS_CAPTION, draw_progress(choice, results), shown_by([choice]))


def _race_plots(results: Results, groups: tuple[Family, ...]) -> Iterator[Plot]:
    study = results.design.study
    for group in groups:
        lanes = lanes_of(results, group)
        if 0 < len(lanes) <= _MOST_LANES:
            drawn = draw_race(lanes, first=study.race.first, most=len(study.seeds), margin=study.margin)
            of = f" Axis: {group.axis}." if group.axis is not None else ""
            yield Plot(f"race-{file_key(group.axis or 'all')}", _RACE_CAPTION + of, drawn, lanes)


def _section(group: Family, results: Results) -> Section:
    study = results.design.study
    table = axis_table(group, study)
    info = axis_info(group, results)
    drawn = 0 < len(info.rows) <= _MOST_ROWS
    interval = "95 % t-interval" if results.schedule is None else "repeated 95 % interval"
    caption = _AXIS_CAPTION.format(interval=interval)
    plot = Plot(f"axis-{table.key}", caption, draw_axis(info), info) if drawn else None
    told = (
        caveat(study.baseline.backbone, study.baseline.data.name) if paper_tables_of(group, study) else None
    )
    return Section(table.title, table, detail_table(table.key, group.comparisons.values()), plot, told)


def _cost_plots(groups: tuple[Family, ...]) -> tuple[Plot, ...]:
    plots = []
    for info in (cost_info(groups, "parameters"), cost_info(groups, "multiply_adds")):
        if info.points:
            words = "multiply-adds" if "multiply" in info.head else "parameters"
            caption = _COST_CAPTION.format(cost=info.head)
            plots.append(Plot(f"cost-{words}", caption, draw_cost(info), info))
    return tuple(plots)


_LEAST_EPOCHS = 3
"""Fewer make dots and not curves."""


def _curve_plots(groups: tuple[Family, ...], results: Results) -> tuple[Plot, ...]:
    history = history_frame(results)
    plots = []
    for group in groups:
        info = curves_info(group, results, history)
        if any(max(len(c.loss.epochs), len(c.error.epochs)) >= _LEAST_EPOCHS for c in info.curves):
            of = f" Axis: {group.axis}." if group.axis is not None else ""
            key = f"curves-{file_key(group.axis or 'all')}"
            plots.append(Plot(key, _CURVES_CAPTION + of, draw_curves(info), info))
    return tuple(plots)
