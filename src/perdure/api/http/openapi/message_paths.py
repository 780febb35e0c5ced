"""Messages: publishing them, and the triggers that take them in."""

from typing import Any, Final

from perdure.api.http.openapi.parts import (
    Part,
    answer,
    errors,
    in_path,
    in_query,
    json_of,
    operation,
    ref,
)
from perdure.base.limits import PAGE_ROWS_MAX

_PUBLISHING: Final = "Publishing"
_TRIGGERS: Final = "Triggers"
_TEXT: Final[Part] = {"type": "string"}
_TIME: Final[Part] = {"type": "string", "format": "date-time"}
_COUNT: Final[Part] = {"type": "integer", "minimum": 0}
_MISSING: Final = {
    "404": {"description": "There is none of that name.", "content": json_of(ref("Error"))}
}
_ANY_BYTES: Final[Part] = {
    "description": "Any bytes.",
    "required": False,
    "content": {
        "application/json": {"schema": {}},
        "application/cloudevents+json": {"schema": {"type": "object"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "text/plain": {"schema": _TEXT},
    },
}


def _object(properties: dict[str, Part], required: tuple[str, ...]) -> Part:
    return {"type": "object", "properties": properties, "required": list(required)}


_ENTRY: Final = _object(
    {
        "entryId": {"type": "string", "minLength": 1},
        "event": {},
        "contentType": {"type": "string", "minLength": 1},
        "metadata": {"type": "object", "additionalProperties": _TEXT},
    },
    ("entryId", "event", "contentType"),
)
SCHEMAS: Final[dict[str, Part]] = {
    "Trigger": _object(
        {
            "name": _TEXT,
            "action": {"enum": ["start", "raiseEvent", "startOrRaise", "terminate"]},
            "workflowName": _TEXT,
            "workflowComponent": _TEXT,
            "definedAt": {**_TEXT, "description": "File, line and column."},
            "source": _object(
                {
                    "name": _TEXT,
                    "type": _TEXT,
                    "connected": {"type": "boolean"},
                    "trouble": _TEXT,
                    "received": _COUNT,
                    "notes": {"type": "object", "additionalProperties": _TEXT},
                },
                ("name", "type", "connected", "received"),
            ),
            "paused": {"type": "boolean"},
            "deadLetters": _COUNT,
            "messages": {
                "type": "object",
                "additionalProperties": _COUNT,
                "description": "Messages since the start of the server, by what became of them.",
            },
            "spec": {"type": "object", "description": "What was written; not in a listing."},
        },
        ("name", "action", "workflowComponent", "source", "paused", "deadLetters", "messages"),
    ),
    "Message": _object(
        {
            "id": _TEXT,
            "topic": _TEXT,
            "contentType": _TEXT,
            "attributes": {"type": "array", "items": {"type": "array", "items": _TEXT}},
            "data": _TEXT,
            "namedAfter": {**_TEXT, "description": "What its source says that it is about."},
            "dataBase64": {**_TEXT, "description": "In the place of `data`, if that is no text."},
            "receivedAt": _TIME,
        },
        ("attributes", "receivedAt"),
    ),
    "DeadLetter": _object(
        {
            "id": _TEXT,
            "trigger": _TEXT,
            "source": _TEXT,
            "reason": _TEXT,
            "attempts": _COUNT,
            "deadLetteredAt": _TIME,
            "message": ref("Message"),
        },
        ("id", "trigger", "source", "reason", "attempts", "deadLetteredAt"),
    ),
    "KeptMessage": _object(
        {"id": _TEXT, "outcome": _TEXT, "message": ref("Message")}, ("id", "outcome", "message")
    ),
}


def message_paths() -> dict[str, Any]:
    """Return the paths of publishing and of triggers."""
    name = in_path("triggerName", "The trigger.")
    one = "/v1.0/triggers/{triggerName}"
    return {
        **_publishing_paths(),
        "/v1.0/triggers": {
            "get": _asked("List the triggers", _list_of("triggers", "Trigger"), [], ())
        },
        one: {"get": _asked("Return a trigger", ref("Trigger"), [name])},
        f"{one}/pause": {"post": _done("Take no more messages for a trigger", [name], 400, 413)},
        f"{one}/resume": {"post": _done("Take messages for a trigger again", [name], 400, 413)},
        f"{one}/kept": {
            "get": _asked(
                "List the messages that are kept for a backtest",
                _list_of("messages", "KeptMessage"),
                [name, in_query("since", "From this moment on (RFC 3339).", _TIME), *_paging()],
            )
        },
        **_dead_letter_paths(name, one),
    }


def _dead_letter_paths(name: Part, one: str) -> dict[str, Any]:
    key = in_path("deadLetterID", "The dead letter.")
    letter = f"{one}/dead-letters/{{deadLetterID}}"
    unusable = {
        "409": {
            "description": "It cannot be used still; the text says why.",
            "content": json_of(ref("Error")),
        }
    }
    led_to = _object({"outcome": _TEXT}, ("outcome",))
    return {
        f"{one}/dead-letters": {
            "get": _asked(
                "List the messages that a trigger could not use",
                _list_of("deadLetters", "DeadLetter"),
                [name, *_paging()],
            )
        },
        letter: {
            "get": _asked("Return a dead letter", ref("DeadLetter"), [name, key]),
            "put": {
                **_done("Change the payload of a dead letter", [name, key], 400, 413),
                "requestBody": _ANY_BYTES,
            },
            "delete": _done("Delete a dead letter", [name, key], 400),
        },
        f"{letter}/replay": {
            "post": operation(
                "Try a dead letter again",
                {
                    "200": answer("It is gone, in the commit of what it led to.", led_to),
                    **errors(400, 413, 500, more={**_MISSING, **unusable}),
                },
                tag=_TRIGGERS,
                parameters=[name, key],
            )
        },
    }


def _publishing_paths() -> dict[str, Any]:
    place = [
        in_path("pubsubName", "The pub/sub component."),
        in_path("topic", "The topic."),
        in_query("metadata.rawPayload", "`true`: the payload is not wrapped into a CloudEvent."),
        in_query("metadata.ttlInSeconds", "For how long the message is worth delivering."),
    ]
    failed = _object({"entryId": _TEXT, "error": _TEXT}, ("entryId", "error"))
    failures = _object({"failedEntries": {"type": "array", "items": failed}}, ())
    some = {
        status: {
            "description": "Nothing was read, or these entries were not published.",
            "content": {
                **json_of({"anyOf": [ref("Error"), failures]}),
                "text/plain": {"schema": _TEXT},
            },
        }
        for status in ("400", "404", "503")
    }
    return {
        "/v1.0/publish/{pubsubName}/{topic}": {
            "post": operation(
                "Publish a message",
                {"204": answer("The broker has it."), **errors(400, 413, 500, more=_MISSING)},
                tag=_PUBLISHING,
                parameters=place,
                body=_ANY_BYTES,
            )
        },
        "/v1.0-alpha1/publish/bulk/{pubsubName}/{topic}": {
            "post": operation(
                "Publish several messages",
                {"204": answer("The broker has all of them."), **errors(413, 500, more=some)},
                tag=_PUBLISHING,
                parameters=place,
                body={
                    "required": True,
                    "content": json_of({"type": "array", "items": _ENTRY, "maxItems": 1_000}),
                },
            )
        },
    }


def _asked(
    summary: str, schema: Part, parameters: list[Part], statuses: tuple[int, ...] = (400,)
) -> Part:
    responses = {
        "200": answer("What there is.", schema),
        **errors(*statuses, 500, more=_MISSING if parameters else {}),
    }
    return operation(summary, responses, tag=_TRIGGERS, parameters=parameters)


def _done(summary: str, parameters: list[Part], *statuses: int) -> Part:
    responses = {"204": answer("It is on disk."), **errors(*statuses, 500, more=_MISSING)}
    return operation(summary, responses, tag=_TRIGGERS, parameters=parameters)


def _list_of(name: str, schema: str) -> Part:
    return _object({name: {"type": "array", "items": ref(schema)}, "nextToken": _TEXT}, (name,))


def _paging() -> list[Part]:
    size = {"type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX}
    return [
        in_query("pageSize", "How many at most.", size),
        in_query("token", "The `nextToken` of the page before."),
    ]
