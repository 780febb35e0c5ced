"""The metadata of a subscription, which a broker knows a few items of."""

from collections.abc import Collection, Mapping
from typing import Final

from perdure.triggers.port import Settings

# Read by whoever asks for the subscription, not by the broker.
_OF_OTHERS: Final = frozenset({"rawpayload"})


def only_known(
    settings: Settings, topic: str, metadata: Mapping[str, str], known: Collection[str]
) -> dict[str, str]:
    """Return the items under the names in `known`, found without regard to case.

    Raises ConfigurationError for an item that is not known.
    """
    names = {name.lower(): name for name in known}
    found: dict[str, str] = {}
    for key, value in metadata.items():
        if key.lower() in _OF_OTHERS:
            continue
        if key.lower() not in names:
            expected = ", ".join(sorted(names.values())) or "none"
            raise settings.fault(
                None,
                f"the subscription to {topic} has the metadata {key}, which {settings.type} "
                f"does not know; it knows {expected}",
            )
        found[names[key.lower()]] = value
    return found


def whole_number(
    settings: Settings, topic: str, metadata: Mapping[str, str], name: str, *, most: int
) -> int | None:
    """Return a whole number from 1 to `most`, or None where there is no such item."""
    value = metadata.get(name)
    if value is None:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise settings.fault(
            None,
            f"the subscription to {topic} has {name} {value}; expected a number from 1 to {most}",
        )
    return int(value)
