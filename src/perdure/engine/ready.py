"""Queues of what is ready to be handed out, one for each app, first in, first out.

A queue has a limit. What does not fit is not lost: it is on disk, the queue remembers that it
overflowed, and is filled up from the store when it runs low.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from perdure.base.limits import READY_QUEUE_MAX
from perdure.base.time import SECOND_US

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ReadyQueue(Generic[K, V]):
    """What one app's workers may take next; each key is in it once."""

    def __init__(self, most: int = READY_QUEUE_MAX) -> None:
        """Begin empty; hold up to `most`."""
        self._most = most
        self._queue: deque[K] = deque()
        self._values: dict[K, V] = {}
        self.overflowed = False

    def __len__(self) -> int:
        """Return how many are in it."""
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        """Tell whether a key is in it."""
        return key in self._values

    def push(self, key: K, value: V, *, first: bool = False) -> bool:
        """Add at the end, or with `first` at the head, where the limit does not count.

        Tells whether the key is in the queue now.
        """
        if key in self._values:
            return True
        if len(self._values) >= self._most and not first:
            self.overflowed = True
            return False
        self._values[key] = value
        if first:
            self._queue.appendleft(key)
        else:
            self._queue.append(key)
        return True

    def pop(self) -> tuple[K, V] | None:
        """Take the head, or None if there is nothing."""
        while self._queue:
            key = self._queue.popleft()
            if key in self._values:
                return key, self._values.pop(key)
        return None

    def discard(self, key: K) -> V | None:
        """Take a key out, wherever it is; its place in the queue is passed over later."""
        return self._values.pop(key, None)

    def values(self) -> list[V]:
        """Return everything that is in it, in no order."""
        return list(self._values.values())

    def take_where(self, wanted: Callable[[K], bool]) -> list[V]:
        """Take out every key that is wanted; looks at all of them."""
        return [self._values.pop(key) for key in [k for k in self._values if wanted(k)]]

    def drop_where(self, unwanted: Callable[[K], bool]) -> int:
        """Drop every key that is unwanted, and return how many there were."""
        dropped = [key for key in self._values if unwanted(key)]
        for key in dropped:
            del self._values[key]
        return len(dropped)

    def runs_low(self) -> bool:
        """Tell whether it should be filled up from the store."""
        return self.overflowed and 2 * len(self._values) < self._most


class ReadyByApp(Generic[K, V]):
    """A queue for each app, made when it is first asked for."""

    def __init__(self, most: int) -> None:
        """Begin with none; each holds up to `most`."""
        self._most = most
        self._queues: dict[str, ReadyQueue[K, V]] = {}

    def of(self, app_id: str) -> ReadyQueue[K, V]:
        """Return one app's queue."""
        queue = self._queues.get(app_id)
        if queue is None:
            queue = self._queues[app_id] = ReadyQueue(self._most)
        return queue

    def apps(self) -> list[str]:
        """Return the apps that have a queue."""
        return list(self._queues)

    @property
    def count(self) -> int:
        """How much is ready."""
        return sum(map(len, self._queues.values()))


class Delays:
    """Keys that are not to be tried before a time, with a doubling pause for each."""

    def __init__(self, wake: Callable[[int], None]) -> None:
        """`wake` is called with a key when its time has come."""
        self._wake = wake
        self._handles: dict[int, asyncio.TimerHandle] = {}
        self._stopped = False

    def __contains__(self, key: int) -> bool:
        """Tell whether a key has to wait."""
        return key in self._handles

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._handles)

    def delay(self, key: int, *, attempt: int, first_us: int, longest_us: int) -> None:
        """Let a key wait for the pause of its n-th attempt, counted from 1."""
        self.end(key)
        if self._stopped:
            return
        pause_us = min(first_us << min(attempt - 1, 32), longest_us)
        loop = asyncio.get_running_loop()
        self._handles[key] = loop.call_later(pause_us / SECOND_US, self._over, key)

    def end(self, key: int) -> bool:
        """Let a key wait no longer, without waking it; tells whether it did wait."""
        handle = self._handles.pop(key, None)
        if handle is not None:
            handle.cancel()
        return handle is not None

    def keys(self) -> list[int]:
        """Return the keys that wait."""
        return list(self._handles)

    def stop(self) -> None:
        """Let nothing wait any longer, and wake nobody."""
        self._stopped = True
        for key in self.keys():
            self.end(key)

    def _over(self, key: int) -> None:
        del self._handles[key]
        self._wake(key)
