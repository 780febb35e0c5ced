"""What triggers of a file would do with a message, without a server and without doing it."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from perdure.app.component_files import SUBSCRIPTION, TRIGGER
from perdure.app.documents import kind_of
from perdure.app.subscription_files import read_subscription
from perdure.app.trigger_files import read_trigger
from perdure.app.yaml_files import Document, read_documents
from perdure.base.errors import ConfigurationError
from perdure.triggers.cloud_events import NoEvent
from perdure.triggers.definitions import OfRoute, OfTopic, Subscription, Trigger
from perdure.triggers.outcomes import as_data, in_words
from perdure.triggers.port import Message
from perdure.triggers.routing import Plan, Rules, Unusable, decide, received
from perdure.triggers.topology import Stream

# What JSON objects are read as.
Members: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trigger would do: as data, and in one line."""

    trigger: str
    outcome: Members
    words: str
    usable: bool


class TriggerFile:
    """The triggers of one file, with the subscriptions that stand in it as well."""

    def __init__(self, file: Path, rules: Rules) -> None:
        """Read the file; raises ConfigurationError, also if it holds no trigger."""
        self._rules = rules
        self.warnings: list[str] = []
        self.triggers: dict[str, Trigger] = {}
        self._ways: dict[str, Subscription] = {}
        for document in read_documents(file):
            self._read(document)
        if not self.triggers:
            raise ConfigurationError(f"{file}: expected a resource of kind {TRIGGER}")
        for trigger in self.triggers.values():
            if isinstance(trigger.origin, OfRoute) and self._way(trigger) is None:
                self.warnings.append(
                    f"subscription {trigger.origin.subscription} is not in {file}: its rules are "
                    f"left out, as if they sent every message to {trigger.origin.path}"
                )

    def _read(self, document: Document) -> None:
        kind = kind_of(document)
        if kind == TRIGGER:
            trigger = read_trigger(document, app_id=self._rules.app_id, every_app=True)
            assert trigger is not None, "it is read for every app"
            self.triggers[trigger.name] = trigger
        elif kind == SUBSCRIPTION:
            way = read_subscription(
                document, app_id=self._rules.app_id, warn=self.warnings.append, every_app=True
            )
            assert way is not None, "it is read for every app"
            self._ways[way.name] = way

    def _way(self, trigger: Trigger) -> Subscription | None:
        origin = trigger.origin
        return self._ways.get(origin.subscription) if isinstance(origin, OfRoute) else None

    def trials(self, message: Message) -> Iterator[Trial]:
        """Yield what each trigger would do with a message."""
        for trigger in self.triggers.values():
            yield self.trial(trigger, message)

    def trial(self, trigger: Trigger, message: Message) -> Trial:
        """Return what a trigger, of this file or as it was before, would do with a message."""
        plan = self._plan(trigger, message)
        return Trial(trigger.name, as_data(plan), in_words(plan), not isinstance(plan, Unusable))

    def _plan(self, trigger: Trigger, message: Message) -> Plan:
        way = self._way(trigger)
        match trigger.origin:
            case OfTopic(pubsub=component, metadata=metadata):
                source = f"{component}/{trigger.origin.topic}"
            case OfRoute():
                source = trigger.origin.subscription
                metadata = () if way is None else way.metadata
            case _:
                source, metadata = trigger.origin.binding, ()
        stream = Stream(component=source, topic=None, metadata=dict(metadata), takers=())
        try:
            found = received(source, message, raw=stream.raw)
        except NoEvent as error:
            return Unusable(str(error))
        return decide(trigger, way, found, self._rules)


def compared(
    read: TriggerFile, before: Trigger, after: Trigger, kept: Iterable[Members]
) -> dict[str, Any]:
    """Return what a changed trigger would have done otherwise with messages as the API lists them.

    JSON: how many there were, and of each that differs what would have been done before and after.
    """
    count = 0
    differences: list[dict[str, Any]] = []
    for each in kept:
        count += 1
        message = _kept_message(each["message"])
        then, now = read.trial(before, message), read.trial(after, message)
        if then.outcome != now.outcome:
            differences.append(
                {
                    "id": each["id"],
                    "receivedAt": each["message"]["receivedAt"],
                    "recorded": each["outcome"],
                    "before": dict(then.outcome),
                    "after": dict(now.outcome),
                    "words": [then.words, now.words],
                }
            )
    return {"trigger": after.name, "messages": count, "differences": differences}


def _kept_message(members: Members) -> Message:
    text = members.get("data")
    return message_of(
        b64decode(members["dataBase64"]) if text is None else str(text).encode(),
        content_type=members.get("contentType"),
        attributes=[(str(name), str(value)) for name, value in members["attributes"]],
        message_id=members.get("id"),
        topic=members.get("topic"),
        named_after=members.get("namedAfter"),
    )


def as_it_is(name: str, spec: Members, *, app_id: str) -> Trigger:
    """Return the trigger that a server says it runs."""
    value: Any = {
        "apiVersion": "perdure.io/v1alpha1",
        "kind": TRIGGER,
        "metadata": {"name": name},
        "spec": dict(spec),
    }
    document = Document(Path(f"trigger {name} of the server"), value, {(): (1, 1)})
    trigger = read_trigger(document, app_id=app_id, every_app=True)
    assert trigger is not None, "it is read for every app"
    return trigger


def message_of(
    data: bytes,
    *,
    content_type: str | None,
    attributes: Sequence[tuple[str, str]] = (),
    message_id: str | None = None,
    topic: str | None = None,
    named_after: str | None = None,
) -> Message:
    """Return a message as a source would hand it on."""
    return Message(
        message_id=message_id,
        data=data,
        content_type=content_type,
        attributes=tuple(attributes),
        topic=topic,
        named_after=named_after,
    )


def rules_of(*, app_id: str, id_bytes_max: int) -> Rules:
    """Return what instance ids may be."""
    return Rules(app_id, id_bytes_max)
