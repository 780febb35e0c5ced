"""Methods of a service: bytes in, bytes out, every failure a status."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from perdure.api.grpc.calls import Call, Context
from perdure.api.grpc.faults import Rejected, end_with
from perdure.wire.management import parse

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)

AnyHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Send = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method as it is served, and as reflection tells of it."""

    name: str
    request: type[Message]
    reply: type[Message]
    handler: AnyHandler

    @property
    def streams(self) -> bool:
        """Whether it answers with a stream."""
        return bool(self.handler.response_streaming)


@dataclass(frozen=True, slots=True)
class Makers:
    """Makes methods whose answers stay within `message_bytes_max`."""

    message_bytes_max: int

    def unary(
        self,
        name: str,
        request: type[Request],
        reply: type[Reply],
        answer: Callable[[Request, Call], Awaitable[Reply]],
    ) -> Method:
        """Return a method that parses its request and answers with one message."""

        async def handle(data: bytes, context: Context) -> bytes:
            try:
                answered = await answer(parse(request, data), Call(context))
                return self._within_bounds(answered.SerializeToString())
            except Exception as error:  # noqa: BLE001 - the table decides
                await end_with(context, error)

        return Method(name, request, reply, grpc.unary_unary_rpc_method_handler(handle))

    def unary_of(
        self,
        name: str,
        request: type[Request],
        reply: type[Message],
        answer: Callable[[Request, Call], Awaitable[bytes]],
    ) -> Method:
        """Return a method that parses its request and answers with bytes ready to be sent."""

        async def handle(data: bytes, context: Context) -> bytes:
            try:
                return self._within_bounds(await answer(parse(request, data), Call(context)))
            except Exception as error:  # noqa: BLE001 - the table decides
                await end_with(context, error)

        return Method(name, request, reply, grpc.unary_unary_rpc_method_handler(handle))

    def passed_on(
        self,
        name: str,
        request: type[Message],
        reply: type[Message],
        take: Callable[[bytes], Awaitable[None]],
    ) -> Method:
        """Return a method that hands its bytes on unparsed and answers with an empty message."""

        async def handle(data: bytes, context: Context) -> bytes:
            try:
                await take(data)
            except Exception as error:  # noqa: BLE001 - the table decides
                await end_with(context, error)
            return b""

        return Method(name, request, reply, grpc.unary_unary_rpc_method_handler(handle))

    def stream(
        self,
        name: str,
        request: type[Request],
        reply: type[Message],
        answer: Callable[[Request, Call, Send], Awaitable[None]],
    ) -> Method:
        """Return a method that parses its request and answers with messages ready to be sent."""

        async def handle(data: bytes, context: Context) -> None:
            try:
                await answer(parse(request, data), Call(context), context.write)
            except Exception as error:  # noqa: BLE001 - the table decides
                await end_with(context, error)

        return Method(name, request, reply, grpc.unary_stream_rpc_method_handler(handle))

    def _within_bounds(self, reply: bytes) -> bytes:
        if len(reply) > self.message_bytes_max:
            raise Rejected(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"the answer has {len(reply)} bytes, and a message at most "
                f"{self.message_bytes_max}; ask for less, or raise --max-body-size",
            )
        return reply
