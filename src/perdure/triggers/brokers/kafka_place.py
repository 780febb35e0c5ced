"""Where a Kafka is and how to get in, from the metadata that its components share."""

import logging
import ssl
from dataclasses import dataclass
from typing import Any, Final

from perdure.triggers.brokers.tls import Certificates, certificates, context_of
from perdure.triggers.port import Settings

# A server that is away is told by its source in a line for each attempt; the library would tell of
# it ten times a second, and of groups that change hands as of an error.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

_AUTH_TYPES: Final = ("none", "password", "mtls", "certificate")
_MECHANISMS: Final = {
    "PLAINTEXT": "PLAIN",
    "PLAIN": "PLAIN",
    "SHA-256": "SCRAM-SHA-256",
    "SHA-512": "SCRAM-SHA-512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaPlace:
    """The servers of a cluster to begin with, and how to get in."""

    servers: list[str]
    client_id: str
    tls: ssl.SSLContext | None
    username: str | None
    password: str | None
    mechanism: str

    def arguments(self) -> dict[str, Any]:
        """Return what the library's consumers and producers take alike."""
        return {
            "bootstrap_servers": self.servers,
            "client_id": self.client_id,
            "security_protocol": self._protocol(),
            "ssl_context": self.tls,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }

    def _protocol(self) -> str:
        transport = "PLAINTEXT" if self.tls is None else "SSL"
        return transport if self.username is None else f"SASL_{transport}"


def place_of(settings: Settings) -> KafkaPlace:
    """Read the addresses, the credentials and TLS."""
    for name in ("schemaRegistryURL", "oidcTokenEndpoint", "awsRegion"):
        if settings.optional(name):
            raise settings.fault(name, "is not supported; remove it")
    servers = [each.strip() for each in settings.text("brokers").split(",")]
    if not all(servers):
        raise settings.fault("brokers", "expected host:port, or several separated by commas")
    auth = _auth_type(settings)
    by_password = auth == "password"
    mechanism = settings.one_of("saslMechanism", tuple(_MECHANISMS), "PLAINTEXT")
    return KafkaPlace(
        servers=servers,
        client_id=settings.text("clientID", f"perdure-{settings.component}"),
        tls=_tls(settings, auth),
        username=settings.text("saslUsername") if by_password else None,
        password=settings.text("saslPassword") if by_password else None,
        mechanism=_MECHANISMS[mechanism],
    )


def _auth_type(settings: Settings) -> str:
    value = settings.optional("authType")
    if value:
        if value in {"oidc", "oidc_private_key_jwt", "awsiam"}:
            raise settings.fault("authType", f"{value} is not supported; use password or mtls")
        return settings.one_of("authType", _AUTH_TYPES, "none")
    # An older item, which meant a password.
    return "password" if settings.flag("authRequired", default=False) else "none"


def _tls(settings: Settings, auth: str) -> ssl.SSLContext | None:
    disabled = settings.flag("disableTls", default=False)
    pem: Certificates = certificates(
        settings, verified=not settings.flag("skipVerify", default=False)
    )
    if auth in {"mtls", "certificate"} and (disabled or pem.own is None):
        raise settings.fault("authType", f"{auth} needs TLS, with clientCert and clientKey")
    # As Dapr has it: a password goes through TLS unless that is disabled, and without any
    # authentication there is TLS only where a certificate says so.
    wanted = not disabled and (auth != "none" or pem.authority is not None)
    return context_of(settings, pem) if wanted else None
