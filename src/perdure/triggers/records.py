"""Messages as they are kept: dead letters, and what a backtest looks at. JSON, read back strictly.

Pure, and the same on both sides: a record that is written is read back as it was.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from perdure.base.errors import StoreBroken
from perdure.triggers.port import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that a trigger could not use."""

    trigger: str
    source: str
    reason: str
    attempts: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message, and in words what became of it."""

    outcome: str
    message: Message


def write_dead_letter(letter: DeadLetter) -> bytes:
    """Return a dead letter as bytes."""
    return _written(
        {
            "trigger": letter.trigger,
            "source": letter.source,
            "reason": letter.reason,
            "attempts": letter.attempts,
            "message": _message_members(letter.message),
        }
    )


def read_dead_letter(body: bytes) -> DeadLetter:
    """Return a dead letter; raises StoreBroken for bytes that are none."""
    try:
        value = json.loads(body)
        return DeadLetter(
            trigger=value["trigger"],
            source=value["source"],
            reason=value["reason"],
            attempts=value["attempts"],
            message=_message(value["message"]),
        )
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise StoreBroken(f"a dead letter cannot be read: {error!r}") from error


def write_kept(kept: KeptMessage) -> bytes:
    """Return a kept message as bytes."""
    return _written({"outcome": kept.outcome, "message": _message_members(kept.message)})


def read_kept(body: bytes) -> KeptMessage:
    """Return a kept message; raises StoreBroken for bytes that are none."""
    try:
        value = json.loads(body)
        return KeptMessage(outcome=value["outcome"], message=_message(value["message"]))
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise StoreBroken(f"a kept message cannot be read: {error!r}") from error


def _written(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def _message_members(message: Message) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": message.message_id,
        "contentType": message.content_type,
        "attributes": message.attributes,
        "topic": message.topic,
        "receivedAt": message.received_at_us,
    }
    if message.named_after is not None:
        members["namedAfter"] = message.named_after
    try:
        return members | {"data": message.data.decode()}
    except UnicodeDecodeError:
        return members | {"dataBase64": base64.b64encode(message.data).decode()}


def _message(members: dict[str, Any]) -> Message:
    if "data" in members:
        data = members["data"].encode()
    else:
        data = base64.b64decode(members["dataBase64"], validate=True)
    return Message(
        message_id=members["id"],
        data=data,
        content_type=members["contentType"],
        attributes=tuple((name, value) for name, value in members["attributes"]),
        topic=members["topic"],
        received_at_us=members["receivedAt"],
        named_after=members.get("namedAfter"),
    )
