"""What the choices of a study choose from, by its form."""

from __future__ import annotations

from ablations.planning.choices.space import Space
from ablations.planning.factors.space import factor_search_space, factor_tune_space
from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.row import network_row
from ablations.planning.networks.search_space import search_space
from ablations.planning.networks.study import network_study
from ablations.planning.networks.tune_space import tune_space
from ablations.planning.row import Row
from ablations.planning.study import Study


def search_space_of(study: Study) -> Space:
    """Return what a study's search may choose from.

    Raises:
        StudyError: its axes do not fit what it chooses, or two choices do not go together.
    """
    if isinstance(study, FactorStudy):
        return factor_search_space(study)
    return search_space(network_study(study))


def tune_space_of(study: Study, row: Row) -> Space:
    """Return what the tuning of a row may choose from.

    Raises:
        StudyError: an end or a choice of a range is no value of what it is for, or some do not go together.
    """
    if isinstance(study, FactorStudy):
        return factor_tune_space(study, row)
    return tune_space(network_study(study), network_row(row))
