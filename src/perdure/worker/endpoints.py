"""Where a server is, as people and Dapr's SDKs write it."""

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from perdure.base.errors import ConfigurationError

GRPC_PORT: Final = 50001
_TLS: Final = {"http": False, "https": True, "grpc": False, "grpcs": True, "dns": False}
_TLS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, a port, and whether the connection is encrypted."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        """Return it as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https://' if self.tls else ''}{host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """Return how a connection is encrypted, by the certificates that this machine trusts."""
        if not self.tls:
            return None
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2"])
        return context


def endpoint_of(text: str) -> Endpoint:
    """Return what an address such as `localhost:50001` or `https://host` means.

    Raises ConfigurationError if it means nothing. `?tls=true` and `?tls=false` are understood as
    Dapr's SDKs do; without a port it is 50001, or 443 where the connection is encrypted.
    """
    scheme, rest = ("", text)
    if "://" in text:
        scheme, _, rest = text.partition("://")
    elif text.startswith("dns:"):
        scheme, _, rest = text.partition(":")
    if scheme and scheme.lower() not in _TLS:
        raise ConfigurationError(f"{text}: there is no scheme {scheme}; write host:port")
    try:
        parts = urlsplit(f"//{rest.lstrip('/')}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"{text}: is no address: {error}") from error
    if not host:
        raise ConfigurationError(f"{text!r}: is no address; write host:port")
    asked = parse_qs(parts.query).get("tls")
    tls = _TLS[scheme.lower()] if scheme else False
    if asked:
        tls = asked[-1].lower() == "true"
    return Endpoint(host, port or (_TLS_PORT if tls else GRPC_PORT), tls)
