"""The command line: `ablate`. Bad input is said in one line and ends with status 2."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from ablations.commands.shared.flags import with_flags
from ablations.running.machine.output import lost_output, make_patient
from ablations.running.machine.signals import Ended, ended_by_signal, name_of
from senet_core.errors import UserError, printable, typed_line, unknown

COMMANDS = {
    "run": "ablations.commands.run",
    "status": "ablations.commands.status",
    "report": "ablations.commands.analysis.report",
    "analyse": "ablations.commands.analysis.analyse",
    "import": "ablations.commands.import_runs",
    "calibrate": "ablations.commands.analysis.calibrate",
    "probe": "ablations.commands.analysis.probe",
    "test": "ablations.commands.analysis.test",
    "retry": "ablations.commands.retry",
    "why": "ablations.commands.why",
    "reproduce": "ablations.commands.reproduce",
    "list": "ablations.commands.list_names",
    "studies": "ablations.commands.studies",
    "init": "ablations.commands.init",
    "plan": "ablations.commands.plan",
    "complexity": "ablations.commands.complexity",
    "check-plugin": "ablations.commands.check_plugin",
    "data": "ablations.commands.data",
    "doctor": "ablations.commands.doctor",
    "dashboard": "ablations.commands.dashboard",
    "schema": "ablations.commands.schema",
    "sync": "ablations.commands.sync",
    "ui": "ablations.commands.ui",
}
"""Commands by name, in the order of `ablate --help`; each is imported when it is called."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            raise unknown("command", name, COMMANDS)
        command: click.Command = import_module(COMMANDS[name]).command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="senet-ablations", prog_name="ablate")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(debug: bool) -> None:
    """Ablation studies of attention blocks: what is better, what is equivalent, what is undetermined."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its status; see `run_command`."""
    if sys.platform == "win32":
        sys.exit("ablate: Windows is not supported: sweeps need its file locks and signals; run it in WSL")
    os.environ["MPLBACKEND"] = "agg"  # a notebook's, which is inherited, may not be had here
    run_command(group, "ablate", arguments)


def run_command(command: click.Command, program: str, arguments: Sequence[str] | None = None) -> None:
    """Run a command of click's and end the process with its status.

    Status 0: done; 1: some trials failed, output was lost, or something unforeseen; 2: bad input; 3: an expected
    verdict is not shown; 128 + n: stopped by signal n.

    Args:
        command: what to run; it gets a `--debug` that stands anywhere in front, where it has such an option.
        program: how it is called, as its messages begin.
        arguments: those of the process if not given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    make_patient()
    debug = "--debug" in given
    if debug:
        given = ["--debug", *(word for word in given if word != "--debug")]
    try:
        _check_working_folder()
        with ended_by_signal():
            status = command.main(args=given, prog_name=program, standalone_mode=False)
    except (UserError, click.ClickException) as error:
        of_click = getattr(click.exceptions, "NoArgsIsHelpError", ())
        if isinstance(error, click.ClickException) and isinstance(error, of_click):
            click.echo(error.format_message())  # as --help: who gives no command asks which there are
            status = 0
        else:
            _say(program, error, debug=debug)
            status = 2
    except (click.Abort, KeyboardInterrupt) as error:
        number = _signal_of(error)
        said = "interrupted" if number == signal.SIGINT else f"ended by {name_of(number)}"
        _say(program, said, debug=debug)
        status = 128 + number
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(program, f"{where}{error.strerror or error}", debug=debug)
        status = 2 if error.errno == errno.ENAMETOOLONG else 1  # we make no such name: it was given
    except (
        BaseException
    ) as error:  # the last resort: a defect, ours or a plug-in's, is still said in one line
        _say(program, f"internal error: {typed_line(error)} (--debug shows where)", debug=debug)
        status = 1
    if not status and (lost := lost_output()):
        _say(program, f"it is done, but not all output was written: {lost.strerror}", debug=False)
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _check_working_folder() -> None:
    """Refuse a working folder that was removed under the shell: relative paths lead nowhere, and torch dies of it.

    Raises:
        UserError: it is gone, or may not be read.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError(
            f"the working folder cannot be used ({error.strerror}): change to a folder that is there (cd)"
        ) from error


def _signal_of(error: BaseException) -> int:
    """Return which signal has ended a command; click wraps what was raised."""
    at: BaseException | None = error
    while at is not None and not isinstance(at, Ended):
        at = at.__cause__
    return signal.SIGINT if at is None else at.number


def _say(program: str, error: object, *, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()
    text = _message(error) if isinstance(error, click.ClickException) else with_flags(str(error))
    print(f"{program}: {' '.join(printable(text).split())}", file=sys.stderr)


def _message(error: click.ClickException) -> str:
    """Return what click says of bad input, and how the command is typed where its words do not fit."""
    said = error.format_message()
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return said
    if type(error) not in (click.UsageError, click.MissingParameter):
        return said
    return f"{said.rstrip('.')}; {error.ctx.command.get_usage(error.ctx).replace('Usage', 'usage', 1)}"
