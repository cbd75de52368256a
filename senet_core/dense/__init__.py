"""Detectors and segmenters with the networks of this package as their trunks.

Names and sources are known without importing torch: `tasks.py` has the registries, `detectors.py` and `segmenters.py`
build, `trunk.py` cuts a classifier at the ends of its stages, and `dilation.py` keeps its maps large.
"""

from __future__ import annotations

from senet_core.dense.tasks import DETECTORS, SEGMENTERS, DetectorSize

__all__ = ["DETECTORS", "SEGMENTERS", "DetectorSize"]
