"""Interim analyses of a study: at which numbers of seeds it is tested, by its design and the plans before this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import in_precision, trial_key
from ablations.running.record.interim_plans import InterimPlan

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


def plan_of(design: Design, plans: tuple[InterimPlan, ...] = ()) -> InterimPlan | None:
    """Return the analyses that a study declares: one at its last seed, or in a race after every seed from the first."""
    most = len(design.seeds)
    first = design.kind.first_analysis(design.study)
    if first < 2:
        return None
    looks, seeds = tuple(range(first, most + 1)), seed_order(design, plans)
    return InterimPlan(_asked(design), looks, most, seeds, tuple(sorted(_compared(design))))


def seed_order(design: Design, plans: tuple[InterimPlan, ...]) -> tuple[int, ...]:
    """Return a study's seeds in the order in which they were analysed, and then rising."""
    before = [seed for plan in _same(design, plans) for seed in plan.seeds if seed in design.seeds]
    return tuple(dict.fromkeys([*before, *sorted(design.seeds)]))


def schedule_of(design: Design, plans: tuple[InterimPlan, ...]) -> InterimSchedule | None:
    """Return when a study's comparisons are tested; None where there is one analysis only.

    Args:
        design: the study as it is now planned.
        plans: those under which it was analysed before.
    """
    own = plan_of(design, plans)
    if own is None:
        return None
    at = sorted({n for plan in (*_same(design, plans), own) for n in plan.looks})
    if len(at) == 1:
        return None
    from ablations.analysis.stats.interims.schedule import (
        InterimSchedule,  # scipy, which a status need not wait for
    )

    return InterimSchedule(tuple(at), at[-1], order=own.seeds)


def budget_note(design: Design, plans: tuple[InterimPlan, ...]) -> str | None:
    """Return what a study's interim analyses have cost, where seeds were added after one; None where they were not."""
    own = plan_of(design, plans)
    if own is None:
        return None
    other = _disjoint(design, plans)
    again = (
        f" Other seeds of these rows were looked at before, too ({_listed(other)}): a look for each has a budget of "
        "its own, and to choose among them by what they show is not covered by it."
        if other
        else ""
    )
    distinct = [p for p in dict.fromkeys(_same(design, plans)) if (p.looks, p.most) != (own.looks, own.most)]
    if not distinct:
        return again.strip() or None
    ends, most = [], 0
    for plan in (*distinct, own):
        most = max(most, plan.most)
        ends.append((plan.looks[-1], most))
    before = ", ".join(dict.fromkeys(str(last) for last, _ in ends[:-1]))
    from ablations.analysis.stats.interims.schedule import wrong_over_plans

    bound = 100 * _ALPHA * wrong_over_plans(ends)
    return (
        f"Rows of this study were looked at under another plan, at {before} seeds. In the comparisons with the "
        f"baseline all looks share one error budget of 5 %: a look at S of {most} seeds spends (S / {most})² of it, p "
        "values are those of all looks together, and intervals are repeated ones, which hold at all looks. Because "
        "the other plan spends the whole budget at its own end, the chance of a wrong verdict of one kind (better or "
        f"worse; equivalent) in any of these reports is at most {bound:.1f} %. Tables of effects, of several backbones "
        f"and of fresh seeds count one look.{again}"
    )


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
