"""A toll between a server and its broker: it lets everything through but acknowledgements.

From the first acknowledgement on, nothing more of that connection reaches the broker, as if the
server had died just before it said it.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Final

from tests.kit.brokers.process import HOST

_CHUNK_BYTES: Final = 65_536
_DEADLINE_S: Final = 60.0


def _kafka_commit(chunk: bytes) -> bool:
    # After the length stands the number of the call, and 8 is OffsetCommit.
    return chunk[4:6] == b"\x00\x08"


ACKNOWLEDGES: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "redis": lambda chunk: b"XACK" in chunk,
    "rabbitmq": lambda chunk: b"\x00\x3c\x00\x50" in chunk,  # class basic, method ack
    "jetstream": lambda chunk: b"PUB $JS.ACK" in chunk and b"+WPI" not in chunk,
    "mqtt3": lambda chunk: chunk[:2] == b"\x40\x02",  # PUBACK
    "kafka": _kafka_commit,
}


class Toll:
    """Listens on a port and passes on to another."""

    def __init__(self, port: int, broker_port: int, acknowledges: Callable[[bytes], bool]) -> None:
        self._broker_port = broker_port
        self._acknowledges = acknowledges
        self._armed = threading.Event()
        self._seen = threading.Event()
        self._listening = socket.create_server((HOST, port), reuse_port=False)
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self) -> None:
        """From now on, withhold acknowledgements."""
        self._seen.clear()
        self._armed.set()

    def disarm(self) -> None:
        """Let everything through on connections to come."""
        self._armed.clear()

    def wait(self) -> None:
        """Wait until an acknowledgement was withheld."""
        assert self._seen.wait(_DEADLINE_S), "nothing was acknowledged"

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection((HOST, self._broker_port))
                except OSError:
                    near.close()
                    continue
                for source, target, outward in ((near, far, True), (far, near, False)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target, outward), daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        withholding = False
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK_BYTES):
                if outward and self._armed.is_set() and self._acknowledges(chunk):
                    withholding = True
                    self._seen.set()
                if not withholding:
                    target.sendall(chunk)
        # The other direction ends, too, as it does when a process is killed.
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
