"""The short answer of a report, in a few generated sentences that claim no more than the comparisons do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablations.analysis.results.families import Outcome
from ablations.analysis.results.results import Results
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from ablations.analysis.tables.cells import Difference, about, fixed, p_text
from ablations.analysis.tables.comparisons.intervals import IntervalWords, interval_words
from senet_core.words import counted

_MOST_NAMED = 4
_WORDS = {"better": "lower", "worse": "higher"}


def short_answer(results: Results) -> tuple[str, ...]:
    """Return the answer to a study's question, as far as its record allows.

    Returns:
        One to five sentences, without markup.
    """
    groups = results.families
    said = [_progress(results)] if results.unfinished else []
    baseline = groups[0].outcome(groups[0].baseline)
    if baseline.level.mean is None:
        return (*said, "The baseline has no finished trial, so there is nothing to compare with.")
    said.append(_level(baseline, interval_words(results.comparisons.values())))
    if results.withheld is not None:
        return tuple(said)
    found = dict(results.comparisons)
    plain = groups[0].plain
    if plain is not None and plain in found:
        said.append(_against_plain(found.pop(plain)))
    compared = {label: c for label, c in found.items() if c.difference.n >= FEWEST_SEEDS}
    if any(0 < c.difference.n < FEWEST_SEEDS for c in found.values()) and not compared:
        most = max(c.difference.n for c in found.values())
        said.append(
            f"With n = {most} no claim about the variants is possible; the figures show that the study runs."
        )
        return tuple(said)
    return (*said, *_settled(compared), *_open(compared))


def _progress(results: Results) -> str:
    failed, planned = len(results.failed), results.asked_trials
    if results.withheld is None and failed and len(results.finished) + failed == planned:
        return f"{len(results.finished)} of {planned} trials have a result; {failed} failed, and are not waited for."
    and_failed = f" ({failed} failed)" if failed else ""
    return f"The study is unfinished: {len(results.finished)} of {planned} trials have a result{and_failed}."


def _level(baseline: Outcome, words: IntervalWords) -> str:
    e, row = baseline.level, baseline.row
    half = (
        f" ± {e.half_width:.2f} ({words.level}, {e.n} seeds)" if e.half_width is not None else f" (n = {e.n})"
    )
    epochs = row.recipe.epochs
    length = "" if epochs is None else f" after {counted(epochs, 'epoch')}"
    name = f"{baseline.label} in {row.backbone} on {row.data.name}{length}"
    return f"The baseline, {name}, has a top-1 error of {e.mean:.2f} %{half}."


def _against_plain(comparison: Comparison) -> str:
    d, verdict = comparison.difference, comparison.reading.verdict
    if d.mean is None:
        return "The plain network has no seed in common with the baseline."
    if verdict == "no claim":
        return f"Against the plain network no claim is possible at n = {d.n}."
    stated = _stated(comparison)
    if verdict == "undetermined":
        return f"Whether the plain network has a higher or a lower error is undetermined: {stated}."
    if verdict == "equivalent":
        return (
            f"The plain network is equivalent to the baseline within ±{comparison.margin:g} points: {stated}."
        )
    return f"The plain network has a {_WORDS[verdict]} error than the baseline: {stated}."


def _stated(comparison: Comparison) -> str:
    d = comparison.difference
    alike = comparison.reading.verdict == "equivalent"
    corrected = comparison.p_tost_corrected if alike else comparison.p_corrected
    kind = " of equivalence" if alike else ""
    p = f", p{kind} = {p_text(corrected)}" if corrected is not None else ""
    return f"{Difference(d.mean, d.lo, d.hi).text()} points{p}".replace(" = <", " < ")


def _settled(compared: Mapping[str, Comparison]) -> list[str]:
    said = []
    for verdict, words in _WORDS.items():
        chosen = [c for c in compared.values() if c.reading.verdict == verdict]
        chosen.sort(key=lambda c: -abs(c.difference.mean or 0))
        if chosen:
            said.append(f"A {words} error than the baseline's: {_named(chosen)}.")
    alike = [c for c in compared.values() if c.reading.verdict == "equivalent"]
    if alike:
        said.append(f"Equivalent to the baseline within ±{alike[0].margin:g} points: {_named(alike)}.")
    return said


def _named(chosen: Sequence[Comparison]) -> str:
    named = ", ".join(f"{c.variant} ({_stated(c)})" for c in chosen[:_MOST_NAMED])
    return named + (f" and {len(chosen) - _MOST_NAMED} more" if len(chosen) > _MOST_NAMED else "")


def _open(compared: Mapping[str, Comparison]) -> list[str]:
    undetermined = [c for c in compared.values() if c.reading.verdict == "undetermined"]
    left = [c.difference for c in undetermined]
    if not left:
        return []
    needed = [c.more_seeds for c in undetermined if c.more_seeds is not None]
    forecast = ""
    if needed:
        least, most = about(min(needed)), about(max(needed))
        span = least if least == most else f"{least} to {most}"
        forecast = f" About {span} more seeds would probably settle {'it' if len(left) == 1 else 'one or the other'}."
    ends = [end for d in left for end in (d.lo, d.hi) if end is not None]
    reach = (
        f"; the intervals reach from {fixed(min(ends), 2, True)} to {fixed(max(ends), 2, True)} "
        f"points, and nothing "
        "within them is excluded" if ends else ""
    )  # fmt: skip
    if len(left) == len(compared):
        names = {1: "the one measured variant is", 2: "both measured variants are"}
        which = names.get(len(left), f"all {len(left)} measured variants are")
        return [f"Against the baseline {which} undetermined{reach}.{forecast}"]
    verb = "is" if len(left) == 1 else "are"
    return [f"Of {len(compared)} measured variants {len(left)} {verb} undetermined{reach}.{forecast}"]
