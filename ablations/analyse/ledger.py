"""The ledger of looks: every plan under which a study was looked at, in results/STUDY/looks.jsonl.

Whoever looks at results and then adds seeds has looked twice, and both looks spend from one error budget. So each
look at a complete study is written down, and a study that was extended afterwards is tested at all of its looks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from ablations.analyse.looks import Schedule, wrong_over_plans
from ablations.plan.design import Design
from ablations.run.durable import append_durably, not_written
from ablations.run.places import Places
from ablations.run.record import Record
from senet_core.errors import UserError

FILE_NAME = "looks.jsonl"
_ALPHA = 0.05


@dataclass(frozen=True)
class Plan:
    """When a study was to be looked at.

    Attributes:
        looks: numbers of seeds, rising.
        most: seeds at which all of the error is spent.
    """

    looks: tuple[int, ...]
    most: int


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
            plan = Plan(tuple(content["looks"]), content["most"])
            _ = Schedule(plan.looks, plan.most)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"{path}, line {number} is corrupt: {error}; correct or remove that line"
            ) from error
        plans.append(plan)
    return tuple(plans)


def note_look(design: Design, places: Places, record: Record) -> None:
    """Write down that a study is looked at as it is now planned, unless the last line says so already.

    A race declares all its looks. Any other study is looked at when none of its trials is missing; what is said of it
    before is an interim figure.

    Raises:
        UserError: the ledger cannot be read.
        DiskError: it cannot be written.
    """
    plan = plan_of(design)
    known = record.finished.keys() | record.failed.keys()
    missing = design.study.design != "race" and any(trial.key not in known for trial in design.trials)
    if plan is None or missing:
        return
    try:
        with FileLock(places.results / ".looks.lock"):  # another sweep may end at this moment
            if read_plans(places.results)[-1:] != (plan,):
                append_durably(places.looks, (json.dumps(asdict(plan)) + "\n").encode())
    except OSError as error:
        raise not_written(f"the ledger of looks {places.looks}", error, chosen=False) from error


def plan_of(design: Design) -> Plan | None:
    """Give the looks that a study declares: one at its last seed, or in a race one after every seed from the first."""
    most = len(design.seeds)
    first = design.study.race.first if design.study.design == "race" else most
    return Plan(tuple(range(first, most + 1)), most) if first >= 2 else None


def schedule_of(design: Design, plans: tuple[Plan, ...]) -> Schedule | None:
    """Give the looks at which a study's comparisons are tested; None where there is one look only.

    Args:
        design: the study as it is now planned.
        plans: those under which it was looked at before.
    """
    own = plan_of(design)
    if own is None:
        return None
    at = sorted({n for plan in (*plans, own) for n in plan.looks})
    return Schedule(tuple(at), at[-1]) if len(at) > 1 else None


def budget_note(design: Design, plans: tuple[Plan, ...]) -> str | None:
    """Say what a study's looks have cost, where seeds were added after one; None where they were not."""
    own = plan_of(design)
    if own is None or all(plan == own for plan in plans):
        return None
    distinct = [plan for n, plan in enumerate(plans) if plan != own and plan not in plans[:n]]
    ends, most = [], 0
    for plan in (*distinct, own):
        most = max(most, plan.most)
        ends.append((plan.looks[-1], most))
    before = ", ".join(str(last) for last, _ in ends[:-1])
    bound = 100 * _ALPHA * wrong_over_plans(ends)
    return (
        f"The study was looked at before its present plan was made, at {before} seeds. All looks share one error "
        f"budget of 5 %: a look at S of {most} seeds spends (S / {most})² of it, p values are those of all looks "
        f"together, and intervals are repeated ones, which hold at all looks. Because the earlier plan would have "
        f"spent the whole budget had the study ended there, the chance of a wrong verdict in any of the reports is "
        f"at most {bound:.1f} %."
    )
