"""Interim analyses of a study: at which numbers of seeds it is tested, by its design and the plans before this one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import in_precision, trial_key
from ablations.running.record.interim_plans import InterimPlan, KnownPlans

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results
    from ablations.analysis.stats.interims.schedule import InterimSchedule

_ALPHA = 0.05


def note_analysis(results: Results) -> None:
    """Write down in the record under which plan a study is analysed now, unless the last line says so already.

    A race declares all its interim analyses, and the first is when every row has had its first seeds. Any other study
    is analysed when none of its trials is waited for any more; what is said of it before is an interim figure.

    Raises:
        RecordError: the plans before cannot be read.
        DiskError: the plan cannot be written.
    """
    plan = plan_of(results.design, results.interim_plans)
    if plan is None:
        return
    known = results.measured.keys() | results.ended
    first = results.seeds[: plan.looks[0]]
    if all(row.key(seed) in known for row in results.design.rows for seed in first):
        results.record.add_interim_plan(plan)


def plan_of(design: Design, plans: KnownPlans) -> InterimPlan | None:
    """Return the analyses that a study declares: one at its last seed, or in a race after every seed from the first."""
    looks, seeds = _declared(design), seed_order(design, plans)
    if not looks or looks[0] < 2:
        return None
    return InterimPlan(_asked(design), looks, len(design.seeds), seeds, tuple(sorted(_compared(design))))


def seed_order(design: Design, plans: KnownPlans) -> tuple[int, ...]:
    """Return a study's seeds in the order in which they were analysed, and then rising."""
    before = [seed for plan in _taken_over(design, plans) for seed in plan.seeds if seed in design.seeds]
    return tuple(dict.fromkeys([*before, *sorted(design.seeds)]))


def schedule_of(design: Design, plans: KnownPlans) -> InterimSchedule | None:
    """Return when a study's comparisons are tested; None where there is one analysis only.

    Args:
        design: the study as it is now planned.
        plans: those under which its rows were analysed before; their looks count up to its last seed.
    """
    own = plan_of(design, plans)
    if own is None:
        return None
    before = {n for plan in _taken_over(design, plans) for n in plan.looks if n < own.most}
    at = sorted(before.union(own.looks))
    if len(at) == 1:
        return None
    from ablations.analysis.stats.interims.schedule import (
        InterimSchedule,  # scipy, which a status need not wait for
    )

    return InterimSchedule(tuple(at), at[-1], order=own.seeds)


def budget_note(design: Design, plans: KnownPlans) -> str | None:
    """Return what other plans of a study's rows, its own before or another study's, have cost; None without one."""
    own, every = plan_of(design, plans), (*plans.elsewhere, *plans.own)
    if own is None:
        return None
    other = _disjoint(design, every)
    again = (
        f" Other seeds of these rows were looked at before, too ({_listed(other)}): a look for each has a budget of "
        "its own, and to choose among them by what they show is not covered by it."
        if other
        else ""
    )
    distinct = [p for p in dict.fromkeys(_same(design, every)) if not _is_same_test(design, p)]
    if not distinct:
        return again.strip() or None
    from ablations.analysis.stats.interims.schedule import wrong_over_plans

    schedule = schedule_of(design, plans)
    at = own.looks if schedule is None else schedule.at
    chains = _chains(distinct, own, at)
    bound = 100 * _ALPHA * sum(wrong_over_plans([(p.looks[-1], p.most) for p in chain]) for chain in chains)
    before = ", ".join(map(str, sorted({plan.looks[-1] for plan in distinct})))
    which = "the looks of this plan alone" if len(chains[-1]) == 1 and at == own.looks else "all looks"
    shared = (
        f"In the comparisons with the baseline {which} share one error budget of 5 %: a look at S of {own.most} seeds "
        f"spends (S / {own.most})² of it, p values are those of all looks together, and intervals are repeated ones, "
        "which hold at all looks. "
    )
    return (
        f"Rows of this study were looked at under another plan, at {before} seeds. {shared if len(at) > 1 else ''}"
        "Because the other plan spends the whole budget at its own end, the chance of a wrong verdict of one kind "
        f"(better or worse; equivalent) in any of these reports is at most {bound:.1f} %. Tables of effects, of "
        f"several backbones and of fresh seeds count one look.{again}"
    )


