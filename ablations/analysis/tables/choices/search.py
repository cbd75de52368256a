"""The tables of a search: the best networks that it found, and which choices mattered."""

from __future__ import annotations

import warnings
from collections.abc import Collection

from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import Candidate, Choice, winners_of
from ablations.analysis.tables.cells import Column, Number, Table, TableCell, TableRow, Text, scaled
from ablations.analysis.tables.choices.tuned import counted
from ablations.analysis.tables.page import page_of
from ablations.planning.row import RowKind

_COUNTS = ("parameters", "multiply_adds")  # too large to be shown to the last digit
_MOST_ROWS = 20
_FEWEST_TRIALS = 8  # for importances


def front_table(choice: Choice, results: Results) -> Table:
    """Return the front (of one objective: the best rows), the baseline and the plain network beside it."""
    several = len(choice.arm.objectives) > 1
    listed = list(choice.front if several else choice.candidates[:_MOST_ROWS])
    reference = {
        results.design.baseline.identity,
        *([results.design.plain.identity] if results.design.plain else []),
    }
    shown = {candidate.row.identity for candidate in listed}
    listed += [c for c in choice.candidates if c.row.identity in reference - shown]
    search = results.design.study.search
    assert search is not None
    winners = {w.row.identity for w in winners_of(choice, search.winners)} if choice.over else set()
    one, several_words = results.design.study.found
    columns = (
        Column(one, one, "left"),
        *(Column(objective.name, objective.metric.head) for objective in choice.arm.objectives),
        Column("visits", "proposals"),
        Column("role", "", "left"),
    )
    rows = tuple(TableRow(_cells(c, choice, winners), _kind(c, results)) for c in listed)
    title = "The Pareto front of the search" if several else f"The best {several_words} of the search"
    return Table("front", title, columns, rows, _notes(choice, several))


def importance_table(choice: Choice) -> Table | None:
    """Return which dimensions decided the objectives, by PED-ANOVA; None with too few proposals."""
    import optuna

    from ablations.running.search.view import directions_of, make_trial  # Optuna, which only a search needs

    trials = [trial for j in choice.judged if (trial := make_trial(choice.arm, j)) is not None]
    if len(trials) < _FEWEST_TRIALS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(directions=directions_of(choice.arm))
        study.add_trials(trials)
        found = {}
        for place, objective in enumerate(choice.arm.objectives):
            try:
                found[objective.name] = optuna.importance.get_param_importances(
                    study,
                    evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                    target=lambda trial, place=place: trial.values[place],  # type: ignore[misc]
                )
            except (ValueError, RuntimeError):  # noqa: PERF203  (all alike, or a dimension never varied)
                continue
    if not found:
        return None
    columns = (
        Column("dimension", "choice", "left"),
        *(Column(o.name, f"for {o.metric.name}") for o in choice.arm.objectives if o.name in found),
    )
    rows = tuple(
        TableRow((Text(d.name), *(Number(each.get(d.name)) for each in found.values())))
        for d in choice.arm.space.dimensions
    )
    notes = (
        "Shares of importance by PED-ANOVA (Watanabe et al. 2023), of Optuna, from the search's own proposals: a "
        "description of this search, without error bars.",
    )
    return Table(
        "importance", "Which choices mattered in the search", columns, rows, notes
    ).without_empty_columns()


def search_answer(results: Results) -> str | None:
    """Return a sentence on how far the search is, or what it came to."""
    choice = results.choices[0]
    ended, several = sum(j.counts for j in choice.judged), results.design.study.found[1]
    if not choice.over:
        return f"The search is unfinished: {ended} proposals have ended, {len(choice.candidates)} different {several}."
    if not choice.candidates:
        return "No proposal of the search finished."
    best = choice.candidates[0]
    metric = choice.arm.judged_by.metric
    words = (
        f"Of {ended} proposals, {len(choice.candidates)} different {several}, the"
        f" {'lowest' if metric.lower_is_better else 'highest'} {metric.name} is "
    )
    words += f"{metric.text(best.values[choice.arm.place])}, of {best.row.label}"
    return words + (
        f"; the Pareto front has {len(choice.front)} {several}." if len(choice.arm.objectives) > 1 else "."
    )


def _cells(candidate: Candidate, choice: Choice, winners: Collection[object]) -> tuple[TableCell, ...]:
    values = [
        Text(scaled(value)) if each.name in _COUNTS else Number(value, each.metric.decimals)
        for each, value in zip(choice.arm.objectives, candidate.values, strict=True)
    ]
    role = "compared on fresh seeds" if candidate.row.identity in winners else None
    return (Text(candidate.row.label), *values, Number(candidate.visits, 0), Text(role))


def _notes(choice: Choice, several: bool) -> tuple[str, ...]:
    study = choice.arm.space.study
    words = page_of(study).choice_words()
    hours = sum(j.seconds for j in choice.judged) / 3600
    kind = f"No other {study.found[0]} is better in every objective. " if several else ""
    return (
        f"{kind}Proposals of Optuna's {choice.arm.sampler.upper()} sampler: {counted(choice)}; {hours:.2f} hours of "
        f"training, summed over workers. Judged {words.judged}; {words.unread}. The mean is taken where {words.again} "
        f"more than once. {words.quote_search}",
    )


def _kind(candidate: Candidate, results: Results) -> RowKind:
    design = results.design
    if candidate.row.identity == design.baseline.identity:
        return "baseline"
    return (
        "plain" if design.plain is not None and candidate.row.identity == design.plain.identity else "variant"
    )
