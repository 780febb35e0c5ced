"""TLS and mutual TLS from files."""

import ssl
from pathlib import Path
from typing import Final

import grpc

from perdure.api.grpc.settings import TlsFiles
from perdure.base.errors import ConfigurationError

_AUTHORITY: Final = "certificate of the clients' authority"


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Return what a secure port needs. Raises ConfigurationError, naming the file to look at."""
    certificate = _pem(files.certificate, "certificate", "CERTIFICATE")
    key = _pem(files.key, "private key", "PRIVATE KEY")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _check_pair(context, files)
    if files.client_ca is None:
        return grpc.ssl_server_credentials([(key, certificate)])
    authorities = _pem(files.client_ca, _AUTHORITY, "CERTIFICATE")
    _check_authorities(context, files.client_ca)
    return grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=authorities, require_client_auth=True
    )


def _pem(path: Path, what: str, label: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"TLS: the {what} {path} cannot be read: {reason}") from error
    if f"{label}-----".encode() not in content:
        raise ConfigurationError(f"TLS: {path} holds no {what} in PEM form")
    return content


def _check_pair(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Find out here what gRPC would report as an address it cannot listen on."""
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


def _check_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        text = f"TLS: the {_AUTHORITY} {path} cannot be used: {_reason(error)}"
        raise ConfigurationError(text) from error


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
