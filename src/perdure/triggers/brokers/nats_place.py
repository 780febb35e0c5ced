"""Where a NATS with JetStream is and how to get in, from the metadata that its components share."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext

from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.triggers.port import Settings

TIMEOUT_S: Final = BROKER_ANSWER_TIMEOUT_US // SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsPlace:
    """Servers of one cluster, and how to get in."""

    servers: list[str]
    name: str
    token: str | None
    tls: ssl.SSLContext | None
    domain: str | None
    api_prefix: str

    async def connect(self, closed: Callable[[], Awaitable[None]]) -> Client:
        """Return a connection that does not come back by itself once it is lost."""
        return await nats.connect(
            self.servers,
            name=self.name,
            token=self.token,
            tls=self.tls,
            allow_reconnect=False,
            # Each server is tried at once, and again at once, and then it is our turn to wait.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=TIMEOUT_S,
            closed_cb=closed,
            error_cb=_told_by_what_fails,
        )

    @property
    def api(self) -> str:
        """What the subjects of JetStream's own calls begin with."""
        return self.api_prefix if self.domain is None else f"$JS.{self.domain}.API"

    def jetstream(self, client: Client) -> JetStreamContext:
        """Return the streams behind a connection."""
        return client.jetstream(prefix=self.api, timeout=float(TIMEOUT_S))


async def _told_by_what_fails(_error: Exception) -> None:
    # What the library reports here ends the connection or fails a call, and is told there.
    return


def place_of(settings: Settings) -> NatsPlace:
    """Read the address, the credentials and TLS."""
    for name in ("jwt", "seedKey"):
        if settings.optional(name):
            raise settings.fault(
                name, "JWT is not supported; use token, or user and password in natsURL"
            )
    certificate, key = settings.optional("tls_client_cert"), settings.optional("tls_client_key")
    servers = [each.strip() for each in settings.text("natsURL").split(",")]
    if not all(servers) or not all("://" in each for each in servers):
        raise settings.fault("natsURL", "expected nats://host:4222 or tls://host:4222")
    return NatsPlace(
        servers=servers,
        name=settings.text("name", f"perdure {settings.component}"),
        token=settings.optional("token") or None,
        tls=_tls(settings, certificate, key) if certificate or key else None,
        domain=settings.optional("domain") or None,
        api_prefix=settings.text("apiPrefix", "$JS.API"),
    )


def _tls(settings: Settings, certificate: str | None, key: str | None) -> ssl.SSLContext:
    if not certificate or not key:
        raise settings.fault("tls_client_cert", "tls_client_cert and tls_client_key go together")
    context = ssl.create_default_context()
    for name, path in (("tls_client_cert", certificate), ("tls_client_key", key)):
        if not Path(path).is_file():
            raise settings.fault(name, f"expected the path of a PEM file; {path} is not one")
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise settings.fault("tls_client_cert", f"cannot be used: {error}") from error
    return context
