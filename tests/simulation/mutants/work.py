"""Breakages of requests, activities, timers, recovery and removal."""

import asyncio
from dataclasses import replace
from typing import Any

from perdure.base.errors import StoreError
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.engine import results, tasks, timers
from perdure.engine.deliveries import Deliveries
from perdure.engine.intake import Intake
from perdure.engine.landing import Landing
from perdure.engine.mailbox import Mailbox
from perdure.engine.parking import Parking
from perdure.engine.queueing import TaskQueues
from perdure.engine.ready import ReadyQueue
from perdure.engine.recovery import Recovery
from perdure.engine.removal import Removal
from perdure.engine.retention import Retention
from perdure.engine.tasks import Tasks
from perdure.engine.timers import Timers
from perdure.store.port import Outcome, Verdict
from tests.simulation.mutants.patching import Patch, mutant, nothing

_KEEP = dict.fromkeys((Status.COMPLETED, Status.FAILED, Status.TERMINATED), 20 * SECOND_US)
_LANDED = Outcome(Verdict.LANDED)


@mutant("a request is acknowledged before its commit")
def acknowledge_before_commit(patch: Patch) -> None:
    def made(once: Any) -> Any:
        async def broken(self: Landing, entry: Any, apply: Any) -> Outcome:
            landing = asyncio.ensure_future(once(self, entry, apply))
            landing.add_done_callback(lambda done: done.exception())
            return _LANDED

        return broken

    patch.put(Landing, "once", made)


@mutant("a request that could not be stored is acknowledged", odds={"commit_failed": 0.05})
def acknowledge_what_failed(patch: Patch) -> None:
    def made(once: Any) -> Any:
        async def broken(self: Landing, entry: Any, apply: Any) -> Outcome:
            try:
                outcome: Outcome = await once(self, entry, apply)
            except StoreError:
                return _LANDED
            return outcome

        return broken

    patch.put(Landing, "once", made)


@mutant("a start does not look whether anybody below the finished one is active")
def start_over_active_descendants(patch: Patch) -> None:
    async def broken(*_given: Any) -> None:
        return None

    patch.put(Intake, "_refused", lambda _: broken)


@mutant("a result does not end the activity's row")
def result_keeps_the_row(patch: Patch) -> None:
    def made(ending: Any) -> Any:
        return lambda *given: replace(ending(*given), ended_tasks=())

    patch.put(tasks, "ending", made)


@mutant("a result is delivered twice")
def result_comes_twice(patch: Patch) -> None:
    def made(ending: Any) -> Any:
        def broken(*given: Any) -> Any:
            entry = ending(*given)
            return replace(entry, inbox=(*entry.inbox, *entry.inbox))

        return broken

    patch.put(tasks, "ending", made)


@mutant("a result forgets of which generation it is")
def result_forgets_the_generation(patch: Patch) -> None:
    def made(inbox_add: Any) -> Any:
        return lambda event, **_named: inbox_add(event)

    patch.put(results, "inbox_add", made)


@mutant("a result row is dropped")
def result_is_lost(patch: Patch) -> None:
    def made(ending: Any) -> Any:
        return lambda *given: replace(ending(*given), inbox=())

    patch.put(tasks, "ending", made)


@mutant("an answer is matched by instance and number alone", odds={"answer_late": 0.1})
def results_of_earlier_lives_count(patch: Patch) -> None:
    def made(_: Any) -> Any:
        def broken(self: TaskQueues, instance_id: str, task_id: int, _token: str) -> Any:
            return self._out.get((instance_id, task_id))

        return broken

    patch.put(TaskQueues, "find_out", made)


@mutant("a long activity is taken for a dead one")
def long_activity_runs_again(patch: Patch) -> None:
    def made(hand_out: Any) -> Any:
        def broken(self: Tasks, task: Any, stream: Any) -> None:
            hand_out(self, task, stream)
            out = self._queues._out.get(task.pair)

            def late() -> None:
                if out is not None and self._queues._out.get(task.pair) is out:
                    self._release(out)
                    self._queues.push(task)

            asyncio.get_running_loop().call_later(10.0, late)

        return broken

    patch.put(Tasks, "_hand_out", made)


@mutant("hand-outs are not counted")
def runs_are_not_counted(patch: Patch) -> None:
    patch.put(Landing, "note", lambda _: nothing)


@mutant("activities of a worker that is gone are forgotten", odds={"worker_gone": 3.0})
def lost_activities_are_forgotten(patch: Patch) -> None:
    patch.put(Tasks, "left", lambda _: nothing)


@mutant("a resume forgets what was parked")
def resume_forgets_the_queue(patch: Patch) -> None:
    def made(_: Any) -> Any:
        def broken(self: TaskQueues, key: int) -> None:
            self._paused.discard(key)
            self._parked.pop(key, None)

        return broken

    patch.put(TaskQueues, "resume", made)


