"""The calls of one connection: what each frame means for them.

House rules:
- What comes in is hostile. A broken rule ends the connection with GOAWAY and its reason, a
  broken call only its stream.
- A client may have so much under way as its windows allow, and no more: the room that a message
  took is given back only when it is complete or dropped.
- A client that makes calls only to reset them, or sends frames that say nothing without end, is
  told to be calm and left.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import grpc

from perdure.api.grpc.transport import frames as fr
from perdure.api.grpc.transport.call import Call, Rejection, Wire
from perdure.api.grpc.transport.frames import Code, ConnectionFault
from perdure.api.grpc.transport.headers import BlockDecoder, Headers
from perdure.api.grpc.transport.reader import Frame
from perdure.api.grpc.transport.running import Method, run, timeout_s
from perdure.api.grpc.transport.windows import ReceiveWindow
from perdure.base.limits import KIB, MIB

CALLS_MAX: Final = 100_000
_RESETS_MAX: Final = 1_000  # of calls under way, beyond as many as were answered
_EMPTY_FRAMES_MAX: Final = 10_000

Route = Callable[[Call], Method]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of a connection can be set."""

    message_bytes_max: int
    header_bytes_max: int = 128 * KIB
    ping_after_s: float
    ping_timeout_s: float

    @property
    def window_bytes(self) -> int:
        """Room for one whole message on each stream."""
        return max(self.message_bytes_max + KIB, fr.WINDOW_DEFAULT)

    @property
    def connection_window_bytes(self) -> int:
        """Room for a few large messages at once."""
        return min(4 * self.window_bytes, fr.WINDOW_MAX)


class Peer(Wire, Protocol):
    """The connection as the keeper of its calls sees it."""

    def idle(self) -> None:
        """Note that no call is under way."""
        ...


