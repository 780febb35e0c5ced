"""The handshake of CloudEvents webhooks: a sender asks whether it may deliver here.

The request is an OPTIONS with `WebHook-Request-Origin`; permission is its answer. The callback that
a sender may name is never called: it would let anybody make this server call any address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ORIGIN: Final = "webhook-request-origin"
RATE: Final = "webhook-request-rate"
_ANY: Final = "*"
_RATE_DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may deliver, and how many requests a minute; no rate means that there is no limit."""

    origins: Sequence[str] = (_ANY,)
    rate_per_minute: int | None = None


def grant(permission: Permission, headers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the headers that permit what was asked for, or None. Names are in small letters."""
    origin = headers[ORIGIN].strip()
    if not origin or not any(_fits(origin.lower(), each.lower()) for each in permission.origins):
        return None
    return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": _rate(permission, headers)}


def _fits(origin: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return origin.endswith(allowed[1:])
    return allowed in (_ANY, origin)


def _rate(permission: Permission, headers: Mapping[str, str]) -> str:
    asked = headers.get(RATE, "").strip()
    most = permission.rate_per_minute
    if not (asked.isascii() and asked.isdigit() and len(asked) <= _RATE_DIGITS_MAX and int(asked)):
        return _ANY if most is None else str(most)
    return asked if most is None else str(min(int(asked), most))
