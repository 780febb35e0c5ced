"""The whole description, as the text that `/openapi.json` returns."""

import json
from collections.abc import Iterable
from typing import Any, Final

from perdure.api.http.openapi.asking import asked
from perdure.api.http.openapi.document_paths import document_paths
from perdure.api.http.openapi.message_paths import SCHEMAS as MESSAGE_SCHEMAS
from perdure.api.http.openapi.message_paths import message_paths
from perdure.api.http.openapi.parts import (
    Part,
    answer,
    errors,
    in_header,
    in_path,
    in_query,
    operation,
    ref,
)
from perdure.api.http.openapi.released_paths import released_paths
from perdure.api.http.openapi.schemas import SCHEMAS
from perdure.api.http.settings import HttpSettings

_TAG: Final = "Process"
_ABOUT: Final = """\
Durable workflows behind the Dapr Workflow API, in two forms on one path space.

If the first segment after `workflows` names a workflow component (`dapr` is always there), or a
start carries `?instanceID=`, or the prefix is `v1.0-beta1` or `v1.0-alpha1`, the path is in the
form of released Dapr. Otherwise it is in document form, where the first segment is a workflow type.

Path parameters are decoded like a query (`+` is a space). Payloads are any bytes: UTF-8 text
reaches the workflow as the string it is, and everything else as a JSON string of its base64. In
document form an empty body is no payload; in released form it is an empty string.
"""


def description(
    settings: HttpSettings,
    component_names: frozenset[str],
    version: str,
    further_paths: Iterable[str] = (),
) -> str:
    """Return the OpenAPI 3.1 document for a server with these settings and components.

    `further_paths` are those of routes that return text and take nothing.
    """
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "perdure",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            **asked(document_paths(component_names), forbids=True),
            **asked(released_paths(sorted(component_names)), forbids=False),
            **_process_paths(),
            **message_paths(),
            **{path: {"get": _text(path)} for path in further_paths},
        },
        "components": {"schemas": {**SCHEMAS, **MESSAGE_SCHEMAS}},
    }
    if settings.api_token:
        scheme = {"type": "apiKey", "in": "header", "name": "dapr-api-token"}
        document["components"]["securitySchemes"] = {"apiToken": scheme}
        document["security"] = [{"apiToken": []}]
    return json.dumps(document)


def _process_paths() -> dict[str, Any]:
    app_id = in_query("appid", "Fail unless the server has this app id.")
    forced = in_header("dapr-force-shutdown", "`true`: do not wait for what is going on.")
    ready = answer("It can serve.")
    return {
        "/v1.0/healthz": {"get": _health("Tell whether the server can serve", ready, [app_id])},
        "/v1.0/healthz/outbound": {
            "get": _health("Tell whether the server can serve workers", ready, [])
        },
        "/v1.0/metadata": {
            "get": operation(
                "Return what this process is",
                {"200": answer("Its metadata.", ref("Metadata")), **errors()},
                tag=_TAG,
            )
        },
        "/v1.0/metadata/{key}": {
            "put": operation(
                "Add a pair to the metadata",
                {"204": answer("It will be shown."), **errors(400, 413)},
                tag=_TAG,
                parameters=[in_path("key", "The pair's key.")],
                body={"content": {"text/plain": {"schema": {"type": "string"}}}},
            )
        },
        "/v1.0/shutdown": {
            "post": operation(
                "Stop the server",
                {"204": answer("It begins to stop."), **errors(400, 413)},
                tag=_TAG,
                parameters=[forced],
            )
        },
        "/openapi.json": {
            "get": operation(
                "Return this description",
                {"200": answer("OpenAPI 3.1.", {"type": "object"}), **errors()},
                tag=_TAG,
            )
        },
    }


def _text(path: str) -> Part:
    shown = {"description": "As text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return operation(f"Return {path}", {"200": shown, **errors()}, tag=_TAG)


def _health(summary: str, ready: Part, parameters: list[Part]) -> Part:
    responses = {"204": ready, **errors(400, 500)}
    del responses["401"]
    described = operation(summary, responses, tag=_TAG, parameters=parameters)
    # Whoever looks after a server's health need not know its secrets.
    return {**described, "security": []}
