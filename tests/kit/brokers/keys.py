"""Certificates of a test's own: an authority, a server on this machine, and a client."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.kit.brokers.process import HOST

_DAYS = "2"


@dataclass(frozen=True, slots=True)
class Keys:
    """The files of one party."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Keychain:
    """All of them, as PEM files."""

    authority: Keys
    server: Keys
    client: Keys


def make_keychain(folder: Path) -> Keychain:
    """Make an authority, and let it sign for a server and a client."""
    authority = Keys(folder / "ca.pem", folder / "ca.key")
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS, "-subj", "/CN=ca"),
        *("-keyout", str(authority.key), "-out", str(authority.certificate)),
    )
    return Keychain(
        authority,
        _signed(folder, authority, "server", f"subjectAltName=IP:{HOST},DNS:localhost"),
        _signed(folder, authority, "client", "extendedKeyUsage=clientAuth"),
    )


def _signed(folder: Path, authority: Keys, name: str, extension: str) -> Keys:
    keys = Keys(folder / f"{name}.pem", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"{extension}\n")
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
        *("-keyout", str(keys.key), "-out", str(request)),
    )
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", _DAYS, "-CAcreateserial"),
        *("-CA", str(authority.certificate), "-CAkey", str(authority.key)),
        *("-extfile", str(extensions), "-out", str(keys.certificate)),
    )
    return keys


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
