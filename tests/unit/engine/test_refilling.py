"""Queues are filled up from millions of rows by reading each of them once in a while."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from perdure.engine.ready import ReadyQueue
from perdure.engine.refilling import Round

ROWS_MAX = 10
ROOM = 20


@dataclass
class Shelf:
    """Rows that are to be done, and the queues for them: each number for the app of its rest."""

    rows: list[int]
    apps: int = 1
    read: int = 0
    done: set[int] = field(default_factory=set)
    queues: list[ReadyQueue[int, None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues = [ReadyQueue(ROOM) for _ in range(self.apps)]
        for queue in self.queues:
            queue.overflowed = True
        self.round: Round[int] = Round(lambda: self.queues, int, self._take, ROWS_MAX)

    def _take(self, row: int) -> bool:
        return self.queues[row % self.apps].push(row, None)

    async def _read(self, after: int, limit: int) -> Sequence[int]:
        found = [row for row in self.rows if row > after][:limit]
        self.read += len(found)
        return found

    async def fill(self) -> None:
        await self.round.fill(self._read)

    def work(self, count: int, app: int = 0) -> None:
        """Do so many of what is queued, which are rows no more."""
        for _ in range(count):
            popped = self.queues[app].pop()
            if popped is not None:
                self.rows.remove(popped[0])
                self.done.add(popped[0])


async def test_all_is_done_and_each_row_is_read_about_once() -> None:
    shelf = Shelf(list(range(1, 1001)))
    while shelf.rows:
        await shelf.fill()
        assert len(shelf.queues[0]) == min(ROOM, len(shelf.rows))
        shelf.work(ROOM // 2 + 1)
    assert shelf.read < 3 * 1000
    await shelf.fill()
    assert not shelf.queues[0].overflowed


async def test_it_goes_on_where_it_stopped_and_comes_round() -> None:
    shelf = Shelf(list(range(101, 200)))
    await shelf.fill()
    assert sorted(shelf.queues[0]._values) == list(range(101, 121))  # noqa: SLF001 - no door shows it
    shelf.rows += [1, 2, 3]
    shelf.rows.sort()
    taken: list[int] = []
    while shelf.rows:
        taken += shelf.queues[0]._values  # noqa: SLF001 - no door shows it
        shelf.work(ROOM)
        await shelf.fill()
    assert set(taken) == {1, 2, 3, *range(101, 200)}
    assert taken.index(3) > taken.index(199), "who came after it had gone by waits for its turn"


@pytest.mark.parametrize("began", range(0, 60, 7))
async def test_a_round_with_room_for_all_tells_that_nothing_is_left(began: int) -> None:
    shelf = Shelf(list(range(1, 51)))
    await shelf.fill()
    shelf.work(ROOM)
    shelf.round._after = began  # noqa: SLF001 - no door shows it
    shelf.rows = shelf.rows[:15]
    await shelf.fill()
    assert len(shelf.queues[0]) == 15
    assert not shelf.queues[0].overflowed


async def test_rows_of_an_app_whose_queue_is_full_do_not_keep_another_from_being_filled() -> None:
    shelf = Shelf([*range(2, 2001, 2), 2001, 2003], apps=2)
    await shelf.fill()
    assert [len(queue) for queue in shelf.queues] == [ROOM, 2]
    assert [queue.overflowed for queue in shelf.queues] == [True, False]
    before = shelf.read
    shelf.work(ROOM)
    await shelf.fill()
    assert shelf.read - before <= 3 * ROWS_MAX, "the other one needs nothing any more"


async def test_a_row_that_came_meanwhile_and_did_not_fit_is_looked_for() -> None:
    shelf = Shelf(list(range(1, 16)))
    await shelf.fill()
    assert not shelf.queues[0].overflowed
    for row in range(16, 40):
        shelf.rows.append(row)
        shelf.queues[0].push(row, None)
    assert shelf.queues[0].overflowed
    while shelf.rows:
        shelf.work(ROOM)
        await shelf.fill()
    assert shelf.done == set(range(1, 40))
