"""`perdure promote`: everything that a file holds, moved into another store."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from perdure.base.errors import ConfigurationError, StoreError, StoreHalfFilled, StoreLocked
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import note, show, show_json

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure promote workflows.db postgres://perdure@db.internal/workflows --dry-run
  perdure promote workflows.db postgres://perdure@db.internal/workflows
  perdure promote workflows.db copy.db

Stop the server first. The file is only read. If it is cut off, run it again: it goes on, and what is there already is compared. When it is done, every row of every table has been counted and compared on both sides; only then will a server start on the target. Keep the file as a backup, and start no server on it again, or its activities run twice.
"""  # noqa: E501 - a paragraph of help is one line

_PROGRESS_S: Final = 2.0
_SHOWN_DIGEST: Final = 16

Source = Annotated[
    str | None, typer.Argument(metavar="FILE", help="SQLite file to move from.", show_default=False)
]
Into = Annotated[
    str | None,
    typer.Argument(metavar="STORE", help="Store to move to.", show_default=False),
]


def promote(
    source: Source = None,
    target: Into = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be moved, and what stands in the way.")
    ] = False,
    beside_others: Annotated[
        bool,
        typer.Option("--beside-others", help="The target may hold other workflows already."),
    ] = False,
    abandon: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Take out again what an unfinished promotion has put into a store.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Move all workflows of a SQLite file, running ones too, into another store."""
    if abandon is not None and source is None:
        _told(lambda _: _abandon(abandon), "")
        return
    if source is None or target is None or abandon is not None:
        raise typer.BadParameter("name the file to move from and the store to move to")
    if "://" in source:
        raise Trouble(
            f"{source.partition('://')[0]}://… is no file.",
            advice="What is moved is a SQLite file. For single workflows of a database there is\n"
            "`perdure export`.",
            code=ExitCode.USAGE,
        )
    if dry_run:
        _told(lambda _: _look(source, target, beside=beside_others, as_json=as_json), source)
    else:
        _told(
            lambda progress: _promote(
                source, target, progress, beside=beside_others, as_json=as_json
            ),
            source,
        )


def _promote(
    source: str, target: str, progress: "_Progress", *, beside: bool, as_json: bool
) -> None:
    from perdure.app import moving
    from perdure.moving.promoting import Refused

    done = moving.promote_store(source, target, beside=beside, tell=progress.tell)
    shown = moving.shown(target)
    if isinstance(done, Refused):
        raise _trouble_of(done, shown)
    if as_json:
        totals = {
            table: {"rows": total.rows, "sha256": total.sha256}
            for table, total in done.totals.items()
        }
        show_json({"source": moving.shown(source), "target": shown, "tables": totals})
        return
    table = Table("table", "rows", "digest on both sides", box=None, pad_edge=False)
    for name, total in done.totals.items():
        table.add_row(name, f"{total.rows:,}", total.sha256[:_SHOWN_DIGEST])
    show(table)
    show(f"Everything is in {shown}, and equal. Go on with: perdure serve --store …")
    note(f"{source} is as it was. Keep it as a backup, and start no server on it again.")


def _look(source: str, target: str, *, beside: bool, as_json: bool) -> None:
    from perdure.app import moving
    from perdure.core.status import Status

    refused, counts = moving.look_ahead(source, target, beside=beside)
    by_status = {Status(status).name: many for status, many in sorted(counts.items())}
    shown = moving.shown(target)
    if as_json:
        obstacle = refused and {"reason": refused.obstacle.value, "names": list(refused.names)}
        show_json({"source": moving.shown(source), "instances": by_status, "obstacle": obstacle})
    else:
        words = ", ".join(f"{many:,} {status}" for status, many in by_status.items())
        show(f"{sum(counts.values()):,} workflows would be moved into {shown}: {words or 'none'}")
    if refused is not None:
        raise _trouble_of(refused, shown)


def _abandon(target: str) -> None:
    from perdure.app import moving

    mended = moving.abandon_promotion(target)
    if mended is None:
        raise Trouble(
            f"No promotion into {moving.shown(target)} is under way.",
            advice="There is nothing to take back; a finished one is not taken back.",
            code=ExitCode.CONFLICT,
        )
    show(f"Taken out of {moving.shown(target)} again: {mended.removed:,} workflows.")


def _told(run: Callable[["_Progress"], None], source: str) -> None:
    """Run it, with what goes wrong told so that a person can go on."""
    progress = _Progress()
    try:
        run(progress)
    except StoreLocked as fault:
        raise Trouble(
            f"{fault}.",
            advice="A server that runs on it would go on with what is being moved. Stop it with\n"
            "SIGTERM or Ctrl-C, which loses nothing, and promote then.",
            code=ExitCode.CONFLICT,
        ) from fault
    except StoreHalfFilled as fault:
        raise Trouble(
            f"{fault}.",
            advice=f"Finish the promotion into {source} first.",
            code=ExitCode.CONFLICT,
        ) from fault
    except ConfigurationError as fault:
        raise Trouble(
            str(fault), advice="See `perdure promote --help`.", code=ExitCode.USAGE
        ) from fault
    except StoreError as fault:
        advice = (
            "What was moved so far stays and is noted there: run the same again to go on."
            if progress.begun
            else "Nothing was moved."
        )
        raise Trouble(f"{fault}.", advice=advice) from fault


def _trouble_of(refused: Any, target: str) -> Trouble:
    from perdure.moving.promoting import Obstacle

    names = ", ".join(refused.names)
    message, advice = {
        Obstacle.IN_USE: (
            f"Servers run on {target}: {names}.",
            "They would work on what is half there. Stop them, promote, and start them again.",
        ),
        Obstacle.ANOTHER: (
            f"{names} is being promoted into {target}, and has not arrived as a whole.",
            "Run that promotion again to finish it, or take it back with --abandon.",
        ),
        Obstacle.HOLDS_OTHERS: (
            f"{target} holds workflows already: {names}, …",
            (
                "Was it promoted before? Then nothing is left to do. Name an empty store, or say\n"
                "--beside-others to have these put beside them."
            ),
        ),
        Obstacle.IDS_TAKEN: (
            f"{target} holds workflows of the same ids: {names}, …",
            "Purge them there or in the file, or name another store.",
        ),
        Obstacle.NOTES_TAKEN: (
            f"Messages and what waits are noted in both under the same names: {names}, …",
            "Name another store, or wait until those notes are over.",
        ),
    }[refused.obstacle]
    return Trouble(message, advice=advice, code=ExitCode.CONFLICT)


class _Progress:
    """Tells a person from time to time how far it is."""

    def __init__(self) -> None:
        self._told = time.monotonic()
        self._stage: object = None

    @property
    def begun(self) -> bool:
        """Whether anything has been done."""
        return self._stage is not None

    def tell(self, stage: Any, done: int, of: int) -> None:
        now = time.monotonic()
        if stage is not self._stage or done == of or now - self._told > _PROGRESS_S:
            self._stage, self._told = stage, now
            note(f"{stage.value}: {done:,} of {of:,} workflows")
            sys.stderr.flush()


def add_to(app: typer.Typer) -> None:
    """Make `promote` known to the program."""
    app.command("promote", epilog=_EXAMPLES, rich_help_panel="Stores", no_args_is_help=True)(
        promote
    )
