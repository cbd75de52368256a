"""What tests after the training say: rows beside the baseline, by what their networks saw of which images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablations.analysis.results.account import rules_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.interval import Interval
from ablations.analysis.stats.outcomes.crossed import crossed_difference, crossed_level
from ablations.analysis.stats.outcomes.over_images import mean_over_images
from ablations.analysis.stats.paired import estimate
from ablations.planning.networks.views import ONE_CROP, Views
from ablations.planning.row import Row, RowKind
from ablations.running.record.tested.lines import MeasuredLine, read_right

Bits = NDArray[np.bool_]
_ALL = "all rows together"


@dataclass(frozen=True)
class TriedRow:
    """The networks of one row, each by itself or all of them together, in one test.

    Attributes:
        label: the row's; of the networks of all rows with one seed, that they are all together.
        kind: whether it is the baseline.
        networks: whose probabilities are averaged for one answer; 1 for each by itself.
        seeds: answers for each image, one for each seed; 1 for an ensemble of a row's seeds.
        top1: error in per cent. Its interval holds for new seeds and new images where there are several seeds, else
            for new images alone; where the same images come in copies, for new seeds alone.
        top5: likewise, the mean; None where there are at most five classes.
        difference: to the baseline, likewise tried; None for the baseline, and where it was not tried.
        comparison: with the verdict; None for ensembles of a row's seeds, of which there is one each.
        gain: top-1 error minus that of single networks on one crop of the same images; None where these were not tried.
    """

    label: str
    kind: RowKind
    networks: int
    seeds: int
    top1: Interval
    top5: float | None
    difference: Interval | None = None
    comparison: Comparison | None = None
    gain: Interval | None = None


@dataclass(frozen=True)
class Tried:
    """One test of a study's rows.

    Attributes:
        views: what networks saw of each image.
        images: name of the images.
        count: of the images.
        copies: how often the same images come, corrupted in another way each time.
        rows: the single networks of each row in the order of the study, then the ensembles.
    """

    views: Views
    images: str
    count: int
    copies: int
    rows: tuple[TriedRow, ...]


_Place = tuple[str, int]
"""A row's label and a seed."""

_Found = tuple[MeasuredLine, Bits]
_Group = tuple[Views, tuple[tuple[str, Any], ...]]


def tried_of(results: Results) -> tuple[Tried, ...]:
    """Return the tests of one task's rows, those on its own test images first; none where nothing was tested.

    Raises:
        RecordError: the outcomes of a test are missing or damaged.
    """
    if not results.record.tests:
        return ()
    places = {
        results.key_of(row, seed): (row.label, seed)
        for row in results.design.rows
        for seed in results.asked_seeds(row)
    }
    groups: dict[_Group, list[MeasuredLine]] = {}
    for line in results.record.tests:
        if all(key in places and _is_current(results, key, proof) for key, proof in line.networks):
            group = Views.from_json(line.views), tuple(sorted(line.images.items()))
            groups.setdefault(group, []).append(line)
    own = {line.data_digest for line in results.finished.values()}

    def order(group: _Group) -> tuple[Any, ...]:
        views, images = group[0], dict(group[1])
        return images["digest"] not in own, images["name"], views.crops, views.size or 0, str(views)

    found = []
    for views, images in sorted(groups, key=order):
        plain = groups.get((ONE_CROP, images), ())
        found.append(_Trying(results, places, views, dict(images), groups[views, images], plain).tried())
    return tuple(found)


def _is_current(results: Results, key: str, proof: str) -> bool:
    """Return whether the record still has the network that was tested, and no later training of its trial."""
    line = results.finished.get(key)
    return line is not None and line.result is not None and line.result.proof == proof


