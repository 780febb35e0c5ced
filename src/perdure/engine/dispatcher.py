"""Which worker gets the next work item: streams, and their rooms.

A stream is one GetWorkItems call. It holds what it was sent and has not finished; when it ends,
all of that is handed out again. Work is given to the streams of its app in turn, and a turn to
the stream that had the instance's last one, if that has room.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import Enum

from perdure.base.errors import CallerFault, ShuttingDown
from perdure.base.limits import RESIDENTS_MAX, STREAMS_MAX
from perdure.base.observer import Observer
from perdure.engine.work import Profile
from perdure.wire.work_items import recall_item


class Work(Enum):
    """The two kinds of work item."""

    TURN = "turn"
    ACTIVITY = "activity"


class WorkStream:
    """One open stream. `held` is what it was sent and has not finished, by kind."""

    def __init__(self, profile: Profile, leave: Callable[["WorkStream"], None]) -> None:
        """Open the stream of a worker."""
        self.profile = profile
        self.dialect = profile.dialect
        self.held: dict[Work, set[object]] = {Work.TURN: set(), Work.ACTIVITY: set()}
        self.echoes_tokens = False
        self.echoes_in_turns = False
        # How many results are not to wait for their turns, and how many in a row did so in vain
        # (`engine.together`).
        self.results_to_hurry = 0
        self.late_results = 0
        self.turn_us = 0  # what its turns take of late; 0 is not known yet
        # For workers that keep histories: what they were last sent of each id, under which they
        # keep it; of which instance, generation and length.
        self.sent: dict[str, tuple[int, int, int]] = {}
        self._leave = leave
        self._outbox: deque[bytes] = deque()
        self._offer: Callable[[bytes], bool] | None = None
        self._changed = asyncio.Event()
        self._released = asyncio.Event()
        # Told the token of an activity whose instance is gone: its result is nobody's any more.
        self.on_recall: Callable[[str], None] = self._recall
        self.resting = False  # it is handed nothing more, and has its answers landed
        self._ending = False
        self.closed = False

    def has_room(self, work: Work) -> bool:
        """Tell whether the worker can take one more of this kind."""
        profile = self.profile
        most = profile.turns_max if work is Work.TURN else profile.activities_max
        held = len(self.held[work])
        if self.resting or self.closed or (most is not None and held >= most):
            return False
        return len(self.held[Work.TURN]) + len(self.held[Work.ACTIVITY]) < profile.items_max

    def send(self, work: Work, thing: object, item: bytes) -> None:
        """Queue a work item to be sent; the stream holds `thing` until it is released."""
        self.held[work].add(thing)
        self._pass(item)

    def goes_by(self, offer: Callable[[bytes], bool]) -> None:
        """Have items that come when none waits sent by `offer` (see `engine.work.Stream`)."""
        self._offer = offer

    def _pass(self, item: bytes) -> None:
        # Whoever draws from `items` has to be woken for it, which takes the loop some turns.
        if self._outbox or self._offer is None or not self._offer(item):
            self._outbox.append(item)
            self._changed.set()

    def _recall(self, token: str) -> None:
        if self.profile.takes_recalls and not self.closed:
            self._pass(recall_item(token))

    def release(self, work: Work, thing: object) -> None:
        """Let go of something that is finished or is to go elsewhere."""
        self.held[work].discard(thing)
        self._released.set()

    async def emptied(self) -> None:
        """Return once the worker has finished all that it had, or has gone."""
        while any(self.held.values()) and not self.closed:
            self._released.clear()
            await self._released.wait()

    def remember(self, instance_id: str, sent: tuple[int, int, int]) -> None:
        """Note what a worker that keeps histories has been sent of an instance."""
        if self.profile.stateful_history:
            self.sent.pop(instance_id, None)
            self.sent[instance_id] = sent
            if len(self.sent) > RESIDENTS_MAX:
                del self.sent[next(iter(self.sent))]

    async def items(self) -> AsyncIterator[bytes]:
        """Yield work items as they come, until the engine stops."""
        while not self.closed:
            while self._outbox and not self.closed:
                yield self._outbox.popleft()
            if self._ending:
                return
            self._changed.clear()
            await self._changed.wait()

    def end(self) -> None:
        """Send what is queued, nothing more, and let the stream end well."""
        self._ending = self.resting = True
        self._changed.set()

    def close(self) -> None:
        """End the stream now; may be called twice."""
        if not self.closed:
            self.closed = True
            self._offer = None
            self._released.set()
            self._changed.set()
            self._leave(self)


Make = Callable[[Profile, Callable[[WorkStream], None]], WorkStream]


class Dispatcher:
    """All open streams."""

    def __init__(self, observer: Observer) -> None:
        """Begin with none. The two callbacks are set once, by whoever composes the engine."""
        self._observer = observer
        # A rotation for each kind: with one for both, two workers would get one kind each.
        self._streams: dict[tuple[str, Work], deque[WorkStream]] = {}
        self._here: dict[str, WorkStream] = {}  # apps in this process (`engine.local`)
        self._count = 0
        self._resting = False
        self._stopping = False
        self.on_join: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature
        self.on_leave: Callable[[WorkStream], None] = lambda stream: None  # noqa: ARG005 - nobody listens yet

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._count

    def apps(self) -> list[str]:
        """Return the apps that have a worker."""
        return [app_id for app_id, work in self._streams if work is Work.TURN]

    def open(self, profile: Profile, make: Make | None = None) -> WorkStream:
        """Open a stream; raises ShuttingDown if the engine takes no more workers.

        One that `make` makes belongs to an app that is here: it gets all the work of its app id.
        """
        if self._stopping:
            msg = "the server is stopping"
            raise ShuttingDown(msg)
        if self._count >= STREAMS_MAX:
            msg = f"there are {STREAMS_MAX} worker streams already"
            raise ShuttingDown(msg)
        if make is not None and profile.app_id in self._here:
            msg = f"app '{profile.app_id}' is in this process already"
            raise CallerFault(msg)
        stream = (make or WorkStream)(profile, self._left)
        if make is not None:
            self._here[profile.app_id] = stream
        stream.resting = self._resting
        for work in Work:
            # At the head, so that it is tried next: it may be what stalled instances wait for.
            self._streams.setdefault((profile.app_id, work), deque()).appendleft(stream)
        self._count += 1
        self._observer.worker_connected(
            profile.worker, app_id=profile.app_id, dialect=profile.dialect.value
        )
        self.on_join(profile.app_id)
        return stream

    def pick(
        self, app_id: str, work: Work, preferred: WorkStream | None = None
    ) -> WorkStream | None:
        """Return a stream of the app with room for one more, or None."""
        here = self._here.get(app_id)
        if here is not None:
            return here if here.has_room(work) else None
        if preferred is not None and preferred.has_room(work):
            return preferred
        streams = self._streams.get((app_id, work))
        if not streams:
            return None
        for _ in range(len(streams)):
            streams.rotate(-1)
            if streams[-1].has_room(work):
                return streams[-1]
        return None

    def has_room(self, app_id: str, work: Work) -> bool:
        """Tell whether any stream of the app can take one more of this kind."""
        here = self._here.get(app_id)
        if here is not None:
            return here.has_room(work)
        return any(stream.has_room(work) for stream in self._streams.get((app_id, work), ()))

    def here(self, app_id: str) -> WorkStream | None:
        """Return the stream of an app that is in this process."""
        return self._here.get(app_id)

    async def rest(self, timeout_s: float) -> bool:
        """Hand out nothing more; tell whether the workers finished what they had in time."""
        self._resting = True
        streams = [stream for of in self._streams.values() for stream in of]
        for stream in streams:
            stream.resting = True
        try:
            async with asyncio.timeout(timeout_s):
                for stream in streams:
                    await stream.emptied()
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        """Hand out nothing more, and let every stream end well."""
        self._stopping = True
        for streams in self._streams.values():
            for stream in streams:
                stream.end()

    def _left(self, stream: WorkStream) -> None:
        for work in Work:
            place = stream.profile.app_id, work
            self._streams[place].remove(stream)
            if not self._streams[place]:
                del self._streams[place]  # whoever connects may name any app
        if self._here.get(stream.profile.app_id) is stream:
            del self._here[stream.profile.app_id]
        self._count -= 1
        outstanding = sum(map(len, stream.held.values()))
        self._observer.worker_disconnected(
            stream.profile.worker, app_id=stream.profile.app_id, outstanding=outstanding
        )
        self.on_leave(stream)
