"""What may be wrong with a machine, its data and its studies: looked at, said, and mended where that is safe."""

from ablations.running.doctor.examination import examine
from ablations.running.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
