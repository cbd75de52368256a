"""Checks of the machine, the data and the studies: what is wrong is reported, and repaired where that is safe."""

from ablations.running.doctor.examination import examine
from ablations.running.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
