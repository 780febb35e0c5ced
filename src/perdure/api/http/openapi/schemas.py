"""The shapes of bodies."""

from typing import Final

from perdure.api.http.openapi.parts import Part, ref
from perdure.api.http.views import FIELDS
from perdure.base.limits import PAGE_ROWS_MAX
from perdure.core.status import Status
from perdure.core.views import Wait
from perdure.store.query import Field, Operator
from perdure.wire.json_api.history import EVENT_TYPES

_TEXT: Final[Part] = {"type": "string"}
_TIME: Final[Part] = {"type": "string", "format": "date-time"}
_COUNT: Final[Part] = {"type": "integer", "minimum": 0}
_STRINGS: Final[Part] = {"type": "object", "additionalProperties": {"type": "string"}}
_STATUS: Final[Part] = {"type": "string", "enum": [status.name for status in Status]}
_ANY: Final[Part] = {"description": "The payload: JSON if it is JSON, else the string."}


def _object(properties: dict[str, Part], required: tuple[str, ...] = ()) -> Part:
    described: Part = {"type": "object", "properties": properties}
    return {**described, "required": list(required)} if required else described


_INSTANCE: Final[dict[str, Part]] = {
    "instanceID": _TEXT,
    "workflowName": _TEXT,
    "workflowComponent": _TEXT,
    "appID": _TEXT,
    "runtimeStatus": _STATUS,
    "createdAt": {**_TIME, "description": "When the instance was started by its caller."},
    "scheduledStartAt": _TIME,
    "startedAt": {**_TIME, "description": "When its first turn began."},
    "lastUpdatedAt": _TIME,
    "completedAt": {**_TIME, "description": "Only of an instance that has finished."},
    "customStatus": _ANY,
    "input": _ANY,
    "output": _ANY,
    "failure": ref("Failure"),
    "tags": _STRINGS,
    "parentInstanceID": _TEXT,
    "parentAppID": _TEXT,
    "executionID": _TEXT,
    "version": _TEXT,
    "historyLength": _COUNT,
    "historyBytes": _COUNT,
    "waitsFor": {
        "type": "string",
        "description": "What has to come before it moves on, "
        f"for example {', '.join(wait.value for wait in Wait)}.",
    },
    "waitsSince": _TIME,
    "nextWakeAt": {**_TIME, "description": "When its earliest timer fires."},
    "properties": {"type": "object", "description": "What else the component has to say."},
}
assert tuple(_INSTANCE) == FIELDS

_COMPARED: Final[Part] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {
        "anyOf": [{"enum": [field.value for field in Field]}, {"pattern": "^tags\\."}]
    },
    "additionalProperties": {"type": "string"},
}
_ONE_OF_MANY: Final[Part] = {
    **_COMPARED,
    "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
}
_FILTERS: Final[Part] = {"type": "array", "minItems": 1, "items": ref("Filter")}

