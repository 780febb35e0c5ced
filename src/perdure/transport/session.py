"""What a client and this server say to each other on one connection, without the socket."""

from collections.abc import Callable
from typing import Final

import grpc

from perdure.base.limits import MIB
from perdure.transport import frames as fr
from perdure.transport.calls import Calls
from perdure.transport.frames import Code, ConnectionFault
from perdure.transport.options import CALLS_MAX, Options
from perdure.transport.reader import Frame, FrameReader
from perdure.transport.running import Route
from perdure.transport.wire import Wire

_STOPPING: Final = "the server is stopping"
_GOAWAY_BYTES_MIN: Final = 8
_OF_THE_CONNECTION: Final = frozenset({fr.SETTINGS, fr.PING, fr.GOAWAY})


class Session:
    """Takes bytes, and has calls answered until it is over."""

    def __init__(
        self, wire: Wire, options: Options, route: Route, close: Callable[[], None]
    ) -> None:
        """Answer calls by `route`, through `wire`; `close` is called when nothing more is to come.

        It may be called more than once.
        """
        self._wire = wire
        self._options = options
        self._close = close
        self._reader = FrameReader(options.header_bytes_max)
        self.calls = Calls(wire, options, route, self._idle)
        self._leaving = False

    @property
    def awaits(self) -> bool:
        """Whether the client has to go on before anything else can happen."""
        return self._reader.awaits

    def greet(self) -> None:
        """Begin: say what the client may do."""
        options = self._options
        values = {
            fr.MAX_CONCURRENT_STREAMS: CALLS_MAX,
            fr.INITIAL_WINDOW_SIZE: options.window_bytes,
            fr.MAX_HEADER_LIST_SIZE: options.header_bytes_max,
        }
        self._wire.write(fr.settings(values))
        room = options.connection_window_bytes - fr.WINDOW_DEFAULT
        self._wire.write(fr.window_update(0, room))

    def take(self, data: bytes) -> None:
        """Take what has come in. Whoever breaks a rule of the connection is told, and left."""
        try:
            for frame in self._reader.feed(data):
                self._take(frame)
        except ConnectionFault as fault:
            self.fail(fault.code, fault.text)

    def fail(self, code: Code, text: str) -> None:
        """Leave a client, and say why."""
        self._leaving = self.calls.refusing = True
        self._wire.write(fr.goaway(self.calls.last_stream, code, text))
        self.calls.drop_all()
        self._close()

    def go_away(self) -> None:
        """Take no more calls, and close when those under way have ended."""
        if not self._leaving:
            self._leaving = self.calls.refusing = True
            self._wire.write(fr.goaway(self.calls.last_stream, Code.NO_ERROR))
        if not self.calls:
            self._close()

    def give_up(self) -> None:
        """End every call that is still under way, and close."""
        self.go_away()
        self.calls.cut_all(grpc.StatusCode.UNAVAILABLE, _STOPPING)

    def ping(self) -> None:
        """Ask whether the client is there."""
        self._wire.write(fr.frame(fr.PING, 0, 0, b"perdure?"))

    def _idle(self) -> None:
        if self._leaving:
            self._close()

    def _take(self, frame: Frame) -> None:
        """Do what a frame asks for. Raises ConnectionFault. Unknown kinds are passed over."""
        match frame.kind:
            case fr.DATA:
                self.calls.take_data(frame)
            case fr.HEADERS:
                self.calls.take_headers(frame)
            case fr.WINDOW_UPDATE:
                self._window_update(frame)
            case fr.RST_STREAM:
                _check_length(frame, 4)
                self.calls.take_reset(frame)
            case _:
                self._other(frame)

    def _other(self, frame: Frame) -> None:
        if frame.stream_id and frame.kind in _OF_THE_CONNECTION:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame of the connection on a stream")
        match frame.kind:
            case fr.SETTINGS:
                self._settings(frame)
            case fr.PING:
                self._ping(frame)
            case fr.GOAWAY:
                if frame.size < _GOAWAY_BYTES_MIN:
                    raise ConnectionFault(Code.FRAME_SIZE_ERROR, "GOAWAY of a broken length")
                # It closes when it has what it waits for; until then it may ask whether we live.
                self.calls.bear()
            case fr.PRIORITY:
                self._priority(frame)
            case fr.PUSH_PROMISE:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "clients do not push")
            case _:
                self.calls.bear()

    def _priority(self, frame: Frame) -> None:
        _check_length(frame, 5)
        if not frame.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a priority of no stream")
        fr.check_dependency(frame.payload, frame.stream_id)
        self.calls.bear()

    def _ping(self, frame: Frame) -> None:
        _check_length(frame, 8)
        if not frame.flags & fr.ACK:
            self._wire.write(fr.frame(fr.PING, fr.ACK, 0, frame.payload))

    def _window_update(self, frame: Frame) -> None:
        _check_length(frame, 4)
        increment = fr.U32.unpack(frame.payload)[0] & fr.WINDOW_MAX
        if frame.stream_id:
            self.calls.widen(frame.stream_id, increment)
            return
        if not increment:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a window is widened by nothing")
        self._wire.window.widen(increment)
        self._wire.go_on()

    def _settings(self, frame: Frame) -> None:
        if frame.flags & fr.ACK:
            _check_length(frame, 0)
            return
        self.calls.bear()
        before = self.calls.send_window_bytes
        for key, value in fr.parse_settings(frame.payload):
            self._setting(key, value)
        # Agreed to before any use is made of it: until then a client holds us to what was before.
        self._wire.write(fr.frame(fr.SETTINGS, fr.ACK, 0, b""))
        if self.calls.send_window_bytes > before:
            self.calls.flush_all()

    def _setting(self, key: int, value: int) -> None:
        """Act on one setting. The others concern what this server does not do, or are unknown."""
        match key:
            case fr.INITIAL_WINDOW_SIZE:
                if value > fr.WINDOW_MAX:
                    raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")
                self.calls.widen_all(value)
            case fr.MAX_FRAME_SIZE:
                if not fr.FRAME_BYTES_MAX <= value < 2**24:
                    raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible frame size")
                self._wire.frame_bytes_max = min(value, MIB)
            case fr.ENABLE_PUSH:
                if value > 1:
                    raise ConnectionFault(Code.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1")
            case _:
                pass


def _check_length(frame: Frame, length: int) -> None:
    if frame.size != length:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame of a broken length")
