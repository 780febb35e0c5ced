"""`raise-event`, `suspend`, `resume`, `terminate` and `purge`: what changes a workflow.

Where several ids may be given, each is tried, and the exit code is that of the first trouble.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import report, show, show_json
from perdure.cli.payloads import read_payload
from perdure.cli.workflow import options
from perdure.cli.workflow.calls import Calls
from perdure.cli.workflow.records import Instance

RAISE_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow raise-event order-17 approved
  perdure workflow raise-event order-17 approved --input '{"by": "anna"}'

The event is kept until the workflow waits for it. Suspended workflows take events too.
"""
TERMINATE_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow terminate order-17
  perdure workflow terminate order-17 order-18 --output '"out of stock"'
"""
PURGE_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow purge order-17
  perdure workflow purge order-17 --force

Everything about the workflow is deleted, and its id can be used again.
"""

_ENDED: Final = "It has ended, and cannot be changed any more. `perdure workflow get` shows how."
_NOT_ENDED: Final = (
    "Wait for its end, end it with `perdure workflow terminate`, or delete it with --force."
)


def raise_event(  # noqa: PLR0913 - each option is a parameter
    instance_id: options.Id,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's name.")],
    *,
    payload: options.Payload = None,
    payload_file: options.PayloadFile = None,
    raw: options.Raw = False,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """Send an event to a workflow."""
    body = read_payload(payload, payload_file, flag="--input", raw=raw)
    verb = f"raiseEvent/{quote(event, safe='')}"

    def raise_it(calls: Calls, instance: Instance) -> str:
        calls.change(instance, verb, body=body, advice=_ENDED)
        return f"has the event {event}"

    _for_each([instance_id], raise_it, options.Place(server, component), as_json=as_json)


def suspend(
    instance_ids: options.Ids,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """Let workflows take no new work until they are resumed."""

    def suspend_it(calls: Calls, instance: Instance) -> str:
        status = calls.change(instance, "suspend", advice=_ENDED).status
        return _in_force(status, "is suspended")

    _for_each(instance_ids, suspend_it, options.Place(server, component), as_json=as_json)


def resume(
    instance_ids: options.Ids,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """Let suspended workflows go on."""

    def resume_it(calls: Calls, instance: Instance) -> str:
        status = calls.change(instance, "resume", advice=_ENDED).status
        return _in_force(status, "goes on")

    _for_each(instance_ids, resume_it, options.Place(server, component), as_json=as_json)


def terminate(  # noqa: PLR0913 - each option is a parameter
    instance_ids: options.Ids,
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="JSON", help="Its output; - reads the standard input."
        ),
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("--output-file", metavar="FILE", help="File with its output.")
    ] = None,
    raw: options.Raw = False,
    recursive: options.Recursive = True,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """End workflows at once; they get no chance to clean up."""
    body = read_payload(output, output_file, flag="--output", raw=raw)
    query = {} if recursive else {"recursive": "false"}

    def terminate_it(calls: Calls, instance: Instance) -> str:
        status = calls.change(instance, "terminate", body=body, query=query, advice=_ENDED).status
        return _in_force(status, "is terminated")

    _for_each(instance_ids, terminate_it, options.Place(server, component), as_json=as_json)


def purge(
    instance_ids: options.Ids,
    force: Annotated[
        bool, typer.Option("--force", help="Delete it even if it has not ended.")
    ] = False,
    recursive: options.Recursive = True,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """Delete workflows that have ended, with everything about them."""
    query = ({} if recursive else {"recursive": "false"}) | ({"force": "true"} if force else {})

    def purge_it(calls: Calls, instance: Instance) -> str:
        status = calls.purge(instance, query, _NOT_ENDED).status
        return "is deleted" if status == HTTPStatus.OK else "will be gone in a moment"

    _for_each(instance_ids, purge_it, options.Place(server, component), as_json=as_json)


def _in_force(status: int, done: str) -> str:
    # 202: it is on disk, and in force as soon as the workflow's turn at a worker has ended.
    return done if status == HTTPStatus.OK else f"{done} as soon as its present step is over"


def _for_each(
    instance_ids: Sequence[str],
    change: Callable[[Calls, Instance], str],
    place: options.Place,
    *,
    as_json: bool,
) -> None:
    """Change each instance and tell what came of it, in the order of the ids."""
    outcomes: list[dict[str, Any]] = []
    code = ExitCode.OK
    with options.connected(place.server, place.component) as calls:
        for instance_id in dict.fromkeys(instance_ids):
            try:
                outcome = change(calls, calls.require(instance_id))
            except Trouble as trouble:
                if trouble.code in {ExitCode.AWAY, ExitCode.DENIED}:
                    raise
                report(trouble)
                code = code or trouble.code
                outcomes.append(
                    {"instanceID": instance_id, "error": trouble.message, "code": trouble.code}
                )
            else:
                outcomes.append({"instanceID": instance_id, "outcome": outcome})
                if not as_json:
                    show(f"{instance_id} {outcome}.")
    if as_json:
        show_json(outcomes)
    raise typer.Exit(code)
