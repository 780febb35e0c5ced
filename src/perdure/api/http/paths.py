"""Paths as Dapr reads them: slashes forgiven, segments decoded one by one.

Routing happens on the path as it was sent, so that an escaped slash stays within its segment.
"""

import re
from typing import Final
from urllib.parse import quote, unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES: Final = re.compile("/{2,}")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


class BadEscape(Exception):
    """A segment of a path that cannot be decoded; the text is for the caller."""


def normal_path(path: str) -> str:
    """Return the path with runs of slashes made one and a slash at its end left out."""
    return _SLASHES.sub("/", path).removesuffix("/") or "/"


def decoded(name: str, segment: str) -> str:
    """Return a path parameter as text, by the rules of a query: `+` is a space.

    Raises BadEscape, in Dapr's words, for what is no escape and for what is not UTF-8.
    """
    found = _BAD_ESCAPE.search(segment)
    if found is not None:
        raise BadEscape(
            f'failed to unescape request parameter "{name}". '
            f'Error: invalid URL escape "{found.group()}"'
        )
    try:
        return unquote_plus(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadEscape(
            f'failed to unescape request parameter "{name}". Error: invalid UTF-8'
        ) from error


class NormalPaths:
    """Gives the routes beneath it the path as sent, in its normal form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes | None = scope.get("raw_path")
            sent = quote(scope["path"]) if raw is None else raw.decode("latin-1")
            scope = {**scope, "path": normal_path(sent)}
        await self._app(scope, receive, send)