@mutant("a suspension does not hold activities back")
def suspended_activities_go_out(patch: Patch) -> None:
    patch.put(TaskQueues, "pause", lambda _: nothing)


@mutant("a restart forgets who is suspended", odds={"crash": 1.0})
def restart_forgets_suspensions(patch: Patch) -> None:
    def made(read: Any) -> Any:
        async def broken(self: Any, *given: Any) -> Any:
            self._tasks.set_paused = nothing
            try:
                return await read(self, *given)
            finally:
                del self._tasks.set_paused

        return broken

    patch.put(Recovery, "_read_tasks", made)


@mutant("a restart finds no activities", odds={"crash": 1.0})
def restart_forgets_activities(patch: Patch) -> None:
    async def broken(*_given: Any, **_named: Any) -> tuple[set[int], int]:
        return set(), 0

    patch.put(Recovery, "_read_tasks", lambda _: broken)


@mutant("a restart finds no turns", odds={"crash": 1.0})
def restart_forgets_turns(patch: Patch) -> None:
    async def broken(*_given: Any, **_named: Any) -> None:
        return None

    patch.put(Recovery, "_read_turns", lambda _: broken)


@mutant("what overflowed a queue is not looked for", settings={"ready_max": 1, "turns_max": 1})
def overflow_is_forgotten(patch: Patch) -> None:
    patch.put(ReadyQueue, "runs_low", lambda _: lambda _self: False)


@mutant("nobody tells the loop of timers about a new one")
def timers_are_not_noted(patch: Patch) -> None:
    patch.put(Timers, "note", lambda _: nothing)


@mutant("timers fire before their time")
def timers_fire_early(patch: Patch) -> None:
    def made(sweep: Any) -> Any:
        return lambda self, now_us: sweep(self, now_us + 60 * SECOND_US)

    patch.put(Timers, "_sweep", made)


@mutant("a timer fires and its event is lost")
def fired_timer_is_lost(patch: Patch) -> None:
    patch.put(timers, "Entry", lambda entry: lambda **named: entry(**(named | {"inbox": ()})))


@mutant("a purge does not tell the parent")
def purge_does_not_tell_the_parent(patch: Patch) -> None:
    def made(entry_of: Any) -> Any:
        return lambda self, snapshot, **_named: entry_of(self, snapshot, tells_parent=False)

    patch.put(Removal, "_entry", made)


@mutant("a purge leaves the instance where it is")
def purge_leaves_the_row(patch: Patch) -> None:
    def made(entry_of: Any) -> Any:
        return lambda *given, **named: replace(entry_of(*given, **named), purge=False)

    patch.put(Removal, "_entry", made)


@mutant("a purge deletes what it should have refused")
def purge_of_the_unfinished(patch: Patch) -> None:
    def made(purge: Any) -> Any:
        return lambda self, request: purge(self, replace(request, force=True))

    patch.put(Removal, "purge", made)


@mutant("retention misses what has failed", settings={"retention_us": _KEEP})
def retention_misses_some(patch: Patch) -> None:
    def made(init: Any) -> Any:
        def broken(self: Retention, *given: Any) -> None:
            init(self, *given)
            self._policy_us = {**self._policy_us}
            self._policy_us.pop(Status.FAILED, None)

        return broken

    patch.put(Retention, "__init__", made)


@mutant("retention deletes too early", settings={"retention_us": _KEEP})
def retention_is_impatient(patch: Patch) -> None:
    from perdure.engine import retention  # noqa: PLC0415 - the function is patched where it is used

    def made(expired: Any) -> Any:
        return lambda store, status, before_us: expired(store, status, before_us + 19 * SECOND_US)

    patch.put(retention, "_expired", made)


@mutant("a message leaves no receipt", odds={"client_untold": 0.1, "crash_after_commit": 0.02})
def messages_leave_no_receipt(patch: Patch) -> None:
    def made(post: Any) -> Any:
        return lambda self, delivery: post(self, replace(delivery, receipt=None))

    patch.put(Deliveries, "_post", made)


@mutant("a message whose receipt is there is taken in once more", odds={"client_untold": 0.1})
def receipts_are_not_looked_at(patch: Patch) -> None:
    times: dict[str, int] = {}

    def made(post: Any) -> Any:
        def broken(self: Deliveries, delivery: Any) -> Any:
            receipt = delivery.receipt
            times[receipt] = times.get(receipt, 0) + 1
            if times[receipt] > 1:
                delivery = replace(delivery, receipt=f"{receipt}, {times[receipt]}")
            return post(self, delivery)

        return broken

    patch.put(Deliveries, "_post", made)


@mutant("what is parked is never begun")
def parked_starts_are_forgotten(patch: Patch) -> None:
    patch.put(Parking, "look", lambda _: nothing)


@mutant("what is kept for an instance is not given to it", first_seed=7)
def kept_events_are_forgotten(patch: Patch) -> None:
    patch.put(Mailbox, "look", lambda _: nothing)
