"""Which points a study has, by its form."""

from __future__ import annotations

from ablations.planning.factors.points import FactorPoints
from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.points import NetworkPoints
from ablations.planning.networks.study import network_study
from ablations.planning.points import Points
from ablations.planning.study import Study


def points_of(study: Study) -> Points:
    """Return the way from a study's baseline along its axes to rows."""
    return FactorPoints(study) if isinstance(study, FactorStudy) else NetworkPoints(network_study(study))
