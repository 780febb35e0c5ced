"""The tags of a start: `key=value` pairs in cookie syntax, as both doors receive them, and bounds.

HTTP has them in `dapr-workflow-metadata` headers, gRPC in request metadata of that name and in
`CreateInstanceRequest.tags` (api.md section 2).
"""

from collections.abc import Iterable
from typing import Final

from perdure.base.errors import CallerFault
from perdure.base.limits import TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX

TAGS_METADATA_KEY: Final = "dapr-workflow-metadata"

_SHOWN_CHARS_MAX: Final = 40
_QUOTED_CHARS_MIN: Final = 2


def parse_cookie_pairs(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of every value, each a list such as `a=1; b=2`; the last of a key wins.

    Blanks around keys and values and one pair of double quotes around a value do not count.
    Raises CallerFault, with a text for the caller, for what is no pair and beyond the bounds.
    """
    return checked_tags(
        _pair(part) for value in values for part in value.split(";") if part.strip()
    )


def checked_tags(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return `pairs` with the last value of each key. Raises CallerFault beyond the bounds."""
    tags: dict[str, str] = {}
    for key, value in pairs:
        _check(key, value)
        tags[key] = value
        if len(tags) > TAGS_MAX:
            raise CallerFault(f"{TAGS_METADATA_KEY}: more than {TAGS_MAX} pairs")
    return tuple(tags.items())


def _pair(part: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if not equals:
        raise CallerFault(f"{TAGS_METADATA_KEY}: '{_shown(part.strip())}' is not a key=value pair")
    value = value.strip()
    if len(value) >= _QUOTED_CHARS_MIN and value[0] == value[-1] == '"':
        value = value[1:-1]
    return key.strip(), value


def _check(key: str, value: str) -> None:
    if not key:
        raise CallerFault(f"{TAGS_METADATA_KEY}: a pair has no key")
    if len(key) > TAG_KEY_CHARS_MAX:
        raise CallerFault(
            f"{TAGS_METADATA_KEY}: the key '{_shown(key)}' is longer than "
            f"{TAG_KEY_CHARS_MAX} characters"
        )
    if len(value) > TAG_VALUE_CHARS_MAX:
        raise CallerFault(
            f"{TAGS_METADATA_KEY}: the value of '{_shown(key)}' is longer than "
            f"{TAG_VALUE_CHARS_MAX} characters"
        )
    if not (key + value).isprintable():
        raise CallerFault(f"{TAGS_METADATA_KEY}: the pair of '{_shown(key)}' is not printable text")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS_MAX else text[:_SHOWN_CHARS_MAX] + "…"
