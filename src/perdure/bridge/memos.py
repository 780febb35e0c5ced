"""What a run says of itself in Temporal's memo, where a client reads it without asking a worker."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypedDict

from temporalio.api.common.v1 import Payload

from perdure.base.limits import KIB
from perdure.bridge import names
from perdure.bridge.instance import Instance
from perdure.components.temporal.starting import TAGS_MEMO
from perdure.core.events import ExecutionStarted
from perdure.core.status import Status

# Temporal takes 2 MiB of memo, most of which an input may need.
CUSTOM_STATUS_BYTES_MAX: Final = 32 * KIB


class Origin(TypedDict, total=False):
    """What stays of an instance as it goes on."""

    appID: str
    executionID: str
    version: str | None
    tags: dict[str, str]
    scheduledStartAt: int | None
    parentInstanceID: str | None
    parentAppID: str | None


class Progress(TypedDict):
    """What changes. It is written when it has changed, which is not with every turn."""

    phase: str
    suspended: bool
    stalled: str | None
    version: str | None
    createdAt: int


def origin_of(started: ExecutionStarted, app_id: str) -> Origin:
    """Return the memo of an instance that begins."""
    parent = started.parent
    return {
        "appID": app_id,
        "executionID": started.execution_id,
        "version": started.version,
        "tags": dict(started.tags),
        "scheduledStartAt": started.scheduled_start_us,
        "parentInstanceID": None if parent is None else parent.instance_id,
        "parentAppID": None if parent is None else parent.app_id,
    }


def memo_of_start(started: ExecutionStarted, app_id: str) -> dict[str, object]:
    """Return the memo of an instance that begins, its tags where every client looks for them."""
    memo: dict[str, object] = {names.ORIGIN: origin_of(started, app_id)}
    if started.tags:
        memo[TAGS_MEMO] = dict(started.tags)
    return memo


def progress_of(instance: Instance, *, suspended: bool, created_us: int) -> Progress:
    """Return how far an instance is. How it has ended, Temporal knows itself."""
    state, stalled = instance.state, instance.state.stalled
    is_pending = state.started is None and state.generation == 1
    return {
        "phase": (Status.PENDING if is_pending else Status.RUNNING).name,
        "suspended": suspended,
        "stalled": None if stalled is None else f"{stalled.reason.name}: {stalled.description}",
        "version": state.version_name,
        "createdAt": created_us,
    }


def shown_custom_status(text: str) -> str:
    """Return a custom status as the memo can hold it beside an input of the largest size."""
    size_bytes = len(text.encode())
    if size_bytes <= CUSTOM_STATUS_BYTES_MAX:
        return text
    return f"(a custom status of {size_bytes} bytes, which is too large for Temporal's memo)"


def origin_in(memo: Mapping[str, Payload]) -> Origin:
    """Return what a run began with; nothing of it is there if a tool of Temporal's started it."""
    found: Origin | None = _read(memo, names.ORIGIN)
    return {} if found is None else found


def progress_in(memo: Mapping[str, Payload]) -> Progress | None:
    """Return how far a run is; None until its first turn, or its first suspension."""
    found: Progress | None = _read(memo, names.PROGRESS)
    return found


def _read(memo: Mapping[str, Payload], key: str) -> Any:
    return json.loads(memo[key].data) if key in memo else None
