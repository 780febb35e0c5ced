"""Letting a method answer a call."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias
from uuid import uuid4

import grpc
import structlog

from perdure.api.grpc.transport.call import Aborted, Call

_log = structlog.get_logger(__name__)

Method: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

_UNITS_S: Final = {"H": 3_600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_DIGITS_MAX: Final = 8


def timeout_s(text: str) -> float | None:
    """Return a grpc-timeout in seconds, or None if it is none that gRPC knows."""
    digits, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not digits.isascii() or not digits.isdigit():
        return None
    return int(digits) * _UNITS_S[unit] if len(digits) <= _TIMEOUT_DIGITS_MAX else None


async def run(method: Method, call: Call) -> None:
    """Answer a call with a method, whatever its shape, and let nothing escape."""
    try:
        await _answer(method, call)
    except (Aborted, asyncio.CancelledError):
        # Ended by the method itself, or given up by the client or the server.
        pass
    except Exception as error:  # noqa: BLE001 - one call's failure is nobody else's
        reference = uuid4().hex
        _log.error("a call failed", reference=reference, path=call.path[:200], exc_info=error)
        text = f"the server failed; its log says why under {reference}"
        call.end(grpc.StatusCode.INTERNAL.value[0], text)
    finally:
        if not call.done:
            call.end(grpc.StatusCode.CANCELLED.value[0], "the call was given up")
        if call.deadline is not None:
            call.deadline.cancel()


async def _answer(method: Method, call: Call) -> None:
    call.serialize = method.response_serializer
    request: Any = _requests(method, call)
    if not method.request_streaming:
        request = await _only(method, call)
    answer = _function(method)(request, call)
    if not method.response_streaming:
        call.send(_serialized(method, await answer))
    elif inspect.isasyncgen(answer):
        async for message in answer:
            await call.write(message)
    else:
        await answer
    call.end_as_set()


def _function(method: Method) -> Any:
    if method.request_streaming:
        return method.stream_stream if method.response_streaming else method.stream_unary
    return method.unary_stream if method.response_streaming else method.unary_unary


def _serialized(method: Method, answer: Any) -> bytes:
    serialize = method.response_serializer
    data = answer if serialize is None else serialize(answer)
    assert isinstance(data, bytes), "an answer is bytes"
    return data


async def _only(method: Method, call: Call) -> Any:
    """Return the one message of a call that has one."""
    while not (call.messages and call.half_closed):
        if call.half_closed or len(call.messages) > 1:
            break
        await _more(call)
    if len(call.messages) != 1:
        await call.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"the method takes one message, and {len(call.messages)} came",
        )
    data = call.messages.popleft()
    return data if method.request_deserializer is None else method.request_deserializer(data)


async def _requests(method: Method, call: Call) -> AsyncIterator[Any]:
    deserialize = method.request_deserializer
    while True:
        while call.messages:
            data = call.messages.popleft()
            yield data if deserialize is None else deserialize(data)
        if call.half_closed:
            return
        await _more(call)


async def _more(call: Call) -> None:
    """Return when something has come in, or the client has said all."""
    if call.changed is None:
        call.changed = asyncio.Event()
    call.changed.clear()
    await call.changed.wait()
