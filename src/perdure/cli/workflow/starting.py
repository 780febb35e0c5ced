"""`perdure workflow start`."""

import uuid
from typing import Annotated

import typer

from perdure.cli.client import Answer
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.nearest import did_you_mean, nearest
from perdure.cli.output import note, show, show_json, warn
from perdure.cli.payloads import read_options, read_payload, read_tags, tag_headers
from perdure.cli.workflow import options
from perdure.cli.workflow.calls import RELEASED_COMPONENT, Calls
from perdure.cli.workflow.tables import instance_panel
from perdure.cli.workflow.waiting import exit_code_of, wait_told

EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow start order
  perdure workflow start order --id order-17 --input '{"items": 3}'
  perdure workflow start order --input-file order.json --tag shop=berlin
  jq .order cart.json | perdure workflow start order --input - --wait

The id is all that is written to the standard output, so that a script can keep it. With --wait the exit code is 0 if the workflow completed, 1 if it failed or was terminated, and 7 if the time is over.
"""  # noqa: E501 - a paragraph of help is one line

_Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", "-t", metavar="KEY=VALUE", help="Tag to find it by. Can be given again."),
]
_Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="What the component is told, such as taskQueue=orders. Can be given again.",
    ),
]


def start(  # noqa: PLR0913 - each option is a parameter
    workflow_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The workflow's type: its registered name.")
    ],
    *,
    instance_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Id of the new workflow; without one it gets any."),
    ] = None,
    payload: options.Payload = None,
    payload_file: options.PayloadFile = None,
    raw: options.Raw = False,
    tag: _Tags = None,
    option: _Options = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Wait for so long at most. Implies --wait."),
    ] = None,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
    utc: options.Utc = False,
) -> None:
    """Start a workflow."""
    body = read_payload(payload, payload_file, flag="--input", raw=raw)
    headers = tag_headers(read_tags(tag or []))
    started_with = read_options(option or [])
    instance_id = instance_id or uuid.uuid4().hex
    with options.connected(server, component) as calls:
        warn_of_mistyped(calls, workflow_type)
        answer = calls.start(workflow_type, instance_id, body, headers, started_with)
        if not answer.is_success:
            raise _refused(calls, answer, instance_id)
        if component is None:
            _tell_of_workers(calls)
        if not (wait or timeout is not None):
            show_json(answer.body) if as_json else show(instance_id)
            return
        note(f"Started {workflow_type} as {instance_id}.")
        ended = wait_told(calls, calls.started(workflow_type, instance_id), timeout)
    show_json(ended.raw) if as_json else show(instance_panel(ended, [], options.look(utc=utc)))
    raise typer.Exit(exit_code_of(ended))


def warn_of_mistyped(calls: Calls, workflow_type: str) -> None:
    """Warn of a type that nobody ever started, if one with a similar name was started.

    A worker may know it all the same, and the start needs no worker: so it is not refused. Raises
    Trouble for the one name that no type can have.
    """
    if workflow_type == RELEASED_COMPONENT:
        raise Trouble(
            f"No workflow type can be called {workflow_type}: it is the name of a component.",
            advice="Give the name that the workflow is registered with.",
            code=ExitCode.USAGE,
        )
    if calls.was_seen(workflow_type):
        return
    near = nearest(workflow_type, calls.known_types())
    if near:
        warn(f"No workflow of type {workflow_type} was started before. {did_you_mean(near)}")


def _refused(calls: Calls, answer: Answer, instance_id: str) -> Trouble:
    if answer.error_code == "ERR_INSTANCE_ID_ALREADY_EXISTS":
        advice = (
            f"`perdure workflow get {instance_id}` shows it. Give another id, or remove the old\n"
            f"one first: `perdure workflow purge {instance_id}`."
        )
    elif answer.error_code.startswith("ERR_INSTANCE_ID"):
        advice = "An id has letters, digits, _ and -, and is no longer than the server allows."
    else:
        advice = ""
    return calls.client.trouble(answer, advice)


def _tell_of_workers(calls: Calls) -> None:
    if calls.connected_workers() == 0:
        note("No worker is connected: the workflow waits until one comes.")
