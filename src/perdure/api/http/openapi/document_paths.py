"""The document form, its listing, and what else is asked of one instance."""

from collections.abc import Iterable
from typing import Any, Final

from perdure.api.http.forms import COMPONENT
from perdure.api.http.history import HISTORY_PAGE_DEFAULT
from perdure.api.http.openapi.parts import (
    ANY_BODY,
    BOOLEAN,
    PREFER,
    TAGS,
    Part,
    answer,
    errors,
    in_header,
    in_path,
    in_query,
    json_of,
    operation,
    ref,
)
from perdure.api.http.views import FIELDS
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX
from perdure.core.status import Status

_TAG: Final = "Workflows"
_FOUND: Final = ("Location", "Retry-After")
_WAITED: Final = (*_FOUND, "Preference-Applied")
_RECURSIVE: Final = in_query(
    "recursive", "Whether child workflows are meant too; true unless it is given.", BOOLEAN
)
_NOT_IN_FORCE: Final = answer("Accepted, and not yet in force.", headers=_FOUND)
_TIME: Final[Part] = {"type": "string", "format": "date-time"}


def document_paths(component_names: Iterable[str]) -> dict[str, Any]:
    """Return the paths whose first segment is a workflow type."""
    one = "/v1.0/workflows/{workflowType}/{instanceID}"
    # Where released Dapr knows the call too, a component's name makes it the released form.
    names = sorted(component_names)
    instance = _instance({"not": {"enum": names}}, names)
    either = _instance({}, names)
    event = in_path("eventName", "The name of the event.")
    return {
        "/v1.0/workflows": {"get": _list(), "parameters": [_component(names)]},
        "/v1.0/workflows/query": {"post": _query(), "parameters": [_component(names)]},
        f"{one}/start": {"post": _start(), "parameters": instance},
        one: {"get": _get(), "delete": purge_operation(), "parameters": instance},
        f"{one}/terminate": {"post": _terminate(), "parameters": instance},
        f"{one}/raiseEvent": {"post": _raise_event(), "parameters": either},
        f"{one}/raiseEvent/{{eventName}}": {
            "post": _raise_event_named(),
            "parameters": [*instance, event],
        },
        f"{one}/suspend": {
            "post": _change("Let an instance take no new work"),
            "parameters": either,
        },
        f"{one}/resume": {
            "post": _change("Let a suspended instance go on"),
            "parameters": instance,
        },
        f"{one}/history": {"get": _history(), "parameters": either},
        f"{one}/activities": {"get": _activities(), "parameters": either},
        f"{one}/rerun": {"post": _rerun(), "parameters": either},
    }


def _component(names: list[str]) -> Part:
    text = "The workflow component that is meant, where it is not the one that has the type."
    return in_query(COMPONENT, text, {"type": "string", "enum": names})


def _instance(bounds: Part, names: list[str]) -> list[Part]:
    text = "The workflow type."
    if not bounds:
        text += " Under the name of a workflow component, an instance of any type is met."
    return [
        in_path("workflowType", text, {"type": "string", "minLength": 1, **bounds}),
        in_path("instanceID", "The instance."),
        _component(names),
    ]


def _start() -> Part:
    return operation(
        "Start an instance; options of its component are given as `option.NAME=value`",
        {
            "200": answer("It completed while it was waited for.", ref("Instance"), _WAITED[2:]),
            "202": answer("It is on disk and will run.", ref("Started"), _WAITED),
            **errors(400, 409, 413, 501),
            "500": {
                "description": "It could not be stored, or was waited for and did not complete.",
                "content": json_of({"anyOf": [ref("NotCompleted"), ref("Error")]}),
            },
        },
        tag=_TAG,
        parameters=[TAGS, PREFER],
        body=ANY_BODY,
    )


def _get() -> Part:
    fields = {
        "type": "array",
        "items": {"type": "string", "enum": list(FIELDS)},
    }
    return operation(
        "Return an instance's metadata",
        {
            "200": answer("It has finished, however it ended.", ref("Instance"), _WAITED[2:]),
            "202": answer("It has not finished.", ref("Instance"), _WAITED),
            **errors(400, 404),
            "500": {
                "description": "It failed, and the caller wants that to be an error; or a fault.",
                "content": json_of({"anyOf": [ref("Instance"), ref("Error")]}),
            },
        },
        tag=_TAG,
        parameters=[
            {
                **in_query("fields", "The members to return, all if there are none.", fields),
                "style": "form",
                "explode": False,
            },
            in_query(
                "returnInternalServerErrorOnFailure",
                "Whether an instance that FAILED is answered with 500.",
                BOOLEAN,
            ),
            PREFER,
        ],
    )


