"""`perdure export` and `perdure import`: single workflows as files."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from perdure.base.errors import (
    CallerFault,
    ConfigurationError,
    StoreError,
    StoreHalfFilled,
    StoreLocked,
)
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import show, show_json, warn
from perdure.cli.workflow import options

_EXPORT_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure export order-17 --store workflows.db --to exported
  perdure export order-17 --store workflows.db --to exported --children
  perdure export --unfinished --to histories

From a store everything is exported, whether or not a server runs on it. From a server the history alone is, for reading and for `perdure check`. `docs/instance-files.md` describes the files.
"""  # noqa: E501 - a paragraph of help is one line
_IMPORT_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure import exported/order-17.perdure.jsonl --store workflows.db
  perdure import exported/*.jsonl --store workflows.db

All of the files are imported, or none. Each workflow keeps its id, which must be free. One that has not ended goes on when a server starts on the store: see that it does not go on elsewhere, too.
"""  # noqa: E501 - a paragraph of help is one line

_STORE_HELP: Final = "Store: a SQLite file, or postgres://host/database."
_UNKNOWN_SHOWN: Final = 10


def export(  # noqa: PLR0913 - each option is a parameter
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="One id, or more.", show_default=False),
    ] = None,
    *,
    folder: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Folder to write the files to.")
    ],
    store: Annotated[
        str | None,
        typer.Option(metavar="STORE", help=f"{_STORE_HELP} Without it, a server is asked."),
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="All that have not ended, in place of ids.")
    ] = False,
    children: Annotated[
        bool, typer.Option("--children", help="Everyone below them as well; with --store.")
    ] = False,
    server: options.Server = None,
    as_json: options.AsJson = False,
) -> None:
    """Write workflows to files, one each."""
    if children and store is None:
        raise typer.BadParameter("--children needs --store: a server tells of one at a time")
    if bool(ids) == unfinished:
        raise typer.BadParameter("name ids, or ask for all that are --unfinished")
    missing: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if store is None:
            written = _export_from_server(ids, folder, server)
        else:
            from perdure.app import histories, moving

            ids = ids or [each.identity.instance_id for each in histories.unfinished(store)]
            written, missing = moving.export_from(store, ids, folder, children=children)
    except (CallerFault, ConfigurationError, StoreError, OSError) as fault:
        raise _trouble_of(fault, "Name another folder with --to.", "export") from fault
    if as_json:
        show_json({"files": [str(path) for path in written], "missing": missing})
    else:
        for path in written:
            show(str(path))
    if missing:
        raise Trouble(
            f"There is no workflow with the id {', '.join(map(repr, missing[:_UNKNOWN_SHOWN]))}.",
            advice="Everything else was exported." if written else "Is it another store?",
            code=ExitCode.NOT_FOUND,
        )


def _export_from_server(ids: list[str] | None, folder: Path, server: str | None) -> list[Path]:
    from perdure.app import moving

    written: list[Path] = []
    with options.connected(server, None) as calls:
        named = (calls.require(instance_id) for instance_id in dict.fromkeys(ids or ()))
        for each in named if ids else calls.unfinished():
            found = calls.get(each)
            events = list(calls.committed(found))
            where = calls.client.address.url
            written.append(moving.write_told(found.raw, events, where, folder))
    return written


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="One file, or more.", show_default=False)
    ],
    *,
    store: Annotated[str, typer.Option(metavar="STORE", help=_STORE_HELP)],
    as_json: options.AsJson = False,
) -> None:
    """Put exported workflows into a store."""
    from perdure.app import moving
    from perdure.moving.importing import IdsInUse

    try:
        done = moving.import_into(store, files)
    except (CallerFault, ConfigurationError, StoreError, OSError) as fault:
        raise _trouble_of(fault, "Nothing was imported.", "import") from fault
    if isinstance(done, IdsInUse):
        raise Trouble(
            f"{moving.shown(store)} holds workflows of the same ids: {', '.join(done.ids)}.",
            advice="Nothing was imported. Purge them first, or import into another store.",
            code=ExitCode.CONFLICT,
        )
    for instance_id, other in done.lonely:
        warn(f"{instance_id} is bound to {other}, which was not imported with it: neither will "
             "hear of the other.")  # fmt: skip
    if as_json:
        show_json({"imported": list(done.ids)})
    else:
        show(f"Imported into {moving.shown(store)}: {', '.join(done.ids)}")


def _trouble_of(fault: Any, advice: str, what: str) -> Trouble:
    """Return what a person is told; `advice` is about what was named, `what` was to be done."""
    match fault:
        case StoreLocked():
            return Trouble(
                f"{fault}.",
                advice=f"A server runs on it. Stop it, {what}, and start it again.",
                code=ExitCode.CONFLICT,
            )
        case StoreHalfFilled():
            return Trouble(
                f"{fault}.", advice="Finish that promotion first.", code=ExitCode.CONFLICT
            )
        case CallerFault():
            told = advice if what == "import" else ""
            return Trouble(f"{fault}.", advice=told, code=ExitCode.USAGE)
        case ConfigurationError():
            return Trouble(f"{fault}.", advice="", code=ExitCode.USAGE)
        case OSError():
            return Trouble(
                f"{fault.filename or ''} cannot be written: {fault.strerror}.", advice=advice
            )
        case _:
            return Trouble(f"{fault}.", advice="")


def add_to(app: typer.Typer) -> None:
    """Make `export` and `import` known to the program."""
    app.command("export", epilog=_EXPORT_EXAMPLES, rich_help_panel="Stores", no_args_is_help=True)(
        export
    )
    app.command("import", epilog=_IMPORT_EXAMPLES, rich_help_panel="Stores", no_args_is_help=True)(
        import_
    )