SCHEMAS: Final[dict[str, Part]] = {
    "Error": _object({"errorCode": _TEXT, "message": _TEXT}, ("errorCode", "message")),
    "Started": _object({"instanceID": _TEXT}, ("instanceID",)),
    "Nothing": {"type": "object", "maxProperties": 0},
    "Instance": _object(_INSTANCE),
    "Failure": _object(
        {
            "type": _TEXT,
            "message": _TEXT,
            "stackTrace": _TEXT,
            "inner": ref("Failure"),
            "nonRetriable": {"type": "boolean"},
        },
        ("type", "message"),
    ),
    "NotCompleted": {
        "description": "An error with the metadata of the instance that was waited for.",
        "allOf": [ref("Error"), ref("Instance")],
    },
    "Instances": _object(
        {"instances": {"type": "array", "items": ref("Instance")}, "token": _TEXT}, ("instances",)
    ),
    "Event": _object(
        {
            "seq": {"type": "integer", "minimum": 1},
            "eventID": {"type": "integer"},
            "timestamp": _TIME,
            "type": {
                "type": "string",
                "description": f"One of {', '.join(EVENT_TYPES)}; an engine that has other events "
                "gives them the names it has for them.",
            },
            "input": _ANY,
            "result": _ANY,
            "failure": ref("Failure"),
            "raw": {"type": "string", "contentEncoding": "base64"},
        },
        ("seq", "eventID", "timestamp", "type"),
    ),
    "History": _object(
        {
            "instanceID": _TEXT,
            "events": {"type": "array", "items": ref("Event")},
            "token": _TEXT,
        },
        ("instanceID", "events"),
    ),
    "Activity": _object(
        {
            "taskID": {"type": "integer"},
            "name": _TEXT,
            "appID": _TEXT,
            "state": {
                "type": "string",
                "enum": ["SCHEDULED", "HANDED_OUT", "COMPLETED", "FAILED"],
            },
            "scheduledAt": _TIME,
            "handedOutAt": _TIME,
            "worker": _TEXT,
            "attempts": _COUNT,
            "finishedAt": _TIME,
            "failed": {"type": "boolean"},
        },
        ("taskID", "name", "state", "scheduledAt", "attempts", "failed"),
    ),
    "Activities": _object(
        {"instanceID": _TEXT, "activities": {"type": "array", "items": ref("Activity")}},
        ("instanceID", "activities"),
    ),
    "Rerun": _object(
        {
            "eventID": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
            "newInstanceID": _TEXT,
            "input": {"description": "With overwriteInput: the input of what is done again."},
            "overwriteInput": {"type": "boolean"},
            "newChildWorkflowInstanceID": _TEXT,
        },
        ("eventID",),
    ),
    "Filter": {
        "description": "One operator of Dapr's state query language, and PREFIX; {} is everything.",
        "type": "object",
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            "AND": _FILTERS,
            "OR": _FILTERS,
            **{
                operator.value: _ONE_OF_MANY if operator is Operator.IN else _COMPARED
                for operator in Operator
            },
        },
    },
    "Query": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "filter": ref("Filter"),
            "sort": {
                "type": "array",
                "maxItems": len(Field),
                "items": _object(
                    {
                        "key": {"type": "string", "enum": [field.value for field in Field]},
                        "order": {"type": "string", "enum": ["ASC", "DESC"]},
                    },
                    ("key",),
                ),
            },
            "page": _object(
                {
                    "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX},
                    "token": _TEXT,
                }
            ),
            "payloads": {"type": "boolean", "description": "Whether to return payloads too."},
        },
    },
    "ReleasedState": _object(
        {
            "instanceID": _TEXT,
            "workflowName": _TEXT,
            "createdAt": _TIME,
            "lastUpdatedAt": _TIME,
            "runtimeStatus": {"type": "string", "enum": [*_STATUS["enum"], "UNKNOWN"]},
            "properties": _STRINGS,
        },
        ("instanceID", "runtimeStatus"),
    ),
    "Metadata": _object(
        {
            "id": _TEXT,
            "runtimeVersion": _TEXT,
            "components": {"type": "array", "items": {"type": "object"}},
            "extended": _STRINGS,
            "workflows": _object({"connectedWorkers": _COUNT}),
        },
        ("id", "runtimeVersion", "components", "extended"),
    ),
    "CloudEvent": _object(
        {
            "specversion": _TEXT,
            "id": _TEXT,
            "source": _TEXT,
            "type": {"type": "string", "minLength": 1},
            "datacontenttype": _TEXT,
            "data": {},
            "data_base64": {"type": "string", "contentEncoding": "base64"},
        },
        ("specversion", "id", "source", "type"),
    ),
    "NamedEvent": {
        "type": "object",
        "additionalProperties": False,
        "required": ["eventName", "eventData"],
        "properties": {"eventName": {"type": "string", "minLength": 1}, "eventData": {}},
    },
}
