"""Query parameters, read strictly: what cannot be meant is the caller's fault."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import parse

# How much of what was not understood is repeated in the answer.
SHOWN_CHARS_MAX: Final = 100
_PARAMETERS_MAX: Final = 200
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class Parameters:
    """The query of a request. Names are matched exactly; of several, the first counts."""

    def __init__(self, request: Request) -> None:
        try:
            text = request.scope["query_string"].decode()
            self.pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS_MAX
            )
        except UnicodeDecodeError as error:
            raise CallerFault("the query is not UTF-8") from error
        except ValueError as error:
            raise CallerFault(f"the query has more than {_PARAMETERS_MAX} parameters") from error

    def has(self, name: str) -> bool:
        """Tell whether the parameter is there, if only as an empty one."""
        return any(key == name for key, _ in self.pairs)

    def text(self, name: str) -> str | None:
        """Return the first value of this name."""
        return next((value for key, value in self.pairs if key == name), None)

    def words(self, name: str) -> list[str]:
        """Return every value of this name, each taken apart at commas."""
        return [
            word
            for key, value in self.pairs
            if key == name
            for word in value.split(",")
            if word.strip()
        ]

    def flag(self, name: str, *, default: bool) -> bool:
        """Return `true` or `false`. Raises CallerFault for anything else."""
        text = self.text(name)
        if text is None:
            return default
        if text.lower() not in _BOOLEANS:
            raise CallerFault(f"{name} must be true or false")
        return _BOOLEANS[text.lower()]

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number within bounds. Raises CallerFault for anything else."""
        text = self.text(name)
        if text is None:
            return default
        legal = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not legal or not least <= int(text) <= most:
            raise CallerFault(f"{name} must be a whole number from {least} to {most}")
        return int(text)

    def moment_us(self, name: str) -> int | None:
        """Return a time in microseconds. Raises CallerFault if it is not RFC 3339."""
        text = self.text(name)
        return None if text is None else moment_us(name, text)


def moment_us(name: str, text: str) -> int:
    """Return the moment that `text` names. Raises CallerFault if it is not RFC 3339."""
    # In a query an unescaped plus sign is a space, and people forget that.
    at_us = parse(text.replace(" ", "+") if text[-6:-5] == " " else text)
    if at_us is None:
        raise CallerFault(f'{name} must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")')
    return at_us
