"""ChoiceWords: what reports say of how a study chose; each page has its own."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.planning.study import Study


@dataclass(frozen=True)
class ChoiceWords:
    """Parts of sentences.

    Attributes:
        judged: by what, or on what, proposals were judged.
        unread: what was not looked at for that; a clause.
        own_first: where the study's own values were proposed first; a clause.
        compared: how a row is compared with itself.
        again: what was proposed more than once; a clause.
        quote_tuned: which figures of a tuned study to quote; a sentence.
        quote_search: which figures of a search to quote; a sentence.
        front: what the plot of two objectives shows, with {cost} for the other one.
    """

    judged: str
    unread: str
    own_first: str
    compared: str
    again: str
    quote_tuned: str
    quote_search: str
    front: str


def words_of_metrics(study: Study) -> ChoiceWords:
    """Return the words for a study that chooses by a metric of the experiment's own."""
    name, reported = study.judged_by.name, study.metric.name
    return ChoiceWords(
        judged=f"by {name}",
        unread=f"no {reported} of theirs was recorded",
        own_first="the study's own values first where they lie in the ranges",
        compared="seed by seed",
        again="the same values were proposed",
        quote_tuned=f"The best of several is flattered by its luck: quote {reported} from the comparisons, not these.",
        quote_search="What is best here is flattered by its luck; the comparison on fresh seeds is the one to quote.",
        front=f"Everything that the search tried (grey), by {{cost}} and {name}; the line joins the Pareto front. "
        "Black circle: the baseline; diamonds: compared on fresh seeds. Triangles at the edge: worse than is drawn.",
    )
