"""A way to a server that is cut at a stated moment of the conversation."""

import socket
import threading
from contextlib import suppress
from enum import Enum, auto

from tests.kit.postgres import Postgres

HOST = "127.0.0.1"
_COMMIT = b"COMMIT\x00"


class Cut(Enum):
    """When the next line is cut."""

    NEVER = auto()
    BEFORE_COMMIT = auto()  # the server never hears of it
    AFTER_COMMIT = auto()  # the server hears of it, and its answer is lost


class Way:
    """Passes everything on, on a port of its own."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.cut = Cut.NEVER
        self.is_open = True  # for new lines
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, schema_url: str) -> str:
        """Return the address of a store by this way."""
        return schema_url.replace(f":{self._server.port}/", f":{self.port}/")

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if not self.is_open:
                    client.close()
                    continue
                server = socket.create_connection((HOST, self._server.port))
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while data := client.recv(65_536):
                if self.cut is not Cut.NEVER and _COMMIT in data:
                    cut, self.cut = self.cut, Cut.NEVER
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                    if cut is Cut.AFTER_COMMIT:
                        server.sendall(data)
                        # The answer is not read: the client is gone.
                        server.shutdown(socket.SHUT_WR)
                        while server.recv(65_536):
                            pass
                    return
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
