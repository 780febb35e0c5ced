"""`perdure workflow rerun`: a new run from a point of an old one."""

import json
from http import HTTPStatus
from typing import Annotated, Any, Final

import typer

from perdure.cli.client import Answer
from perdure.cli.output import show, show_json
from perdure.cli.payloads import read_payload
from perdure.cli.workflow import options
from perdure.cli.workflow.calls import Calls
from perdure.cli.workflow.records import Instance
from perdure.cli.workflow.steps import RERUN_FROM, Story

EXAMPLES = """\b
[bold]Examples[/bold]
  perdure workflow history order-17
  perdure workflow rerun order-17 --from 3
  perdure workflow rerun order-17 --from 3 --id order-17-again --input '{"items": 2}'

What happened before the event is kept; from there on everything runs again, in a new workflow. --from takes the number of an activity, a timer or a child in the first column of the history.
"""  # noqa: E501 - a paragraph of help is one line

_EVENTS_SHOWN: Final = 10


def rerun(  # noqa: PLR0913 - each option is a parameter
    instance_id: options.Id,
    *,
    event_id: Annotated[
        int, typer.Option("--from", metavar="EVENT", min=0, help="Number of the event to run from.")
    ],
    new_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Id of the new workflow; without one it gets any."),
    ] = None,
    child_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Id of the new child, where the event is that of a child."),
    ] = None,
    payload: options.Payload = None,
    payload_file: options.PayloadFile = None,
    server: options.Server = None,
    component: options.Component = None,
    as_json: options.AsJson = False,
) -> None:
    """Run a workflow that has ended again, from an event of its history on."""
    body: dict[str, Any] = {"eventID": event_id}
    new_input = read_payload(payload, payload_file, flag="--input", raw=False)
    if new_id is not None:
        body["newInstanceID"] = new_id
    if child_id is not None:
        body["newChildWorkflowInstanceID"] = child_id
    text = json.dumps(body)
    if new_input is not None:
        # The input goes into the request as it was written: reading it would change its numbers.
        text = f'{text[:-1]}, "overwriteInput": true, "input": {new_input.decode()}}}'
    with options.connected(server, component) as calls:
        instance = calls.require(instance_id)
        answer = calls.rerun(instance, text.encode())
        if not answer.is_success:
            raise calls.client.trouble(answer, _rerun_advice(calls, instance, answer))
    if as_json:
        show_json(answer.body)
    else:
        show(str(answer.body["instanceID"]))


def _rerun_advice(calls: Calls, instance: Instance, answer: Answer) -> str:
    if answer.error_code == "ERR_INSTANCE_ID_ALREADY_EXISTS":
        return "Give another --id, or none."
    if not instance.is_finished:
        return "Only what has ended can be run again: perdure workflow watch " + (
            instance.instance_id
        )
    if "event" not in answer.message or answer.status != HTTPStatus.NOT_FOUND:
        return ""
    story = Story(utc=False)
    told = [
        (event, story.label(event)[0], story.subject(event)) for event in calls.history(instance)
    ]
    known = [
        f"{event['eventID']} {label} {subject}"
        for event, label, subject in told
        if event["type"] in RERUN_FROM
    ]
    if not known:
        return "It had no activity, no timer and no child that it could be run again from."
    return "\n".join(["It can be run again from:", *known[:_EVENTS_SHOWN]])
