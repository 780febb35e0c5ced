"""The triggers of a process as one object: built, started, asked, stopped."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.routing import BaseRoute

from perdure.base.time import SECOND_US, Clock
from perdure.components.catalog import Catalog
from perdure.components.publishing import PubSubView, SubscriptionView
from perdure.components.triggering import (
    DeadLetterPage,
    DeadLetterView,
    KeptPage,
    Replayed,
    TriggerFigures,
    TriggerView,
)
from perdure.core.deliveries import Delivery
from perdure.core.notes import NoteAdd, NoteEnd, NoteRule, Shelf
from perdure.triggers.cases import Post, Tally
from perdure.triggers.definitions import Subscription, Trigger
from perdure.triggers.delivering import Delivering
from perdure.triggers.feeds import Feed
from perdure.triggers.fitting import check_component, subscription_view
from perdure.triggers.letters import Letters
from perdure.triggers.port import PubSub, Settings, Source, WebSource
from perdure.triggers.publishing import BrokerPublisher
from perdure.triggers.registry import build_binding, build_pubsub
from perdure.triggers.routing import Rules
from perdure.triggers.topology import PUBSUB, Stream

SWEEP_US: Final = 60 * SECOND_US
_PAUSED_MAX: Final = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What was configured: components by name, triggers, and the streams that feed them."""

    components: Mapping[str, Settings]
    triggers: Sequence[Trigger]
    subscriptions: Sequence[Subscription]
    streams: Sequence[Stream]


