"""What a study's sealed plan says of its rows: which of them confirm something, and what was changed since."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from ablations.analysis.results.account import ALPHA
from ablations.analysis.results.imported import imported_since
from ablations.analysis.stats.max_t import FEWEST_PAIRS
from ablations.planning.row import Row
from ablations.planning.study import Study
from ablations.planning.trial import in_precision, trial_key
from ablations.planning.typed_study import asked_fields, plan_digest
from ablations.running.machine.code_version import code_version
from ablations.running.record.seals import Seal
from senet_core.errors import UserError, printable, unknown
from senet_core.words import counted

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

Standing = Literal["confirmatory", "exploratory"]

_LONGEST = 30
"""Characters of a value that is shown with a field that was changed."""


def make_seal(results: Results, primary: Sequence[str], known: Collection[str]) -> Seal:
    """Return the sealed plan of a study as it is planned now.

    Args:
        results: the study's design and record.
        primary: labels of the rows that are to confirm something; all if there are none.
        known: keys of the trials that are finished anywhere.

    Raises:
        UserError: a row is not known or is the baseline, or every trial is finished already.
    """
    design = results.asked
    others = [label for label, _ in design.pairs]
    for label in primary:
        if label not in others:
            raise unknown("row to compare with the baseline", label, others)
    own = results.selection.by_key.keys() | design.by_key.keys()
    done, planned = len(own & set(known)), len(own)
    if planned and done == planned:
        raise UserError(
            f"study {design.study.name!r} cannot be sealed: all {counted(planned, 'trial')} of it are finished, so that"
            " its results may have been seen; seal it with seeds that nobody has trained"
        )
    code = code_version()
    return Seal(
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=code["commit"],
        dirty=code["dirty"],
        source=code["source"],
        digest=plan_digest(design.study),
        fields=_as_json(asked_fields(design.study)),
        rule=rule_of(design.study),
        rows={row.label: _key(row, design.study) for row in design.rows},
        primary=tuple(dict.fromkeys(primary)) or None,
        known=done,
        planned=planned,
    )


def seal_of(results: Results) -> Seal | None:
    """Return the seal that a study is reported under: the first of this very plan, else the last; None for none."""
    seals, digest = results.record.seals, plan_digest(results.asked.study)
    return next((seal for seal in seals if seal.digest == digest), seals[-1] if seals else None)


def rule_of(study: Study) -> str:
    """Return how a study's comparisons are tested, as a seal notes it."""
    rests_on = study.rests_on or "images where outcomes are known and there is one analysis, else seeds"
    return (
        f"rests on {rests_on}; on seeds max-T over joint sign flips from {FEWEST_PAIRS} complete seeds in one "
        f"analysis, else Holm; {100 * ALPHA:g} % for each kind of verdict over the study"
    )


def standing_of(results: Results) -> Mapping[str, Standing] | None:
    """Return for each row but the baseline whether it confirms something or explores; None without a seal.

    A row confirms if it was sealed as it is now, and as a primary one. What a search chooses was not known then: it
    confirms where all rows were to.
    """
    seal = seal_of(results)
    if seal is None:
        return None
    asked, against = results.asked, dict(results.design.pairs)
    keys = {row.label: _key(row, asked.study) for row in asked.rows}
    found: dict[str, Standing] = {}
    for row in results.design.rows:
        as_sealed = row.label not in keys or keys[row.label] == seal.rows.get(row.label)
        primary = seal.primary is None or row.label in seal.primary
        base = against.get(row.label)
        if base is not None:
            same_base = base not in keys or keys[base] in seal.rows.values()
            found[row.label] = "confirmatory" if as_sealed and primary and same_base else "exploratory"
    return found


def changes_since(seal: Seal, study: Study) -> tuple[str, ...]:
    """Return the fields in which a study differs from what was sealed, with short values: "margin (0.2, now 0.5)"."""
    before, now = (dict(_flat(fields)) for fields in (seal.fields, _as_json(asked_fields(study))))
    said = [_changed(name, before, now) for name in {**before, **now} if before.get(name) != now.get(name)]
    return (*said, *(["the analysis rule"] if seal.rule != rule_of(study) else []))


def seal_facts(results: Results) -> tuple[tuple[str, str], ...]:
    """Return what a report's set-up says of the sealed plan: a word and a text each; none without a seal."""
    seal = seal_of(results)
    if seal is None:
        return ()
    code = (
        f"commit {seal.commit}{' with changes' if seal.dirty else ''}"
        if seal.commit
        else f"source {seal.source}"
    )
    after = f"after {seal.known} of {counted(seal.planned, 'trial')}" if seal.known else "before any trial"
    primary = "all rows" if seal.primary is None else ", ".join(seal.primary)
    changed = changes_since(seal, results.asked.study)
    others = [other for other in results.record.seals if other.says != seal.says]
    facts = [
        ("sealed", f"{seal.time} by {code}, {after}; primary: {primary}; {seal.rule}"),
        ("changed after sealing", "; ".join(changed) or "nothing"),
        *(("also sealed", f"{other.time}: {_against(other, seal)}") for other in others),
    ]
    return tuple((name, printable(text)) for name, text in facts)


def seal_sentence(results: Results) -> str:
    """Return a sentence for the head of a report: what was sealed, and what is exploratory; "" without a seal."""
    seal, standing = seal_of(results), standing_of(results)
    if seal is None or standing is None:
        return ""
    after = (
        f" after {seal.known} of {counted(seal.planned, 'trial')}"
        if seal.known
        else " before any of its trials"
    )
    explored = [label for label, stands in standing.items() if stands == "exploratory"]
    rows = (
        "Every row is confirmatory."
        if not explored
        else "Every row is exploratory."
        if len(explored) == len(standing)
        else f"Exploratory, as they are not primary or were changed since: {', '.join(explored)}."
    )
    changed = changes_since(seal, results.asked.study)
    since = f" Changed since: {'; '.join(changed)}." if changed else ""
    if imported := imported_since(results, seal.time):
        since += (
            f" {counted(imported, 'trial')} imported since then may be older than it: nobody can tell whether their"
            " results were known."
        )
    return printable(f"The plan was sealed on {seal.time[:10]}{after}. {rows}{since}")


def _key(row: Row, study: Study) -> str:
    """Return a row's key with seed 0, with the precision as it is asked."""
    trial = row.trial(0).to_json()
    return trial_key(in_precision(trial, "auto") if study.leaves_precision_open else trial)


def _against(other: Seal, seal: Seal) -> str:
    before, now = (dict(_flat(each.fields)) for each in (other, seal))
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    names += ["primary rows"] if other.primary != seal.primary else []
    names += ["the analysis rule"] if other.rule != seal.rule else []
    return f"another {', '.join(names)}"


def _changed(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    was, is_now = (
        json.dumps(fields[name], ensure_ascii=False) if name in fields else "" for fields in (before, now)
    )
    if not was or not is_now:
        return f"{name} ({'added' if is_now else 'left out'})"
    return f"{name} ({was}, now {is_now})" if max(len(was), len(is_now)) <= _LONGEST else name


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return found
