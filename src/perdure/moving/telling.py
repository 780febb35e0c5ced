"""An instance as a running server tells it: its history, and what stands in its first event.

What is in its inbox, which activities are open and what it has been told by others is not told.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import parse
from perdure.core.events import ExecutionStarted
from perdure.core.kinds import KIND_OF
from perdure.core.status import TERMINAL, Status
from perdure.store.moving import Whole
from perdure.store.port import FIRST_VERSION, Head, HistoryRow, Identity
from perdure.wire.events import decode

_PHASES: Final = TERMINAL | {Status.PENDING}
_KEY: Final = 1  # no server tells it; in a store it is given anew


def told_whole(members: Mapping[str, object], events: Sequence[bytes]) -> Whole:
    """Return what is known of an instance from the API's answer and its events.

    Raises CallerFault if they cannot be read.
    """
    decoded = [decode(event) for event in events]
    started = next((event for event in decoded if isinstance(event, ExecutionStarted)), None)
    status = _status(members)
    parent = None if started is None else started.parent
    identity = Identity(
        instance_id=_text(members, "instanceID"),
        name=_text(members, "workflowName"),
        app_id=_text(members, "appID"),
        execution_id=_text(members, "executionID"),
        version=None if started is None else started.version,
        born_at_us=_moment(members, "createdAt") or 0,
        scheduled_start_us=_moment(members, "scheduledStartAt"),
        parent_id=None if parent is None else parent.instance_id,
        parent_app_id=None if parent is None else parent.app_id,
        parent_task_id=-1 if parent is None else parent.task_id,
        tags=() if started is None else started.tags,
    )
    head = Head(
        phase=int(status if status in _PHASES else Status.RUNNING),
        created_at_us=_moment(members, "createdAt") or 0,
        started_at_us=_moment(members, "startedAt"),
        updated_at_us=_moment(members, "lastUpdatedAt") or 0,
        completed_at_us=_moment(members, "completedAt") if status in TERMINAL else None,
        waits_for=str(members.get("waitsFor", "nothing")),
        history_length=len(events),
        history_bytes=sum(map(len, events)),
    )
    history = tuple(
        HistoryRow(seq, KIND_OF[type(event)], data)
        for seq, (event, data) in enumerate(zip(decoded, events, strict=True), start=1)
    )
    return Whole(
        key=_KEY,
        version=FIRST_VERSION,
        identity=identity,
        head=head,
        suspended=False,
        held=False,
        history=history,
    )


def _status(members: Mapping[str, object]) -> Status:
    name = _text(members, "runtimeStatus")
    if name not in Status.__members__:
        raise CallerFault(f"runtimeStatus is {name!r}, which is none that is known")
    return Status[name]


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        raise CallerFault(f"{name} is no text")
    return value


def _moment(members: Mapping[str, object], name: str) -> int | None:
    return parse(_text(members, name))
