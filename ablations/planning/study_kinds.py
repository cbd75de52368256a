"""Which form of study a file has: one of networks, or of any other experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study import Study


def study_class(content: Mapping[str, Any]) -> type[Study]:
    """Return the class of the study with these fields: one with `experiment` is no study of networks."""
    return FactorStudy if "experiment" in content else NetworkStudy
