"""Ids and numbers that look drawn by chance and are the same in every replay.

They follow from the instance, the workflow's clock and a count, in the way of Dapr's and
Microsoft's SDKs, so that a history begun with one of those goes on here.
"""

import random
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Final
from uuid import UUID

_NAMESPACE: Final = UUID("9e952958-5e33-4daf-827f-2fa12937b875").bytes


def drawn_uuid(instance_id: str, now: datetime, count: int) -> UUID:
    """Return the id that the instance draws as its `count`-th, at the time `now` (UTC, naive)."""
    return UUID(bytes=_drawn(instance_id, now, count))


def drawn_uuid_text(instance_id: str, now: datetime, count: int) -> str:
    """Return the same as text; every activity gets one, so this is the short way to it."""
    text = _drawn(instance_id, now, count).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _drawn(instance_id: str, now: datetime, count: int) -> bytes:
    name = f"{instance_id}_{now.isoformat()}_{count}"
    # A UUID of version 5 is a SHA-1: it names things and protects nothing.
    drawn = bytearray(sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    drawn[6] = drawn[6] & 0x0F | 0x50
    drawn[8] = drawn[8] & 0x3F | 0x80
    return bytes(drawn)


def seeded(instance_id: str, now: datetime) -> random.Random:
    """Return a source of numbers for the instance at the time `now` (UTC, naive)."""
    second = int(now.replace(tzinfo=UTC).timestamp())
    digest = sha256(f"{instance_id}:{second}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - to be repeated
