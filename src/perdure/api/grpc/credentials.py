"""TLS and mutual TLS from files."""

import ssl
from pathlib import Path
from typing import Final

from perdure.api.grpc.settings import TlsFiles
from perdure.base.errors import ConfigurationError

_AUTHORITY: Final = "certificate of the clients' authority"


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return what a secure port needs. Raises ConfigurationError, naming the file to look at."""
    _check_pem(files.certificate, "certificate", "CERTIFICATE")
    _check_pem(files.key, "private key", "PRIVATE KEY")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    _load_pair(context, files)
    if files.client_ca is not None:
        _check_pem(files.client_ca, _AUTHORITY, "CERTIFICATE")
        _load_authorities(context, files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _check_pem(path: Path, what: str, label: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"TLS: the {what} {path} cannot be read: {reason}") from error
    if f"{label}-----".encode() not in content:
        raise ConfigurationError(f"TLS: {path} holds no {what} in PEM form")


def _load_pair(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        # A password keeps an encrypted key from being asked for at the terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            msg = f"TLS: the private key {files.key} is not that of {files.certificate}"
            raise ConfigurationError(msg) from error
        raise ConfigurationError(
            f"TLS: the certificate {files.certificate} and the private key {files.key} cannot be "
            f"used: {_reason(error)}"
        ) from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        text = f"TLS: the {_AUTHORITY} {path} cannot be used: {_reason(error)}"
        raise ConfigurationError(text) from error


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
