"""Answers: JSON, where an instance can be found, and the errors as responses."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from perdure.api.http.errors import (
    INTERNAL,
    MALFORMED,
    Problem,
    fault_problem,
    no_route,
)
from perdure.api.http.forms import COMPONENT, Target
from perdure.api.http.settings import Call
from perdure.base.errors import PerdureError
from perdure.wire.json_api.text import Json, write

JSON_TYPE: Final = "application/json"

# A Host header comes from the caller and goes into a URL: only what can stand in one is taken.
_HOST: Final = re.compile(r"[A-Za-z0-9._~-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def json_reply(
    value: Json, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response whose body is `value` as JSON."""
    return Response(write(value).encode(), status, headers, JSON_TYPE)


def location(call: Call, target: Target) -> str:
    """Return the absolute URL under which the instance's metadata can be fetched."""
    segments = (target.first_segment, target.instance_id)
    path = "/".join(quote(segment, safe="") for segment in segments)
    query = f"?{COMPONENT}={quote(target.component.name, safe='')}" if target.by_query else ""
    return f"{call.request.url.scheme}://{_host(call.request)}/v1.0/workflows/{path}{query}"


def come_again(call: Call, target: Target) -> dict[str, str]:
    """Return the headers of a 202: where the outcome will be, and when to look."""
    return {
        "Location": location(call, target),
        "Retry-After": str(call.door.settings.retry_after_seconds),
    }


def problem_reply(problem: Problem) -> Response:
    """Return the response that an error is."""
    body: dict[str, Json] = {
        "errorCode": problem.code,
        "message": problem.message,
        **problem.more,
    }
    return json_reply(body, problem.status, problem.headers)


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answer an error that a handler raised."""
    assert isinstance(error, Problem)
    return problem_reply(error)


async def on_fault(_request: Request, error: Exception) -> Response:
    """Answer a fault that no handler gave a name."""
    assert isinstance(error, PerdureError)
    return problem_reply(fault_problem(error, MALFORMED, str(error)))


async def on_no_route(_request: Request, _error: Exception) -> Response:
    """Answer a path that does not exist."""
    return problem_reply(no_route())


async def on_mistake(_request: Request, _error: Exception) -> Response:
    """Answer what should not have happened. The server logs it; the caller is told no more."""
    return problem_reply(Problem(500, INTERNAL, "internal error; the server's log says more"))


async def on_gone(_request: Request, _error: Exception) -> Response:
    """Answer a caller that went away in the middle: nobody will read it."""
    text = "failed to read request body: unexpected EOF"
    return problem_reply(Problem(400, "ERR_BODY_READ", text))


def _host(request: Request) -> str:
    named = request.headers.get("host", "")
    if _HOST.fullmatch(named):
        return named
    host, port = request.scope.get("server") or ("localhost", None)
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"
