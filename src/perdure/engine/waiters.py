"""Those who wait for an instance to start or to end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from perdure.base.errors import ShuttingDown, StoreUnavailable
from perdure.base.limits import WAITERS_MAX
from perdure.core.status import TERMINAL, Status

_STOPPED: Final = "the engine has stopped"


class Waiters:
    """Futures by instance id, each for a start or for an end."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[str, dict[asyncio.Future[bool], bool]] = {}  # by id: for an end?
        self._count = 0
        self._stopped = False

    @contextmanager
    def waiting(self, instance_id: str, *, finished: bool) -> Iterator[asyncio.Future[bool]]:
        """Give what `add` returns for as long as somebody waits."""
        future = self.add(instance_id, finished=finished)
        try:
            yield future
        finally:
            self.remove(instance_id, future)

    def add(self, instance_id: str, *, finished: bool) -> asyncio.Future[bool]:
        """Return a future that is done once the instance has started, or with `finished` ended.

        It is false if that may be, as others have been at work: then it is to be looked up.
        Look at the instance after this: what happened before is not told. It is to be removed.
        Once the engine has stopped, ShuttingDown is raised here and by the future.
        """
        if self._stopped:
            raise ShuttingDown(_STOPPED)
        if self._count >= WAITERS_MAX:
            msg = f"{WAITERS_MAX} calls are waiting for workflows already"
            raise StoreUnavailable(msg)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(instance_id, {})[future] = finished
        self._count += 1
        return future

    def remove(self, instance_id: str, future: asyncio.Future[bool]) -> None:
        """Let somebody wait no longer."""
        self._count -= 1
        group = self._waiting[instance_id]
        del group[future]
        if not group:
            del self._waiting[instance_id]

    def tell(self, instance_id: str, status: Status) -> None:
        """Wake those who wait for what this status means."""
        group = self._waiting.get(instance_id)
        if group is None:
            return
        for future, finished in group.items():
            reached = status in TERMINAL if finished else status is not Status.PENDING
            if reached and not future.done():
                future.set_result(True)

    def look(self, instance_id: str) -> None:
        """Have those look who wait for an instance that others may have changed."""
        for future in self._waiting.get(instance_id, ()):
            if not future.done():
                future.set_result(False)

    def look_all(self) -> None:
        """Have everybody look."""
        for instance_id in list(self._waiting):
            self.look(instance_id)

    def stop(self) -> None:
        """Let nobody wait any longer: nothing more will be told."""
        self._stopped = True
        for group in self._waiting.values():
            for future in group:
                if not future.done():
                    future.set_exception(ShuttingDown(_STOPPED))
