"""The JSON document that `ablate report` and `ablate analyse` print for programs, field by field.

Numbers are finite, or null where there is none or where it is withheld.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ablations.analysis.results.seal import Standing
from ablations.analysis.stats.comparison import Correction, RestsOn
from ablations.analysis.stats.verdict import Verdict
from ablations.planning.row import RowKind

SCHEMA: Final = 1
"""Version of the document: higher when a field is taken away or means something else, not when one is added."""


def _finite(value: Any) -> Any:
    """Return a number in twelve digits, as in the tables: the last ones may differ between machines."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else None


Figure = Annotated[float | None, BeforeValidator(_finite)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DocumentAccount(_Part):
    """The rate of wrong verdicts that all comparisons with the baseline together hold to."""

    rate: float = Field(description="Of each kind of verdict: at most this chance that any of them is wrong.")
    correction: Correction | None = Field(
        description="How the p of differences are corrected; null: not yet."
    )
    members: int = Field(description="Comparisons that are corrected together.")
    withheld: str | None = Field(description="Why nothing is said yet; null where an analysis was reached.")
    rests_on: RestsOn | None = Field(description="Over what verdicts generalise, in a word; null: not yet.")
    generalises_over: str = Field(description="What the intervals and verdicts are valid for.")
    words: str = Field(description="The same in a sentence, as the report has it.")


class DocumentMetric(_Part):
    """What is compared."""

    key: str
    name: str
    unit: str = Field(description="Of values; empty where it is not known.")
    difference_unit: str = Field(description="Of differences; empty where it is not known.")
    better: Literal["lower", "higher"]


class DocumentProgress(_Part):
    """How far a study is, in trials."""

    planned: int
    finished: int
    failed: int
    unfinished: bool = Field(description="Whether a planned trial has no result.")
    imported: int = Field(description="Those of the finished ones whose results were recorded elsewhere.")


class DocumentFailures(_Part):
    """Runs of a comparison without a result, and its test with these as the worst results (signed ranks)."""

    variant: int = Field(description="Seeds in which only the variant failed.")
    against: int = Field(description="Seeds in which only the other failed.")
    p: Figure
    favours: Literal["variant", "baseline"] | None = Field(description="The side that ranks better.")


class DocumentShape(_Part):
    """How the paired differences lie."""

    median: Figure
    worst: Figure = Field(description="The difference that speaks most against the variant.")
    collapses: int = Field(description="Runs far off on the bad side.")
    leaps: int = Field(description="Runs far off on the good side.")
    skewed: bool
    skew_p: Figure = Field(description="Of the difference, with skew allowed for (Hall).")


class DocumentComparison(_Part):
    """One variant against another, with the same seeds."""

    against: str
    n: int = Field(description="Seeds that both have.")
    difference: Figure = Field(description="Mean of the paired differences: variant minus `against`.")
    sd: Figure = Field(description="Standard deviation of the paired differences.")
    lo: Figure = Field(description="Lower end of the 95 % interval that the verdict rests on, taken alone.")
    hi: Figure
    seeds_lo: Figure = Field(description="Lower end of that over new seeds, on these test data.")
    seeds_hi: Figure
    images_lo: Figure = Field(description="Lower end of that over new seeds and new images; null: not known.")
    images_hi: Figure
    p: Figure = Field(description="Of the difference, not corrected; null with several interim analyses.")
    p_corrected: Figure = Field(description="Corrected for all members of the account.")
    p_tost: Figure = Field(description="Of equivalence, not corrected; null without a margin.")
    p_tost_corrected: Figure
    verdict: Verdict | None = Field(description="null where it is withheld.")
    words: str = Field(description="The verdict as tables print it, or why there is none.")
    more_seeds: int | None = Field(description="A forecast: seeds that would probably settle it.")
    beyond_test_set: bool = Field(description="Whether no number of seeds would settle it on this test set.")
    correction: Correction | None
    rests_on: RestsOn | None = Field(description="Over what the verdict generalises; null: withheld.")
    paired: bool = Field(description="False where the two have no seed in common.")
    failures: DocumentFailures | None = Field(description="null where no run failed.")
    shape: DocumentShape | None = Field(description="null without a difference.")


class DocumentRow(_Part):
    """One variant: its values over seeds, and its comparison with the baseline."""

    label: str
    task: str | None = Field(description="Of an analysis with several; null for a study.")
    kind: RowKind
    standing: Standing | None = Field(description="By a sealed plan; null without one.")
    tables: list[str] = Field(
        description="Axes in whose tables it stands; empty where one table has all rows."
    )
    n: int = Field(description="Seeds with a value.")
    planned: int = Field(description="Seeds that were asked for.")
    mean: Figure
    sd: Figure
    lo: Figure = Field(description="Lower end of the 95 % t-interval of the mean.")
    hi: Figure
    comparison: DocumentComparison | None = Field(description="null for the baseline.")


class DocumentPair(_Part):
    """A comparison of two variants of one table, in a family beside the study's own."""

    table: str | None = Field(description="The axis, or the task.")
    variant: str
    comparison: DocumentComparison


class Document(_Part):
    """What a study (kind "report") or a file of runs (kind "analysis") shows."""

    version: Literal[1] = Field(alias="schema", description="Version of this document.")
    kind: Literal["report", "analysis"]
    title: str
    study: str | None = Field(description="Name; null for an analysis, as are the next four.")
    question: str | None
    plan: str | None = Field(description="Digest: another one where trials or comparisons may differ.")
    commits: list[str] | None = Field(description="Of the code that the trials ran with.")
    progress: DocumentProgress | None
    account: DocumentAccount | None = Field(description="null where nothing is compared.")
    baseline: str
    metric: DocumentMetric
    margin: Figure = Field(description="Smallest effect of interest, in the units of differences.")
    confidence: float = Field(description="Of the intervals.")
    rows: list[DocumentRow]
    pairs: list[DocumentPair]
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return self.model_dump(mode="json", by_alias=True)


def document_schema() -> dict[str, Any]:
    """Return the JSON schema of the document."""
    schema = Document.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
