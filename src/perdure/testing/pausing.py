"""A coroutine that tells of each moment at which it waits for something."""

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


@types.coroutine
def pausing(work: Coroutine[Any, Any, T], paused: Callable[[], None]) -> Generator[Any, Any, T]:
    """Do what `work` does, and return what it returns; call `paused` whenever it waits."""
    step: Callable[[Any], Any] = work.send
    given: object = None
    while True:
        try:
            awaited = step(given)
        except StopIteration as end:
            result: T = end.value
            return result
        paused()
        try:
            given = yield awaited
            step = work.send
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown into the work, which is whose it is
            step, given = work.throw, error
