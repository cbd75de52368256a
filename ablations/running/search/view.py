"""Optuna's study of one choice: what it is told, and what it proposes.

The view is made from proposals and record, and holds nothing that they do not: a trial that Optuna lacks is added, one
that it thinks running and that has ended is told, and one that was asked for but never written down is failed.

Traps behind this: heartbeats do nothing with ask and tell, so a killed driver's trials stay RUNNING for ever; a trial
enqueued with skip_if_exists is skipped where an earlier one failed; a sampler that is made anew after a kill repeats
the proposals of its seed, so each proposal has a seed of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from ablations.planning.choices.arms import Arm
from ablations.planning.choices.space import Dimension, Params
from ablations.running.search.judged import Judged
from senet_core.errors import UserError

Direction = Literal["minimize", "maximize"]
KEY = "senet.key"
_FEW = 4
_ATTEMPTS = 3
_STRIDE = 100_003
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)

optuna.logging.set_verbosity(optuna.logging.ERROR)


class View:
    """One arm in Optuna's storage.

    Args:
        study: name of our study.
        arm: the choice.
        storage: Optuna's.
    """

    def __init__(self, study: str, arm: Arm, storage: optuna.storages.BaseStorage) -> None:
        self.arm = arm
        self._distributions = {d.name: _distribution(d) for d in arm.space.dimensions}
        self._make = partial(
            optuna.create_study,
            study_name=f"{study}: {arm.name} ({arm.asked[:6]})",
            storage=storage,
            directions=directions_of(arm),
            pruner=_pruner(arm),
            load_if_exists=True,
        )
        self._storage = storage
        self._numbers: dict[str, int] = {}
        self._open()

    def forget_others(self, judged: Sequence[Judged]) -> None:
        """Start the view anew if it knows ends that the record does not, such as those of a record set aside."""
        known = {j.proposal.key for j in judged}
        keys = {t.user_attrs.get(KEY) for t in self.study.get_trials(deepcopy=False, states=_ENDED)}
        if keys - {None} - known:
            optuna.delete_study(study_name=self.study.study_name, storage=self._storage)
            self._open()

    def _open(self) -> None:
        self.study = self._make()
        wanted, have = (
            self._make.keywords["directions"],
            [each.name.lower() for each in self.study.directions],
        )
        if have != wanted:  # Optuna takes such a study as it is, and would look for the worst
            raise UserError(
                f"Optuna's storage has a study {self.study.study_name!r} that was not made by this search: its"
                f" directions are {', '.join(have)}, not {', '.join(wanted)}; rename or delete it there, or name"
                " another `storage`"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.set_metric_names([objective.name for objective in self.arm.objectives])

    def mirror(self, judged: Sequence[Judged]) -> None:
        """Bring Optuna up to what is known; the caller holds the choice's lock, so that nobody is just asking."""
        known = {j.proposal.key for j in judged}
        there: dict[str, FrozenTrial] = {}
        for trial in self.study.get_trials(deepcopy=False):
            key = trial.user_attrs.get(KEY)
            if key in known:
                there[key] = trial
            elif trial.state == TrialState.RUNNING:
                self.study.tell(trial.number, state=TrialState.FAIL)
        for j in judged:
            found = there.get(j.proposal.key)
            if found is not None:
                self._numbers[j.proposal.key] = found.number
            if j.state == "open" or (found is not None and found.state.is_finished()):
                continue
            if found is not None:
                self.tell(j)
            else:
                self._add(j)

    def ask(self, judged: Sequence[Judged]) -> Params:
        """Let Optuna propose; the first proposal is the study's own baseline or recipe.

        Args:
            judged: the proposals so far; their number decides what is random in the next.
        """
        self.study.sampler = _sampler(self.arm, len(judged) + _STRIDE * self.arm.repetition)
        if self.arm.space.start is not None and _begins(judged) and not self._waiting():
            self.study.enqueue_trial(dict(self.arm.space.start))
        self._asked = self.study.ask(self._distributions)
        return dict(self._asked.params)

    def name(self, key: str) -> None:
        """Note the trial of the last proposal."""
        self._asked.set_user_attr(KEY, key)
        self._numbers[key] = self._asked.number

    def report(self, key: str, step: int, value: float) -> bool:
        """Report a figure on validation data to the pruner, and return whether the trial is to be pruned."""
        if self.arm.pruner == "none" or key not in self._numbers:
            return False
        frozen = self.study.get_trials(deepcopy=False)[self._numbers[key]]
        trial = optuna.trial.Trial(self.study, frozen._trial_id)
        trial.report(value, step)
        return trial.should_prune()

    def tell(self, judged: Judged) -> None:
        """Report to Optuna how a trial ended."""
        number = self._numbers.get(judged.proposal.key)
        number = self._number_of(judged.proposal.key) if number is None else number
        if number is None:
            self._add(judged)
            return
        state, values = self._ended(judged)
        self.study.tell(number, values=values, state=state, skip_if_finished=True)

    def _number_of(self, key: str) -> int | None:
        """Return the number of a trial that another driver asked for, and left to this one when it died."""
        trials = self.study.get_trials(deepcopy=False)
        return next((trial.number for trial in trials if trial.user_attrs.get(KEY) == key), None)

    def _waiting(self) -> bool:
        return bool(self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def _add(self, judged: Judged) -> None:
        state, values = self._ended(judged)
        line = judged.line
        said = {} if line is None else {e.number: e.values.get(self.arm.judged_by.step) for e in line.history}
        self.study.add_trial(
            create_trial(
                state=state,
                values=values,
                params=dict(judged.proposal.params),
                distributions=dict(self._distributions),
                user_attrs={KEY: judged.proposal.key},
                intermediate_values={
                    step: value
                    for step, value in said.items()
                    if value is not None and len(self.arm.objectives) == 1
                },
            )
        )

    def _ended(self, judged: Judged) -> tuple[TrialState, list[float] | None]:
        if judged.state == "finished" and judged.values is not None:
            return TrialState.COMPLETE, list(judged.values)
        if judged.state == "diverged" and len(self.arm.objectives) == 1:
            return TrialState.COMPLETE, [self.arm.judged_by.worst]
        if judged.state == "pruned":
            return TrialState.PRUNED, None
        return TrialState.FAIL, None


def _begins(judged: Sequence[Judged]) -> bool:
    """Return whether the study's own point has no result yet: a failure of the machine is none."""
    tried = [j.state for j in judged if j.is_start]
    return all(state == "failed" for state in tried) and len(tried) < _ATTEMPTS


def directions_of(arm: Arm) -> list[Direction]:
    """Return which way Optuna has each objective."""
    return ["minimize" if objective.metric.lower_is_better else "maximize" for objective in arm.objectives]


def make_trial(arm: Arm, judged: Judged) -> FrozenTrial | None:
    """Return a finished proposal as Optuna's plots and importances take it; None where it has no values."""
    if judged.values is None:
        return None
    distributions: Mapping[str, Any] = {d.name: _distribution(d) for d in arm.space.dimensions}
    return create_trial(
        values=list(judged.values), params=dict(judged.proposal.params), distributions=dict(distributions)
    )


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _sampler(arm: Arm, seed: int) -> optuna.samplers.BaseSampler:
    """Return a sampler for one proposal. All arms of a study begin alike, as the seed is the proposal's number."""
    if arm.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    first = max(_FEW, min(10, (arm.trials or 30) // 3))
    if arm.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(
            population_size=max(_FEW, min(50, (arm.trials or 100) // 5)), seed=seed
        )
    return optuna.samplers.TPESampler(
        n_startup_trials=first, multivariate=True, constant_liar=len(arm.objectives) == 1, seed=seed
    )


def _pruner(arm: Arm) -> optuna.pruners.BasePruner:
    if arm.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=_FEW, n_warmup_steps=1)
    if arm.pruner == "hyperband":
        steps = arm.space.steps
        most = (
            "auto" if steps is None else max(2, steps)
        )  # "auto": as many as the first whole proposal reports
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=most, reduction_factor=3)
    return optuna.pruners.NopPruner()