def _chains(plans: Sequence[InterimPlan], own: InterimPlan, at: Collection[int]) -> list[list[InterimPlan]]:
    """Return the plans and then a study's own: each chain extends one budget, and the chains' budgets add up.

    A study of one look takes over the looks before it; a race has those that it declares, and this study those of `at`.
    """
    chains: list[list[InterimPlan]] = []
    for plan in (*sorted(plans, key=lambda plan: plan.looks[-1]), own):
        before = chains[-1][-1] if chains else plan
        looks = at if plan is own else plan.looks if len(plan.looks) > 1 else before.looks
        if chains and _extends(plan, before, looks):
            chains[-1].append(plan)
        else:
            chains.append([plan])
    return chains


def _extends(plan: InterimPlan, before: InterimPlan, at: Collection[int]) -> bool:
    """Return whether a plan tested at these looks has those of one before it, and until its end none of its own."""
    until = {n for n in plan.looks if n <= before.looks[-1]}
    same_seeds = set(plan.seeds[: len(before.seeds)]) == set(before.seeds)
    return same_seeds and until <= set(before.looks) <= set(at)


def _taken_over(design: Design, plans: KnownPlans) -> tuple[InterimPlan, ...]:
    """Return the plans whose looks and order of seeds are a study's, too.

    A race is played again from its first round whenever it is asked for, so what is looked at beside it or later must
    not change its rounds: it takes over what its own ledger had before its own plan, and a sealed one nothing.
    """
    if not design.kind.races:
        return _same(design, (*plans.elsewhere, *plans.own))
    if plans.sealed:
        return ()
    return tuple(takewhile(lambda plan: not _is_same_test(design, plan), _same(design, plans.own)))


def _declared(design: Design) -> tuple[int, ...]:
    return tuple(range(design.kind.first_analysis(design.study), len(design.seeds) + 1))


def _is_same_test(design: Design, plan: InterimPlan) -> bool:
    """Return whether a plan has the looks that a study declares, at the same seeds."""
    return plan.looks == _declared(design) and set(plan.seeds) == set(design.seeds)


def _asked(design: Design) -> str:
    return design.baseline.key(0)


def _compared(design: Design) -> set[str]:
    return {row.key(0) for row in design.rows} - {_asked(design)}


def _alike(design: Design, plans: tuple[InterimPlan, ...]) -> tuple[InterimPlan, ...]:
    """Return the plans of what is asked now: the same baseline, and a row that is compared with it now, too."""
    asked = _names(design.baseline)
    rows = set[str]().union(*(_names(row) for row in design.rows)) - asked
    return tuple(p for p in plans if p.asked in asked and (not p.rows or rows & set(p.rows)))


def _names(row: Row) -> set[str]:
    """Return a row's key with seed 0, and that which it had when trials said "auto", in whichever precision."""
    trial = row.trial(0)
    return {trial.key, trial_key(in_precision(trial.to_json(), "auto"))}


def _same(design: Design, plans: tuple[InterimPlan, ...]) -> tuple[InterimPlan, ...]:
    """Return the plans of what is asked now, with a seed in common."""
    seeds = set(design.seeds)
    return tuple(plan for plan in _alike(design, plans) if seeds & set(plan.seeds))


def _disjoint(design: Design, plans: tuple[InterimPlan, ...]) -> tuple[int, ...]:
    """Return the seeds of plans of what is asked now that have none in common with it."""
    seeds = set(design.seeds)
    found = (p.seeds for p in _alike(design, plans) if not seeds & set(p.seeds))
    return tuple(sorted({seed for other in found for seed in other}))


def _listed(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds[:10])) + (" and more" if len(seeds) > 10 else "")
