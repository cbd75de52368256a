"""Provenance of the numbers: set-up, machines, failures, trials, the command that makes each row again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ablations.analysis.results.imported import confounded_rows, imported_in, imported_words
from ablations.analysis.results.interims import budget_note
from ablations.analysis.results.machines import machine_warnings, precision_text
from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import seal_facts
from ablations.analysis.tables.cells import Code, Column, Number, Table, TableRow, Text, plain
from ablations.analysis.tables.doubts import doubts_of_runs
from ablations.analysis.tables.glance.spent import hardware, training_time
from ablations.analysis.tables.page import page_of
from ablations.analysis.tables.spread import spread_between_runs
from ablations.analysis.tables.trials import trial_records
from ablations.running.machine.kernels import Kernels
from ablations.running.record.trial_record import TrialRecord
from senet_core.words import counted


def setup_table(results: Results) -> Table:
    """Return what was trained, on what and how, in two columns."""
    study, records = results.design.study, tuple(results.finished.values())
    page, ran = page_of(study), tuple(record for record in records if record.imported is None)
    facts: list[tuple[str, str]] = [
        *page.facts(results),
        ("design", f"{study.design}, {len(results.design.rows)} rows"),
        ("seeds", _seeds(results.design.seeds)),
        ("varied by the seed", page.varied()),
        *seal_facts(results),
        *((f"changed on the command line, {n}", text) for n, text in enumerate(study.overrides, 1)),
        *(("plug-in", file) for file in study.plugins),
        *(("imported", text) for text in [imported_words(results)] if text),
        *(("precision", text) for text in [precision_text(ran)] if text),
        *(("hardware", text) for text in _distinct(hardware(record) for record in ran)),
        *(("code", text) for text in _distinct(_code(record) for record in ran)),
        *(("versions", text) for text in _distinct(_versions(record, page.versions) for record in ran)),
    ]
    spread = [said for part in results.tasks if (said := spread_between_runs(part)) is not None]
    if spread:
        facts.append(("spread between runs", "; ".join(spread)))
    if took := training_time(records):
        facts.append(("training time", took))
    return _pairs("setup", "Set-up", facts)


def environment_table(results: Results) -> Table:
    """Return where the trials ran: every recorded field with its values and how often each occurs."""
    counts: dict[str, Counter[str]] = {}
    for record in results.finished.values():
        digests = {"data digest": record.data_digest[:16]}
        if record.imported is not None:
            digests = {"imported from": record.imported.place}
        for field, value in {**record.environment, **digests}.items():
            counts.setdefault(field, Counter())[plain(value)] += 1
    rows = tuple(
        TableRow((Text(field), Text(value), Number(count, 0)))
        for field, values in counts.items()
        for value, count in sorted(values.items())
    )
    columns = (Column("field", "field", "left"), Column("value", "value", "left"), Column("trials", "trials"))
    return Table("environment", "Environment", columns, rows)


def warnings(results: Results) -> tuple[str, ...]:
    """Return what a reader must know first: data, code or machines that differ, and what interim analyses cost."""
    records = [record for record in results.finished.values() if record.imported is None]
    said = [*filter(None, [confounded_rows(results)]), *machine_warnings(results)]
    for part in results.tasks:
        digests = {record.data_digest for record in part.finished.values() if record.imported is None}
        if len(digests) > 1:
            of = f" of {part.task}" if part.task else ""
            said.append(
                f"The trials{of} did not all see the same data: there are {len(digests)} different digests."
            )
    environments = [{**r.environment, **Kernels.from_record(r.environment).to_json()} for r in records]
    several = []
    for field, words in (
        ("commit", "commits"),
        ("device", "kinds of device"),
        ("precision", "precisions"),
        ("fused", "settings of fused passes"),
        ("winograd", "settings of Winograd's convolutions"),
    ):
        if field in ("precision", "winograd") and "recipe.precision" in results.design.study.axes:
            continue  # that is what is asked, and the convolutions follow from it
        counts = Counter(filter(None, (plain(environment.get(field)) for environment in environments)))
        if len(counts) > 1:
            named = ", ".join(
                f"{value} ({counted(count, 'trial')})" for value, count in sorted(counts.items())
            )
            several.append(f"{len(counts)} different {words}: {named}")
    if several:
        said.append(f"The trials come from {'; '.join(several)}.")
    budget = budget_note(results.design, results.interim_plans)
    doubts = (*doubts_of_runs(results), *_doubts_of_code(records))
    return (*said, *doubts, *(() if budget is None else (budget,)))


def _doubts_of_code(records: Iterable[TrialRecord]) -> list[str]:
    """Return what is not known of the code that trials ran with, or differs where the commits are the same."""
    environments = [record.environment for record in records]
    said = []
    dirty = sum(bool(environment.get("dirty")) for environment in environments)
    if dirty:
        said.append(f"{counted(dirty, 'trial')} ran with code that was changed after its commit.")
    states: dict[str, set[str]] = {}
    for environment in environments:
        if environment.get("source"):
            states.setdefault(plain(environment.get("commit")), set()).add(environment["source"])
    for commit, sources in states.items():
        if len(sources) > 1:
            named = f"commit {commit}" if commit else "no known commit"
            said.append(f"The trials of {named} come from {len(sources)} different states of the code.")
    unknown = Counter(str(e["no_commit"]) for e in environments if e.get("no_commit"))
    said += [f"For {counted(count, 'trial')} no commit is known: {why}." for why, count in unknown.items()]
    return said


def failure_table(results: Results) -> Table:
    """Return the trials whose last attempt failed."""
    columns = (
        Column("variant", "variant", "left"),
        Column("seed", "seed"),
        Column("kind", "kind", "left"),
        Column("epoch", "epoch"),
        Column("message", "message", "left"),
    )
    rows = []
    for label, seed, key in _trials(results):
        failure = results.failed[key].failure if key in results.failed else None
        if failure is not None:
            cells = (
                Text(label),
                Number(seed, 0),
                Text(failure.kind),
                Number(failure.epoch, 0),
                Text(failure.message),
            )
            rows.append(TableRow(cells))
    return Table("failures", "Failures", columns, tuple(rows), notes=_bias_notes(results))


def _bias_notes(results: Results) -> tuple[str, ...]:
    """Return a warning where failures fall on some rows and not on others: the surviving seeds are then a selection."""
    failed = results.trials[results.trials["status"] == "failed"].groupby("row", sort=False).size()
    labels = [row.label for row in results.design.rows]
    if failed.empty or len(set(failed.reindex(labels, fill_value=0))) == 1:
        return ()
    planned = {row.label: len(results.asked_seeds(row)) for row in results.design.rows}
    counts = ", ".join(f"{label} ({count} of {planned[str(label)]})" for label, count in failed.items())
    return (
        f"Failures fall on particular rows: {counts}. The figures of such a row are those of the seeds that survived; "
        "where failing goes with a high error they look better than the variant is, and comparisons are biased.",
    )


def missing_table(results: Results) -> Table:
    """Return the rows that lack seeds."""
    columns = (
        Column("variant", "variant", "left"),
        Column("finished", "finished"),
        Column("failed", "failed seeds", "left"),
        Column("missing", "seeds not yet run", "left"),
    )
    rows = []
    for label, group in results.trials.groupby("row", sort=False):
        by_status = {status: list(part["seed"]) for status, part in group.groupby("status")}
        failed, missing = by_status.get("failed", []), by_status.get("missing", [])
        if failed or missing:
            done = Number(len(by_status.get("finished", [])), 0)
            rows.append(TableRow((Text(str(label)), done, Text(_listed(failed)), Text(_listed(missing)))))
    return Table("missing", "Missing seeds", columns, tuple(rows))


def command_table(results: Results) -> Table:
    """Return the command that trains each row again; one for all where the study decides what is trained."""
    design, commands = results.design, results.commands
    made = {row.label: commands.row(design, row) for row in design.rows}
    if len(set(made.values())) == 1 < len(made):
        made = {"all rows": made[design.baseline.label]}
    rows = tuple(TableRow((Text(label), Code(command))) for label, command in made.items())
    columns = (Column("variant", "variant", "left"), Column("command", "command", "left"))
    return Table("commands", "Make each row again", columns, rows, _imported_notes(results))


def _imported_notes(results: Results) -> tuple[str, ...]:
    """Return what the commands do not make again: what was imported."""
    counts = {row.label: imported_in(results, row) for row in results.design.rows}
    named = [f"{label} ({count})" for label, count in counts.items() if count]
    if not named:
        return ()
    return (
        f"Imported: {', '.join(named)} of the rows' trials. The code of this study has not made them: beside their"
        " record the commands leave them as they are, and elsewhere they train them with this code, which need not give"
        " the same; ablate reproduce STUDY KEY says whether it does.",
    )


def trial_table(results: Results) -> Table:
    """Return every trial with its key, by which MLflow finds its run, too."""
    metric = results.design.study.metric
    columns = (
        Column("variant", "variant", "left"),
        Column("seed", "seed"),
        Column("status", "status", "left"),
        Column(metric.column, metric.head),
        Column("key", "trial key", "left"),
        Column("shared_from", "taken from study", "left"),
        Column("imported_from", "imported from", "left"),
    )
    statuses = dict(zip(results.trials["key"], results.trials["status"], strict=True))
    rows = []
    for label, seed, key in _trials(results):
        record = results.finished.get(key) or results.failed.get(key)
        result = None if record is None else record.result
        origin = None if record is None else record.shared_from
        error = Number(None if result is None else result.value(metric.column), metric.decimals)
        known = (Text(label), Number(seed, 0), Text(statuses[key]), error)
        recorded = None if record is None or record.imported is None else str(record.imported)
        rows.append(TableRow((*known, Code(key), Text(origin), Text(recorded))))
    table = Table("trials", "Trials", columns, tuple(rows), records=trial_records(results))
    return table.without_empty_columns()


def _trials(results: Results) -> Iterable[tuple[str, int, str]]:
    for label, seed, key in results.trials[["row", "seed", "key"]].itertuples(index=False):
        yield str(label), int(seed), str(key)


def _pairs(key: str, title: str, facts: Iterable[tuple[str, str]]) -> Table:
    columns = (Column("fact", "", "left"), Column("value", "", "left"))
    return Table(key, title, columns, tuple(TableRow((Text(name), Text(value))) for name, value in facts))


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value})


def _code(record: TrialRecord) -> str:
    commit = plain(record.environment.get("commit"))
    source = plain(record.environment.get("source"))
    if commit:
        return f"commit {commit}{' with changes' if record.environment.get('dirty') else ''}"
    return f"no commit ({plain(record.environment.get('no_commit'))}), source {source}" if source else ""


def _versions(record: TrialRecord, named: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {record.environment[name]}" for name in named if record.environment.get(name))


def _seeds(seeds: tuple[int, ...]) -> str:
    if seeds == tuple(range(len(seeds))) and len(seeds) > 2:
        return f"{len(seeds)} (0 to {len(seeds) - 1})"
    return f"{len(seeds)} ({_listed(seeds)})"


def _listed(seeds: Iterable[int]) -> str | None:
    return ", ".join(map(str, seeds)) or None
