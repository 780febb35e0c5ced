"""Identifiers: which are legal, and those that follow from others.

Ids that must be the same whenever a step is computed again are derived from their cause, so
that the core needs no chance.
"""

from hashlib import blake2b


def is_legal_instance_id(text: str, extra_characters: str = "") -> bool:
    """Tell whether every character is a letter, a digit, `_` or `-` (behaviour.md 1.2).

    `extra_characters` are allowed too: the rule is configurable, because the source and id of
    a CloudEvent must fit.
    """
    return all(
        letter.isalpha() or letter.isdecimal() or letter in "_-" or letter in extra_characters
        for letter in text
    )


def derived_id(*cause: str | int) -> str:
    """Return the UUID-shaped id that follows from `cause`; the same cause, the same id."""
    digest = blake2b("\x1f".join(map(str, cause)).encode(), digest_size=16).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def uuid4_of(digits: str) -> str:
    """Return 32 hexadecimal digits that are chance as a UUID of version 4."""
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def derived_span_id(*cause: str | int) -> str:
    """Return the 16 hexadecimal digits of a span that follow from `cause`."""
    return blake2b("\x1f".join(map(str, cause)).encode(), digest_size=8).hexdigest()


def child_instance_id(parent_id: str, action_id: int) -> str:
    """Return the id of a child that was created without one (behaviour.md 4.4)."""
    return f"{parent_id}:{action_id:04x}"