class TriggerRoom:
    """An implementation of `components.triggering.Triggers`, and the life of all sources."""

    def __init__(self, plans: Plans, catalog: Catalog, clock: Clock, rules: Rules) -> None:
        """Build brokers and sources; nothing connects. Raises ConfigurationError."""
        self._plans = plans
        self._clock = clock
        self._delivering = Delivering(catalog)
        self._stopping = asyncio.Event()
        self._tallies = {each.name: Tally(each.paused, Counter()) for each in plans.triggers}
        self._brokers: dict[str, PubSub] = {
            name: build_pubsub(settings)
            for name, settings in plans.components.items()
            if settings.type.startswith(PUBSUB)
        }
        for trigger in plans.triggers:
            check_component(trigger, catalog)
        self._feeds = [self._feed(stream, rules) for stream in plans.streams]
        _check_paths(self._feeds, plans.components)
        self._feed_of = {
            trigger.name: feed for feed in self._feeds for trigger, _ in feed.post.stream.takers
        }
        self._letters = {
            trigger.name: Letters(feed.post, (trigger, way))
            for feed in self._feeds
            for trigger, way in feed.post.stream.takers
        }
        self._sweeper: asyncio.Task[None] | None = None
        self.publisher = BrokerPublisher(self._brokers, clock, rules.app_id)

    def _feed(self, stream: Stream, rules: Rules) -> Feed:
        settings = self._plans.components[stream.component]
        broker = self._brokers.get(stream.component)
        if broker is None:
            source: Source = build_binding(settings)
        else:
            assert stream.topic is not None, "a stream of a broker has a topic"
            source = broker.subscribe(stream.topic, stream.metadata)
        post = Post(
            delivering=self._delivering,
            clock=self._clock,
            rules=rules,
            stopping=self._stopping,
            stream=stream,
            source=source.name,
            broker=broker,
            tally=self._tallies.__getitem__,
        )
        return Feed(post, source, settings.type)

    # ---- life

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes of sources that are called."""
        return [route for feed in self._feeds for route in _routes_of(feed.source)]

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths among them that need no API token."""
        called = (feed.source for feed in self._feeds if isinstance(feed.source, WebSource))
        return frozenset(path for source in called for path in source.open_paths)

    async def start(self) -> None:
        """Begin to receive for all triggers that are not paused."""
        page = await self._delivering.keeper.notes(Shelf.PAUSED, limit=_PAUSED_MAX)
        for note in page.notes:
            if note.key in self._tallies:
                self._tallies[note.key].paused = True
        await self._count_letters()
        for feed in self._feeds:
            if feed.wanted:
                feed.enter()
        self._sweeper = asyncio.create_task(self._sweep(), name="sweep of kept messages")

    async def stop(self) -> None:
        """Stop receiving; what is on disk is also acknowledged, if its broker is there."""
        self._stopping.set()
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)
        await asyncio.gather(*(feed.leave() for feed in self._feeds))

    async def close(self) -> None:
        """Let go of the brokers, once nothing is published any more."""
        closings = (broker.close() for broker in self._brokers.values())
        for met in await asyncio.gather(*closings, return_exceptions=True):
            if isinstance(met, Exception):
                _log.warning("a broker was not let go of in good order", trouble=str(met))

    def trouble(self) -> str | None:
        """Return why messages do not come, for health; None when all is well."""
        troubles = [why for feed in self._feeds if (why := feed.trouble()) is not None]
        return "; ".join(troubles) or None

    def component_views(self) -> Sequence[PubSubView]:
        """Return the loaded brokers and bindings, for metadata."""
        return [PubSubView(name, each.type) for name, each in self._plans.components.items()]

    def subscription_views(self) -> Sequence[SubscriptionView]:
        """Return the topics that are received, for metadata."""
        return [subscription_view(stream) for stream in self._plans.streams if stream.topic]

    def figures(self) -> TriggerFigures:
        """Return what there is to count; may be asked from another thread."""
        sources = [feed.view() for feed in self._feeds]
        return TriggerFigures(
            messages={name: dict(tally.counts) for name, tally in self._tallies.items()},
            paused={name: tally.paused for name, tally in self._tallies.items()},
            received={view.name: view.received for view in sources},
            connected={view.name: view.connected for view in sources},
        )

    # ---- asked by the doors

    async def list(self) -> Sequence[TriggerView]:
        await self._count_letters()
        found = sorted(self._plans.triggers, key=lambda trigger: trigger.name)
        return [self._view(trigger) for trigger in found]

    async def get(self, name: str) -> TriggerView | None:
        return next((view for view in await self.list() if view.name == name), None)

    async def pause(self, name: str) -> bool:
        if name not in self._tallies:
            return False
        note = NoteAdd(
            shelf=Shelf.PAUSED, key=name, at_us=self._clock.now_us(), rule=NoteRule.REPLACE
        )
        await self._delivering.keeper.deliver(Delivery(receipt=None, notes=(note,)))
        self._tallies[name].paused = True
        feed = self._feed_of[name]
        if not feed.wanted:
            await feed.leave()
        return True

    async def resume(self, name: str) -> bool:
        if name not in self._tallies:
            return False
        ended = (NoteEnd(Shelf.PAUSED, name, must_exist=False),)
        await self._delivering.keeper.deliver(Delivery(receipt=None, ended_notes=ended))
        self._tallies[name].paused = False
        if not self._stopping.is_set():
            self._feed_of[name].enter()
        return True

    async def dead_letters(
        self, name: str, *, token: str | None, limit: int
    ) -> DeadLetterPage | None:
        letters = self._letters.get(name)
        return None if letters is None else await letters.page(token, limit)

    async def dead_letter(self, name: str, key: str) -> DeadLetterView | None:
        letters = self._letters.get(name)
        return None if letters is None else await letters.get(key)

    async def edit(self, name: str, key: str, data: bytes, content_type: str | None) -> bool:
        letters = self._letters.get(name)
        return letters is not None and await letters.edit(key, data, content_type)

    async def replay(self, name: str, key: str) -> Replayed | None:
        letters = self._letters.get(name)
        return None if letters is None else await letters.replay(key)

    async def discard(self, name: str, key: str) -> bool:
        letters = self._letters.get(name)
        return letters is not None and await letters.discard(key)

    async def kept(
        self, name: str, *, since_us: int, token: str | None, limit: int
    ) -> KeptPage | None:
        letters = self._letters.get(name)
        return None if letters is None else await letters.kept(since_us, token, limit)

    # ---- inside

    async def _sweep(self) -> None:
        while True:
            for letters in self._letters.values():
                await letters.sweep(self._clock.now_us())
            await asyncio.sleep(SWEEP_US / SECOND_US)

    async def _count_letters(self) -> None:
        counted = await self._delivering.keeper.count_notes_about(Shelf.DEAD_LETTERS)
        for name, tally in self._tallies.items():
            tally.letters = counted.get(name, 0)

    def _view(self, trigger: Trigger) -> TriggerView:
        tally = self._tallies[trigger.name]
        return TriggerView(
            name=trigger.name,
            action=trigger.action.value,
            workflow=trigger.workflow,
            component=trigger.component,
            place=trigger.place,
            spec=trigger.spec,
            source=self._feed_of[trigger.name].view(),
            paused=tally.paused,
            dead_letters=tally.letters,
            counts=dict(sorted(tally.counts.items())),
        )


def _routes_of(source: Source) -> Sequence[BaseRoute]:
    return source.routes if isinstance(source, WebSource) else ()


def _check_paths(feeds: Sequence[Feed], components: Mapping[str, Settings]) -> None:
    """Raise ConfigurationError if two sources want to be called at one path."""
    taken: dict[str, str] = {}
    for feed in feeds:
        for route in _routes_of(feed.source):
            name, path = feed.source.name, str(getattr(route, "path", ""))
            if taken.setdefault(path, name) != name:
                raise components[name].fault(
                    "path", f"{path} is the path of component {taken[path]}; expected another"
                )
