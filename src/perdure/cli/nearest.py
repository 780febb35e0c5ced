"""The names nearest to one that is not there: most unknown names are known ones, mistyped."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_NEAR_RATIO = 0.6


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` known names that `name` may have been meant for, the nearest first.

    Case does not count, and a name that only goes on where `name` ends is near.
    """
    ranked = sorted(
        ((ratio, each) for each in dict.fromkeys(known) if (ratio := _ratio(name, each)) > 0),
        key=lambda pair: (-pair[0], pair[1]),
    )
    return [each for _, each in ranked[:limit]]


def _ratio(name: str, other: str) -> float:
    wanted, found = name.casefold(), other.casefold()
    if wanted == found:
        return 1.0
    ratio = SequenceMatcher(None, wanted, found, autojunk=False).ratio()
    if wanted and found.startswith(wanted):
        ratio = max(ratio, 0.9)
    return ratio if ratio >= _NEAR_RATIO else 0.0


def did_you_mean(names: list[str]) -> str:
    """Return the question for a person, or nothing if there is nothing near."""
    if not names:
        return ""
    *others, last = names
    before = f"{', '.join(others)} or " if others else ""
    return f"Did you mean {before}{last}?"
