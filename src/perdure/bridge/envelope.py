"""What a Temporal run is started with: the input, readable, and beside it what else is to be known.

A run that somebody starts with Temporal's own tools has no envelope; its first argument is the
input. A run that takes over from an earlier one finds here all that the earlier one knew.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from temporalio.common import RawValue

from perdure.bridge.instance import Instance, Item
from perdure.bridge.past import Past
from perdure.bridge.texts import PAYLOAD_BYTES_MAX, raw_text, text_of
from perdure.core.events import Event, ExecutionStarted
from perdure.core.rerun import Rerunnable
from perdure.core.state import blank, fold
from perdure.wire.events import decode, encode
from perdure.wire.generated.management_pb2 import StoredEvents

APP_ID: Final = "{app_id}"

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An instance as a run begins with it, and what of it the core does not know."""

    instance: Instance
    suspended: bool
    created_us: int
    queues: str  # the pattern of the task queues' names
    born: Mapping[int, str] = field(default_factory=dict)  # children that live, see `children`


def queue_of(queues: str, app_id: str) -> str:
    """Return the task queue of an app; a pattern without a place for it is one queue for all."""
    return queues.replace(APP_ID, app_id)


def arguments_of_start(
    started: ExecutionStarted, app_id: str, queues: str, propagated: bytes | None = None
) -> list[RawValue]:
    """Return the arguments of a run that begins an instance."""
    item = Item(started, encode(started))
    instance = Instance(started.instance_id, app_id, state=blank(), past=Past(), inbox=[item])
    instance.propagated = propagated
    return _arguments(
        Begun(instance=instance, suspended=False, created_us=started.at_us, queues=queues)
    )


def arguments_of_rerun(found: Rerunnable, app_id: str, queues: str) -> list[RawValue]:
    """Return the arguments of a run that goes on from another instance's history.

    What of it is open when the run begins is done again.
    """
    instance = Instance(
        found.started.instance_id,
        app_id,
        state=fold(blank(), found.history),
        past=Past(encode(event) for event in found.history),
        inbox=[],
    )
    at_us = found.history[-1].at_us
    return _arguments(Begun(instance=instance, suspended=False, created_us=at_us, queues=queues))


def arguments_of_renewal(begun: Begun) -> list[RawValue] | None:
    """Return the arguments of a run that takes over; None if Temporal cannot carry them."""
    arguments = _arguments(begun)
    size_bytes = sum(len(each.payload.data) for each in arguments)
    return arguments if size_bytes <= PAYLOAD_BYTES_MAX else None


def _arguments(begun: Begun) -> list[RawValue]:
    instance = begun.instance
    letter = {
        "perdure": _FORMAT,
        "appID": instance.app_id,
        "generation": instance.state.generation,
        "past": _packed(instance.past.events()),
        "inbox": _packed(item.data for item in instance.inbox),
        "inboxGenerations": [item.generation for item in instance.inbox],
        "customStatus": instance.custom_status,
        "propagated": None if instance.propagated is None else _text(instance.propagated),
        "suspended": begun.suspended,
        "createdAt": begun.created_us,
        "queues": begun.queues,
        "children": {str(task_id): run_id for task_id, run_id in begun.born.items()},
    }
    return [raw_text(instance.input), raw_text(json.dumps(letter))]


def begun_of(
    workflow_id: str, workflow_type: str, run_id: str, arguments: Sequence[RawValue], now_us: int
) -> Begun:
    """Return what a run begins with. Raises ValueError for an envelope that cannot be read."""
    text = text_of(arguments[0].payload) if arguments else None
    letter = _letter(arguments)
    if letter is None:
        started = ExecutionStarted(
            at_us=now_us,
            name=workflow_type,
            instance_id=workflow_id,
            execution_id=run_id,
            input=text,
        )
        item = Item(started, encode(started))
        # Which app it is of, the worker on its task queue knows.
        instance = Instance(workflow_id, "", state=blank(), past=Past(), inbox=[item])
        return Begun(instance=instance, suspended=False, created_us=now_us, queues=APP_ID)
    past = [_with_input(event, text) for event in _unpacked(letter["past"])]
    inbox = [_with_input(event, text) for event in _unpacked(letter["inbox"])]
    instance = Instance(
        workflow_id,
        letter["appID"],
        state=fold(blank(letter["generation"]), past),
        past=Past(encode(event) for event in past),
        inbox=[
            Item(event, encode(event), generation)
            for event, generation in zip(inbox, letter["inboxGenerations"], strict=True)
        ],
    )
    instance.custom_status = letter["customStatus"]
    propagated = letter["propagated"]
    instance.propagated = None if propagated is None else b64decode(propagated)
    return Begun(
        instance=instance,
        suspended=letter["suspended"],
        created_us=letter["createdAt"],
        queues=letter["queues"],
        born={int(task_id): run_id for task_id, run_id in letter["children"].items()},
    )


def _letter(arguments: Sequence[RawValue]) -> dict[str, Any] | None:
    if len(arguments) != 2:  # noqa: PLR2004 - the input and the envelope
        return None
    try:
        letter = json.loads(text_of(arguments[1].payload) or "null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(letter, dict) or "perdure" not in letter:
        return None
    if letter["perdure"] != _FORMAT:
        raise ValueError(f"the run was begun by another version of perdure: {letter['perdure']}")
    return letter


def _packed(events: Iterable[bytes]) -> str:
    bare = [_without_input(event) for event in events]
    return _text(zlib.compress(StoredEvents(events=bare).SerializeToString()))


def _unpacked(text: str) -> list[Event]:
    stored = StoredEvents.FromString(zlib.decompress(b64decode(text)))
    return [decode(event) for event in stored.events]


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _without_input(data: bytes) -> bytes:
    """Return an event without the input that stands beside the envelope already."""
    event = decode(data)
    return encode(replace(event, input=None)) if isinstance(event, ExecutionStarted) else data


def _with_input(event: Event, text: str | None) -> Event:
    return replace(event, input=text) if isinstance(event, ExecutionStarted) else event
