"""Who may call a webhook: signatures over the body, as the senders of webhooks make them.

A signature is compared in constant time, and with every secret, so that nobody learns anything from
how long it took. Two secrets are there while one is being replaced by the other.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from perdure.base.time import SECOND_US

ALGORITHMS: Final = ("sha256", "sha1", "sha512")
ENCODINGS: Final = ("hex", "base64")
_STANDARD_PREFIX: Final = "whsec_"
_STANDARD_MARK: Final = "v1"
_TIMESTAMP_DIGITS_MAX: Final = 12
# How many signatures of one request are looked at: a sender has a few secrets, not many.
_SIGNATURES_MAX: Final = 16


class Scheme(Enum):
    """How a sender signs."""

    GITHUB = "github"  # `sha256=<hex>` over the body
    HMAC = "hmac"  # the same with or without the prefix, in a header of your choice
    STRIPE = "stripe"  # `t=<seconds>,v1=<hex>` over `<seconds>.<body>`
    STANDARD = "standard"  # Standard Webhooks: id, seconds and body, in three headers


DEFAULT_HEADERS: Final = {
    Scheme.GITHUB: "X-Hub-Signature-256",
    Scheme.HMAC: "X-Signature",
    Scheme.STRIPE: "Stripe-Signature",
    Scheme.STANDARD: "webhook-signature",
}


class BadSecret(ValueError):
    """A secret cannot be meant; the text says what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a webhook expects of a request. Raises BadSecret when it is made with such a one."""

    scheme: Scheme
    secrets: Sequence[str]
    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    tolerance_us: int = 300 * SECOND_US

    def __post_init__(self) -> None:
        assert self.secrets
        for secret in self.secrets:
            self._key(secret)

    def refusal(self, headers: Mapping[str, str], body: bytes, now_us: int) -> str | None:
        """Return why a request is refused, or None. `headers` have names in small letters."""
        found = headers.get(self.header.lower())
        if found is None:
            return f"the request has no {self.header}"
        match self.scheme:
            case Scheme.GITHUB | Scheme.HMAC:
                return self._plain(found.strip(), body)
            case Scheme.STRIPE:
                return self._stripe(found, body, now_us)
            case Scheme.STANDARD:
                return self._standard(found, headers, body, now_us)

    def _plain(self, found: str, body: bytes) -> str | None:
        prefix = f"{self.algorithm}="
        if not found.startswith(prefix):
            if self.scheme is Scheme.GITHUB:
                return f"expected {self.header}: {prefix}..."
            prefix = ""
        return self._compared([found.removeprefix(prefix)], body, self.algorithm, self.encoding)

    def _stripe(self, found: str, body: bytes, now_us: int) -> str | None:
        parts = [part.strip().partition("=") for part in found.split(",")]
        stamp = next((value for name, _, value in parts if name == "t"), "")
        signatures = [value for name, _, value in parts if name == _STANDARD_MARK]
        return self._untimely(stamp, now_us) or self._compared(
            signatures, stamp.encode() + b"." + body, "sha256", "hex"
        )

    def _standard(
        self, found: str, headers: Mapping[str, str], body: bytes, now_us: int
    ) -> str | None:
        stamp = headers.get("webhook-timestamp", "")
        message_id = headers.get("webhook-id", "")
        if not message_id:
            return "the request has no webhook-id"
        signed = f"{message_id}.{stamp}.".encode() + body
        parts = [part.partition(",") for part in found.split()]
        signatures = [value for mark, _, value in parts if mark == _STANDARD_MARK]
        return self._untimely(stamp, now_us) or self._compared(
            signatures, signed, "sha256", "base64"
        )

    def _untimely(self, stamp: str, now_us: int) -> str | None:
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _TIMESTAMP_DIGITS_MAX):
            return "the signature has no timestamp"
        if abs(int(stamp) * SECOND_US - now_us) > self.tolerance_us:
            return "the signature's timestamp is too far from the server's time"
        return None

    def _compared(
        self, found: Sequence[str], signed: bytes, algorithm: str, encoding: str
    ) -> str | None:
        wanted = [
            _written(hmac.digest(self._key(secret), signed, algorithm), encoding)
            for secret in self.secrets
        ]
        # All pairs are compared, whatever the first ones say.
        same = [
            hmac.compare_digest(_normal(one, encoding), other)
            for one in found[:_SIGNATURES_MAX]
            for other in wanted
        ]
        return None if any(same) else "the signature does not fit the body and the secret"

    def _key(self, secret: str) -> bytes:
        if self.scheme is not Scheme.STANDARD:
            return secret.encode()
        try:
            return base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
        except binascii.Error as error:
            raise BadSecret(f"expected {_STANDARD_PREFIX} and a key in base64") from error


def bearer_refusal(headers: Mapping[str, str], query: Iterable[str], token: str) -> str | None:
    """Return why a request without the bearer token is refused, or None.

    `query` has the values of `access_token` in the query, which senders without headers use.
    """
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    found = [sent.strip() if scheme.lower() == "bearer" else "", *query]
    same = [hmac.compare_digest(each.encode(), token.encode()) for each in found]
    return None if any(same) else "the request has no bearer token, or another one"


def _written(digest: bytes, encoding: str) -> bytes:
    return base64.b64encode(digest) if encoding == "base64" else digest.hex().encode()


def _normal(found: str, encoding: str) -> bytes:
    return (found if encoding == "base64" else found.lower()).encode()


assert all(algorithm in hashlib.algorithms_guaranteed for algorithm in ALGORITHMS)
