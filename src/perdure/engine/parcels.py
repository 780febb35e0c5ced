"""Requests as they are kept in notes, and back: JSON, with what has its default left out."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from perdure.core.requests import RaiseEvent, Start
from perdure.core.tracing import TraceContext


def pack_start(request: Start, at_us: int) -> bytes:
    """Return a start as bytes; what it says about existing instances is left out."""
    fields = {
        "instance_id": request.instance_id,
        "name": request.name,
        "app_id": request.app_id,
        "input": request.input,
        "version": request.version,
        "scheduled_start_us": request.scheduled_start_us,
        "tags": request.tags or None,
        "trace": None if request.trace is None else asdict(request.trace),
        "options": request.options or None,
    }
    return _bytes_of(fields, at_us)


def unpack_start(body: bytes) -> tuple[Start, int]:
    """Return a start, and when it was packed."""
    found = json.loads(body)
    trace = found.get("trace")
    start = Start(
        instance_id=found["instance_id"],
        name=found["name"],
        app_id=found["app_id"],
        input=found.get("input"),
        version=found.get("version"),
        scheduled_start_us=found.get("scheduled_start_us"),
        tags=_pairs(found.get("tags")),
        trace=None if trace is None else TraceContext(**trace),
        options=_pairs(found.get("options")),
    )
    return start, found["at_us"]


def pack_event(request: RaiseEvent, at_us: int) -> bytes:
    """Return an event as bytes."""
    fields = {
        "instance_id": request.instance_id,
        "name": request.name,
        "input": request.input,
    }
    return _bytes_of(fields, at_us)


def unpack_event(body: bytes) -> tuple[RaiseEvent, int]:
    """Return an event, and when it was packed."""
    found = json.loads(body)
    event = RaiseEvent(
        instance_id=found["instance_id"], name=found["name"], input=found.get("input")
    )
    return event, found["at_us"]


def _bytes_of(fields: Mapping[str, object], at_us: int) -> bytes:
    given = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"at_us": at_us, **given}).encode()


def _pairs(found: list[list[str]] | None) -> tuple[tuple[str, str], ...]:
    return () if found is None else tuple((name, value) for name, value in found)
