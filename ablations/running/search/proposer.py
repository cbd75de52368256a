"""The proposer: takes the next trials of a study's choices from Optuna, and reports their results to it.

A proposal is made, written down and leased under a lock, and only then trained. So a sweep that is killed at any point
leaves either nothing or a proposal without an end, and the next sweep takes that one over before it asks for another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from filelock import FileLock, Timeout

from ablations.planning.choices.arms import Arm, arms_of
from ablations.planning.design import Design
from ablations.planning.designs.tuned import CHOOSE_FROM
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.leases import Leases
from ablations.running.record.proposals import Proposal
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import Step, TrialRecord
from ablations.running.search.judged import Judged, is_over, judge, lacking, left, planned
from ablations.running.search.storage import (
    StorageFailed,
    close_storage,
    failing_softly,
    folder_name,
    is_shared,
    open_storage,
    storage_url,
)
from ablations.running.search.view import View
from senet_core.errors import UserError

LOCK_SECONDS = 60.0
_CLOSING_SECONDS = 2.0
SEED_STRIDE = 100_000
"""Another repetition of a search trains with other seeds."""
ENOUGH_FAILURES = 5
"""So many failures of one kind, and no success: something is wrong that no other proposal will mend."""


class AnotherChooses(UserError):
    """Another process chooses for the same study, with a storage that allows one only."""


class Proposer:
    """The choices of one study, as one sweep makes them.

    Args:
        design: the study.
        paths: its folders.
        record: its record, which the sweep adds to.
        leases: the sweep's.
        storage: address of Optuna's storage; None for a file beside the record.
        say: who is told what a person should know.

    Raises:
        ToolMissing: the storage's driver is not installed.
        UserError: the storage cannot be opened, or another sweep uses it that allows one only.
    """

    def __init__(
        self,
        design: Design,
        paths: StudyPaths,
        record: StudyRecord,
        leases: Leases,
        storage: str | None,
        say: Callable[[str], None],
    ) -> None:
        self.arms = arms_of(design)
        self._record, self._leases, self._say = record, leases, say
        self._folder = paths.results
        self._lock = FileLock(self._folder / ".choice.lock", timeout=LOCK_SECONDS)
        self._mine: dict[str, Arm] = {}
        self._timed = design.study.search is not None and design.study.search.timed
        self._failures: Counter[str] = Counter()
        self._broken: str | None = None
        self._read: dict[str, tuple[tuple[int, int], tuple[Judged, ...]]] = {}
        url = storage_url(storage, self._folder)
        self._alone = FileLock(self._folder / ".driver.lock", timeout=0)
        if not is_shared(url):
            _be_alone(self._alone, paths.study)
        self._views = self._open_views(design, url)

    @property
    def planned(self) -> int:
        """Trials that the choices have come to, and those that their budgets leave."""
        return sum(planned(arm, self._judge(arm)) for arm in self.arms)

    @property
    def left(self) -> int:
        """Trials that the budgets leave, those that run included."""
        return sum(left(arm, self._judge(arm)) for arm in self.arms)

    def propose(self, room: int) -> list[tuple[Row, Trial]]:
        """Return trials to train now: what a dead sweep left, then what Optuna proposes, arm by arm in turn.

        Their leases are this sweep's when they are returned.

        Args:
            room: how many can be begun; 0 returns none.

        Raises:
            DiskError: a proposal cannot be written down.
        """
        found: list[tuple[Row, Trial]] = []
        if room <= 0 or self._broken is not None or not self.left:
            return found
        with self._locked():
            self._record.refresh()
            found += self._left_by_the_dead(room)
            try:
                while len(found) < room:
                    asked = [self._ask(arm) for arm in self.arms[: room - len(found)]]
                    self.arms = (*self.arms[len(asked) :], *self.arms[: len(asked)])
                    new = [pair for pair in asked if pair is not None]
                    found += new
                    if not new and not any(self._lacks(arm) for arm in self.arms):
                        break
            except StorageFailed as error:
                self._lost_storage(error)
        return found

    def heard(self, key: str, epochs: Sequence[Step]) -> bool:
        """Pass on the epochs of a running trial, and return whether it is to be pruned."""
        arm = self._mine.get(key)
        pruned = False
        if arm is None or self._broken is not None:
            return pruned
        try:
            for epoch in epochs:
                value = epoch.values.get(arm.judged_by.step)
                if value is not None:
                    with failing_softly():
                        pruned |= self._views[arm.name].report(key, epoch.number, value)
        except StorageFailed as error:
            self._lost_storage(error)
        return pruned

    def ended(self, line: TrialRecord) -> None:
        """Pass on how a trial of this sweep ended."""
        arm = self._mine.pop(line.key, None)
        if arm is None:
            return
        found = next((j for j in self._judge(arm) if j.proposal.key == line.key), None)
        if found is None:
            return
        if line.failure is not None and not found.counts:
            self._failures[line.failure.kind] += 1
            kind, times = self._failures.most_common(1)[0]
            if times >= ENOUGH_FAILURES:
                self._give_up(
                    f"{times} proposals failed alike ({kind}) and none finished: {line.failure.message}"
                )
        else:
            self._failures.clear()
        if self._broken is None:
            try:
                with self._locked(), failing_softly():
                    self._views[arm.name].tell(found)
            except StorageFailed as error:
                self._lost_storage(error)

    def lost(self, key: str) -> None:
        """Note that another sweep has taken over a trial of this one; it is taken back should that one die."""
        self._mine.pop(key, None)

    def waits(self) -> bool:
        """Return whether other sweeps still train proposals, whose ends may free a place or leave one to take over."""
        if self._broken is not None:
            return False
        self._record.refresh()
        return any(not is_over(arm, self._judge(arm)) for arm in self.arms)

    def close(self) -> None:
        """Close the storage, and let other sweeps in; what a driver that died had only asked for is ended."""
        if self._broken is None:
            with (
                suppress(StorageFailed, Timeout),
                self._lock.acquire(timeout=_CLOSING_SECONDS),
                failing_softly(),
            ):
                for arm in self.arms:
                    self._views[arm.name].mirror(self._judge(arm))
        close_storage(self._opened)
        self._alone.release()

    def _open_views(self, design: Design, url: str) -> dict[str, View]:
        try:
            self._opened = opened = open_storage(url)
            with self._locked(), failing_softly():
                self._record.refresh()
                folder = folder_name(self._folder)
                views = {a.name: View(f"{design.study.name} {folder}", a, opened) for a in self.arms}
                for arm in self.arms:
                    views[arm.name].forget_others(self._judge(arm))
                    views[arm.name].mirror(self._judge(arm))
        except UserError:
            self._alone.release()
            raise
        except StorageFailed as error:
            self._alone.release()
            raise UserError(str(error)) from error
        return views

    def _ask(self, arm: Arm) -> tuple[Row, Trial] | None:
        """Ask for one proposal and write it down; None where the arm has its budget."""
        judged = self._judge(arm)
        if lacking(arm, judged) == 0:
            return None
        view = self._views[arm.name]
        with failing_softly():
            view.mirror(judged)  # of other drivers' trials, and of what they left
            params = view.ask(judged)
        row = arm.space.proposed_row(params)
        used = {j.proposal.key for j in judged}
        if self._timed:  # what was trained without a clock has no latency
            used |= self._record.finished.keys()
        trial = row.trial(_fresh_seed(row, used, CHOOSE_FROM + SEED_STRIDE * arm.repetition))
        with failing_softly():
            view.name(trial.key)
        self._record.add_proposal(
            Proposal(arm.name, arm.asked, len(judged), trial.key, trial.seed, dict(params))
        )
        if not self._leases.take(trial.key):
            return None  # somebody trains the very same trial now: what comes of it is the proposal's
        self._mine[trial.key] = arm
        return row, trial

    def _left_by_the_dead(self, room: int) -> list[tuple[Row, Trial]]:
        found: list[tuple[Row, Trial]] = []
        for arm in self.arms:
            for j in self._judge(arm):
                key = j.proposal.key
                if j.state != "open" or key in self._mine or len(found) >= room:
                    continue
                if self._leases.take(key):
                    self._mine[key] = arm
                    found.append((j.row, j.trial))
        return found

    def _judge(self, arm: Arm) -> tuple[Judged, ...]:
        self._record.refresh()
        now = (len(self._record.proposals), len(self._record.trials.lines))
        if arm.name not in self._read or self._read[arm.name][0] != now:
            self._read[arm.name] = (now, judge(arm, self._record.proposals, self._record.trials))
        return self._read[arm.name][1]

    def _lacks(self, arm: Arm) -> bool:
        return lacking(arm, self._judge(arm)) > 0

    def _lost_storage(self, error: StorageFailed) -> None:
        self._give_up(f"Optuna's storage failed ({error}); what was trained is recorded")

    def _give_up(self, why: str) -> None:
        self._broken = why
        self._say(f"no more proposals: {why}; the same command continues")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except Timeout:
            raise UserError(
                f"another sweep has held {self._lock.lock_file} for {LOCK_SECONDS:g} s; is it stopped?"
            ) from None


def _fresh_seed(row: Row, used: Collection[str], first: int) -> int:
    """Return the seed of a proposal: what is proposed again is trained with another one."""
    return next(seed for seed in count(first) if row.key(seed) not in used)


def _be_alone(lock: FileLock, study: str) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise AnotherChooses(
            f"another process is choosing for study {study!r}; for several at once, share a database:"
            " `storage=postgresql://USER@HOST/NAME`"
        ) from None
