"""Request bodies, bounded while they are read."""

from starlette.requests import ClientDisconnect

from perdure.api.http.errors import BODY_READ, Problem
from perdure.api.http.settings import Call


async def read_body(call: Call, *, too_large_status: int) -> bytes:
    """Return the whole body. Raises Problem if it is too large or ends before its end.

    A body that says beforehand that it is too large is not read at all.
    """
    bytes_max = call.door.settings.body_bytes_max
    announced = call.request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and _exceeds(announced, bytes_max):
        raise _too_large(too_large_status)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in call.request.stream():
            parts.append(part)
            size += len(part)
            if size > bytes_max:
                raise _too_large(too_large_status)
    except ClientDisconnect as error:
        text = "failed to read request body: unexpected EOF"
        raise Problem(400, BODY_READ, text) from error
    return b"".join(parts)


def _exceeds(digits: str, bytes_max: int) -> bool:
    return len(digits.lstrip("0")) > len(str(bytes_max)) or int(digits) > bytes_max


def _too_large(status: int) -> Problem:
    return Problem(status, BODY_READ, "failed to read request body: http: request body too large")
