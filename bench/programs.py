"""What the programs of this folder share: the option for images, and the answer in JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def program_parser(description: str | None, **numbers: int) -> argparse.ArgumentParser:
    """Return a parser.

    Args:
        description: of the program.
        numbers: options that take an integer, with their defaults.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help="%(default)s if not given")
    return parser


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option for prepared images."""
    parser.add_argument("--data", type=Path, help="prepared CIFAR-10; random images without it")


def tell(**found: Any) -> None:
    """Print what was measured as JSON, on a line of its own."""
    print(json.dumps(found), flush=True)
