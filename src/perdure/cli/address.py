"""Where the server is, and who says so."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from perdure.cli.exits import ExitCode, Trouble

DEFAULT_URL: Final = "http://127.0.0.1:3500"
ENDPOINT_VARIABLE: Final = "DAPR_HTTP_ENDPOINT"
PORT_VARIABLE: Final = "DAPR_HTTP_PORT"


@dataclass(frozen=True, slots=True)
class Address:
    """The server's HTTP address, and where it was taken from."""

    url: str
    origin: str

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, where no proxy stands in between."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def find_address(flag: str | None, environ: Mapping[str, str]) -> Address:
    """Return the address that the flag names, else the environment, else the usual one."""
    if flag:
        return Address(_checked(flag, "--server"), "--server")
    if endpoint := environ.get(ENDPOINT_VARIABLE):
        return Address(_checked(endpoint, ENDPOINT_VARIABLE), ENDPOINT_VARIABLE)
    if port := environ.get(PORT_VARIABLE):
        return Address(_checked(f"127.0.0.1:{port}", PORT_VARIABLE), PORT_VARIABLE)
    return Address(DEFAULT_URL, "the default")


def _checked(text: str, origin: str) -> str:
    url = text.strip()
    if url.isdecimal() or url.startswith(":"):
        url = f"127.0.0.1:{url.removeprefix(':')}"
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Trouble(
            f"{origin} {text!r} is no address of a server.",
            advice=f"Give it as {DEFAULT_URL} or localhost:3500.",
            code=ExitCode.USAGE,
        )
    return url.rstrip("/")
