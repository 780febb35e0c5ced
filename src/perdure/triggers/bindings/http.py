"""`bindings.http`: a webhook of ours, which answers when what it was told is on disk.

Theory of operation.
- A request is answered with 202 after ACCEPTED. 503 with `Retry-After` says that nothing of it, or
  of the events that the body names, is on disk: the sender comes again, and what was accepted
  before changes nothing then.
- The path belongs to the webhook alone: it may not be one of the API's. A webhook that checks a
  signature or a bearer token needs no API token, since its senders know none; one that checks
  neither needs the API token if the server has one, unless `apiToken: notRequired` says otherwise.
- At most `deliveries_max` requests are read and handed on at once, others wait for their turn, and
  beyond that they are told to come again: memory is bounded by the places times the body limit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from perdure.base.limits import DELIVERIES_DEFAULT, DELIVERIES_MAX, KIB, MESSAGE_BYTES_MAX, MIB
from perdure.base.time import DAY_US, SECOND_US, Clock
from perdure.triggers.bindings.handshake import Permission
from perdure.triggers.bindings.items import check_items, given
from perdure.triggers.bindings.signatures import (
    ALGORITHMS,
    DEFAULT_HEADERS,
    ENCODINGS,
    BadSecret,
    Scheme,
    Signature,
)
from perdure.triggers.bindings.wall_clock import WallClock
from perdure.triggers.bindings.webhook import Webhook, WebhookSource
from perdure.triggers.port import Settings

METHODS: Final = ("POST", "PUT", "PATCH", "GET", "DELETE")
DEFAULT_ID_HEADERS: Final = "Idempotency-Key, X-GitHub-Delivery, webhook-id"
BODY_BYTES_MOST: Final = 64 * MIB
RATE_MOST: Final = 1_000_000
_TOLERANCE_US: Final = 300 * SECOND_US
_OF_SIGNATURES: Final = (
    "previousSecret",
    "signature",
    "signatureHeader",
    "signatureAlgorithm",
    "signatureEncoding",
    "signatureTolerance",
)
_ITEMS: Final = (
    "path",
    "method",
    "secret",
    *_OF_SIGNATURES,
    "bearerToken",
    "apiToken",
    "idHeader",
    "maxBodySize",
    "maxConcurrency",
    "allowedOrigins",
    "allowedRate",
)
_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
# What the API and the process have, now or in time: the first part of a path.
_RESERVED: Final = re.compile(
    r"v\d.*|openapi\.json|metrics|healthz?|readyz?|livez?|dashboard|ui|favicon\.ico|dapr",
    re.ASCII | re.IGNORECASE,
)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Words:
    required: str = "required"
    not_required: str = "notRequired"


_WORDS: Final = _Words()


def build(settings: Settings, clock: Clock | None = None) -> WebhookSource:
    """Return the source of a component; raises ConfigurationError."""
    if settings.optional("url") is not None:
        raise settings.fault(
            "url",
            "perdure's bindings.http is called and calls nobody; it has no url, but a path at "
            "which it listens",
        )
    check_items(settings, _ITEMS)
    webhook = Webhook(
        path=_path(settings),
        method=settings.one_of("method", METHODS, "POST"),
        signature=_signature(settings),
        bearer_token=given(settings, "bearerToken"),
        needs_api_token=_needs_api_token(settings),
        id_headers=_headers(settings, "idHeader", DEFAULT_ID_HEADERS),
        permission=_permission(settings),
        body_bytes_max=settings.integer(
            "maxBodySize", MESSAGE_BYTES_MAX, least=KIB, most=BODY_BYTES_MOST
        ),
        deliveries_max=settings.integer(
            "maxConcurrency", DELIVERIES_DEFAULT, least=1, most=DELIVERIES_MAX
        ),
    )
    return WebhookSource(settings.component, webhook, clock or WallClock())


def _path(settings: Settings) -> str:
    path = settings.text("path", f"/webhooks/{settings.component}")
    if _PATH.fullmatch(path) is None:
        raise settings.fault(
            "path",
            f"{path} cannot be the path of a webhook; expected such as /webhooks/orders, of "
            "letters, digits and -._~, without a slash at its end",
        )
    if _RESERVED.fullmatch(path.split("/")[1]) is not None:
        raise settings.fault(
            "path", f"{path} belongs to the API; expected another, such as /webhooks{path}"
        )
    return path


def _signature(settings: Settings) -> Signature | None:
    # An empty secret is refused: it must not leave the webhook open.
    secret = given(settings, "secret")
    if secret is None:
        for name in _OF_SIGNATURES:
            if settings.optional(name) is not None:
                raise settings.fault(name, "is set, and there is no secret to check with")
        return None
    scheme = Scheme(
        settings.one_of("signature", [each.value for each in Scheme], Scheme.GITHUB.value)
    )
    previous = given(settings, "previousSecret")
    try:
        return Signature(
            scheme=scheme,
            secrets=[secret, *([previous] if previous else [])],
            header=_headers(settings, "signatureHeader", DEFAULT_HEADERS[scheme])[0],
            algorithm=settings.one_of("signatureAlgorithm", ALGORITHMS, "sha256"),
            encoding=settings.one_of("signatureEncoding", ENCODINGS, "hex"),
            tolerance_us=_tolerance_us(settings),
        )
    except BadSecret as error:
        raise settings.fault("secret", str(error)) from error


def _tolerance_us(settings: Settings) -> int:
    tolerance_us = settings.duration_us("signatureTolerance", _TOLERANCE_US)
    if not SECOND_US <= tolerance_us <= DAY_US:
        raise settings.fault("signatureTolerance", "expected a duration from 1s to 24h")
    return tolerance_us


def _needs_api_token(settings: Settings) -> bool:
    guarded = any(settings.optional(name) is not None for name in ("secret", "bearerToken"))
    default = _WORDS.not_required if guarded else _WORDS.required
    choices = (_WORDS.required, _WORDS.not_required)
    return settings.one_of("apiToken", choices, default) == _WORDS.required


def _headers(settings: Settings, name: str, default: str) -> Sequence[str]:
    found = tuple(part.strip() for part in settings.text(name, default).split(","))
    for header in found:
        if _HEADER.fullmatch(header) is None:
            raise settings.fault(name, f"{header!r} is no name of a header")
    return found


def _permission(settings: Settings) -> Permission:
    parts = [part.strip() for part in settings.text("allowedOrigins", "*").split(",")]
    origins = tuple(part for part in parts if part)
    rate = settings.integer("allowedRate", 0, least=0, most=RATE_MOST)
    return Permission(origins, rate or None)
