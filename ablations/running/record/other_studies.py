"""The other studies of a results folder: a trial that one of them has finished, or trains now, is not trained again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.record.leases import FOLDER, Leases
from ablations.running.record.outcomes import read_outcomes
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import FILE_NAME, TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import has_weights, read_weights

log = logging.getLogger("ablations")


class OtherStudies:
    """The other studies of a results folder.

    Args:
        results_dir: where all of them are.
        study: the one that asks; its own record and leases are not looked at.
        digests: of the data that its trials are trained on; None where nobody knows them, and any data are taken.
        weights: whether it keeps weights: a trial without any is then trained again.
    """

    def __init__(
        self, results_dir: Path, study: str, digests: Collection[str] | None, *, weights: bool = False
    ) -> None:
        self._results_dir, self._study, self._digests = results_dir, study, digests
        self._weights = weights
        self._records: dict[Path, TrialFile] = {}
        self._leases: dict[Path, Leases] = {}
        self._warned: set[str] = set()

    def finished(self, keys: Iterable[str]) -> list[TrialRecord]:
        """Return the trials that other studies have finished on the same data.

        Returns:
            Lines for the asking study's record; records that cannot be read are passed over, and so are trials whose
            outcomes are lost.
        """
        return [line for line, *_ in self._found(keys)]

    def take_over(self, keys: Collection[str], record: StudyRecord) -> list[TrialRecord]:
        """Add the trials that other studies have finished on the same data to a record, with their files.

        Returns:
            The lines that were added.

        Raises:
            DiskError: the record or the files cannot be written.
        """
        found = self._found(keys) if keys else []
        outcomes = {line.key: content for line, content, _ in found if content is not None}
        if not self._weights:
            return record.add_trials(*(line for line, *_ in found), outcomes=outcomes)
        added = []
        for line, _, folder in found:  # one by one: weights of many large networks have no room in memory
            try:
                weights, _ = read_weights(folder, line)
            except RecordError as error:
                self._warn(f"trial {line.key} is not taken from study {folder.name!r}: {error}")
                continue
            added += record.add_trials(line, outcomes=outcomes, weights={line.key: weights})
        return added

    def _found(self, keys: Iterable[str]) -> list[tuple[TrialRecord, bytes | None, Path]]:
        """Return lines for the asking study's record, their outcomes, and the folder that each is from."""
        wanted = set(keys)
        found: dict[str, tuple[TrialRecord, bytes | None, Path]] = {}
        for path in self._others(FILE_NAME):
            record = self._records.setdefault(path, TrialFile(path))
            with suppress(RecordError):
                record.refresh()
            finished = record.finished if wanted else {}
            for key in wanted & finished.keys():
                if self._digests is not None and finished[key].data_digest not in self._digests:
                    continue
                if self._weights and not has_weights(path.parent, finished[key]):
                    continue
                try:
                    outcomes = read_outcomes(path.parent, finished[key])
                except RecordError as error:  # trained here, it has its outcomes again
                    self._warn(f"trial {key} is not taken from study {path.parent.name!r}: {error}")
                    continue
                origin = finished[key].shared_from or path.parent.name
                line = replace(finished[key], study=self._study, shared_from=origin)
                found[key] = line, None if outcomes is None else outcomes.to_bytes(), path.parent
            wanted -= found.keys()
        return list(found.values())

    def _warn(self, said: str) -> None:
        if said not in self._warned:
            log.warning("%s", said)
        self._warned.add(said)

    def are_training(self, key: str) -> bool:
        """Return whether a sweep of another study holds a trial, and lives."""
        for path in self._others(f"{FOLDER}/{key}.json"):
            folder = path.parent
            if not self._leases.setdefault(folder, Leases(folder)).is_stale(key):
                return True
        return False

    def _others(self, name: str) -> Iterator[Path]:
        for path in sorted(self._results_dir.glob(f"*/{name}")):
            if path.relative_to(self._results_dir).parts[0] != self._study:
                yield path
