"""Where work and workers meet: what activities of Temporal's have to be done, and open streams.

It is the workplace that the workers' door asks, as the engine is elsewhere. Nothing is kept here:
what is at a worker when this process dies is scheduled again by Temporal.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from uuid import uuid4

from perdure.base.errors import WorkerFault
from perdure.base.limits import TURN_RETRY_FIRST_US, TURN_RETRY_LONGEST_US
from perdure.base.observer import WORKER_GONE, Observer
from perdure.base.time import SECOND_US, Clock
from perdure.bridge.jobs import TURN_PAIR, Answered, Job, TooLarge, WorkersGone
from perdure.bridge.settings import BridgeSettings
from perdure.engine.dialects import answers_in_microsofts
from perdure.engine.dispatcher import Dispatcher, Work, WorkStream
from perdure.engine.ownership import ALONE
from perdure.engine.slots import Slots
from perdure.engine.work import Profile, Stream
from perdure.wire.actions import decision_of, parse_activity_answer, parse_turn_answer


class Desk:
    """Hands out work and takes the answers (see `engine.work.Workplace`)."""

    def __init__(self, settings: BridgeSettings, clock: Clock, observer: Observer) -> None:
        """Begin with no work and no worker. `on_workers` is told when an app's workers change."""
        self.on_workers: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature
        self._clock = clock
        self._observer = observer
        self._dispatcher = Dispatcher(observer)
        self._dispatcher.on_join = self._joined
        self._dispatcher.on_leave = self._left
        self._waiting: dict[tuple[str, Work], deque[Job]] = {}
        self._out: dict[str, Job] = {}  # by token
        self._slots = {
            Work.TURN: Slots("turns", settings.turns_max, settings.turns_max_by_name, ALONE),
            Work.ACTIVITY: Slots(
                "activities", settings.activities_max, settings.activities_max_by_name, ALONE
            ),
        }
        # A place under a limit of all apps is free for any of them.
        self._limited = {
            Work.TURN: bool(settings.turns_max or settings.turns_max_by_name),
            Work.ACTIVITY: bool(settings.activities_max or settings.activities_max_by_name),
        }
        self._arrivals: dict[str, asyncio.Event] = {}

    # ---- the bridge's side

    def has_workers(self, app_id: str) -> bool:
        """Tell whether a worker of the app is connected."""
        return app_id in self._dispatcher.apps()

    async def do(self, job: Job) -> Answered:
        """Have a worker do it; raises WorkersGone if none is there, or TooLarge."""
        if not self.has_workers(job.app_id):
            raise _nobody(job.app_id)
        job.since_us = self._clock.now_us()
        self._queue(job).append(job)
        self._pump(job.app_id, job.kind)
        try:
            return await job.answer
        finally:
            self._withdraw(job)

    def give_back(self, app_id: str) -> None:
        """Let whatever waits for a worker of the app be done elsewhere, or later."""
        self._arrivals.pop(app_id, asyncio.Event()).set()
        for work in Work:
            for job in self._waiting.pop((app_id, work), ()):
                _fail(job, _nobody(app_id))

    async def arrival(self, app_id: str, timeout_s: float) -> None:
        """Return when the workers of the app have changed, or the time is over."""
        arrived = self._arrivals.setdefault(app_id, asyncio.Event())
        try:
            async with asyncio.timeout(timeout_s):
                await arrived.wait()
        except TimeoutError:
            return

    async def rest(self, timeout_s: float) -> bool:
        """Hand out nothing more, and let workers finish what they have; whether all did in time."""
        return await self._dispatcher.rest(timeout_s)

    def stop(self) -> None:
        """Hand out nothing more and end every stream well."""
        self._dispatcher.stop()

    # ---- the workers' side

    def open_stream(self, profile: Profile) -> Stream:
        """Begin to hand out work."""
        return self._dispatcher.open(profile)

    async def complete_turn(self, answer: bytes) -> None:
        """Take a turn's answer; one that breaks the protocol is told, and the turn tried again."""
        parsed = parse_turn_answer(answer)
        job = self._claimed(parsed.token, (parsed.instance_id, TURN_PAIR), "turn")
        if job is None or job.stream is None:
            return
        microsoft = answers_in_microsofts(job.stream, parsed)
        try:
            decision_of(parsed, microsoft=microsoft)
        except WorkerFault as fault:
            self._at_fault(job, fault)
            raise
        latency_us = max(0, self._clock.now_us() - job.handed_out_at_us)
        self._observer.turn_landed(job.subject, latency_us=latency_us)
        self._answered(job, Answered(answer, microsoft))

    async def complete_activity(self, answer: bytes) -> None:
        """Take an activity's result or failure."""
        parsed = parse_activity_answer(answer)
        job = self._claimed(parsed.token, (parsed.instance_id, parsed.task_id), "activity")
        if job is None or job.activity is None:
            return
        self._observer.activity_finished(
            job.subject,
            job.activity,
            failed=parsed.HasField("failure"),
            handed_out_at_us=job.handed_out_at_us,
            finished_at_us=self._clock.now_us(),
            span=None,
        )
        self._answered(job, Answered(answer, microsoft=False))

    def _claimed(self, token: str, pair: tuple[str, int], kind: str) -> Job | None:
        """Return the job that an answer is to: its token tells, or without one its pair."""
        job = self._out.get(token) if token else self._out_of(pair)
        if job is None or job.pair != pair:
            self._observer.late_completion_dropped(
                "turn" if kind == "turn" else "activity",
                instance_id=pair[0],
                reason="nothing of the kind is out",
            )
            return None
        if token and job.stream is not None:
            job.stream.echoes_tokens = True
        return job

    def _out_of(self, pair: tuple[str, int]) -> Job | None:
        found = (job for job in self._out.values() if job.pair == pair)
        return next(found, None)

    def _answered(self, job: Job, answer: Answered) -> None:
        self._came_back(job)
        if not job.answer.done():
            job.answer.set_result(answer)
        self._room(job.app_id)

    def _at_fault(self, job: Job, fault: WorkerFault) -> None:
        self._came_back(job)
        job.faults += 1
        self._observer.turn_retried(job.subject, attempt=job.faults, reason=str(fault))
        self._later(job, min(TURN_RETRY_FIRST_US << min(job.faults - 1, 32), TURN_RETRY_LONGEST_US))
        self._room(job.app_id)

    # ---- handing out

    def _queue(self, job: Job) -> deque[Job]:
        return self._waiting.setdefault((job.app_id, job.kind), deque())

    def _pump(self, app_id: str, work: Work) -> None:
        """Hand out what waits for as long as workers of the app have room."""
        queue = self._waiting.get((app_id, work), deque())
        passed_over: list[Job] = []
        slots = self._slots[work]
        while queue and not slots.full():
            stream = self._dispatcher.pick(app_id, work)
            if stream is None:
                break
            job = queue.popleft()
            if slots.full_for(job.name) or self._must_wait(job):
                passed_over.append(job)
            else:
                self._hand_out(job, stream)
        queue.extendleft(reversed(passed_over))

    def _must_wait(self, job: Job) -> bool:
        """Tell whether a worker's answer could be taken for that to another job of the pair."""
        other = self._out_of(job.pair)
        return other is not None and other.stream is not None and not other.stream.echoes_tokens

    def _hand_out(self, job: Job, stream: WorkStream) -> None:
        token = uuid4().hex
        try:
            item = job.make_item(stream, token)
        except TooLarge as complaint:
            _fail(job, complaint)
            return
        job.token, job.stream = token, stream
        job.handed_out_at_us = self._clock.now_us()
        job.losses.size_bytes = len(item)
        self._out[token] = job
        self._slots[job.kind].take(job.name)
        stream.send(job.kind, job, item)
        waited_us = max(0, job.handed_out_at_us - job.since_us)
        if job.activity is None:
            self._observer.turn_handed_out(job.subject, waited_us=waited_us)
        else:
            self._observer.activity_handed_out(job.subject, job.activity, waited_us=waited_us)

    def _came_back(self, job: Job) -> None:
        """Note that a job is at no worker any more."""
        if self._out.pop(job.token, None) is None:
            return
        if job.stream is not None:
            job.stream.release(job.kind, job)
        job.token, job.stream = "", None
        self._slots[job.kind].give(job.name)

    def _withdraw(self, job: Job) -> None:
        """Forget a job that is done, or that nobody wants any more."""
        queue = self._waiting.get((job.app_id, job.kind))
        if queue is not None and job in queue:
            queue.remove(job)
        if job.token:
            self._came_back(job)
            self._room(job.app_id)

    def _room(self, app_id: str) -> None:
        """Hand out what may take a place that has come free: under a limit, of any app."""
        for app, work in list(self._waiting):
            if app == app_id or self._limited[work]:
                self._pump(app, work)

    def _later(self, job: Job, pause_us: int) -> None:
        asyncio.get_running_loop().call_later(pause_us / SECOND_US, self._again, job)

    def _again(self, job: Job) -> None:
        if job.answer.done():
            return
        if not self.has_workers(job.app_id):
            _fail(job, _nobody(job.app_id))
            return
        self._queue(job).appendleft(job)
        self._pump(job.app_id, job.kind)

    # ---- streams that come and go

    def _joined(self, app_id: str) -> None:
        self._arrivals.pop(app_id, asyncio.Event()).set()
        for work in Work:
            self._pump(app_id, work)
        self.on_workers(app_id)

    def _left(self, stream: WorkStream) -> None:
        for job in [job for job in self._out.values() if job.stream is stream]:
            self._came_back(job)
            self._lost(job)
        app_id = stream.profile.app_id
        if not self.has_workers(app_id):
            self.give_back(app_id)
        self._room(app_id)
        self.on_workers(app_id)

    def _lost(self, job: Job) -> None:
        losses = job.losses
        losses.count += 1
        if job.activity is None:
            self._observer.turn_retried(job.subject, attempt=losses.count, reason=WORKER_GONE)
        else:
            self._observer.activity_retried(job.subject, job.activity, reason=WORKER_GONE)
        if losses.drives_workers_away:
            _fail(job, TooLarge(losses.text))
        elif losses.pause_us:
            self._later(job, losses.pause_us)
        else:
            self._again(job)


def _nobody(app_id: str) -> WorkersGone:
    return WorkersGone(f"no worker of the app '{app_id}' is connected to this bridge")


def _fail(job: Job, fault: WorkersGone | TooLarge) -> None:
    if not job.answer.done():
        job.answer.set_exception(fault)
