"""The calls of one connection, and what is done with what comes in for them.

House rules:
- What comes in is hostile. A broken rule of the connection ends it with GOAWAY and its reason, a
  broken call only its stream.
- The connection's window is given back at once, so that no call can keep others from going on; a
  stream's when its message goes to the method. What all calls hold has a bound nevertheless.
- A method that takes one message begins when that is complete, and no sooner.
- Whoever makes calls only to reset them, or says nothing again and again, is told to be calm and
  left.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import grpc

from perdure.transport import frames as fr
from perdure.transport import headers as hd
from perdure.transport.call import Call
from perdure.transport.frames import Code, ConnectionFault
from perdure.transport.messages import Rejection
from perdure.transport.options import CALLS_MAX, Options
from perdure.transport.past import Past
from perdure.transport.patience import Patience
from perdure.transport.reader import Frame
from perdure.transport.request import Request, are_trailers
from perdure.transport.running import Route, route_to, run
from perdure.transport.windows import HELD_BYTES_MAX, ReceiveWindow, Room
from perdure.transport.wire import Wire

_OK: Final = 200  # as HTTP has it
_TOO_LATE: Final = (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
_NOT_GRPC: Final = "this port speaks gRPC: POST with content-type application/grpc"
_TOO_MUCH: Final = "too much is under way on this connection: send fewer large messages at once"

# Much for anybody who means well, and little for this server.
_NONSENSE_BURST: Final = 10_000
_NONSENSE_PER_S: Final = 1_000


class Calls:
    """The calls that are under way on one connection."""

    def __init__(
        self, wire: Wire, options: Options, route: Route, idle: Callable[[], None]
    ) -> None:
        """Answer calls by `route`, through `wire`; `idle` is called whenever the last has ended."""
        self.wire = wire
        self.options = options
        self.send_window_bytes = fr.WINDOW_DEFAULT
        self.last_stream = 0
        self.refusing = False
        self._route = route
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._decoder = hd.BlockDecoder(options.header_bytes_max, Request)
        self._window = ReceiveWindow(options.connection_window_bytes)
        self._room = Room(HELD_BYTES_MAX)
        self._patience = Patience(_NONSENSE_BURST, _NONSENSE_PER_S, self._loop.time())
        self._calls: dict[int, Call] = {}
        self._past = Past()

    def __len__(self) -> int:
        """Return how many calls are under way."""
        return len(self._calls)

    @property
    def held(self) -> int:
        """How many bytes of requests are held for methods."""
        return self._room.held

    def drop_all(self) -> None:
        """Give every call up: the client is gone."""
        for call in list(self._calls.values()):
            self._drop(call)

    def cut_all(self, code: grpc.StatusCode, text: str) -> None:
        """End every call that is still under way with a failure."""
        for call in list(self._calls.values()):
            call.cut(code, text)

    # ---- what comes in

    def take_headers(self, frame: Frame) -> None:
        """Begin a call, or end what a client says in one. Raises ConnectionFault."""
        stream_id = frame.stream_id
        if not stream_id & 1:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "clients open streams of odd numbers")
        # Decoded even if the stream is refused: the table has to stay in step.
        request = self._decoder.decode(frame.payload)
        known = self._calls.get(stream_id)
        if known is not None:
            self._take_trailers(known, frame, request)
        elif stream_id > self.last_stream:
            self.last_stream = stream_id
            if self.refusing or len(self._calls) >= CALLS_MAX:
                self._reset(stream_id, Code.REFUSED_STREAM)
            elif request.is_malformed:
                self._reset(stream_id, Code.PROTOCOL_ERROR)
            else:
                self._begin(frame, request)
        else:
            self._past.check(stream_id)

    def take_data(self, frame: Frame) -> None:
        """Take a piece of what a client says in a call. Raises ConnectionFault."""
        size = frame.size
        allowed = self._window.take(size)
        assert allowed, "a frame fits what is left, since it is given back at once"
        given = self._window.let_go(size)
        if given:
            self.wire.write(fr.window_update(0, given))
        if not frame.payload and not frame.flags & fr.END_STREAM:
            self.bear()
        call = self._calls.get(frame.stream_id)
        if call is None:
            self._check_known(frame.stream_id)
            self._past.check(frame.stream_id)
        elif call.half_closed:
            self._fault(call, Code.STREAM_CLOSED)
        elif not call.receive_window.take(size):
            self._fault(call, Code.FLOW_CONTROL_ERROR)
        elif call.request.http_status == _OK:
            self._take_message(call, frame)
        else:
            self._pass_over(call, frame)

    def take_reset(self, frame: Frame) -> None:
        """Take a client's word that it does not care any more. Raises ConnectionFault."""
        call = self._calls.get(frame.stream_id)
        if call is None:
            self._check_known(frame.stream_id)
        else:
            self.bear()
            self._drop(call)

    def widen(self, stream_id: int, increment: int) -> None:
        """Widen the window of one call. Raises ConnectionFault."""
        call = self._calls.get(stream_id)
        if call is None:
            self._check_known(stream_id)
        elif not increment:
            self._fault(call, Code.PROTOCOL_ERROR)
        elif call.send_window.left + increment > fr.WINDOW_MAX:
            self._fault(call, Code.FLOW_CONTROL_ERROR)
        else:
            call.send_window.widen(increment)
            call.flush()

    def widen_all(self, send_window_bytes: int) -> None:
        """Change the windows that calls begin with, also of those under way."""
        # Dearer than it looks: one frame changes every call.
        self.bear(1 + len(self._calls) / 100)
        change = send_window_bytes - self.send_window_bytes
        self.send_window_bytes = send_window_bytes
        for call in self._calls.values():
            call.send_window.widen(change)

    def flush_all(self) -> None:
        """Let every call send what may be sent now."""
        for call in list(self._calls.values()):
            call.flush()

    def bear(self, cost: float = 1.0) -> None:
        """Bear what makes no sense. Raises ConnectionFault if it was once too often."""
        if not self._patience.lasts(self._loop.time(), cost):
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "too much that makes no sense")

    # ---- one call

    def _begin(self, frame: Frame, request: Request) -> None:
        call = Call(self, frame.stream_id, request)
        call.half_closed = bool(frame.flags & fr.END_STREAM)
        self._calls[frame.stream_id] = call
        if request.http_status != _OK:
            call.deadline = self._loop.call_later(self.options.patience_s, call.refuse, _NOT_GRPC)
            if call.half_closed:
                self._end_input(call)
            return
        if request.timeout_s is not None:
            call.deadline = self._loop.call_later(request.timeout_s, call.cut, *_TOO_LATE)
        if not route_to(self._route, call):
            return
        assert call.method is not None, "a call that is routed has a method"
        if call.method.request_streaming:
            call.task = self._loop.create_task(run(call))
        if call.half_closed:
            self._end_input(call)

    def _take_message(self, call: Call, frame: Frame) -> None:
        payload = frame.payload
        call.half_closed = bool(frame.flags & fr.END_STREAM)
        call.received_bytes += len(payload)
        if not self._room.take(len(payload)):
            call.cut(grpc.StatusCode.RESOURCE_EXHAUSTED, _TOO_MUCH)
            return
        try:
            call.inbox.take(payload)
        except Rejection as rejection:
            call.cut(rejection.code, rejection.text, rejection.metadata)
            return
        if len(call.inbox) > 1 and call.task is None:
            call.cut(*_not_one(call))
            return
        if call.half_closed:
            self._end_input(call)
            return
        if call.changed is not None:
            call.changed.set()
        if frame.size > len(payload):
            self._give_back(call, frame.size - len(payload))

    def _pass_over(self, call: Call, frame: Frame) -> None:
        call.received_bytes += len(frame.payload)
        self._give_back(call, frame.size)
        if frame.flags & fr.END_STREAM:
            call.half_closed = True
            self._end_input(call)

    def _take_trailers(self, call: Call, frame: Frame, trailers: Request) -> None:
        if call.half_closed:
            self._fault(call, Code.STREAM_CLOSED)
        elif not frame.flags & fr.END_STREAM or not are_trailers(trailers.headers):
            self._fault(call, Code.PROTOCOL_ERROR)
        else:
            call.half_closed = True
            self._end_input(call)

    def _end_input(self, call: Call) -> None:
        """The client has said all: a method of one message begins, others are told."""
        if call.request.content_length not in {None, call.received_bytes}:
            self._fault(call, Code.PROTOCOL_ERROR)
        elif call.request.http_status != _OK:
            call.refuse(_NOT_GRPC)
        elif call.inbox.is_amid:
            text = "the request ends in the middle of a message"
            call.cut(grpc.StatusCode.INTERNAL, text)
        elif call.changed is not None:
            call.changed.set()
        elif call.task is None:
            if len(call.inbox) == 1:
                call.task = self._loop.create_task(run(call))
            else:
                call.cut(*_not_one(call))

    def taken(self, call: Call, size: int) -> None:
        """Note that a message of so many bytes is not kept for the method any more."""
        if not call.done:
            self._room.give(size)
            self._give_back(call, size)

    def _give_back(self, call: Call, size: int) -> None:
        if not call.half_closed:
            given = call.receive_window.let_go(size)
            if given:
                self.wire.write(fr.window_update(call.stream_id, given))

    # ---- bookkeeping

    def over(self, call: Call) -> None:
        """Forget a call that has been answered."""
        if not call.half_closed:
            # Told that nobody listens any more.
            self.wire.write(fr.rst_stream(call.stream_id, Code.NO_ERROR))
            self._past.cut(call.stream_id)
        self._forget(call)

    def _fault(self, call: Call, code: Code) -> None:
        """Reset a call whose client broke a rule."""
        self._reset(call.stream_id, code)
        self._drop(call)

    def _reset(self, stream_id: int, code: Code) -> None:
        self.bear()
        self._past.cut(stream_id)
        self.wire.write(fr.rst_stream(stream_id, code))

    def _drop(self, call: Call) -> None:
        call.drop()
        self._forget(call)

    def _forget(self, call: Call) -> None:
        del self._calls[call.stream_id]
        self._room.give(call.inbox.held)
        if call.deadline is not None:
            call.deadline.cancel()
        if not self._calls:
            self._idle()

    def _check_known(self, stream_id: int) -> None:
        """Let frames of a call that is over pass, but not those of one that never was."""
        if not stream_id & 1 or stream_id > self.last_stream:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame of a stream that is not open")


def _not_one(call: Call) -> tuple[grpc.StatusCode, str]:
    came = "more came" if call.inbox else "none came"
    return grpc.StatusCode.UNIMPLEMENTED, f"the method takes one message, and {came}"
