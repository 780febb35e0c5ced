"""systemd is told, if it wants to be."""

import secrets
import socket
from pathlib import Path

import pytest

from perdure.app.readiness import notify


def received(address: str, environ: dict[str, str]) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        notify("READY=1", environ)
        return listener.recv(100)


def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    address = str(tmp_path / "n")
    assert received(address, {"NOTIFY_SOCKET": address}) == b"READY=1"


def test_a_socket_in_the_abstract_space() -> None:
    name = f"perdure-{secrets.token_hex(8)}"
    assert received(f"\0{name}", {"NOTIFY_SOCKET": f"@{name}"}) == b"READY=1"


def test_nobody_wants_to_be_told() -> None:
    notify("READY=1", {})


def test_a_socket_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
