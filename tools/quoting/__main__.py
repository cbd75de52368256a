"""`python -m tools.quoting`, which `make paper` and `make paper-check` run."""

from ablations.cli import run_command
from tools.quoting.command import command

run_command(command, "paper")
