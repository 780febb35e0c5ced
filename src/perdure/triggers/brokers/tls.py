"""TLS towards brokers, from certificates that stand in the metadata as text."""

import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from perdure.triggers.port import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM text: whom to trust besides the machine's own list, and who we are."""

    authority: str | None = None
    own: str | None = None
    key: str | None = None
    verified: bool = True


def certificates(settings: Settings, *, verified: bool = True) -> Certificates:
    """Read Dapr's `caCert`, `clientCert` and `clientKey`."""
    return Certificates(
        authority=settings.optional("caCert") or None,
        own=settings.optional("clientCert") or None,
        key=settings.optional("clientKey") or None,
        verified=verified,
    )


def context_of(settings: Settings, pem: Certificates) -> ssl.SSLContext:
    """Return the context; raises ConfigurationError where a certificate cannot be used."""
    context = ssl.create_default_context()
    if pem.authority is not None:
        try:
            context.load_verify_locations(cadata=pem.authority)
        except ssl.SSLError as error:
            raise settings.fault(
                "caCert", f"expected a certificate as PEM text: {error}"
            ) from error
    if (pem.own is None) != (pem.key is None):
        raise settings.fault(
            "clientCert" if pem.own else "clientKey", "clientCert and clientKey go together"
        )
    if pem.own is not None and pem.key is not None:
        _lend(settings, context, pem.own, pem.key)
    if not pem.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _lend(settings: Settings, context: ssl.SSLContext, own: str, key: str) -> None:
    # The ssl module reads a chain from a file alone: it lies there, for us only, while it is read.
    descriptor, path = tempfile.mkstemp(prefix="perdure-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{own}\n{key}\n")
        context.load_cert_chain(path)
    except (ssl.SSLError, ValueError) as error:
        raise settings.fault(
            "clientCert", f"expected a certificate and its key as PEM text: {error}"
        ) from error
    finally:
        Path(path).unlink()
