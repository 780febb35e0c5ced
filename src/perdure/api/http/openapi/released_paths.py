"""The released form: the HTTP API of Dapr's sidecar, under a component's name."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from perdure.api.http.openapi.document_paths import purge_operation
from perdure.api.http.openapi.parts import (
    ANY_BODY,
    TAGS,
    Part,
    answer,
    errors,
    in_path,
    in_query,
    json_of,
    operation,
    ref,
)

_TAG: Final = "Workflows as in released Dapr"
_ACCEPTED: Final = answer("Accepted.", ref("Nothing"))
_PREFIXES: Final = ("v1.0-beta1", "v1.0-alpha1")
_IGNORED_BODY: Final[Part] = {
    "description": "The protojson of the request. The path overrules what it says.",
    "required": False,
    "content": json_of({"type": "object"}),
}


def released_paths(component_names: Iterable[str]) -> dict[str, Any]:
    """Return the paths whose first segment is a component.

    Under `v1.0` a component is a name of its own, since anything else there is a workflow type;
    under the older prefixes any name will do.
    """
    paths: dict[str, Any] = {}
    for name in component_names:
        below = _below(f"/v1.0/workflows/{name}", [])
        # Released Dapr has no DELETE, and so it means there what it means in document form.
        below[f"/v1.0/workflows/{name}/{{instanceID}}"]["delete"] = purge_operation()
        paths |= below
    component = in_path("component", "A workflow component; any name is the embedded one.")
    for prefix in _PREFIXES:
        paths |= _below(f"/{prefix}/workflows/{{component}}", [component])
    return paths


def _below(root: str, shared: list[Part]) -> dict[str, Any]:
    name = in_path("workflowName", "The workflow type.")
    instance = in_path("instanceID", "The instance.")
    event = in_path("eventName", "The name of the event.")
    one = f"{root}/{{instanceID}}"
    changes = {
        "pause": ("Let an instance take no new work", (400, 500, 501)),
        "resume": ("Let a suspended instance go on", (400, 500, 501)),
        "terminate": ("End an instance and its children", (400, 404, 500, 501)),
        "purge": ("Delete a finished instance and its children", (400, 404, 500, 501)),
    }
    raise_event = operation(
        "Give an instance an event",
        {"202": _ACCEPTED, **errors(400, 500)},
        tag=_TAG,
        body=ANY_BODY,
    )
    return {
        f"{root}/{{workflowName}}/start": _item(_start(), [*shared, name]),
        one: {
            "get": operation(
                "Return an instance's state",
                {"200": answer("Its state.", ref("ReleasedState")), **errors(400, 404, 500)},
                tag=_TAG,
            ),
            "parameters": [*shared, instance],
        },
        f"{one}/raiseEvent/{{eventName}}": _item(raise_event, [*shared, instance, event]),
        **{
            f"{one}/{verb}": _item(_change(*described), [*shared, instance])
            for verb, described in changes.items()
        },
    }


def _item(post: Part, parameters: list[Part]) -> Mapping[str, Any]:
    return {"post": post, "parameters": parameters}


def _start() -> Part:
    instance_id = in_query(
        "instanceID", "The new instance's id: letters, digits, `_` and `-`. One is made if absent."
    )
    return operation(
        "Start an instance; a finished one under the same id is replaced; "
        "options of its component are given as `option.NAME=value`",
        {"202": answer("It is on disk.", ref("Started")), **errors(400, 500, 501)},
        tag=_TAG,
        parameters=[instance_id, TAGS],
        body=ANY_BODY,
    )


def _change(summary: str, statuses: tuple[int, ...]) -> Part:
    return operation(summary, {"202": _ACCEPTED, **errors(*statuses)}, tag=_TAG, body=_IGNORED_BODY)
