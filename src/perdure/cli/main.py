"""The program `perdure`: what it is made of, and how it ends."""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final

import typer

import perdure
from perdure.base.errors import ConfigurationError, PerdureError
from perdure.cli import bridge, check, files, migrate, promote, prove, run, serve
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import report
from perdure.cli.trigger.group import trigger
from perdure.cli.workflow.group import workflow

# With this variable set, a fault of ours shows where in our code it happened.
DEBUG_VARIABLE: Final = "PERDURE_DEBUG"
_DEBUG_ADVICE: Final = f"Set {DEBUG_VARIABLE}=1 to see where it happened."
_ALLOW_FILES: Final = "Allow more files to be open at once, for example with `ulimit -n 1024`."
# What the machine refuses is no fault of ours, wherever we were when it did.
_OF_THE_MACHINE: Final = {
    errno.EMFILE: _ALLOW_FILES,
    errno.ENFILE: _ALLOW_FILES,
    errno.ENAMETOOLONG: "Give it a shorter name, or put it into a folder nearer the root.",
    errno.ENOSPC: "Free some space on that disk, or choose another one.",
    errno.EDQUOT: "Free some space of this user's quota, or choose another disk.",
    errno.EROFS: "Choose a place on a disk that can be written.",
    errno.EACCES: "Let this user read and write it, or choose another place.",
}

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure run --app-id shop -- python app.py   server and application
  perdure serve                                the server alone
  perdure bridge --temporal localhost:7233     the same API, run by a Temporal cluster
  perdure workflow start order --input '{"items": 3}' --wait
  perdure workflow list --status RUNNING
  perdure workflow watch ID
"""

app = typer.Typer(
    name="perdure",
    help="Durable workflows behind the Dapr Workflow API, in one process and one file.",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.add_to(app)
serve.add_to(app)
bridge.add_to(app)
prove.add_to(app)
migrate.add_to(app)
promote.add_to(app)
files.add_to(app)
check.add_to(app)
app.add_typer(workflow, rich_help_panel="Workflows")
app.add_typer(trigger, rich_help_panel="Workflows")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"perdure {perdure.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code. Whatever goes wrong is told without a traceback."""
    try:
        app(args=arguments, prog_name="perdure")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as fault:  # noqa: BLE001 - the last resort before a traceback
        return _told(fault)
    return ExitCode.OK


def _told(fault: Exception) -> int:
    """Tell a person what went wrong, and return the exit code of it."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(fault)
    match fault:
        case BrokenPipeError():
            # Whoever read our output has had enough. Python would complain of it once more when
            # it closes the stream, so the stream is led to nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.FAILED
        case Trouble():
            trouble = fault
        case ConfigurationError():
            # It says itself what was expected, and where; only a flag is explained elsewhere too.
            advice = "See `perdure serve --help`." if str(fault).startswith("--") else ""
            trouble = Trouble(str(fault), advice=advice, code=ExitCode.USAGE)
        case PerdureError():
            trouble = Trouble(str(fault), advice=_DEBUG_ADVICE)
        case OSError() if fault.errno in _OF_THE_MACHINE:
            what = fault.strerror or type(fault).__name__
            text = what if fault.filename is None else f"{what}: {fault.filename}"
            trouble = Trouble(text, advice=_OF_THE_MACHINE[fault.errno])
        case _:
            text = f"This is a fault of perdure. {type(fault).__name__}: {fault}"
            trouble = Trouble(text, advice=_DEBUG_ADVICE)
    report(trouble)
    return trouble.code
