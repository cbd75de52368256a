"""The sections that only some studies have, by name; a kind of design names its own (`DesignKind.section`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from ablations.analysis.calibration.of_study import calibration_of
from ablations.analysis.calibration.page import calibration_table
from ablations.analysis.plots.by_class import by_class_caption, by_class_info, draw_by_class
from ablations.analysis.plots.interaction import draw_interaction
from ablations.analysis.plots.race import draw_race, lanes_of
from ablations.analysis.plots.selection import (
    draw_front,
    draw_progress,
    draw_tuning,
    progress_caption,
    shown_by,
    tuning_caption,
)
from ablations.analysis.report.parts import Extra, Plot
from ablations.analysis.results.families import axis_pairs
from ablations.analysis.results.imported import confounded_pairs
from ablations.analysis.results.outcomes.by_class import by_class
from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import Choice
from ablations.analysis.stats.tasks.aggregates import aggregate
from ablations.analysis.stats.tasks.over_tasks import over_tasks
from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.choices.search import front_table, importance_table, search_answer
from ablations.analysis.tables.choices.tuned import changed_table, chosen_table, tuned_answer
from ablations.analysis.tables.comparisons.details import pair_table
from ablations.analysis.tables.comparisons.keys import distinct_key, family_key, file_key
from ablations.analysis.tables.comparisons.notes import ON_TOP
from ablations.analysis.tables.confirmation import confirmation_table
from ablations.analysis.tables.forecast import hindsight_table
from ablations.analysis.tables.interactions import effect_tables
from ablations.analysis.tables.margins import margin_table
from ablations.analysis.tables.outcomes.by_class import TITLE, agreement_table, class_table
from ablations.analysis.tables.page import page_of
from ablations.analysis.tables.race import race_table
from ablations.analysis.tables.tasks import aggregate_table, backbone_frame, over_tasks_table, task_frame
from ablations.analysis.tested.page import TITLE as TESTS_TITLE
from ablations.analysis.tested.page import tables_of_tests
from ablations.analysis.tested.summary import tried_of
from ablations.planning.experiment import load_class

_MOST_INTERACTIONS = 10
_MOST_LANES = 21
_RACE_CAPTION = (
    "Mean paired difference to the baseline as seeds were added, and at its end the repeated 95 % interval. Dashed: "
    "the first look. Triangle up: better; down: worse; square: equivalent; hollow circle: undetermined. The green band "
    "is the margin of equivalence."
)
_INTERACTION_CAPTION = (
    "Mean {name} over seeds and the other axes. Bars: 95 % t-interval of the pooled residual, for comparisons "
    "within seeds. Parallel lines: the two choices add up; other lines: the one depends on the other."
)


def extras_of(results: Results, pairs: Sequence[str]) -> Iterator[Extra]:
    """Return the extra sections of a report, in order: those of its kinds of design and experiment first.

    Args:
        results: the study's design and record.
        pairs: axes of which all pairs are compared.

    Raises:
        UserError: `pairs` names what is not an axis that the study varies alone.
    """
    if results.race is not None:
        yield Extra(
            "The race", (race_table(results, results.race),), tuple(_race_plots(results)), folded=True
        )
    over_data = task_frame(results)
    if over_data is not None:
        yield _over_tasks(results, *over_data, results.design.study.task_words)
    for part in results.tasks:
        for extra in _of_task(part):
            yield extra if len(results.tasks) == 1 else _named(extra, part.task)
    for axis in pairs:
        yield _all_pairs(results, axis)
    margins = margin_table(results)
    if margins is not None:
        yield Extra(margins.title, (margins,), folded=True)
    calibrated = calibration_of(results)
    if calibrated is not None:
        yield Extra("Calibration", (calibration_table(calibrated, results.design.study.metric),), folded=True)
    foreseen = hindsight_table(results)
    if foreseen is not None:
        yield Extra(foreseen.title, (foreseen,), folded=True)


def _of_task(results: Results) -> Iterator[Extra]:
    """Yield the sections that each task has for itself."""
    own, metric = results.design.kind.section, results.design.study.metric
    if own is not None:
        yield from OWN_SECTIONS[own](results)
    of_experiment = page_of(results.design.study).sections
    if of_experiment:
        yield from load_class(of_experiment)(results)
    if results.confirmation is not None:
        yield Extra("The best row on fresh seeds", (confirmation_table(results.confirmation, metric),))
    if results.combinations is not None:
        yield _interactions(results)
    together = backbone_frame(results)
    if together is not None:
        yield _over_tasks(results, *together, "backbones")
    if tried := tried_of(results):
        yield Extra(TESTS_TITLE, tables_of_tests(tried))
    yield from _by_class(results)


def _named(extra: Extra, task: str) -> Extra:
    """Return a section of one of several tasks, which says so, with files of its own."""
    key = distinct_key(task)
    tables = (replace(t, key=f"{t.key}-{key}", title=f"{t.title}, {task}") for t in extra.tables)
    plots = (replace(p, key=f"{p.key}-{key}", caption=f"On {task}. {p.caption}") for p in extra.plots)
    return replace(extra, title=f"{extra.title}, {task}", tables=tuple(tables), plots=tuple(plots))


def _over_tasks(results: Results, frame: pd.DataFrame, base: str, tasks: str) -> Extra:
    metric = results.design.study.metric
    lower = metric.lower_is_better
    on_how_many, together = (
        over_tasks(frame, base, lower_is_better=lower),
        aggregate(frame, base, lower_is_better=lower),
    )
    tables = (
        over_tasks_table(on_how_many, tasks=tasks, metric=metric),
        aggregate_table(together, base, tasks=tasks, metric=metric),
    )
    return Extra(f"Over all {tasks}", tables)


def _all_pairs(results: Results, axis: str) -> Extra:
    title = f"All pairs of {axis}"
    compared = pair_table(file_key(axis), title, axis_pairs(results, axis), results.design.study.metric)
    confounded = [confounded_pairs(results, part.design.on_axis(axis)) for part in results.tasks]
    return Extra(title, (replace(compared, notes=(*filter(None, confounded), *compared.notes, ON_TOP)),))


def _by_class(results: Results) -> Iterator[Extra]:
    """Yield where the variants help, once the study says anything and where outcomes are known."""
    found = None if results.withheld is not None else by_class(results)
    if found is None:
        return
    tables = (*((class_table(found),) if found.comparisons else ()), agreement_table(found))
    info = by_class_info(found)
    plots = () if info is None else (Plot("by-class", by_class_caption(info), draw_by_class(info), info),)
    yield Extra(TITLE, tables, plots, folded=True)


def choice_answer(results: Results) -> str | None:
    """Return what a study's choices came to, in a sentence; None where it chooses nothing or nothing is to be said."""
    if not results.choices:
        return None
    return tuned_answer(results) if results.asked.study.search is None else search_answer(results)


