"""What may be wrong with a machine, its data and its studies: looked at, said, and mended where that is safe."""

from ablations.run.doctor.examination import examine
from ablations.run.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
