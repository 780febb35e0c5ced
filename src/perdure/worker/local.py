"""The engine of this process as a worker's place."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from perdure.base.errors import CallerFault, StoreError, WorkerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX
from perdure.engine.service import Engine
from perdure.engine.work import Dialect, Profile
from perdure.store.port import HistoryRow, Store

_log = logging.getLogger("perdure.worker")


class Local:
    """One stream of an engine, on the loop that the engine runs on."""

    def __init__(self, engine: Engine, *, app_id: str, worker: str) -> None:
        """Open the stream. Raises ShuttingDown when the engine takes no more workers."""
        self._engine = engine
        profile = Profile(app_id=app_id, worker=worker, dialect=Dialect.DAPR, stateful_history=True)
        self._stream = engine.open_stream(profile)

    def on_recall(self, recall: Callable[[str], None]) -> None:
        """Have `recall` told the tokens of activities whose instance is gone."""
        self._stream.on_recall = recall

    def items(self) -> AsyncIterator[bytes]:
        return self._stream.items()

    async def answer_turn(self, answer: bytes) -> None:
        try:
            await self._engine.complete_turn(answer)
        except (CallerFault, WorkerFault) as fault:
            _log.error("a turn's answer was not taken: %s", fault)

    async def answer_activity(self, answer: bytes) -> None:
        try:
            await self._engine.complete_activity(answer)
        except StoreError as error:
            _log.error("the result of an activity cannot be kept, and is lost: %s", error)

    async def history(self, instance_id: str, count: int) -> Sequence[bytes]:
        snapshot = await self._engine.snapshot(instance_id)
        events: list[bytes] = []
        after = 0
        while snapshot is not None and len(events) < count:
            page = partial(_page, snapshot.key, after, count - len(events))
            rows = await self._engine.read(page)
            if not rows:
                break
            after = rows[-1].seq
            events += [row.event for row in rows]
        return events

    def close(self) -> None:
        """End the stream: what it held and did not finish is handed out again."""
        self._stream.close()


def _page(key: int, after: int, limit: int, store: Store) -> Sequence[HistoryRow]:
    return store.history(key, after, min(limit, HISTORY_PAGE_ROWS_MAX))
