"""`bindings.kubernetes`: what happens to the objects of a kind, each change once.

Theory of operation.
- A list says what is there, a watch what happens after it. The place in the stream is kept with
  us, in the commit of what a change led to; bookmarks move it on in memory.
- A watch ends by itself every few minutes, or is torn: it is opened again at the place. A place
  that is too old (`410 Gone`) is made good by a list, which `kube_changes` compares with it.
- When there is no place yet, what exists is told as added, as Dapr does it; `existing: skip` leaves
  it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from perdure.base.time import DAY_US, SECOND_US, Clock
from perdure.triggers.bindings.in_order import InOrder
from perdure.triggers.bindings.items import check_items
from perdure.triggers.bindings.kube_api import (
    TROUBLES,
    WATCH_SECONDS,
    Access,
    ApiTrouble,
    Gone,
    KubeApi,
    connection,
)
from perdure.triggers.bindings.kube_changes import (
    Change,
    Known,
    Object,
    Place,
    Told,
    listed_changes,
    message_of,
    place_of,
    version_of,
)
from perdure.triggers.bindings.wall_clock import WallClock
from perdure.triggers.port import Receiver, Settings, Standing
from perdure.triggers.reconnecting import connected, stay_connected

ALL_NAMESPACES: Final = "*"
_ITEMS: Final = (
    "namespace",
    "kind",
    "apiVersion",
    "labelSelector",
    "fieldSelector",
    "changes",
    "existing",
    "resyncPeriodInSec",
    "resyncPeriod",
    "kubeconfigPath",
    "kubeContext",
)
# Where the kinds are that people ask for; of any other, `apiVersion` says it.
_API_VERSIONS: Final = {
    "cronjob": "batch/v1",
    "daemonset": "apps/v1",
    "deployment": "apps/v1",
    "ingress": "networking.k8s.io/v1",
    "job": "batch/v1",
    "replicaset": "apps/v1",
    "statefulset": "apps/v1",
}
_BOOKMARK: Final = "BOOKMARK"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is watched."""

    api_version: str
    kind: str
    namespace: str | None
    selectors: Mapping[str, str]
    changes: frozenset[Change]
    skips_existing: bool
    resync_us: int | None

    def text(self) -> str:
        """Return what a place in the stream is a place of."""
        query = "&".join(f"{name}={value}" for name, value in sorted(self.selectors.items()))
        return f"{self.api_version}/{self.kind.lower()}/{self.namespace or '*'}?{query}"


def build(settings: Settings, clock: Clock | None = None) -> "KubernetesSource":
    """Return the source of a component; raises ConfigurationError."""
    check_items(settings, _ITEMS)
    namespace = settings.text("namespace")
    kind = settings.text("kind", "Event")
    selectors = {
        name: value
        for name in ("labelSelector", "fieldSelector")
        if (value := settings.optional(name))
    }
    subject = Subject(
        api_version=settings.text("apiVersion", _API_VERSIONS.get(kind.lower(), "v1")),
        kind=kind,
        namespace=None if namespace == ALL_NAMESPACES else namespace,
        selectors=selectors,
        changes=_changes(settings),
        skips_existing=settings.one_of("existing", ("deliver", "skip"), "deliver") == "skip",
        resync_us=_resync_us(settings),
    )
    access = Access(settings.optional("kubeconfigPath"), settings.optional("kubeContext"))
    return KubernetesSource(settings.component, subject, access, clock or WallClock())