class _Trying:
    """The lines of one test: of the networks by row and seed, of ensembles with their members."""

    def __init__(
        self,
        results: Results,
        places: Mapping[str, _Place],
        views: Views,
        images: Mapping[str, Any],
        lines: Sequence[MeasuredLine],
        plain: Sequence[MeasuredLine],
    ) -> None:
        self._results, self._places, self._views, self._images = results, places, views, images
        self._copies = int(images.get("copies", 1))
        self._baseline = results.design.baseline.label
        self._single = self._by_row(lines)
        self._one_crop = self._by_row(plain)
        self._together = [(line, self._right(line)) for line in lines if len(line.networks) > 1]

    def _kind(self, row: Row) -> RowKind:
        return "baseline" if row.label == self._baseline else "variant"

    def _right(self, line: MeasuredLine) -> Bits:
        return read_right(self._results.record.folder, line)

    def _by_row(self, lines: Sequence[MeasuredLine]) -> dict[str, dict[int, _Found]]:
        found: dict[str, dict[int, _Found]] = {}
        for line in lines:
            if len(line.networks) == 1:
                label, seed = self._places[line.networks[0][0]]
                found.setdefault(label, {})[seed] = (line, self._right(line))
        return found

    def tried(self) -> Tried:
        rows = (*self._single_rows(), *self._seed_ensembles(), *self._row_ensembles())
        return Tried(self._views, str(self._images["name"]), int(self._images["images"]), self._copies, rows)

    def _single_rows(self) -> Iterator[TriedRow]:
        found = self._comparisons()
        for row in self._results.design.rows:
            own = self._single.get(row.label)
            if own:
                difference = found.get(row.label)
                yield TriedRow(
                    row.label, self._kind(row), 1, len(own), self._level(_stacked(own)), _top5(own.values()),
                    None if difference is None else _interval(difference), difference, self._gain(row.label),
                )  # fmt: skip

    def _comparisons(self) -> Mapping[str, Comparison]:
        """Return the comparison of each row with the baseline, corrected for all rows of this test."""
        pairs = [(label, self._baseline) for label in self._single if label != self._baseline]
        if not pairs or self._baseline not in self._single:
            return {}
        frame = pd.DataFrame(
            [
                (label, seed, line.top1_error)
                for label, own in self._single.items()
                for seed, (line, _) in own.items()
            ],
            columns=["variant", "seed", "value"],
        )
        outcomes = {
            label: {seed: right for seed, (_, right) in own.items()} for label, own in self._single.items()
        }
        found = compare_family(frame, pairs, self._rules(), outcomes if self._copies == 1 else {})
        return {one.variant: one for one in found}

    def _rules(self) -> Rules:
        rules = replace(rules_of(self._results), forecast=False)
        if self._copies > 1:  # over seeds alone, a few that agree by chance would show equivalence
            rules = replace(rules, margin=None)
        if rules.schedule is None:
            return rules
        return replace(rules, schedule=None, withheld="its seeds were added in looks at other tests")

    def _level(self, right: Bits) -> Interval:
        """Return the mean error of answers, one for each seed."""
        if len(right) == 1:
            return mean_over_images(100.0 * ~right[0], copies=self._copies)
        if self._copies > 1:
            over = estimate(100.0 * (~right).mean(axis=1))
            return Interval(float((~right).mean()) * 100, over.lo, over.hi)
        level = crossed_level(right)
        return Interval(level.mean, level.lo, level.hi)

    def _gain(self, label: str) -> Interval | None:
        """Return the error minus that on one crop, network by network."""
        now, before = self._single[label], self._one_crop.get(label, {})
        seeds = sorted(now.keys() & before.keys())
        if self._views.as_trained or not seeds:
            return None
        ours, theirs = (np.stack([own[seed][1] for seed in seeds]) for own in (now, before))
        return self._difference(ours, theirs)

    def _difference(self, ours: Bits, theirs: Bits) -> Interval:
        if len(ours) == 1:
            return mean_over_images(100.0 * theirs[0] - 100.0 * ours[0], copies=self._copies)
        if self._copies > 1:
            over = estimate(100.0 * (theirs.mean(axis=1) - ours.mean(axis=1)))
            return Interval(100 * float(theirs.mean() - ours.mean()), over.lo, over.hi)
        found = crossed_difference(ours, theirs)
        return Interval(found.mean, found.lo, found.hi)

    def _seed_ensembles(self) -> Iterator[TriedRow]:
        """Yield each row's largest ensemble of its own networks."""
        largest: dict[str, _Found] = {}
        for line, right in self._together:
            labels = {self._places[key][0] for key, _ in line.networks}
            if len(labels) == 1:
                label = labels.pop()
                known = largest.get(label)
                if known is None or len(known[0].networks) < len(line.networks):
                    largest[label] = (line, right)
        base = largest.get(self._baseline)
        for row in self._results.design.rows:
            if row.label not in largest:
                continue
            line, right = largest[row.label]
            difference = None
            if (
                base is not None
                and row.label != self._baseline
                and len(base[0].networks) == len(line.networks)
            ):
                difference = self._difference(right[None], base[1][None])
            yield TriedRow(
                row.label, self._kind(row), len(line.networks), 1, self._level(right[None]), line.top5_error,
                difference, gain=self._ensemble_gain(line, right, row.label),
            )  # fmt: skip

    def _ensemble_gain(self, line: MeasuredLine, right: Bits, label: str) -> Interval | None:
        """Return an ensemble's error minus the mean of its own members', each on one crop."""
        seeds = [self._places[key][1] for key, _ in line.networks]
        before = self._one_crop.get(label, {})
        if any(seed not in before for seed in seeds):
            return None
        members = np.mean([before[seed][1] for seed in seeds], axis=0)
        return mean_over_images(100.0 * (members - right), copies=self._copies)

    def _row_ensembles(self) -> Iterator[TriedRow]:
        """Yield the ensembles of the networks of all rows, one for each seed; the largest ones of it."""
        by_seed: dict[int, _Found] = {}
        for line, right in self._together:
            found = [self._places[key] for key, _ in line.networks]
            seeds = {seed for _, seed in found}
            if len(seeds) == 1 and len({label for label, _ in found}) > 1:
                seed = seeds.pop()
                known = by_seed.get(seed)
                if known is None or len(known[0].networks) < len(line.networks):
                    by_seed[seed] = (line, right)
        size = max((len(line.networks) for line, _ in by_seed.values()), default=0)
        whole = {seed: one for seed, one in by_seed.items() if len(one[0].networks) == size}
        if whole:
            yield TriedRow(
                _ALL, "variant", size, len(whole), self._level(_stacked(whole)), _top5(whole.values()),
                self._to_baseline(whole),
            )  # fmt: skip

    def _to_baseline(self, whole: Mapping[int, _Found]) -> Interval | None:
        base = self._single.get(self._baseline, {})
        seeds = sorted(whole.keys() & base.keys())
        if not seeds:
            return None
        ours, theirs = (np.stack([own[seed][1] for seed in seeds]) for own in (whole, base))
        return self._difference(ours, theirs)


def _stacked(own: Mapping[int, _Found]) -> Bits:
    return np.stack([own[seed][1] for seed in sorted(own)])


def _top5(found: Iterable[_Found]) -> float | None:
    errors = [line.top5_error for line, _ in found]
    known = [error for error in errors if error is not None]
    return float(np.mean(known)) if known and len(known) == len(errors) else None


def _interval(comparison: Comparison) -> Interval | None:
    found = comparison.difference
    return None if found.mean is None else Interval(found.mean, found.lo, found.hi)