class Calls:
    """The calls that are under way on one connection."""

    def __init__(self, wire: Peer, options: Options, route: Route) -> None:
        """Answer calls by `route`."""
        self._wire = wire
        self._options = options
        self._route = route
        self._loop = asyncio.get_running_loop()
        self._decoder = BlockDecoder(options.header_bytes_max)
        self._window = ReceiveWindow(options.connection_window_bytes)
        self._initial_window = fr.WINDOW_DEFAULT
        self._calls: dict[int, Call] = {}
        self.last_stream = 0
        self.refusing = False
        self._answered = 0
        self._resets = 0
        self._empty_frames = 0

    def __len__(self) -> int:
        """Return how many calls are under way."""
        return len(self._calls)

    def take(self, frame: Frame) -> None:  # noqa: C901 - one case a kind of frame
        """Do what a frame asks for. Raises ConnectionFault. Unknown kinds are passed over."""
        match frame.kind:
            case fr.DATA:
                self._data(frame)
            case fr.HEADERS:
                self._headers(frame)
            case fr.WINDOW_UPDATE:
                self._window_update(frame)
            case fr.RST_STREAM:
                self._rst_stream(frame)
            case fr.SETTINGS:
                self._settings(frame)
            case fr.PING:
                _check_length(frame.payload, 8)
                if not frame.flags & fr.ACK:
                    self._wire.write(fr.frame(fr.PING, fr.ACK, 0, frame.payload))
            case fr.PUSH_PROMISE:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "clients do not push")
            case _:
                pass

    def drop_all(self) -> None:
        """Give every call up: the client is gone."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.drop()

    def end_all(self, code: grpc.StatusCode, text: str) -> None:
        """End every call that is still under way with a status."""
        for call in list(self._calls.values()):
            if call.task is not None:
                call.task.cancel()
            call.end(code.value[0], text)

    # ---- calls

    def _headers(self, frame: Frame) -> None:
        if frame.stream_id % 2 == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "clients open streams of odd numbers")
        # Decoded even if the stream is refused: the table has to stay in step.
        headers = self._decoder.decode(frame.payload)
        known = self._calls.get(frame.stream_id)
        if known is not None:
            self._trailers(known, frame)
        elif frame.stream_id > self.last_stream:
            self.last_stream = frame.stream_id
            if self.refusing or len(self._calls) >= CALLS_MAX:
                self._wire.write(fr.rst_stream(frame.stream_id, Code.REFUSED_STREAM))
            else:
                self._begin(frame, headers)

    def _trailers(self, call: Call, frame: Frame) -> None:
        if call.half_closed or not frame.flags & fr.END_STREAM:
            self._reset(call, Code.PROTOCOL_ERROR)
            return
        try:
            call.end_input()
        except Rejection as rejection:
            _reject(call, rejection)

    def _begin(self, frame: Frame, headers: Headers) -> None:
        call = Call(
            self._wire,
            frame.stream_id,
            headers,
            send_window=self._initial_window,
            receive_window=self._options.window_bytes,
            message_bytes_max=self._options.message_bytes_max,
        )
        call.half_closed = bool(frame.flags & fr.END_STREAM)
        self._calls[frame.stream_id] = call
        if not call.is_grpc:
            text = "this port speaks gRPC: POST with content-type application/grpc"
            _reject(call, Rejection(grpc.StatusCode.UNKNOWN, text))
            return
        seconds = timeout_s(call.timeout) if call.timeout else None
        if seconds is not None:
            call.deadline = self._loop.call_later(seconds, _too_late, call)
        call.task = self._loop.create_task(run(self._route(call), call))

    def _data(self, frame: Frame) -> None:
        size = len(frame.payload)
        self._count_if_empty(frame)
        if not self._window.take(size):
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "more data than was allowed")
        call = self._calls.get(frame.stream_id)
        if call is None:
            self._check_known(frame.stream_id)
        elif call.half_closed:
            self._reset(call, Code.STREAM_CLOSED)
        elif not call.receive_window.take(size):
            self._reset(call, Code.FLOW_CONTROL_ERROR)
        else:
            self._take_data(call, frame)
        given = self._window.let_go(size)
        if given:
            self._wire.write(fr.window_update(0, given))

    def _take_data(self, call: Call, frame: Frame) -> None:
        try:
            call.take(fr.unpadded(frame.payload, frame.flags))
            if frame.flags & fr.END_STREAM:
                call.end_input()
        except Rejection as rejection:
            _reject(call, rejection)
        given = call.receive_window.let_go(len(frame.payload))
        if given and not (call.half_closed or call.done):
            self._wire.write(fr.window_update(frame.stream_id, given))

    def _rst_stream(self, frame: Frame) -> None:
        _check_length(frame.payload, 4)
        call = self._calls.get(frame.stream_id)
        if call is None:
            self._check_known(frame.stream_id)
            return
        self._resets += 1
        if self._resets > _RESETS_MAX + self._answered:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "calls are made only to be reset")
        self._forget(call)
        call.drop()

    def _reset(self, call: Call, code: Code) -> None:
        self._wire.write(fr.rst_stream(call.stream_id, code))
        self._forget(call)
        call.drop()

    # ---- the connection

    def _settings(self, frame: Frame) -> None:
        if frame.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "SETTINGS are for the connection")
        if frame.flags & fr.ACK:
            return
        self._count_if_empty(frame)
        for key, value in fr.parse_settings(frame.payload):
            if key == fr.INITIAL_WINDOW_SIZE:
                self._initial_window_changed(value)
            elif key == fr.MAX_FRAME_SIZE:
                if not fr.FRAME_BYTES_MIN_MAX <= value < 2**24:
                    raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible frame size")
                self._wire.frame_bytes_max = min(value, MIB)
        self._wire.write(fr.frame(fr.SETTINGS, fr.ACK, 0, b""))

    def _initial_window_changed(self, value: int) -> None:
        if value > fr.WINDOW_MAX:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")
        change, self._initial_window = value - self._initial_window, value
        for call in list(self._calls.values()):
            call.send_window.widen(change)
            call.flush()

    def _window_update(self, frame: Frame) -> None:
        _check_length(frame.payload, 4)
        increment = fr.U32.unpack(frame.payload)[0] & fr.WINDOW_MAX
        if frame.stream_id:
            self._widen(frame.stream_id, increment)
            return
        if not increment:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a window is widened by nothing")
        self._wire.send_window.widen(increment)
        for call in list(self._calls.values()):
            if self._wire.send_window.left <= 0:
                return
            call.flush()

    def _widen(self, stream_id: int, increment: int) -> None:
        call = self._calls.get(stream_id)
        if call is None:
            self._check_known(stream_id)
        elif not increment or call.send_window.left + increment > fr.WINDOW_MAX:
            self._reset(call, Code.FLOW_CONTROL_ERROR)
        else:
            call.send_window.widen(increment)
            call.flush()

    # ---- bookkeeping

    def ended(self, call: Call, code: Code | None) -> None:
        """Forget a call that has been answered; with a code its stream is reset."""
        if code is not None:
            self._wire.write(fr.rst_stream(call.stream_id, code))
        self._answered += 1
        self._forget(call)

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.stream_id, None)
        if call.deadline is not None:
            call.deadline.cancel()
        if not self._calls:
            self._wire.idle()

    def _check_known(self, stream_id: int) -> None:
        """Let frames of a call that is over pass, but not those of one that never was."""
        if stream_id == 0 or stream_id > self.last_stream:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame of a stream that is not open")

    def _count_if_empty(self, frame: Frame) -> None:
        if not frame.payload and not frame.flags & fr.END_STREAM:
            self._empty_frames += 1
            if self._empty_frames > _EMPTY_FRAMES_MAX + self._answered:
                raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "too many empty frames")


def _reject(call: Call, rejection: Rejection) -> None:
    call.end(rejection.code.value[0], rejection.text)
    if call.task is not None:
        call.task.cancel()


def _too_late(call: Call) -> None:
    call.end(grpc.StatusCode.DEADLINE_EXCEEDED.value[0], "Deadline Exceeded")
    if call.task is not None:
        call.task.cancel()


def _check_length(payload: bytes, length: int) -> None:
    if len(payload) != length:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame of a broken length")
