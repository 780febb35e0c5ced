"""Frozen records that are cheap to make, for what is made many times for each step of a workflow.

`dataclass` here is that of the standard library to every type checker: a record that is declared
frozen cannot be assigned to. At run time it is not frozen unless `PERDURE_FROZEN_RECORDS` is set,
as it is in the tests: what makes a dataclass refuse assignments makes it twice as dear to build
(docs/decisions/0027). Records are compared and hashed by value all the same.
"""

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

FROZEN: Final = bool(os.environ.get("PERDURE_FROZEN_RECORDS"))

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool, slots: bool, kw_only: bool = False
    ) -> Callable[[type[Any]], type[Any]]:
        """Return the decorator of a record."""
        assert frozen, "what is changed later is a dataclass of the standard library"
        return dataclasses.dataclass(
            frozen=FROZEN, unsafe_hash=not FROZEN, slots=slots, kw_only=kw_only
        )


__all__ = ["FROZEN", "dataclass"]
