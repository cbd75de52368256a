"""The ledger of looks: every plan under which a study was looked at, in results/STUDY/looks.jsonl.

Whoever looks at results and then adds seeds has looked twice, and both looks spend from one error budget. So each
look at a complete study is written down, and a study that was extended afterwards is tested at all of its looks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from ablations.analysis.stats.schedule import InterimSchedule, wrong_over_plans
from ablations.planning.design import Design
from ablations.running.machine.durable import append_durably, not_written
from ablations.running.record.set_aside import ended_keys
from ablations.running.record.study_paths import Places
from ablations.running.record.trial_file import Record
from senet_core.errors import UserError

FILE_NAME = "looks.jsonl"
_ALPHA = 0.05


@dataclass(frozen=True)
class Plan:
    """When a study was to be looked at.

    Attributes:
        asked: what was trained, as the key of the baseline with seed 0: another recipe is another study.
        looks: numbers of seeds, rising.
        most: seeds at which all of the error is spent.
        seeds: which, in the order in which they were added.
    """

    asked: str
    looks: tuple[int, ...]
    most: int
    seeds: tuple[int, ...]


def read_plans(folder: Path) -> tuple[Plan, ...]:
    """Read the ledger of a study's results folder; empty where there is none.

    Raises:
        UserError: it cannot be read, or a line in it is corrupt.
    """
    path = folder / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the ledger of looks {path}: {error}") from error
    plans = []
    for number, line in enumerate(lines, 1):
        try:
            content = json.loads(line)
            plan = Plan(content["asked"], tuple(content["looks"]), content["most"], tuple(content["seeds"]))
            _ = InterimSchedule(plan.looks, plan.most)
            if not (isinstance(plan.asked, str) and all(isinstance(seed, int) for seed in plan.seeds)):
                raise ValueError("asked must be text, and seeds whole numbers")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"{path}, line {number} is corrupt: {error}; correct or remove that line"
            ) from error
        plans.append(plan)
    return tuple(plans)


def note_look(design: Design, places: Places, record: Record) -> None:
    """Write down that a study is looked at as it is now planned, unless the last line says so already.

    A race declares all its looks, and the first is when every row has had its first seeds. Any other study is looked at
    when none of its trials is waited for any more; what is said of it before is an interim figure.

    Raises:
        UserError: the ledger cannot be read.
        DiskError: it cannot be written.
    """
    plans = read_plans(places.results)
    plan = plan_of(design, plans)
    known = record.finished.keys() | ended_keys(design, record)
    if plan is None:
        return
    first = seed_order(design, plans)[: plan.looks[0]]
    if any(cell.trial(seed).key not in known for cell in design.cells for seed in first):
        return
    try:
        with FileLock(places.results / ".looks.lock"):  # another sweep may end at this moment
            if read_plans(places.results)[-1:] != (plan,):
                append_durably(places.looks, (json.dumps(asdict(plan)) + "\n").encode())
    except OSError as error:
        raise not_written(f"the ledger of looks {places.looks}", error, chosen=False) from error


def plan_of(design: Design, plans: tuple[Plan, ...] = ()) -> Plan | None:
    """Give the looks that a study declares: one at its last seed, or in a race one after every seed from the first."""
    most = len(design.seeds)
    first = design.study.race.first if design.study.design == "race" else most
    if first < 2:
        return None
    return Plan(_asked(design), tuple(range(first, most + 1)), most, seed_order(design, plans))


def seed_order(design: Design, plans: tuple[Plan, ...]) -> tuple[int, ...]:
    """Give a study's seeds in the order in which they were looked at, and then rising."""
    before = [seed for plan in _same(design, plans) for seed in plan.seeds if seed in design.seeds]
    return tuple(dict.fromkeys([*before, *sorted(design.seeds)]))


def schedule_of(design: Design, plans: tuple[Plan, ...]) -> InterimSchedule | None:
    """Give the looks at which a study's comparisons are tested; None where there is one look only.

    Args:
        design: the study as it is now planned.
        plans: those under which it was looked at before.
    """
    own = plan_of(design, plans)
    if own is None:
        return None
    at = sorted({n for plan in (*_same(design, plans), own) for n in plan.looks})
    return InterimSchedule(tuple(at), at[-1], order=own.seeds) if len(at) > 1 else None


def budget_note(design: Design, plans: tuple[Plan, ...]) -> str | None:
    """Say what a study's looks have cost, where seeds were added after one; None where they were not."""
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
    before = ", ".join(str(last) for last, _ in ends[:-1])
    bound = 100 * _ALPHA * wrong_over_plans(ends)
    return (
        f"The study was looked at under another plan, at {before} seeds. In the tables of comparisons with the "
        f"baseline all looks share one error budget of 5 %: a look at S of {most} seeds spends (S / {most})² of it, p "
        "values are those of all looks together, and intervals are repeated ones, which hold at all looks. Because "
        "the other plan spends the whole budget at its own end, the chance of a wrong verdict of one kind (better or "
        f"worse; equivalent) in any report's table is at most {bound:.1f} %. Tables of effects, of several backbones "
        f"and of fresh seeds count one look.{again}"
    )


def _asked(design: Design) -> str:
    return design.baseline.trial(0).key


def _same(design: Design, plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
    """Keep the plans of what is asked now, with a seed in common."""
    asked, seeds = _asked(design), set(design.seeds)
    return tuple(plan for plan in plans if plan.asked == asked and seeds & set(plan.seeds))


def _disjoint(design: Design, plans: tuple[Plan, ...]) -> tuple[int, ...]:
    """Give the seeds of plans of what is asked now that have none in common with it."""
    asked, seeds = _asked(design), set(design.seeds)
    found = (p.seeds for p in plans if p.asked == asked and not seeds & set(p.seeds))
    return tuple(sorted({seed for other in found for seed in other}))


def _listed(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds[:10])) + (" and more" if len(seeds) > 10 else "")
