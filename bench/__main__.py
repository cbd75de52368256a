"""`python -m bench`, which `make bench` runs."""

from ablations.cli import run_command
from bench.command import command

run_command(command, "bench")
