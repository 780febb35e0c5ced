"""Turns decided in place: a cause lands with its turn, or not at all."""

from collections.abc import Iterable, Sequence

import pytest

from perdure.base.limits import LAND_ATTEMPTS_MAX
from perdure.base.time import SECOND_US
from perdure.components.port import Purged
from perdure.core.actions import Action, Complete, CreateChild, CreateTimer
from perdure.core.events import Event, EventRaised, ExecutionResumed, TaskCompleted, TimerFired
from perdure.core.requests import Reason, Refusal, Start
from perdure.core.status import Status
from perdure.engine import deciding
from perdure.wire.generated import work_pb2 as pb
from tests.kit.house import APP, House
from tests.kit.local_script import LocalScript, done, hello, task, tasks_then_done
from tests.kit.worker import TurnItem
from tests.kit.worker import hello as afar


async def at_activities(house: House, count: int) -> LocalScript:
    """Start an instance that waits for so many activities here."""
    script = LocalScript.attach(house, tasks_then_done(count))
    await house.start("a")
    await house.settle()
    assert len(script.errands) == count
    return script


async def test_a_start_lands_together_with_its_first_turn() -> None:
    async with House() as house:
        await at_activities(house, 1)
        (entry,) = house.store.landed
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "TaskScheduled"]
        assert entry.births[0].inbox == ()
        assert [row.kind for row in entry.lifecycle] == ["created", "started"]
        assert await house.status("a") is Status.RUNNING


async def test_a_result_lands_together_with_the_turn_that_it_wakes() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.finish("x")
        assert (await house.finished("a")).output == "x"
        first, second = house.store.landed
        assert first.births
        assert second.ended_tasks
        assert second.expect_version == 1
        assert not second.inbox
        assert script.replays == 0


async def test_both_ways_leave_the_same_history_and_the_same_rows() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.finish("x")
        await house.finished("a")
        here = house.kinds("a"), house.store.tasks_of(1)[0].attempts
    async with House() as house:
        house.worker().work(_hello_from_afar, {"act": lambda _: "x"})
        await house.start("a")
        await house.finished("a")
        assert here == (house.kinds("a"), house.store.tasks_of(1)[0].attempts)


def _hello_from_afar(item: TurnItem) -> Iterable[pb.Action]:
    return afar(item)


async def test_a_workflow_without_steps_is_born_finished() -> None:
    async with House() as house:
        LocalScript.attach(house, lambda *_: [done(1, "at once")])
        await house.start("a")
        assert (await house.finished("a")).output == "at once"
        (entry,) = house.store.landed
        assert [row.kind for row in entry.lifecycle] == ["created", "started", "completed"]


async def test_nothing_begins_before_its_cause_is_on_disk() -> None:
    async with House() as house:
        script = LocalScript.attach(house, hello)
        house.store.hold_commits()
        starting = house.soon(house.start("a"))
        await house.blocking(house.store.commit_waits.wait)
        assert script.asked
        assert not script.errands
        assert not starting.done()
        house.store.let_commits_go()
        await starting
        assert script.errands


async def test_results_that_wait_together_become_one_turn() -> None:
    async with House() as house:
        script = await at_activities(house, 3)
        script.finish("1", "2", "3")
        assert (await house.finished("a")).output == "1 2 3"
        assert len(house.store.landed) == 2
        assert len(house.store.landed[1].ended_tasks) == 3


async def test_results_that_come_during_a_move_wait_for_its_end() -> None:
    async with House() as house:
        script = await at_activities(house, 3)
        house.store.hold_commits()
        script.finish("1")
        await house.blocking(house.store.commit_waits.wait)
        script.finish("2", "3")
        house.store.let_commits_go()
        assert (await house.finished("a")).output == "1 2 3"
        assert [len(entry.ended_tasks) for entry in house.store.landed] == [0, 1, 2]
        assert script.replays == 0


async def test_an_id_in_use_makes_the_code_forget() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        again = await house.component.start(Start(instance_id="a", name="wf", app_id=APP))
        assert isinstance(again, Refusal)
        assert again.reason is Reason.ALREADY_EXISTS
        assert len(script.forgotten) == 1


