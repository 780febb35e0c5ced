"""Which instances are meant: the filters that `list` and `watch` share."""

from typing import Annotated, Final

import typer

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.nearest import did_you_mean, nearest
from perdure.cli.payloads import read_tags
from perdure.cli.times import moment_given
from perdure.cli.workflow.records import FINISHED, UNFINISHED

_PANEL: Final = "Filters"
_STATUSES: Final = (*UNFINISHED, *sorted(FINISHED))

Status = Annotated[
    str | None,
    typer.Option(
        metavar="STATUS",
        help="Status, or several with commas between them: "
        f"{', '.join(_STATUSES).lower()}; unfinished means the first four.",
        rich_help_panel=_PANEL,
    ),
]
Type = Annotated[
    str | None, typer.Option("--type", metavar="TYPE", help="Type.", rich_help_panel=_PANEL)
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        "-t",
        metavar="KEY=VALUE",
        help="Tag. Can be given again: all of them must fit.",
        rich_help_panel=_PANEL,
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option("--id-prefix", metavar="TEXT", help="How the id begins.", rich_help_panel=_PANEL),
]
Parent = Annotated[
    str | None, typer.Option(metavar="ID", help="Children of this one.", rich_help_panel=_PANEL)
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Created since then: 30m, 24h, 7d (ago), 2026-01-31 or RFC 3339.",
        rich_help_panel=_PANEL,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Created before then.", rich_help_panel=_PANEL),
]


def read_filters(  # noqa: PLR0913 - each option is a parameter
    *,
    status: str | None = None,
    workflow_type: str | None = None,
    tags: list[str] | None = None,
    prefix: str | None = None,
    parent: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> dict[str, str | int]:
    """Return the query of the list that was asked for. Raises Trouble for what cannot be meant."""
    found: dict[str, str | None] = {
        "status": None if status is None else ",".join(_statuses(status)),
        "type": workflow_type,
        "idPrefix": prefix,
        "parent": parent,
        "createdAfter": moment_given("--since", since),
        "createdBefore": moment_given("--until", until),
    }
    found |= {f"tag.{key}": value for key, value in read_tags(tags or []).items()}
    return {key: value for key, value in found.items() if value}


def _statuses(text: str) -> list[str]:
    statuses: list[str] = []
    for word in text.upper().split(","):
        name = word.strip()
        if name == "UNFINISHED":
            statuses += UNFINISHED
        elif name in _STATUSES:
            statuses.append(name)
        else:
            raise Trouble(
                f"There is no status {name!r}.",
                advice=did_you_mean(nearest(name, _STATUSES))
                or f"There are {', '.join(_STATUSES)}, and UNFINISHED for all that have not ended.",
                code=ExitCode.USAGE,
            )
    return statuses
