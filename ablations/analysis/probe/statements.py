"""What the paper says of the gates of SE-ResNet-50 (Fig. 6 and 7), each statement as a check of other networks.

Every threshold was set before any network was looked at. Stages of a network take the place of those with the same
role: its first stage with gates that of stage 2, its last that of stage 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from ablations.analysis.probe.summary import NetworkSummary, UnitSummary
from ablations.analysis.stats.paired import Estimate, estimate

LARGE = 0.14
"""What Cohen (1988, "Statistical power analysis for the behavioral sciences") calls a large share of variance."""

ALIKE = 0.9
TWICE = 0.2
"""The smaller share of two variances whose standard deviations differ by a factor of two: 1 of 1 + 4."""

Judgement = Literal["confirmed", "contradicted", "undetermined"]


class _NotThere(Exception):
    """The network lacks a unit that the statement is about."""


@dataclass(frozen=True)
class Statement:
    """A statement of the paper, and how it is checked.

    Attributes:
        key: for programs.
        claim: what the paper says, in our words.
        test: what is measured and when it is confirmed.
        threshold: between confirmed and contradicted.
        above: whether it is confirmed above the threshold, or below.
        units: returns the names of the units that it is about.
        measure: returns the figure of one network.
    """

    key: str
    claim: str
    test: str
    threshold: float
    above: bool
    units: Callable[[NetworkSummary], Sequence[UnitSummary]]
    measure: Callable[[NetworkSummary], float]


@dataclass(frozen=True)
class StatementFinding:
    """A statement, as the networks of one row have it.

    Attributes:
        statement: of the paper.
        units: that take the place of the paper's.
        estimate: of its figure, over seeds.
        judgement: by where the interval lies.
        why: of an undetermined one, where it is not that the threshold is in the interval.
    """

    statement: Statement
    units: tuple[str, ...]
    estimate: Estimate
    judgement: Judgement
    why: str = ""


def judge(networks: Sequence[NetworkSummary]) -> tuple[StatementFinding, ...]:
    """Return what the networks of one row, trained with different seeds, say of each statement.

    A statement is confirmed or contradicted where the whole 95 % interval over seeds is on one side of its threshold;
    each is taken alone.

    Args:
        networks: with the same units; at least one.
    """
    return tuple(_finding(statement, networks) for statement in STATEMENTS)


def _finding(statement: Statement, networks: Sequence[NetworkSummary]) -> StatementFinding:
    try:
        units = tuple(unit.name for unit in statement.units(networks[0]))
        found = estimate([statement.measure(network) for network in networks])
    except _NotThere as error:
        return StatementFinding(statement, (), estimate([]), "undetermined", str(error))
    if found.n < 2 or found.mean is None:
        return StatementFinding(statement, units, found, "undetermined", "an interval needs two seeds")
    low, high = (found.mean, found.mean) if found.lo is None or found.hi is None else (found.lo, found.hi)
    if low > statement.threshold:
        return StatementFinding(statement, units, found, "confirmed" if statement.above else "contradicted")
    if high < statement.threshold:
        return StatementFinding(statement, units, found, "contradicted" if statement.above else "confirmed")
    return StatementFinding(statement, units, found, "undetermined")


def _early(network: NetworkSummary) -> UnitSummary:
    return next(iter(network.stages.values()))[-1]


def _later(network: NetworkSummary) -> tuple[UnitSummary, ...]:
    stages = tuple(network.stages.values())
    if len(stages) < 2:
        raise _NotThere("the network has gates in one stage only")
    return tuple(unit for unit in (stages[-2][-1], stages[-1][0]) if unit is not _early(network))


def _last_stage(network: NetworkSummary, at_least: int) -> tuple[UnitSummary, ...]:
    last = tuple(network.stages.values())[-1]
    if len(last) < at_least:
        raise _NotThere(f"the last stage with gates has fewer than {at_least} units")
    return last


def _end(network: NetworkSummary) -> tuple[UnitSummary, ...]:
    return _last_stage(network, 3)[1:]


def _before_the_end(network: NetworkSummary) -> tuple[UnitSummary, ...]:
    end = _end(network)
    return tuple(unit for unit in network.units if unit not in end)


def _mean(units: Sequence[UnitSummary], measure: str) -> float:
    return fmean(_value(unit, measure) for unit in units)


def _value(unit: UnitSummary, measure: str) -> float:
    value = unit.values[measure]
    if value is None:
        reasons = {
            "high": "its excitation has no upper end",
            "class_share": "its gates are constant, or there are too few images",
            "likeness": "its gates do not differ between channels, or there are too few",
        }
        raise _NotThere(f"{unit.name}: {reasons.get(measure, 'its gates are all 0')}")
    return value


def _balance(network: NetworkSummary) -> tuple[float, UnitSummary]:
    shares = [(unit.values["class_share"], unit) for unit in network.units]
    known = [(min(share, 1 - share), unit) for share, unit in shares if share is not None]
    if not known:
        raise _NotThere("no gate varies over images, or there are too few images")
    return max(known, key=lambda found: found[0])


STATEMENTS = (
    Statement(
        "early-shared",
        "Early gates are shared by the classes (SE_2_3).",
        f"Share of variance between classes in the last unit of the first stage: confirmed below {LARGE}, which Cohen"
        " calls large.",
        LARGE,
        False,
        lambda network: (_early(network),),
        lambda network: _value(_early(network), "class_share"),
    ),
    Statement(
        "later-specific",
        "Deeper gates are specific to classes (SE_4_6, SE_5_1).",
        "Share of variance between classes, mean of the last unit of the stage before the last and the first of the"
        f" last one, minus that of the last unit of the first stage: confirmed above {LARGE}.",
        LARGE,
        True,
        lambda network: (*_later(network), _early(network)),
        lambda network: _mean(_later(network), "class_share") - _value(_early(network), "class_share"),
    ),
    Statement(
        "saturated",
        "The next to last gate is saturated, most of it close to one (SE_5_2).",
        "Share of gates, over images and channels, in the highest 5 % of the excitation's range, in the next to last"
        " unit of a last stage of at least three: confirmed above 0.5.",
        0.5,
        True,
        lambda network: (_last_stage(network, 3)[-2],),
        lambda network: _value(_last_stage(network, 3)[-2], "high"),
    ),
    Statement(
        "last-alike",
        "The last gate has one pattern for all classes, up to a change in scale (SE_5_3).",
        "Correlation over channels of a class's mean gates with those of the other classes, mean over classes, in the"
        f" last unit: confirmed above {ALIKE}.",
        ALIKE,
        True,
        lambda network: (_last_stage(network, 3)[-1],),
        lambda network: _value(_last_stage(network, 3)[-1], "likeness"),
    ),
    Statement(
        "last-less",
        "The last blocks recalibrate less than those before (SE_5_2, SE_5_3).",
        "Distance of the gate from a constant for each channel, mean over the units of the last stage without its"
        " first, minus the mean over all units before them: confirmed below 0.",
        0.0,
        False,
        lambda network: _end(network),
        lambda network: (
            _mean(_end(network), "constant_error") - _mean(_before_the_end(network), "constant_error")
        ),
    ),
    Statement(
        "within-as-between",
        "In some layers gates vary as much within a class as between classes (Fig. 7).",
        "The smaller of the shares of variance within and between classes, in the unit where it is largest: confirmed"
        f" above {TWICE}, where the standard deviations differ by less than a factor of two.",
        TWICE,
        True,
        lambda network: (_balance(network)[1],),
        lambda network: _balance(network)[0],
    ),
)
"""In the paper's order."""