def _terminate() -> Part:
    return operation(
        "End an instance; the body becomes its output",
        {
            "200": answer("It has ended."),
            "202": _NOT_IN_FORCE,
            **errors(400, 404, 409, 413, 500, 501),
        },
        tag=_TAG,
        parameters=[_RECURSIVE],
        body=ANY_BODY,
    )


def _raise_event() -> Part:
    content = {
        "application/json": {"schema": ref("NamedEvent")},
        "application/cloudevents+json": {"schema": ref("CloudEvent")},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }
    return operation(
        "Give an instance an event, named by the query, a CloudEvent or the body",
        {"202": answer("The event is on disk."), **errors(400, 404, 409, 413, 500)},
        tag=_TAG,
        parameters=[
            in_query("eventName", "The name of the event."),
            in_header("ce-type", "The type of a CloudEvent in binary mode is the event's name."),
        ],
        body={"required": False, "content": content},
    )


def _raise_event_named() -> Part:
    return operation(
        "Give an instance an event",
        {"202": answer("The event is on disk."), **errors(400, 404, 409, 413, 500)},
        tag=_TAG,
        body=ANY_BODY,
    )


def _change(summary: str) -> Part:
    return operation(
        summary,
        {"200": answer("In force."), "202": _NOT_IN_FORCE, **errors(400, 404, 409, 413, 500, 501)},
        tag=_TAG,
    )


def purge_operation() -> Part:
    """Return the operation that deletes an instance, under a component's name too."""
    force = in_query("force", "Whether an instance that has not finished goes too.", BOOLEAN)
    return operation(
        "Delete everything about an instance",
        {
            "200": answer("It is gone."),
            "202": _NOT_IN_FORCE,
            **errors(400, 404, 409, 413, 500, 501),
        },
        tag=_TAG,
        parameters=[_RECURSIVE, force],
    )


def _history() -> Part:
    return operation(
        "Return the events of an instance, oldest first",
        {"200": answer("A page of events.", ref("History")), **errors(400, 404, 500)},
        tag=_TAG,
        parameters=[
            _page_size(HISTORY_PAGE_DEFAULT, HISTORY_PAGE_ROWS_MAX),
            in_query(
                "token",
                "Where to go on: what the page before returned.",
                {"type": "string", "pattern": "^[0-9]{1,15}$"},
            ),
            in_query(
                "raw",
                "Also return each event as it was committed, in base64. Not of all components.",
                {"type": "boolean", "default": False},
            ),
        ],
    )


def _activities() -> Part:
    return operation(
        "Return the activities of an instance",
        {"200": answer("All of them.", ref("Activities")), **errors(400, 404, 500)},
        tag=_TAG,
    )


def _rerun() -> Part:
    return operation(
        "Begin a new instance from an event of a finished one",
        {
            "202": answer("The new instance is on disk.", ref("Started"), _FOUND),
            **errors(400, 404, 409, 413, 500, 501),
        },
        tag=_TAG,
        body={"required": True, "content": json_of(ref("Rerun"))},
    )


def _list() -> Part:
    statuses: Part = {
        "type": "array",
        "items": {"type": "string", "enum": [status.name for status in Status]},
    }
    texts: Part = {"type": "array", "items": {"type": "string"}}
    return operation(
        "List instances, newest first; tags are selected by `tag.KEY=value`",
        {"200": answer("A page of instances.", ref("Instances")), **errors(400, 500)},
        tag=_TAG,
        parameters=[
            in_query("status", "Any of these statuses.", statuses),
            in_query("type", "Any of these workflow types.", texts),
            in_query("parent", "Children of any of these instances.", texts),
            in_query("createdAfter", "Created later than this.", _TIME),
            in_query("createdBefore", "Created earlier than this.", _TIME),
            in_query("completedAfter", "Finished later than this.", _TIME),
            in_query("completedBefore", "Finished earlier than this.", _TIME),
            in_query("idPrefix", "The instance id begins with this."),
            in_query(
                "sort",
                "Fields to sort by, with `-` before those that go down.",
                {"type": "string", "examples": ["-createdAt"]},
            ),
            _page_size(PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX),
            in_query("token", "Where to go on: what the page before returned."),
            in_query("payloads", "Whether to return inputs, outputs and failures too.", BOOLEAN),
        ],
    )


def _query() -> Part:
    return operation(
        "Search for instances in Dapr's state query language",
        {"200": answer("A page of instances.", ref("Instances")), **errors(400, 413, 500)},
        tag=_TAG,
        body={"required": True, "content": json_of(ref("Query"))},
    )


def _page_size(default: int, most: int) -> Part:
    schema: Part = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return in_query("pageSize", "The length of a page.", schema)
