"""What documents may quote: each study of results/ as its report tells it, its probe, benches, pages of programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ablations.analysis.probe.first_screen import first_screen
from ablations.analysis.probe.gate_probe import GateProbe
from ablations.analysis.probe.numbers import UNITS, read_probe
from ablations.analysis.probe.page import PROBE_FOLDER, chosen_classes, content_of_probe
from ablations.analysis.report.content import Content, content_of
from ablations.analysis.report.request import FILE_NAME as REQUEST
from ablations.analysis.report.request import Request, read_request
from ablations.analysis.results.precision import design_of
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Table
from ablations.planning.study_file import load_typed
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import FILE_NAME as RECORD
from bench.table import TIMINGS, bench_table, read_bench
from senet_core.errors import UserError, unknown
from tools.quoting.clone import shareable_files
from tools.quoting.facts import Facts, bench_facts, study_facts

BENCH, PROBE = "bench", "probe"


@dataclass(frozen=True)
class QuotedSource:
    """Something that documents may quote.

    Attributes:
        name: in marks.
        facts: of the whole, by name.
        tables: by key, as in its report.
        sentences: the report's short answer; none of a bench.
        pages: whole texts, by name.
    """

    name: str
    facts: Facts = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reported:
    """A study with its record and what its report says."""

    results: Results
    content: Content


@dataclass(frozen=True)
class Library:
    """The sources of one clone; each is read once.

    Attributes:
        folder: of the clone; it is the current folder where studies are given as files.
    """

    folder: Path
    _sources: dict[str, QuotedSource] = field(default_factory=dict)
    _reported: dict[str, Reported] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        """Where reports are."""
        return self.folder / "reports"

    @cached_property
    def committed(self) -> list[str]:
        """The studies whose record every clone has."""
        return self._matching(rf"results/([^/]+)/{re.escape(RECORD)}")

    @cached_property
    def names(self) -> list[str]:
        """Every source that could be asked."""
        benches = self._matching(rf"results/({BENCH}/[^/]+)\.json")
        pages = self._matching(r"results/([^/]+)/[^/]+\.md")
        probes = [f"{study}/{PROBE}" for study in self.probed]
        return list(dict.fromkeys([*self.committed, *probes, *pages, *benches]))

    @cached_property
    def probed(self) -> list[str]:
        """The studies of whose probe every clone has the numbers."""
        return self._matching(rf"reports/([^/]+)/{re.escape(f'{PROBE_FOLDER}/{UNITS}')}")

    @cached_property
    def _files(self) -> frozenset[str]:
        return shareable_files(self.folder)

    def _matching(self, pattern: str) -> list[str]:
        return sorted({found[1] for file in self._files if (found := re.fullmatch(pattern, file))})

    def source(self, name: str) -> QuotedSource:
        """Read a source.

        Raises:
            UserError: there is none of that name, or it cannot be read.
        """
        if name not in self._sources:
            if name not in self.names:
                raise unknown("source in results/", name, self.names)
            self._sources[name] = self._read(name)
        return self._sources[name]

    def reported(self, study: str) -> Reported:
        """Return a study with its record and its report.

        Raises:
            UserError: it has no record, or the study, its record or how its report was asked for cannot be read.
        """
        if study not in self.committed:
            raise UserError(f"study {study!r} has no record in results/ that could be committed")
        if study not in self._reported:
            self._reported[study] = self._report(study)
        return self._reported[study]

    def probe(self, study: str) -> GateProbe:
        """Return what the last probe of a study found.

        Raises:
            RecordError: its files cannot be read.
        """
        return read_probe(self.reports / study / PROBE_FOLDER)

    def _read(self, name: str) -> QuotedSource:
        if name.removesuffix(f"/{PROBE}") in self.probed and name.endswith(f"/{PROBE}"):
            return self._probe_source(name)
        if name.startswith(f"{BENCH}/"):
            bench = read_bench(self.folder / "results" / f"{name}.json")
            timed = [bench_table(bench)] if TIMINGS in bench else []
            return QuotedSource(name, bench_facts(bench), {table.key: table for table in timed})
        folder = self.folder / "results" / name
        pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
        if name not in self.committed:
            return QuotedSource(name, pages=pages)
        found = self.reported(name)
        tables = {table.key: table for table in found.content.tables()}
        facts = study_facts(found.results)
        return QuotedSource(name, facts, tables, found.content.answer, pages)

    def _probe_source(self, name: str) -> QuotedSource:
        probe = self.probe(name.removesuffix(f"/{PROBE}"))
        content = content_of_probe(probe, chosen_classes(probe, ()))
        tables = {table.key: table for table in content.tables()}
        return QuotedSource(name, tables=tables, sentences=first_screen(probe).answer)

    def _report(self, name: str) -> Reported:
        asked = Request((name,), ("md",), ())
        if (self.reports / name / REQUEST).exists():
            asked = read_request(self.reports / name)
        study = load_typed(asked.asked)
        if study.name != name:
            raise UserError(f"{self.reports / name / REQUEST} asks for study {study.name!r}, not {name!r}")
        record = StudyRecord(self.folder / "results" / name)
        results = Results(design_of(study, record), record)
        return Reported(results, content_of(results, pairs=asked.pairs))
