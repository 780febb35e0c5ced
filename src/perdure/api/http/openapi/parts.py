"""The pieces that operations are described with."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Part = dict[str, Any]

_TEXTS: Final = {
    "400": "The request cannot be read, or asks for what cannot be.",
    "401": "The API token is missing or wrong.",
    "403": "A policy of the workflow's app does not let the caller's app do this.",
    "404": "There is no such instance, or it is of another workflow type.",
    "409": "The instance is in a state in which this cannot be done.",
    "413": "The body is larger than the server takes.",
    "500": "It could not be done or stored; the text says why.",
    "501": "The workflow component cannot do this.",
    "503": "The store or the component is away or behind, or the server is stopping; try again.",
}


def ref(name: str) -> Part:
    """Return a reference to a schema of the description."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_of(schema: Part) -> Part:
    """Return the content of a JSON body."""
    return {"application/json": {"schema": schema}}


ANY_BODY: Final[Part] = {
    "description": (
        "Any bytes. UTF-8 text reaches the workflow as the string it is (SDKs read it as JSON); "
        "bytes that are not UTF-8 reach it as a JSON string that holds their base64."
    ),
    "required": False,
    "content": {
        "application/json": {"schema": {}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "text/plain": {"schema": {"type": "string"}},
    },
}


def errors(*statuses: int, more: Mapping[str, Part] | None = None) -> dict[str, Part]:
    """Return the responses that are errors; 401 and 503 can meet every call."""
    described: dict[str, Part] = {}
    for status in sorted({*statuses, 401, 503}):
        content = json_of(ref("Error"))
        if status == 401:  # noqa: PLR2004 - Dapr answers this one in plain text
            content = {"text/plain": {"schema": {"type": "string"}}}
        if status == 400:  # noqa: PLR2004 - as it does where a path cannot be decoded
            content = {**content, "text/plain": {"schema": {"type": "string"}}}
        described[str(status)] = {"description": _TEXTS[str(status)], "content": content}
    return {**described, **(more or {})}


def answer(text: str, schema: Part | None = None, headers: Iterable[str] = ()) -> Part:
    """Return a response that is no error, without a body if it has no schema."""
    described: Part = {"description": text}
    if schema is not None:
        described["content"] = json_of(schema)
    named = {name: _HEADERS[name] for name in headers}
    return {**described, "headers": named} if named else described


_HEADERS: Final[dict[str, Part]] = {
    "Location": {
        "description": "The absolute URL of the instance's metadata.",
        "required": True,
        "schema": {"type": "string", "format": "uri"},
    },
    "Retry-After": {
        "description": "After how many seconds to look again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Preference-Applied": {
        "description": "The wait that was honoured (RFC 7240).",
        "schema": {"type": "string"},
    },
}


def in_path(name: str, text: str, schema: Part | None = None) -> Part:
    """Return a parameter of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        "schema": schema or {"type": "string", "minLength": 1},
    }


def in_query(name: str, text: str, schema: Part | None = None) -> Part:
    """Return an optional parameter of the query."""
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": schema or {"type": "string"},
    }


def in_header(name: str, text: str, schema: Part | None = None) -> Part:
    """Return an optional header."""
    return {**in_query(name, text, schema), "in": "header"}


BOOLEAN: Final[Part] = {"type": "boolean"}

PREFER: Final = in_header(
    "Prefer",
    "`wait=SECONDS` (RFC 7240): answer when the instance has finished, or after that time.",
    {"type": "string", "pattern": "^wait=[0-9]+$", "examples": ["wait=5"]},
)
TAGS: Final = in_header(
    "dapr-workflow-metadata",
    "Tags for the instance as `key=value` pairs in cookie syntax: `a=1; b=2`. The header may come "
    "several times; of one key the last value counts.",
    {"type": "string", "examples": ["customer=42; channel=web"]},
)


def operation(
    summary: str,
    responses: dict[str, Part],
    *,
    tag: str,
    parameters: Iterable[Part] = (),
    body: Part | None = None,
) -> Part:
    """Return one operation."""
    described: Part = {
        "tags": [tag],
        "summary": summary,
        "parameters": list(parameters),
        "responses": responses,
    }
    if body is not None:
        described["requestBody"] = body
    return described
