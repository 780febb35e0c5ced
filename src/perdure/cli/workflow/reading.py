"""`perdure workflow get`, `list` and `history`: what is there, and how it came about."""

from typing import Annotated

import typer

from perdure.cli.output import console, note, show, show_json
from perdure.cli.workflow import filters, options
from perdure.cli.workflow.tables import history_table, instance_panel, instances_table

GET_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow get order-17
  perdure workflow get order-17 --json | jq .output
"""
LIST_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow list
  perdure workflow list --status unfinished --type order
  perdure workflow list --tag shop=berlin --since 24h --limit 200
  perdure workflow list --json | jq -r '.instances\\[].instanceID'
"""
HISTORY_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow history order-17
  perdure workflow history order-17 --all --utc

EVENT is the number that `perdure workflow rerun --from` wants.
"""


def get(
    instance_id: options.Id,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
    utc: options.Utc = False,
) -> None:
    """Show one workflow: its status, what it waits for, its payloads and activities."""
    with options.connected(server, component) as calls:
        instance = calls.get(calls.require(instance_id))
        activities = [] if as_json else calls.activities(instance)
    if as_json:
        show_json(instance.raw)
    else:
        show(instance_panel(instance, activities, options.look(utc=utc)))


def list_instances(  # noqa: PLR0913 - each option is a parameter
    *,
    status: filters.Status = None,
    workflow_type: filters.Type = None,
    tag: filters.Tags = None,
    id_prefix: filters.Prefix = None,
    parent: filters.Parent = None,
    since: filters.Since = None,
    until: filters.Until = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="Field to sort by, descending with a - before it. "
            "[dim]\\[default: -createdAt][/dim]",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 50,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Go on where an earlier list stopped.")
    ] = None,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
    utc: options.Utc = False,
) -> None:
    """List workflows, the newest first."""
    query = filters.read_filters(
        status=status,
        workflow_type=workflow_type,
        tags=tag,
        prefix=id_prefix,
        parent=parent,
        since=since,
        until=until,
    )
    query |= {key: value for key, value in (("sort", sort), ("token", token)) if value}
    with options.connected(server, component) as calls:
        found, more = calls.listed(query, limit)
    if as_json:
        show_json({"instances": [each.raw for each in found], "token": more or None})
        return
    if not found:
        note("There is none." if query else "There are no workflows yet.")
        return
    screen = console()
    screen.print(instances_table(found, options.look(utc=utc), screen.width))
    if more:
        note(f"There are more: --limit {limit * 2}, or go on with --token {more}")


def history(
    instance_id: options.Id,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Show the beginnings of turns too, and payloads uncut."),
    ] = False,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
    utc: options.Utc = False,
) -> None:
    """Show what happened in a workflow, step by step."""
    with options.connected(server, component) as calls:
        events = list(calls.history(calls.require(instance_id)))
    if as_json:
        show_json({"instanceID": instance_id, "events": events})
        return
    if not events:
        note("Nothing has happened yet: no worker has taken it.")
        return
    screen = console()
    look = options.look(utc=utc)
    screen.print(history_table(events, look, screen.width, whole=everything))
