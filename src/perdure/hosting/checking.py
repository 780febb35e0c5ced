"""What a start is given, looked at before it is taken: Python does not check what people hand in.

The bounds are those of the doors, so that whatever is started here can be started there.
"""

from collections.abc import Mapping
from datetime import datetime

from perdure.authoring.registry import name_of
from perdure.base.errors import CallerFault
from perdure.base.limits import NAME_BYTES_MAX, TASKHUB_INSTANCE_ID_BYTES_MAX
from perdure.hosting.instances import microseconds_of
from perdure.wire.tags import TAGS_METADATA_KEY, checked_tags


def checked_id(id: str) -> str:
    """Return the id of an instance; raises TypeError or ValueError if it can be none."""
    if not known_id(id) or not id.isprintable() or len(id.encode()) > TASKHUB_INSTANCE_ID_BYTES_MAX:
        raise ValueError(
            "the id of an instance has at least one character, at most "
            f"{TASKHUB_INSTANCE_ID_BYTES_MAX} bytes and only what can be printed: {id[:40]!r}"
        )
    return id


def known_id(id: str) -> str:
    """Return the id of an instance that may be there; raises TypeError for what is no text.

    The store has numbers of its own for instances: a number would find another one.
    """
    if not isinstance(id, str):
        raise TypeError(f"the id of an instance is a str, not {_kind(id)}")
    return id


def checked_name(workflow: object) -> str:
    """Return the name of a workflow given as its function or name.

    Raises TypeError or ValueError for what is neither.
    """
    if not isinstance(workflow, str):
        if not callable(workflow):
            raise TypeError(f"a workflow is its function or its name, not {_kind(workflow)}")
        return name_of(workflow)
    if not workflow or len(workflow.encode()) > NAME_BYTES_MAX:
        raise ValueError(f"the name of a workflow has 1 to {NAME_BYTES_MAX} bytes")
    return workflow


def checked_event(name: str) -> str:
    """Return the name of an event; raises TypeError or ValueError if it can be none."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an event is a str, not {_kind(name)}")
    if not name or len(name.encode()) > NAME_BYTES_MAX:
        raise ValueError(f"the name of an event has 1 to {NAME_BYTES_MAX} bytes")
    return name


def checked_moment_us(at: datetime) -> int:
    """Return a moment in microseconds; raises TypeError for what is none."""
    if not isinstance(at, datetime):
        raise TypeError(f"at= is a datetime, not {_kind(at)}")
    return microseconds_of(at)


def checked_pairs(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return tags in the order of their names; raises TypeError or ValueError beyond the bounds."""
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(
                f"tags are text: {name!r} is {_kind(name)}, and its value {_kind(value)}"
            )
    try:
        return checked_tags(sorted(tags.items()))
    except CallerFault as fault:
        raise ValueError(str(fault).replace(TAGS_METADATA_KEY, "tags", 1)) from fault


def _kind(value: object) -> str:
    return f"{type(value).__name__} ({repr(value)[:40]})"
