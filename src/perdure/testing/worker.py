"""The worker of a test's process: turns by the author's code, activities in place.

Theory of operation. It takes work items as any worker does, and answers as any worker does; what
is between is on the simulated loop, within the process that it belongs to. So it is cut off in the
middle of an activity when that process dies, and it forgets what it kept of workflows. What goes
wrong with its answers, and with its connection, is the schedule's to say.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from perdure.authoring.activities import Activity
from perdure.base.time import SECOND_US
from perdure.engine.work import Profile, Stream
from perdure.proving.node import Node
from perdure.testing.deciding import Deciding
from perdure.testing.occasions import Occasions, Story
from perdure.testing.runs import Runs
from perdure.testing.schedule import Kind
from perdure.wire.answers import activity_answer
from perdure.wire.fields import failure_bytes
from perdure.wire.generated import work_pb2 as pb
from perdure.worker.calls import ActivityCall, Outcome, Returned, raised
from perdure.worker.items import call_of
from perdure.worker.turns import Turns

# A result that is handed in again comes so much later.
_AGAIN_US: Final = SECOND_US


class Worker:
    """The worker of one life of a process, for whichever apps there is work."""

    def __init__(
        self, node: Node, decide: Deciding, runs: Runs, occasions: Occasions, story: Story
    ) -> None:
        """Do the work of `node`; whoever composes the process connects it."""
        self.in_hand = 0  # what has been taken, and not yet handed in
        self.call_in: Callable[..., object]
        self.on_turn: Callable[[], None]
        self._node = node
        self._ends: dict[str, _End] = {}
        self._turns = Turns(decide)
        self._runs = runs
        self._occasions = occasions
        self._story = story

    def connect(self, app_id: str) -> None:
        """Open a connection for an app, if there is none."""
        if app_id not in self._ends:
            self._ends[app_id] = _End(app_id, self._take)
            self._open(self._ends[app_id])

    def _open(self, end: "_End") -> None:
        self._node.open(Profile(app_id=end.app_id, worker=end.name), end)

    # ---- what comes

    def _take(self, end: "_End", item: bytes) -> None:
        message = pb.WorkItem.FromString(item)
        if message.WhichOneof("request") == "activity":
            request = pb.ActivityRequest.FromString(message.activity)
            self._begin(call_of(request), message.token, end)
        else:
            self._decide(pb.TurnRequest.FromString(message.turn), message.token)

    def _decide(self, request: pb.TurnRequest, token: str) -> None:
        self.on_turn()
        answer = self._turns.answer(request, token)
        late = self._occasions.fault(Kind.TURN_LATE, lambda: f"a turn of '{request.instance_id}'")
        self._hand_in(answer, 0 if late is None else late.late_us, of_turn=True)

    def _begin(self, wanted: ActivityCall, token: str, end: "_End") -> None:
        if self._occasions.fault(Kind.RUN_TWICE, partial(_told, wanted)) is not None:
            self._node.cut(end.stream)
            self.call_in(0, self._open, end)
        activity = self._runs.find(wanted.scheduled.name)
        if activity is None:
            text = f"Activity function named '{wanted.scheduled.name}' was not registered!"
            outcome = raised("ActivityNotRegisteredError", text)
            self._ended(wanted, token, outcome, f"{wanted.scheduled.name} is not registered")
        elif activity.is_async:
            self.in_hand += 1
            self._node.spawn(self._run(activity, wanted, token))
        else:
            self._ended(wanted, token, *self._runs.run(activity, wanted))

    async def _run(self, activity: Activity, wanted: ActivityCall, token: str) -> None:
        outcome, told = await self._runs.run_async(activity, wanted, lambda: self._paused(wanted))
        self.in_hand -= 1
        self._ended(wanted, token, outcome, told)

    def _paused(self, wanted: ActivityCall) -> None:
        alive = self._node.running
        if alive and self._occasions.fault(Kind.CRASH_IN_RUN, partial(_told, wanted)) is not None:
            self._node.kill("in the middle of a run")

    # ---- what is handed in

    def _ended(self, wanted: ActivityCall, token: str, outcome: Outcome, told: str) -> None:
        self._story.tell(told)
        if self._occasions.fault(Kind.CRASH_AFTER_RUN, partial(_told, wanted)) is not None:
            self._node.kill("after a run")
            return
        answer = activity_answer(
            wanted.instance_id,
            wanted.scheduled.event_id,
            token,
            result=outcome.result if isinstance(outcome, Returned) else None,
            failure=None if isinstance(outcome, Returned) else failure_bytes(outcome.failure),
        )
        late = self._occasions.fault(Kind.RESULT_LATE, partial(_told, wanted))
        late_us = 0 if late is None else late.late_us
        self._hand_in(answer, late_us, of_turn=False)
        if self._occasions.fault(Kind.RESULT_TWICE, partial(_told, wanted)) is not None:
            self._hand_in(answer, late_us + _AGAIN_US, of_turn=False)

    def _hand_in(self, answer: bytes, late_us: int, *, of_turn: bool) -> None:
        if not late_us:
            self._node.take_answer(answer, of_turn=of_turn)
            return
        self.in_hand += 1

        def arrive() -> None:
            self.in_hand -= 1
            self._node.take_answer(answer, of_turn=of_turn)

        self.call_in(late_us, arrive)


class _End:
    """The worker's end of the connection for one app."""

    name = "worker"
    stream: Stream | None

    def __init__(self, app_id: str, take: Callable[["_End", bytes], None]) -> None:
        self.app_id = app_id
        self.stream = None
        self._take = take

    def deliver(self, stream: Stream, item: bytes) -> None:
        del stream
        self._take(self, item)

    def ended(self, stream: Stream) -> None:
        if self.stream is stream:
            self.stream = None


def _told(wanted: ActivityCall) -> str:
    return f"{wanted.scheduled.name} of '{wanted.instance_id}'"
