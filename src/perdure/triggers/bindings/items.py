"""What every binding checks of its metadata before it looks at what is its own."""

import difflib
from collections.abc import Iterable
from typing import Final

from perdure.triggers.port import Settings

DIRECTION: Final = "direction"
ROUTE: Final = "route"
_INPUT: Final = "input"
_DIRECTIONS: Final = frozenset({_INPUT, "output"})


def check_items(settings: Settings, known: Iterable[str]) -> None:
    """Raise ConfigurationError for an item that is not known, and for a binding without input.

    `direction` is Dapr's. `route` is read past: it is the path at which Dapr would call an app,
    and here no app is called. Names are compared without regard to case, as Dapr does it.
    """
    names = (*known, DIRECTION, ROUTE)
    lowered = {name.lower() for name in names}
    for name in settings.names():
        if name.lower() not in lowered:
            near = difflib.get_close_matches(name, names, n=1)
            advice = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(names))}"
            raise settings.fault(name, f"{settings.type} has no item {name}; {advice}")
    check_direction(settings)


def check_direction(settings: Settings) -> None:
    """Raise ConfigurationError for a binding without input; read past what Dapr would call."""
    settings.optional(ROUTE)
    directions = {part.strip() for part in (settings.optional(DIRECTION) or _INPUT).split(",")}
    if not directions <= _DIRECTIONS:
        raise settings.fault(DIRECTION, 'expected "input", "output" or "input, output"')
    if _INPUT not in directions:
        raise settings.fault(
            DIRECTION, "perdure has no output bindings; expected a direction with input in it"
        )


def given(settings: Settings, name: str) -> str | None:
    """Return an item that may be left out, but if it is there, may not be empty."""
    return None if settings.optional(name) is None else settings.text(name)
