"""Frozen records that are cheap to make, for what is made many times for each step of a workflow.

`dataclass` here is that of the standard library to every type checker: a record that is declared
frozen cannot be assigned to. At run time it is frozen only where `freeze` was called before it was
declared, as the tests do: what makes a dataclass refuse assignments makes it twice as dear to build
(docs/decisions/0027). Records are compared and hashed by value all the same.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool, slots: bool, kw_only: bool = False
    ) -> Callable[[type[Any]], type[Any]]:
        """Return the decorator of a record."""
        assert frozen, "what is changed later is a dataclass of the standard library"
        really = _checking["frozen"]
        return dataclasses.dataclass(
            frozen=really, unsafe_hash=not really, slots=slots, kw_only=kw_only
        )


__all__ = ["dataclass", "freeze"]

_checking = {"frozen": False}


def freeze() -> None:
    """Let every record that is declared from now on refuse assignments."""
    _checking["frozen"] = True