def _tuned(results: Results) -> Iterator[Extra]:
    choices = results.choices
    if any(choice.candidates for choice in choices):
        drawn = draw_tuning(choices)
        plots = (
            ()
            if drawn is None
            else (Plot("tuning", tuning_caption(choices[0].arm.judged_by.metric), drawn, shown_by(choices)),)
        )
        tables = (chosen_table(choices, results), *_present(changed_table(results)))
        yield Extra(f"The choice of {results.asked.study.chosen[1]}", tables, plots)


def _search(results: Results) -> Iterator[Extra]:
    [choice] = results.choices
    if choice.candidates:
        tables = (front_table(choice, results), *_present(importance_table(choice)))
        yield Extra("The search", tables, tuple(_search_plots(choice, results)))


OWN_SECTIONS: dict[str, Callable[[Results], Iterator[Extra]]] = {
    "tuned": _tuned,
    "search": _search,
}
"""By the names that kinds of design give."""


def _present(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)


def _interactions(results: Results) -> Extra:
    combined, metric = results.combinations, results.design.study.metric
    assert combined is not None
    caption = _INTERACTION_CAPTION.format(name=metric.name)
    plots = tuple(
        Plot(f"interaction-{file_key(f'{i.across}-{i.along}')}", caption, draw_interaction(i, metric), i)
        for i in combined.plots[:_MOST_INTERACTIONS]
    )
    return Extra("Main effects and interactions", effect_tables(combined, metric), plots)


def _search_plots(choice: Choice, results: Results) -> Iterator[Plot]:
    others = [each for each in choice.arm.objectives if not each.step]
    for other in others:
        words = other.name.replace("_", "-")
        caption = page_of(results.design.study).choice_words().front
        caption = caption.format(
            cost=other.metric.name.replace("multiply-adds", "multiply-adds of one image")
        )
        yield Plot(f"front-{words}", caption, draw_front(choice, results, other.name), shown_by([choice]))
    if not others:
        yield Plot(
            "search",
            progress_caption(choice.arm.judged_by.metric),
            draw_progress(choice, results),
            shown_by([choice]),
        )


def _race_plots(results: Results) -> Iterator[Plot]:
    study = results.design.study
    for group in results.families:
        lanes = lanes_of(results, group)
        if 0 < len(lanes) <= _MOST_LANES:
            drawn = draw_race(
                lanes, study.metric, first=study.race.first, most=len(study.seeds), margin=study.margin
            )
            of = "" if group.name is None else f" Axis: {group.name}."
            yield Plot(f"race-{family_key(group.axis, group.task)}", _RACE_CAPTION + of, drawn, lanes)
