"""Words of Temporal's enumerations. A number that is newer than our client is told as it is."""

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value", bound=int)


def shouted(name_of: Callable[[Value], str], value: Value, prefix: str) -> str:
    """Return what the cluster calls a value, without the `prefix` of all, such as `TIMED_OUT`."""
    try:
        return name_of(value).removeprefix(prefix)
    except ValueError:
        return f"UNKNOWN_{value}"


def capitalized(name_of: Callable[[Value], str], value: Value, prefix: str) -> str:
    """Return the same as Temporal's own tools write it, such as `TimedOut`."""
    words = shouted(name_of, value, prefix).split("_")
    return "".join(word.capitalize() for word in words)
