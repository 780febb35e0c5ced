"""Tells whoever started this process that it is ready, or stops, as systemd wants to be told."""

import socket
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = "NOTIFY_SOCKET"


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Send `state` (`READY=1`, `STOPPING=1`) to the socket that the environment names, if any.

    Raises OSError if there is one and it cannot be reached.
    """
    address = environ.get(_VARIABLE)
    if not address:
        return
    # A name that begins with @ is in Linux's abstract space.
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(name)
        sender.sendall(state.encode())
