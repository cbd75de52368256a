"""Read by Python at the start of every process under fire: `chaos.py` puts this folder first on PYTHONPATH."""

import midway

midway.arm()
