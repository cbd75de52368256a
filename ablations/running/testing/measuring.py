"""Tests networks and ensembles, and records each when it has been tested; what is recorded is not tested again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.networks.views import Views
from ablations.running.data import Prepared
from ablations.running.machine.devices import choose_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import Kernels
from ablations.running.record.tested.lines import (
    MeasuredLine,
    Network,
    add_test,
    key_of_test,
    read_tests,
)
from ablations.running.record.tested.probabilities import keep_probabilities, read_probabilities
from ablations.running.record.trial_record import TrialRecord
from ablations.running.testing.answers import Probabilities, answers, judge
from ablations.running.testing.image_sources import ImagesToTest
from ablations.running.training.building import kept_network


@dataclass(frozen=True, eq=False)
class Member:
    """A network whose weights are kept, and what it is tested on.

    Attributes:
        label: of its row, for messages.
        line: of the record.
        data: that it was trained on.
        images: that it is tested on.
    """

    label: str
    line: TrialRecord
    data: Prepared
    images: ImagesToTest

    @property
    def network(self) -> Network:
        """Its trial's key and the hash of its weights."""
        assert self.line.result is not None  # the weights of a finished trial are kept
        return self.line.key, self.line.result.proof


class Measuring:
    """Tests in some views, recorded in a study's folder.

    Args:
        folder: results/STUDY.
        views: what networks see of each image.
        keep: whether probabilities are wanted, for ensembles.
        say: is told which network is tested next.
    """

    def __init__(
        self, folder: Path, views: Views, *, keep: bool, say: Callable[[str], object] = lambda text: None
    ) -> None:
        self._folder, self._views, self._keep, self._say = folder, views, keep, say
        self._done = {line.key: line for line in read_tests(folder)}
        self._device = choose_device()

    def one(self, member: Member) -> MeasuredLine:
        """Return the line of a network by itself.

        Raises:
            RecordError: its weights are damaged.
            DiskError: the test cannot be written.
        """
        key = self._key([member.network], member.images)
        known = self._done.get(key)
        if known is not None and not (self._keep and read_probabilities(self._folder, key) is None):
            return known
        started = time.monotonic()
        given = self._answers(member, key)
        return known or self._recorded([member.network], member, given, time.monotonic() - started)

    def together(self, members: Sequence[Member]) -> MeasuredLine:
        """Return the line of an ensemble: the mean of the probabilities of all of its members.

        Args:
            members: at least one, tested on the same images.

        Raises:
            RecordError, DiskError: as for `one`.
        """
        networks, first = sorted(member.network for member in members), members[0]
        key = self._key(networks, first.images)
        if key in self._done:
            return self._done[key]
        started = time.monotonic()
        total = np.zeros(1)
        for member in members:
            own = self._key([member.network], member.images)
            given = read_probabilities(self._folder, own)
            total = total + (self._answers(member, own) if given is None else given)
        mean = (total / len(members)).astype(np.float32)
        return self._recorded(networks, first, mean, time.monotonic() - started)

    def _key(self, networks: Sequence[Network], images: ImagesToTest) -> str:
        return key_of_test(networks, self._views, images.to_json())

    def _answers(self, member: Member, key: str) -> Probabilities:
        self._say(f"{member.label}, seed {member.line.trial['seed']}, {member.images.name}")
        precision = NetworkTrial.from_json(member.line.trial).recipe.precision
        network = kept_network(self._folder, member.line)
        given = answers(network, member.images, self._views, member.data, self._device, precision)
        if self._keep:
            keep_probabilities(self._folder, key, given)
        return given

    def _recorded(
        self, networks: Sequence[Network], member: Member, given: Probabilities, seconds: float
    ) -> MeasuredLine:
        found, images = judge(given, member.images.labels), member.images.to_json()
        line = MeasuredLine(
            key=key_of_test(networks, self._views, images),
            networks=tuple(networks),
            views=self._views.to_json(),
            images=images,
            top1_error=found.top1_error,
            top5_error=found.top5_error,
            loss=found.loss,
            outcomes_sha256="",
            seconds=round(seconds, 3),
            environment=self._environment(member),
        )
        line = add_test(self._folder, line, found.right)
        self._done[line.key] = line
        return line

    def _environment(self, member: Member) -> dict[str, Any]:
        precision = NetworkTrial.from_json(member.line.trial).recipe.precision
        return describe_environment(
            device=self._device,
            precision=precision,
            threads=torch.get_num_threads(),
            kernels=Kernels(fused=False, winograd=False),
        )
