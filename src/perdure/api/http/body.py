"""Request bodies, bounded while they are read."""

from typing import Final

from starlette.requests import ClientDisconnect

from perdure.api.http.errors import BODY_READ, Problem
from perdure.api.http.settings import Call

# Times the largest body: how much of one that is too large is read for the sake of the answer.
_READ_AWAY_TIMES: Final = 4


async def read_body(call: Call, *, too_large_status: int) -> bytes:
    """Return the whole body. Raises Problem if it is too large or ends before its end.

    Nothing of a body that is too large is kept. Where the connection ends with this request, as
    much as is bearable of it is read all the same: closing what the client still writes to would
    take the answer from it.
    """
    bytes_max = call.door.settings.body_bytes_max
    announced = call.request.headers.get("content-length", "")
    is_number = announced.isascii() and announced.isdigit()
    read_max = bytes_max * _READ_AWAY_TIMES if _ends_connection(call) else bytes_max
    if is_number and _exceeds(announced, read_max):
        raise _too_large(too_large_status)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in call.request.stream():
            size += len(part)
            if size > read_max:
                raise _too_large(too_large_status)
            if size > bytes_max:
                parts.clear()
            else:
                parts.append(part)
    except ClientDisconnect as error:
        text = "failed to read request body: unexpected EOF"
        raise Problem(400, BODY_READ, text) from error
    if size > bytes_max:
        raise _too_large(too_large_status)
    return b"".join(parts)


def _ends_connection(call: Call) -> bool:
    # Who waits to be asked for the body has not begun to write it.
    headers = call.request.headers
    return "close" in headers.get("connection", "").lower() and "expect" not in headers


def _exceeds(digits: str, bytes_max: int) -> bool:
    return len(digits.lstrip("0")) > len(str(bytes_max)) or int(digits) > bytes_max


def _too_large(status: int) -> Problem:
    return Problem(status, BODY_READ, "failed to read request body: stream too large")
