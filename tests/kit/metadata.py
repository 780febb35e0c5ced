"""The metadata of a component as a test writes it, behind the protocol that sources read."""

import re
from collections.abc import Sequence

from perdure.base.errors import ConfigurationError
from perdure.base.time import HOUR_US, MINUTE_US, SECOND_US

_PART = re.compile(r"(\d+)(ms|s|m|h)")
_UNITS_US = {"ms": 1_000, "s": SECOND_US, "m": MINUTE_US, "h": HOUR_US}


class Metadata:
    """Items by name; faults say the item's name and what is wrong."""

    app_id = "app"

    def __init__(self, type_: str, /, component: str = "source", **items: str) -> None:
        self.type = type_
        self.component = component
        self._names = tuple(items)
        self._items = {name.lower(): value for name, value in items.items()}

    def text(self, name: str, default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None:
            raise self.fault(name, "is missing")
        return value

    def optional(self, name: str) -> str | None:
        return self._items.get(name.lower())

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not text.isdigit() or not least <= int(text) <= most:
            raise self.fault(name, f"expected a whole number from {least} to {most}")
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self.text(name, str(default)).lower()
        if text not in {"true", "false"}:
            raise self.fault(name, "expected true or false")
        return text == "true"

    def duration_us(self, name: str, default_us: int) -> int:
        text = self.optional(name)
        if text is None:
            return default_us
        if re.fullmatch(rf"({_PART.pattern})+", text) is None:
            raise self.fault(name, "expected a duration")
        return sum(int(number) * _UNITS_US[unit] for number, unit in _PART.findall(text))

    def one_of(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise self.fault(name, f"expected one of {', '.join(choices)}")
        return value

    def names(self) -> Sequence[str]:
        return self._names

    def fault(self, name: str | None, message: str) -> Exception:
        return ConfigurationError(f"{name}: {message}")
