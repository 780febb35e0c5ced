"""The options that the `workflow` programs share, and the connection they make of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from perdure.cli.address import DEFAULT_URL, find_address
from perdure.cli.client import APP_VARIABLE, Client, token_of
from perdure.cli.times import now_us
from perdure.cli.workflow.calls import Calls
from perdure.cli.workflow.tables import Look

_CONNECTION = "Connection and output"
_PAYLOAD = "Payload"

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Server to talk to. [dim]\\[default: DAPR_HTTP_ENDPOINT, then DAPR_HTTP_PORT, then "
        f"{DEFAULT_URL}][/dim]",
        rich_help_panel=_CONNECTION,
    ),
]
Component = Annotated[
    str | None,
    typer.Option(
        "--component",
        metavar="NAME",
        help="Workflow component that has it, such as a Temporal cluster. "
        "[dim]\\[default: the embedded engine][/dim]",
        rich_help_panel=_CONNECTION,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print JSON for programs.", rich_help_panel=_CONNECTION),
]
Utc = Annotated[
    bool,
    typer.Option("--utc", help="Show times in full and in UTC.", rich_help_panel=_CONNECTION),
]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="Send the text as it is, JSON or not.", rich_help_panel=_PAYLOAD),
]
Payload = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        metavar="JSON",
        help="What to hand over; - reads the standard input.",
        rich_help_panel=_PAYLOAD,
    ),
]
PayloadFile = Annotated[
    Path | None,
    typer.Option(
        "--input-file",
        metavar="FILE",
        help="File with what to hand over; - is the standard input.",
        rich_help_panel=_PAYLOAD,
    ),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.", show_default=False)]
Ids = Annotated[
    list[str], typer.Argument(metavar="ID", help="One id, or more.", show_default=False)
]
Recursive = Annotated[
    bool,
    typer.Option(
        "--recursive/--no-recursive", help="Whether its child workflows are meant as well."
    ),
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance is: at which server, and which component of it."""

    server: str | None
    component: str | None


@contextmanager
def connected(server: str | None, component: str | None) -> Iterator[Calls]:
    """Return the API of the server that is meant, with the token and app of the environment."""
    app_id = os.environ.get(APP_VARIABLE)
    with Client(find_address(server, os.environ), token_of(os.environ), app_id) as client:
        yield Calls(client, component)


def look(*, utc: bool) -> Look:
    """Return how moments are shown from now on."""
    return Look(now_us(), utc)
