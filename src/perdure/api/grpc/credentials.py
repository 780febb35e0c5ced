"""TLS and mutual TLS from files."""

from pathlib import Path

import grpc

from perdure.api.grpc.settings import TlsFiles
from perdure.base.errors import ConfigurationError


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Return what a secure port needs. Raises ConfigurationError, naming the file to look at."""
    key = _pem(files.key, "private key", "PRIVATE KEY")
    certificate = _pem(files.certificate, "certificate", "CERTIFICATE")
    if files.client_ca is None:
        return grpc.ssl_server_credentials([(key, certificate)])
    authorities = _pem(files.client_ca, "certificate of the clients' authority", "CERTIFICATE")
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
