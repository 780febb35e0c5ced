"""Which source feeds which triggers: one stream of messages for each binding and each topic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from perdure.base.errors import ConfigurationError
from perdure.triggers.definitions import OfBinding, OfRoute, OfTopic, Subscription, Trigger

BINDINGS: Final = "bindings."
PUBSUB: Final = "pubsub."
RAW_PAYLOAD: Final = "rawPayload"
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One source's messages, and whom each is shown to: a trigger, and the way it came by."""

    component: str
    topic: str | None  # None for a binding
    metadata: Mapping[str, str]
    takers: tuple[tuple[Trigger, Subscription | None], ...]

    @property
    def raw(self) -> bool:
        """Whether its messages are never read as CloudEvents."""
        return self.metadata.get(RAW_PAYLOAD, "").lower() in _TRUE

    def dead_letter_topic(self, trigger: Trigger) -> str | None:
        """Return the topic to which messages go that a trigger cannot use."""
        ways = (way for taker, way in self.takers if taker is trigger and way is not None)
        return next((way.dead_letter_topic for way in ways), None)


def streams(
    triggers: Sequence[Trigger],
    subscriptions: Sequence[Subscription],
    kinds: Mapping[str, str],
    warn: Callable[[str], None],
) -> tuple[Stream, ...]:
    """Return the streams that there are; raises ConfigurationError for what does not fit.

    `kinds` are the types of the loaded components by name.
    """
    by_name = _by_name(subscriptions, "subscription")
    _by_name(triggers, "trigger")
    gathered: dict[tuple[str, str | None], list[tuple[Trigger, Subscription | None]]] = {}
    metadata: dict[tuple[str, str | None], tuple[tuple[str, str], ...]] = {}
    for trigger in triggers:
        way = None
        match trigger.origin:
            case OfBinding(binding):
                _check_kind(trigger.place, binding, BINDINGS, kinds)
                key: tuple[str, str | None] = (binding, None)
                wanted: tuple[tuple[str, str], ...] = ()
            case OfTopic(pubsub, topic, wanted):
                _check_kind(trigger.place, pubsub, PUBSUB, kinds)
                key = (pubsub, topic)
            case OfRoute(subscription, path):
                way = _way(trigger, subscription, path, by_name)
                _check_kind(way.place, way.pubsub, PUBSUB, kinds)
                key, wanted = (way.pubsub, way.topic), way.metadata
        _agree(trigger, key, wanted, metadata)
        gathered.setdefault(key, []).append((trigger, way))
    _check_paths(triggers, by_name, warn)
    return tuple(
        Stream(component=key[0], topic=key[1], metadata=dict(metadata[key]), takers=tuple(takers))
        for key, takers in gathered.items()
    )


def _by_name(
    found: Sequence[Subscription] | Sequence[Trigger], what: str
) -> dict[str, Subscription]:
    seen: dict[str, Subscription | Trigger] = {}
    for each in found:
        if each.name in seen:
            raise ConfigurationError(
                f"{each.place}: there is a {what} {each.name} already, at {seen[each.name].place}; "
                "give one of them another name"
            )
        seen[each.name] = each
    return {name: each for name, each in seen.items() if isinstance(each, Subscription)}


def _check_kind(place: str, name: str, prefix: str, kinds: Mapping[str, str]) -> None:
    if kinds.get(name, "").startswith(prefix):
        return
    fitting = sorted(other for other, kind in kinds.items() if kind.startswith(prefix))
    what = "input binding" if prefix == BINDINGS else "pub/sub component"
    known = f"loaded are {', '.join(fitting)}" if fitting else "none is loaded"
    raise ConfigurationError(
        f"{place}: there is no {what} {name}; {known} (is its file below --resources-path, and "
        "this app in its scopes?)"
    )


def _way(
    trigger: Trigger, subscription: str, path: str, by_name: Mapping[str, Subscription]
) -> Subscription:
    way = by_name.get(subscription)
    if way is None:
        known = ", ".join(sorted(by_name)) or "none"
        raise ConfigurationError(
            f"{trigger.place}: there is no subscription {subscription}; loaded: {known}"
        )
    if path not in way.paths():
        raise ConfigurationError(
            f"{trigger.place}: subscription {subscription} has no path {path}; it has "
            f"{', '.join(way.paths())} (a trigger's path is / and its name, unless source.path "
            "says another)"
        )
    return way


def _agree(
    trigger: Trigger,
    key: tuple[str, str | None],
    wanted: tuple[tuple[str, str], ...],
    metadata: dict[tuple[str, str | None], tuple[tuple[str, str], ...]],
) -> None:
    # One app receives a topic once, so that all who listen to it have to want it the same way.
    if metadata.setdefault(key, wanted) != wanted:
        raise ConfigurationError(
            f"{trigger.place}: topic {key[1]} of {key[0]} is received with other metadata by "
            "another trigger or subscription; make them the same"
        )


def _check_paths(
    triggers: Sequence[Trigger], by_name: Mapping[str, Subscription], warn: Callable[[str], None]
) -> None:
    taken = {
        (trigger.origin.subscription, trigger.origin.path)
        for trigger in triggers
        if isinstance(trigger.origin, OfRoute)
    }
    for way in by_name.values():
        missing = [path for path in way.paths() if (way.name, path) not in taken]
        if len(missing) == len(way.paths()):
            warn(f"{way.place}: no trigger uses subscription {way.name}, so it has no effect")
        elif missing:
            raise ConfigurationError(
                f"{way.place}: subscription {way.name} sends messages to {missing[0]}, and no "
                "trigger takes them there; add a WorkflowTrigger with source.subscription "
                f"{way.name} and source.path {missing[0]}, or remove the rule"
            )
