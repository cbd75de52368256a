"""`python -m tools.simulation`, which `make simulate` runs."""

from tools.simulation.page import main

main()
