"""The queues of activities: each is in one place, and reading the store again adds none."""

from perdure.core.events import TaskScheduled
from perdure.engine.dispatcher import WorkStream
from perdure.engine.queueing import Task, TaskOut, TaskQueues
from perdure.engine.work import Profile
from perdure.store.port import TaskAdd, TaskRow
from perdure.wire.events import encode

APP = "app"


def row(task_id: int, key: int = 1, generation: int = 1, *, suspended: bool = False) -> TaskRow:
    event = encode(TaskScheduled(at_us=1, event_id=task_id, name="act"))
    add = TaskAdd(generation, task_id, "act", APP, event, 1)
    return TaskRow(row=task_id, key=key, instance_id=f"i{key}", suspended=suspended, add=add)


class Desk:
    """Queues, and who works on them."""

    def __init__(self) -> None:
        self.queues = TaskQueues()

    def pop(self) -> Task:
        popped = self.queues.of(APP).pop()
        assert popped is not None
        return popped[1]

    def hand_out(self, *, echoes: bool, token: str = "t") -> TaskOut:
        """Take the next one out, to a worker that does or does not echo tokens."""
        stream = WorkStream(Profile(app_id=APP, worker="w"), lambda _: None)
        stream.echoes_tokens = echoes
        out = TaskOut(self.pop(), stream, token, 1)
        self.queues.went_out(out)
        return out

    def take_place(self) -> None:
        """Hand the next one out, if it need not wait."""
        self.hand_out(echoes=False, token="second")

    @property
    def ready(self) -> int:
        return self.queues.count


def test_what_is_here_already_is_not_taken_in_again() -> None:
    desk = Desk()
    for task_id in range(5):
        desk.queues.recover(row(task_id))
    out = desk.hand_out(echoes=True)
    desk.queues.block(desk.pop())
    desk.queues.pause(1)
    assert desk.queues.must_wait(desk.pop())
    for task_id in range(5):
        desk.queues.recover(row(task_id))
    assert desk.ready == 2
    desk.queues.resume(1)
    assert desk.ready == 3
    assert desk.queues.blocked.take("app", lambda _: True) is None
    assert desk.queues.blocked.take("app", lambda _: False) is not None
    assert not desk.queues.blocked
    desk.queues.came_back(out)
    desk.queues.ended(out.task)
    assert desk.ready == 3


def test_a_row_that_was_read_before_the_end_is_not_taken_in_after_it() -> None:
    desk = Desk()
    desk.queues.recover(row(1))
    with desk.queues.filling():
        stale = row(1)
        out = desk.hand_out(echoes=True)
        desk.queues.came_back(out)
        desk.queues.ended(out.task)
        desk.queues.recover(stale)
        assert desk.ready == 0
    desk.queues.recover(row(1))
    assert desk.ready == 1, "scheduled once more under its id"


def test_a_row_that_was_read_before_a_purge_is_not_taken_in_after_it() -> None:
    desk = Desk()
    with desk.queues.filling():
        stale = row(1)
        desk.queues.forget(1)
        desk.queues.recover(stale)
        desk.queues.recover(row(1, key=2))
    assert desk.ready == 1


def test_a_row_that_was_read_before_a_resume_does_not_suspend_again() -> None:
    desk = Desk()
    desk.queues.pause(1)
    desk.queues.resume(1)
    desk.queues.recover(row(1, suspended=True))
    assert desk.ready == 1


def test_without_tokens_one_of_a_pair_waits_for_the_other() -> None:
    desk = Desk()
    desk.queues.recover(row(1, generation=1))
    out = desk.hand_out(echoes=False)
    desk.queues.recover(row(1, generation=2))
    assert desk.queues.must_wait(desk.pop())
    assert desk.queues.find_out("i1", 1, "") is out
    desk.queues.came_back(out)
    assert desk.ready == 1


def test_with_tokens_both_of_a_pair_are_out_and_told_apart() -> None:
    desk = Desk()
    desk.queues.recover(row(1, generation=1))
    old = desk.hand_out(echoes=True, token="old")
    desk.queues.recover(row(1, generation=2))
    task = desk.pop()
    assert not desk.queues.must_wait(task)
    new = TaskOut(task, old.stream, "new", 2)
    desk.queues.went_out(new)
    assert desk.queues.find_out("i1", 1, "old") is old
    assert desk.queues.find_out("i1", 1, "new") is new
    assert desk.queues.find_out("i1", 1, "") is new
    assert desk.queues.find_out("i1", 2, "old") is None
    assert desk.queues.find_out("i1", 1, "other") is None
    assert set(map(id, desk.queues.all_out())) == {id(old), id(new)}
    desk.queues.came_back(old)
    desk.queues.came_back(new)
    assert list(desk.queues.all_out()) == []


def test_the_place_that_one_makes_is_not_given_to_two() -> None:
    """Seed 2009: whoever was behind it goes out while another of the pair asks for the place."""
    desk = Desk()
    for generation in (1, 2, 3):
        desk.queues.recover(row(1, generation=generation))
    first = desk.hand_out(echoes=False, token="first")
    assert desk.queues.must_wait(desk.pop()), "behind the first"
    third = desk.pop()
    first.stream.echoes_tokens = True
    desk.queues.on_ready = lambda _: desk.take_place()
    assert desk.queues.must_wait(third), "the second has the place by now"
    assert [out.task.add.generation for out in desk.queues.all_out()] == [2, 1]


def test_what_a_gone_instance_had_to_run_goes_wherever_it_is() -> None:
    desk = Desk()
    for task_id in range(4):
        desk.queues.recover(row(task_id))
    desk.queues.recover(row(9, key=2))
    out = desk.hand_out(echoes=False)
    desk.queues.block(desk.pop())
    desk.queues.pause(1)
    assert desk.queues.must_wait(desk.pop())
    desk.queues.forget(1)
    assert desk.ready == 1
    assert out.void, "what is at a worker finds nothing when it ends"
    desk.queues.resume(1)
    assert desk.ready == 1


def test_what_is_gone_leaves_only_what_is_at_a_worker() -> None:
    for echoes in (True, False):
        desk = Desk()
        for task_id in range(3):
            desk.queues.recover(row(task_id))
        out = desk.hand_out(echoes=echoes, token="t")
        desk.queues.forget(1)
        assert (desk.ready, out.void) == (0, True)
        assert desk.queues.find_out("i1", 0, "t") is out
        desk.queues.came_back(out)
        assert desk.queues.find_out("i1", 0, "t") is None
