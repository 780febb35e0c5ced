"""Every type of binding and pub/sub broker there is, each imported only when it is configured."""

import difflib
import importlib
from dataclasses import dataclass
from typing import Final, cast

from perdure.triggers.port import BindingFactory, PubSub, PubSubFactory, Settings, Source


@dataclass(frozen=True, slots=True)
class _Kind:
    module: str
    extra: str | None = None  # what has to be installed besides


_ROOM: Final = "perdure.triggers"
_KINDS: Final[dict[str, _Kind]] = {
    "bindings.cron": _Kind("bindings.cron"),
    "bindings.http": _Kind("bindings.http"),
    "bindings.kafka": _Kind("bindings.kafka", "kafka"),
    "bindings.kubernetes": _Kind("bindings.kubernetes", "kubernetes"),
    "bindings.mqtt3": _Kind("bindings.mqtt3", "mqtt"),
    "bindings.nats": _Kind("bindings.nats", "nats"),
    "bindings.rabbitmq": _Kind("bindings.rabbitmq", "rabbitmq"),
    "bindings.redis": _Kind("bindings.redis", "redis"),
    "bindings.twitter": _Kind("bindings.twitter"),
    "pubsub.in-memory": _Kind("pubsub.in_memory"),
    "pubsub.jetstream": _Kind("pubsub.jetstream", "nats"),
    "pubsub.kafka": _Kind("pubsub.kafka", "kafka"),
    "pubsub.mqtt3": _Kind("pubsub.mqtt3", "mqtt"),
    "pubsub.rabbitmq": _Kind("pubsub.rabbitmq", "rabbitmq"),
    "pubsub.redis": _Kind("pubsub.redis", "redis"),
}
KINDS: Final = tuple(_KINDS)


def build_binding(settings: Settings) -> Source:
    """Return the source that a component's type means; raises ConfigurationError."""
    return cast("BindingFactory", _factory(settings))(settings)


def build_pubsub(settings: Settings) -> PubSub:
    """Return the broker that a component's type means; raises ConfigurationError."""
    return cast("PubSubFactory", _factory(settings))(settings)


def _factory(settings: Settings) -> object:
    kind = _KINDS.get(settings.type)
    if kind is None:
        family, _, name = settings.type.partition(".")
        known = [each for each in _KINDS if each.startswith(f"{family}.")]
        names = [each.removeprefix(f"{family}.") for each in known]
        near = difflib.get_close_matches(name, names, n=1)
        advice = f"did you mean {family}.{near[0]}?" if near else f"known are {', '.join(known)}"
        raise settings.fault(None, f"there is no type {settings.type}; {advice}")
    try:
        module = importlib.import_module(f"{_ROOM}.{kind.module}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if kind.extra is None or missing.startswith("perdure"):
            raise
        raise settings.fault(
            None,
            f"{settings.type} needs {missing}, which is not installed; "
            f'run: pip install "perdure[{kind.extra}]"',
        ) from error
    factory: object = module.build
    return factory