class KubernetesSource:
    """The changes of the objects of one kind."""

    def __init__(self, name: str, subject: Subject, access: Access, clock: Clock) -> None:
        self.name = name
        self.standing = Standing()
        self._subject = subject
        self._access = access
        self._clock = clock
        self._place: Place | None = None
        self._known = Known()
        self._listed_us = 0

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; go on after `position`."""
        self._place = place_of(position, self._subject.text())
        # What was seen before, and may not be on disk, is not known.
        self._known = Known()
        try:
            await stay_connected(
                lambda: self._session(receive),
                name=self.name,
                standing=self.standing,
                troubles=TROUBLES,
            )
        finally:
            self.standing.connected = False

    async def _session(self, receive: Receiver) -> None:
        subject = self._subject
        async with (
            connection(self._access) as api,
            InOrder(receive, self.standing, self.name) as messages,
        ):
            path = await api.path_of(subject.api_version, subject.kind, subject.namespace)
            is_gone = False
            while True:
                place = self._place
                if place is None or place.listed or is_gone or self._is_to_be_listed():
                    place = await self._list(api, path, messages)
                try:
                    await self._watch(api, path, messages, place)
                    is_gone = False
                except Gone as error:
                    if is_gone:
                        raise ApiTrouble("a list is too old as soon as it is read") from error
                    is_gone = True
                    self.standing.notes["listed_anew"] = "the place in the stream was too old"
                    _log.warning("a place is too old; listing anew", source=self.name)

    def _is_to_be_listed(self) -> bool:
        resync_us = self._subject.resync_us
        return resync_us is not None and self._clock.now_us() - self._listed_us >= resync_us

    async def _list(self, api: KubeApi, path: str, messages: InOrder) -> Place:
        """Tell what is there, or what has changed since the place; return the new place."""
        try:
            listing = await api.list_all(path, self._subject.selectors)
        except Gone as error:
            raise ApiTrouble("the list grew old while it was read") from error
        if not listing.version:
            raise ApiTrouble("the API server lists without a resource version")
        connected(self.name, self.standing)
        before = self._place or Place()
        after = replace(before, listed=None).after(listing.version, listing.objects)
        if self._place is None and self._subject.skips_existing:
            changes = []
        else:
            changes = listed_changes(listing.objects, before, self._known)
        within = replace(before, listed=before.listed or listing.version)
        await self._tell(changes, messages, within, after)
        self._known.begin_anew(listing.objects)
        self._place = after
        self._listed_us = self._clock.now_us()
        return after

    async def _tell(
        self, changes: Sequence[Told], messages: InOrder, within: Place, after: Place
    ) -> None:
        wanted = [told for told in changes if told.change in self._subject.changes]
        for number, told in enumerate(wanted, start=1):
            # Only with the last of them everything is told that the new place stands for.
            await self._deliver(told, messages, after if number == len(wanted) else within)

    async def _watch(self, api: KubeApi, path: str, messages: InOrder, place: Place) -> None:
        selectors = self._subject.selectors
        async with api.watch(path, selectors, place.version, self._seconds()) as events:
            if not self.standing.connected:
                connected(self.name, self.standing)
            async for event in events:
                found: Object = event["object"]
                if event.get("type") == _BOOKMARK:
                    place = place.after(version_of(found), ())
                else:
                    place = place.after(version_of(found), (found,))
                    change = Change(str(event["type"]).lower())
                    await self._told(Told(change, found), messages, place)
                self._place = place

    async def _told(self, told: Told, messages: InOrder, after: Place) -> None:
        self._known.note(told.change, told.found)
        if told.change in self._subject.changes:
            await self._deliver(told, messages, after)

    async def _deliver(self, told: Told, messages: InOrder, after: Place) -> None:
        position = after.text(self._subject.text())
        now_us = self._clock.now_us()
        await messages.deliver(message_of(told, position=position, received_at_us=now_us))

    def _seconds(self) -> int:
        resync_us = self._subject.resync_us
        return WATCH_SECONDS if resync_us is None else min(resync_us // SECOND_US, WATCH_SECONDS)


def _changes(settings: Settings) -> frozenset[Change]:
    words = [each.value for each in Change]
    parts = [part.strip() for part in settings.text("changes", ",".join(words)).split(",")]
    for part in parts:
        if part not in words:
            raise settings.fault("changes", f"{part!r} is none of {', '.join(words)}")
    return frozenset(map(Change, parts))


def _resync_us(settings: Settings) -> int | None:
    if settings.optional("resyncPeriod") is not None:
        period_us = settings.duration_us("resyncPeriod", 0)
    else:
        seconds = settings.integer("resyncPeriodInSec", 0, least=0, most=DAY_US // SECOND_US)
        period_us = seconds * SECOND_US
    if period_us and period_us < SECOND_US:
        raise settings.fault("resyncPeriod", "expected a duration of at least 1s")
    return period_us or None
