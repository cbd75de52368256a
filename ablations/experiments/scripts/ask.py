"""`python -m ablations.experiments.scripts.ask SCRIPT`: run a script with --help, and print its options as JSON.

What argparse or click knows of an option when it is asked for help is more than it prints: its default, its type. The
script runs as far as it does for --help, and no further.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from collections.abc import Iterable, Mapping
from typing import Any

MARK = "ablations: options "
"""Begins the line with the options; what the script prints stands around it."""


def main(script: str) -> None:
    """Run a script with --help.

    Args:
        script: its path.
    """
    argparse.ArgumentParser.print_help = lambda self, file=None: _tell(map(_of_argparse, self._actions))  # type: ignore[method-assign]
    try:
        import click
    except ImportError:
        pass
    else:

        def get_help(self: click.Command, ctx: click.Context) -> str:
            _tell(_of_click(self.params))
            return ""

        click.Command.get_help = get_help  # type: ignore[method-assign]
    sys.argv = [script, "--help"]
    runpy.run_path(script, run_name="__main__")


def _of_argparse(action: argparse.Action) -> Mapping[str, Any] | None:
    flags = [flag for flag in action.option_strings if flag.startswith("--")]
    if not flags or isinstance(action, (argparse._HelpAction, argparse._VersionAction)):
        return None
    several = action.nargs not in (None, 0, 1, "?")
    return {
        "flags": flags,
        "takes_value": action.nargs != 0,
        "default": None if action.default is argparse.SUPPRESS or several else _plain(action.default),
        "choices": [str(choice) for choice in action.choices or ()],
        "words": str(action.help or ""),
    }


def _of_click(parameters: Iterable[Any]) -> Iterable[Mapping[str, Any] | None]:
    for parameter in parameters:
        flags = [flag for flag in parameter.opts if flag.startswith("--")]
        if parameter.param_type_name != "option" or not flags:
            continue
        yield {
            "flags": flags + [flag for flag in parameter.secondary_opts if flag.startswith("--")],
            "takes_value": not parameter.is_flag,
            "default": None if parameter.multiple else _plain(parameter.default),
            "choices": [str(choice) for choice in getattr(parameter.type, "choices", ())],
            "words": str(getattr(parameter, "help", "") or ""),
        }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else None


def _tell(options: Iterable[Mapping[str, Any] | None]) -> None:
    print(f"\n{MARK}{json.dumps([option for option in options if option is not None])}")


if __name__ == "__main__":
    main(sys.argv[1])