async def test_what_was_decided_in_vain_is_decided_anew() -> None:
    async with House() as house:
        house.expected_faults = ("landing",)
        script = await at_activities(house, 1)
        house.store.fail_commits(2)
        script.finish("x")
        await house.settle()
        await house.pass_minutes(1)
        assert (await house.finished("a")).output == "x"
        assert script.forgotten == [(house.on_disk("a").identity.execution_id, 1)], "at its end"


async def test_a_turn_that_can_never_land_lets_its_result_go_the_long_way() -> None:
    async with House() as house:
        house.expected_faults = ("landing", "moving")
        script = await at_activities(house, 1)
        house.store.fail_commits(LAND_ATTEMPTS_MAX)
        script.finish("x")
        for _ in range(20):
            await house.pass_minutes(1)
        assert script.forgotten
        assert script.replays == 1
        assert (await house.finished("a")).output == "x"


async def test_a_purge_that_comes_first_leaves_nothing_behind() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        house.store.hold_commits()
        purging = house.soon(house.purge("a", force=True))
        await house.blocking(house.store.commit_waits.wait)
        script.finish("x")
        house.store.let_commits_go()
        assert await purging == Purged(1)
        await house.settle()
        assert house.store.snapshot("a") is None
        assert house.engine.figures()["outstanding_activities"] == 0


async def test_a_suspended_instance_keeps_its_result_for_later() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        await house.suspend("a")
        script.finish("x")
        await house.settle()
        assert await house.status("a") is Status.SUSPENDED
        assert house.on_disk("a").inbox_length == 2
        await house.resume("a")
        assert (await house.finished("a")).output == "x"
        assert any(isinstance(event, ExecutionResumed) for event in house.history("a"))


async def test_a_terminate_that_comes_during_a_move_is_obeyed_after_it() -> None:
    async with House() as house:
        script = await at_activities(house, 2)
        house.store.hold_commits()
        script.finish("1")
        await house.blocking(house.store.commit_waits.wait)
        ending = house.soon(house.terminate("a", "over"))
        await house.reads_done()
        house.store.let_commits_go()
        await house.settle()
        await ending
        assert await house.status("a") is Status.TERMINATED
        script.finish("2")
        await house.settle()
        assert house.engine.figures()["outstanding_activities"] == 0
        assert len(house.recorder.of("late_completion_dropped")) == 1


async def test_an_answer_that_is_no_decision_stalls_the_instance_and_keeps_the_result() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.code = lambda *_: "step 2: 'act' was recorded, and the code asks for 'other'"
        script.finish("x")
        await house.settle()
        assert await house.status("a") is Status.STALLED
        assert house.on_disk("a").head.stalled is not None
        assert "the code asks for 'other'" in str(house.on_disk("a").head.stalled)
        script.app.close()
        fixed = LocalScript.attach(house, hello)
        assert (await house.finished("a")).output == "x"
        assert fixed.replays == 1


