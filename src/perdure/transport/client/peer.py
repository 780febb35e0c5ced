"""What this side says and hears on one connection that it has opened, without the socket."""

from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from perdure.base.limits import MIB
from perdure.transport import frames as fr
from perdure.transport import headers as hd
from perdure.transport.client.call import INTERNAL, UNAVAILABLE, CallFailed, ClientCall
from perdure.transport.frames import Code, ConnectionFault
from perdure.transport.options import Options
from perdure.transport.reader import Frame, FrameReader
from perdure.transport.request import Metadata, metadata_of
from perdure.transport.windows import ReceiveWindow
from perdure.transport.wire import Wire

_STREAM_ID_LAST: Final = 2**31 - 1
_LOST: Final = "the connection was lost"

# What gRPC makes of an answer of plain HTTP, such as a proxy's.
_OF_HTTP: Final = {"400": 13, "401": 16, "403": 7, "404": 12, "429": 14, "502": 14, "503": 14}
_UNKNOWN: Final = 2
# And of a reset without a status.
_OF_RESET: Final[dict[int, int]] = {
    Code.REFUSED_STREAM: UNAVAILABLE,
    Code.CANCEL: 1,
    Code.ENHANCE_YOUR_CALM: 8,
}


class Peer:
    """One connection's calls. It is over when `leaving`, and then takes no more of them."""

    def __init__(self, wire: Wire, options: Options, close: Callable[[], None]) -> None:
        """Speak through `wire`; `close` is called when nothing more is to come."""
        self._wire = wire
        self._options = options
        self._close = close
        self._reader = FrameReader(options.header_bytes_max)
        self._reader.greeted = True  # a server begins with frames, not with a preface
        self._decoder = hd.BlockDecoder(options.header_bytes_max, Response)
        self._window = ReceiveWindow(options.connection_window_bytes)
        self._send_window_bytes = fr.WINDOW_DEFAULT
        self._calls: dict[int, ClientCall] = {}
        self._next_id = 1
        self.leaving = False
        self.fault: CallFailed | None = None  # why it is left, if the server broke a rule

    def __len__(self) -> int:
        """Return how many calls are under way."""
        return len(self._calls)

    def greet(self) -> None:
        """Begin: the preface, and what the server may do."""
        options = self._options
        values = {
            fr.ENABLE_PUSH: 0,
            fr.INITIAL_WINDOW_SIZE: options.window_bytes,
            fr.MAX_HEADER_LIST_SIZE: options.header_bytes_max,
        }
        room = options.connection_window_bytes - fr.WINDOW_DEFAULT
        self._wire.write(fr.PREFACE, fr.settings(values), fr.window_update(0, room))

    def begin(self, block: bytes, message: bytes) -> ClientCall:
        """Send a request: its header block, and its one message."""
        assert not self.leaving, "a connection that is being left takes no more calls"
        options = self._options
        stream_id = self._next_id
        self._next_id += 2
        if self._next_id >= _STREAM_ID_LAST:
            self.leaving = True
        call = ClientCall(
            self._wire,
            stream_id,
            send_window_bytes=self._send_window_bytes,
            window_bytes=options.window_bytes,
            message_bytes_max=options.message_bytes_max,
            consumed=self._consumed,
        )
        self._calls[stream_id] = call
        self._wire.write(fr.head(len(block), fr.HEADERS, fr.END_HEADERS, stream_id), block)
        call.send(message)
        return call

    def cancel(self, call: ClientCall) -> None:
        """Give a call up, and tell the server if it has not ended."""
        if self._calls.pop(call.stream_id, None) is not None:
            self._wire.write(fr.rst_stream(call.stream_id, Code.CANCEL))
            call.end(CallFailed(1, "the call was given up"))
            self._left_alone()

    def lost(self) -> None:
        """The connection is gone: every call under way has failed."""
        self._over(CallFailed(UNAVAILABLE, _LOST))

    def _over(self, fault: CallFailed) -> None:
        self.leaving = True
        self.fault = self.fault or fault
        for call in list(self._calls.values()):
            call.end(fault)
        self._calls.clear()

    def ping(self) -> None:
        """Ask whether the server is there."""
        self._wire.write(fr.frame(fr.PING, 0, 0, b"perdure?"))

    # ---- what comes in

    def take(self, data: bytes) -> None:
        """Take what has come in. A server that breaks a rule is told, and left."""
        try:
            for frame in self._reader.feed(data):
                self._take(frame)
        except ConnectionFault as fault:
            self._wire.write(fr.goaway(0, fault.code, fault.text))
            text = f"the server broke the protocol: {fault.text}"
            self._over(CallFailed(INTERNAL, text))
            self._close()

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case fr.DATA:
                self._data(frame)
            case fr.HEADERS:
                self._headers(frame)
            case fr.WINDOW_UPDATE:
                self._window_update(frame)
            case fr.RST_STREAM:
                self._reset(frame)
            case _:
                self._other(frame)

    def _other(self, frame: Frame) -> None:
        match frame.kind:
            case fr.SETTINGS:
                self._settings(frame)
            case fr.PING:
                if not frame.flags & fr.ACK:
                    self._wire.write(fr.frame(fr.PING, fr.ACK, 0, frame.payload))
            case fr.GOAWAY:
                self._goaway(frame)
            case _:
                pass

    def _data(self, frame: Frame) -> None:
        if not self._window.take(frame.size):
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "more than the window allows")
        given = self._window.let_go(frame.size)
        if given:
            self._wire.write(fr.window_update(0, given))
        call = self._calls.get(frame.stream_id)
        if call is None:
            return  # of a call that was given up
        if not call.receive_window.take(frame.size):
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "more than a stream's window allows")
        call.take(frame.payload)
        if call.done:
            self._give_up(call)
        elif frame.flags & fr.END_STREAM:
            self._end(call, CallFailed(INTERNAL, "the answer ends without a status"))
        elif frame.size > len(frame.payload):
            self._consumed(call, frame.size - len(frame.payload))

    def _headers(self, frame: Frame) -> None:
        # Decoded even if nobody listens: the table has to stay in step.
        response = self._decoder.decode(frame.payload)
        call = self._calls.get(frame.stream_id)
        if call is None:
            return
        if frame.flags & fr.END_STREAM:
            self._end(call, response.fault)
        elif not response.is_grpc:
            self._give_up(call)
            call.end(response.fault)

    def _reset(self, frame: Frame) -> None:
        call = self._calls.get(frame.stream_id)
        if call is not None:
            code = int.from_bytes(frame.payload, "big")
            fault = _OF_RESET.get(code, INTERNAL)
            self._end(call, CallFailed(fault, f"the server reset the call with {code}"))

    def _goaway(self, frame: Frame) -> None:
        self.leaving = True
        last = int.from_bytes(frame.payload[:4], "big") & fr.WINDOW_MAX
        for stream_id in [stream_id for stream_id in self._calls if stream_id > last]:
            self._end(self._calls[stream_id], CallFailed(UNAVAILABLE, "the server is leaving"))
        self._left_alone()

    def _window_update(self, frame: Frame) -> None:
        increment = int.from_bytes(frame.payload, "big") & fr.WINDOW_MAX
        if not frame.stream_id:
            self._wire.window.widen(increment)
            self._wire.go_on()
            return
        call = self._calls.get(frame.stream_id)
        if call is not None:
            call.send_window.widen(increment)
            call.flush()

    def _settings(self, frame: Frame) -> None:
        if frame.flags & fr.ACK:
            return
        for key, value in fr.parse_settings(frame.payload):
            if key == fr.INITIAL_WINDOW_SIZE:
                change = value - self._send_window_bytes
                self._send_window_bytes = value
                for call in self._calls.values():
                    call.send_window.widen(change)
            elif key == fr.MAX_FRAME_SIZE:
                self._wire.frame_bytes_max = max(fr.FRAME_BYTES_MAX, min(value, MIB))
        self._wire.write(fr.frame(fr.SETTINGS, fr.ACK, 0, b""))
        for call in list(self._calls.values()):
            call.flush()

    # ---- bookkeeping

    def _consumed(self, call: ClientCall, size: int) -> None:
        given = call.receive_window.let_go(size)
        if given and not call.done:
            self._wire.write(fr.window_update(call.stream_id, given))

    def _end(self, call: ClientCall, fault: CallFailed | None) -> None:
        self._calls.pop(call.stream_id, None)
        call.end(fault)
        self._left_alone()

    def _give_up(self, call: ClientCall) -> None:
        """Leave a call that came to an end on this side before it did on the other."""
        self._wire.write(fr.rst_stream(call.stream_id, Code.CANCEL))
        self._calls.pop(call.stream_id, None)
        self._left_alone()

    def _left_alone(self) -> None:
        if self.leaving and not self._calls:
            self._close()


class Response:
    """The headers or trailers of an answer."""

    __slots__ = ("fault", "is_grpc")

    def __init__(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Read them as they were sent."""
        found = dict(headers)
        status = found.get("grpc-status")
        http_status = found.get(":status", "200")
        self.is_grpc = http_status == "200" and found.get(
            "content-type", "application/grpc"
        ).startswith("application/grpc")
        self.fault: CallFailed | None = None
        if status is not None:
            code = int(status) if status.isdecimal() else _UNKNOWN
            if code:
                text = unquote(found.get("grpc-message", ""))
                self.fault = CallFailed(code, text, _told(metadata_of(headers)))
        elif ":status" not in found or not self.is_grpc:
            code = _OF_HTTP.get(http_status, _UNKNOWN)
            self.fault = CallFailed(code, f"the other side does not speak gRPC ({http_status})")


def _told(metadata: Metadata) -> Metadata:
    return tuple(pair for pair in metadata if pair[0] not in {"grpc-status", "grpc-message"})
