"""`perdure migrate`: the tables of a database, brought up to date."""

import os
from typing import Annotated, Final

import typer

from perdure.base.errors import ConfigurationError, StoreError
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import show, show_json

_EXAMPLES: Final = """\b
[bold]Examples[/bold]
  perdure migrate --store postgres://perdure@db.internal/workflows --check
  perdure migrate --store postgres://perdure@db.internal/workflows

A server does the same when it starts, save with --no-migrate. Servers of the release before may go on running on the new tables, and new servers run on the old ones: so migrate first, and then replace one server after the other. With --check nothing is changed, and the exit code is 1 if there is something to do.
"""  # noqa: E501 - a paragraph of help is one line

_VARIABLE: Final = "PERDURE_STORE"


def migrate(
    *,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help=f"The database. Or {_VARIABLE}.", show_default=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell whether there is something to do.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Bring the tables of a store in Postgres up to date."""
    from perdure.app.stores import migrate_place, place_of

    named = store or os.environ.get(_VARIABLE)
    if not named:
        raise typer.BadParameter(f"name the database, or set {_VARIABLE}", param_hint="--store")
    try:
        place = place_of(named)
        found = migrate_place(place, only_check=check)
    except (ValueError, ConfigurationError) as fault:
        raise Trouble(str(fault), advice="", code=ExitCode.USAGE) from fault
    except StoreError as fault:
        raise Trouble(str(fault), advice="Nothing was changed.") from fault
    if as_json:
        known = {"version": found.version, "known": found.known}
        show_json({**known, "taken": list(found.taken), "missing": found.missing})
    elif found.taken:
        steps = ", ".join(map(str, found.taken))
        show(f"{place}: migrated from version {found.version} (steps {steps})")
    elif found.missing:
        show(f"{place}: at version {found.version}, {found.missing} behind this program")
    else:
        show(f"{place}: up to date (version {found.version})")
    if found.missing:
        raise typer.Exit(ExitCode.FAILED)


def add_to(app: typer.Typer) -> None:
    """Make `migrate` known to the program."""
    app.command("migrate", epilog=_EXAMPLES, rich_help_panel="Stores")(migrate)