@pytest.mark.parametrize("trouble", ["no decision", "broken rules", "no app"])
async def test_what_does_not_fit_into_a_turn_that_comes_to_nothing_is_not_left_behind(
    monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """P4: nobody else would look at the results that wait behind those of the turn."""
    monkeypatch.setattr(deciding, "TURN_BATCH_EVENTS_MAX", 2)
    async with House() as house:
        script = await at_activities(house, 5)
        if trouble == "no decision":
            script.code = lambda *_: "the code is another one"
        elif trouble == "broken rules":
            script.code = lambda *_: [task(9), task(9)]
        script.finish(*"abcde")
        if trouble == "no app":
            script.app.resting = True
        await house.settle()
        resident = house.engine.resident("a")
        assert resident is None or not resident.arrivals
        assert all(row.finished_at_us is not None for row in house.store.tasks_of(1))
        script.app.close()
        LocalScript.attach(house, tasks_then_done(5))
        await house.pass_minutes()
        assert (await house.finished("a")).output == "a b c d e"


async def test_a_decision_that_breaks_the_rules_is_asked_for_again_after_a_pause() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.code = lambda *_: [task(5), task(5)]
        script.finish("x")
        await house.settle()
        assert house.recorder.of("turn_retried")
        assert await house.status("a") is Status.RUNNING
        script.code = lambda *_: [done(result="y")]
        await house.pass_time(2 * SECOND_US)
        assert (await house.finished("a")).output == "y"


async def test_code_that_cannot_be_asked_is_reported_and_asked_again() -> None:
    async with House() as house:
        house.expected_faults = ("deciding",)
        script = LocalScript.attach(house, _breaks)
        await house.start("a")
        await house.settle()
        assert house.recorder.faults()
        script.code = lambda *_: [done(result="y")]
        await house.pass_time(2 * SECOND_US)
        assert (await house.finished("a")).output == "y"


def _breaks(*_: Sequence[Event]) -> Iterable[Action]:
    raise ZeroDivisionError


async def test_after_a_restart_the_past_is_told_once_more() -> None:
    async with House() as house:
        await at_activities(house, 1)
        await house.restart()
        script = LocalScript.attach(house, hello)
        await house.settle()
        script.finish("x")
        assert (await house.finished("a")).output == "x"
        assert script.replays == 1


async def test_events_timers_and_children_go_their_way() -> None:
    def code(known: Sequence[Event], new: Sequence[Event]) -> Iterable[Action]:
        if known[1].name == "child":  # type: ignore[union-attr]  # the event that the case begins with
            return [done(1, "c")]
        if len(known) == len(new):
            at_us = known[0].at_us + SECOND_US
            return [CreateTimer(id=1, fire_at_us=at_us)]
        if isinstance(new[1], TimerFired):
            return [CreateChild(id=2, instance_id="b", name="child")]
        if isinstance(new[1], EventRaised):
            return [done(3, new[1].input)]
        return []

    async with House() as house:
        script = LocalScript.attach(house, code)
        await house.start("a")
        await house.pass_time(2 * SECOND_US)
        assert (await house.finished("b")).output == "c"
        await house.settle()
        await house.raise_event("a", "Go", "e")
        assert (await house.finished("a")).output == "e"
        assert script.replays == 0


async def test_a_new_generation_begins_with_nothing_known_of_the_old() -> None:
    def code(known: Sequence[Event], new: Sequence[Event]) -> Iterable[Action]:
        text = known[1].input  # type: ignore[union-attr]  # the event that the case begins with
        if len(known) == len(new):
            return [task(1)]
        if text == "2":
            return [done(2, "end")]
        return [Complete(id=2, status=Status.CONTINUED_AS_NEW, result="2")]

    async with House() as house:
        script = LocalScript.attach(house, code)
        script.echoes = True
        await house.start("a", input="1")
        assert (await house.finished("a")).output == "end"
        assert script.replays == 0
        assert len(script.forgotten) == 2


async def test_with_one_resident_at_a_time_nothing_is_lost() -> None:
    async with House(residents_max=1) as house:
        script = LocalScript.attach(house, tasks_then_done(2))
        for instance_id in ("a", "b", "c"):
            await house.start(instance_id)
        await house.settle()
        script.finish(*"123456")
        outputs = [(await house.finished(each)).output for each in ("a", "b", "c")]
        assert outputs == ["1 2", "3 4", "5 6"]


async def test_a_result_of_an_old_generation_is_dropped() -> None:
    def code(known: Sequence[Event], new: Sequence[Event]) -> Iterable[Action]:
        if known[1].input == "2":  # type: ignore[union-attr]  # the event that the case begins with
            return [done(9, "end")] if isinstance(new[-1], EventRaised) else []
        if len(known) == len(new):
            return [task(1), task(2)]
        if any(isinstance(event, TaskCompleted) for event in new):
            return [Complete(id=3, status=Status.CONTINUED_AS_NEW, result="2")]
        return []

    async with House() as house:
        script = LocalScript.attach(house, code)
        await house.start("a", input="1")
        script.finish("1")
        await house.settle()
        script.finish("2")
        await house.settle()
        await house.raise_event("a", "Go")
        assert (await house.finished("a")).output == "end"
