"""One stream with its source: entered while anybody wants its messages, left when nobody does."""

import asyncio

import structlog

from perdure.components.triggering import SourceView
from perdure.core.notes import Shelf
from perdure.triggers.cases import Post
from perdure.triggers.port import Source
from perdure.triggers.reception import Reception
from perdure.triggers.reconnecting import stay_connected

_log = structlog.get_logger(__name__)


class Feed:
    """The source of a stream. It may be entered and left any number of times."""

    def __init__(self, post: Post, source: Source, kind: str) -> None:
        """Take a source that is not yet running."""
        self.post = post
        self.source = source
        self._kind = kind
        self._receive = Reception(post)
        self._task: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether any of its triggers takes messages just now."""
        return any(
            not self.post.tally(trigger.name).paused for trigger, _ in self.post.stream.takers
        )

    def enter(self) -> None:
        """Begin to receive, unless it has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"source {self.source.name}")

    async def leave(self) -> None:
        """Stop receiving; returns once the source has let go of its broker."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.source.standing.connected = False

    def trouble(self) -> str | None:
        """Return why its messages do not come, or None if they do or are not wanted."""
        standing = self.source.standing
        if self._task is None or standing.connected:
            return None
        why = standing.trouble or "it is connecting"
        return f"source {self.source.name} is away: {why}"

    def view(self) -> SourceView:
        """Return how it is doing."""
        standing = self.source.standing
        return SourceView(
            name=self.source.name,
            kind=self._kind,
            connected=standing.connected,
            trouble=standing.trouble,
            received=standing.received,
            notes=dict(standing.notes),
        )

    async def _run(self) -> None:
        # A source never ends by itself. If one has a fault all the same, it is entered anew.
        await stay_connected(
            self._session,
            name=self.source.name,
            standing=self.source.standing,
            troubles=(),
        )

    async def _session(self) -> None:
        note = await self.post.delivering.keeper.note(Shelf.POSITIONS, self.source.name)
        position = None if note is None else note.body.decode()
        await self.source.run(self._receive, position)
