"""Letting a method answer a call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from inspect import isasyncgen
from typing import Any
from uuid import uuid4

import grpc
import structlog

from perdure.transport.call import Aborted, Call, Method

_log = structlog.get_logger(__name__)

Route = Callable[[Call], Method]


def route_to(route: Route, call: Call) -> bool:
    """Find the call's method; False if that failed, and then the call has ended."""
    try:
        call.method = route(call)
    except Exception as error:  # noqa: BLE001 - one call's failure is nobody else's
        _fail(call, error)
        return False
    return True


async def run(call: Call) -> None:
    """Answer a call with its method, whatever the shape, and let nothing escape."""
    method = call.method
    assert method is not None, "a call runs once it has a method"
    try:
        request: Any
        if method.request_streaming:
            request = _requests(method, call)
        else:
            request = call.next_message()
            if method.request_deserializer is not None:
                request = method.request_deserializer(request)
        if method.response_streaming:
            await _stream(method, call, request)
        else:
            reply = await _function(method)(request, call)
            serialize = method.response_serializer
            call.answer(reply if serialize is None else serialize(reply))
    except (Aborted, asyncio.CancelledError):
        # Ended by the method itself, or given up by the client or the server.
        pass
    except Exception as error:  # noqa: BLE001 - one call's failure is nobody else's
        _fail(call, error)
    finally:
        if not call.ended:
            call.end(grpc.StatusCode.CANCELLED.value[0], "the call was given up")


async def _stream(method: Method, call: Call, request: Any) -> None:
    call.serialize = method.response_serializer
    answer = _function(method)(request, call)
    if isasyncgen(answer):
        async with aclosing(answer):
            async for message in answer:
                await call.write(message)
    else:
        await answer
    call.end(grpc.StatusCode.OK.value[0], "")


def _function(method: Method) -> Any:
    if method.request_streaming:
        return method.stream_stream if method.response_streaming else method.stream_unary
    return method.unary_stream if method.response_streaming else method.unary_unary


async def _requests(method: Method, call: Call) -> AsyncIterator[Any]:
    deserialize = method.request_deserializer
    changed = call.changed = asyncio.Event()
    while True:
        while call.inbox:
            data = call.next_message()
            yield data if deserialize is None else deserialize(data)
        if call.half_closed:
            return
        changed.clear()
        await changed.wait()


def _fail(call: Call, error: Exception) -> None:
    reference = uuid4().hex
    _log.error("a call failed", reference=reference, path=call.path[:200], exc_info=error)
    text = f"the server failed; its log says why under {reference}"
    call.end(grpc.StatusCode.INTERNAL.value[0], text)
