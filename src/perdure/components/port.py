"""What a workflow component is: the interface that every front door asks.

A door translates its wire into these requests and the answers back; it decides nothing. What a
component refuses comes back as a `Refusal`; faults are the exceptions of `base.errors`.
Payloads are the strings as sent; None is "absent", "" is "present and empty".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perdure.components.deliveries import Deliveries
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Refusal,
    Rerun,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.core.status import TERMINAL, Status
from perdure.store.query import InstanceQuery
from perdure.wire.json_api.text import Json


@dataclass(frozen=True, slots=True)
class FailureView:
    """A failure as people read it."""

    error_type: str
    message: str
    stack_trace: str | None = None
    inner: "FailureView | None" = None
    non_retriable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One activity of an instance. Times in microseconds; None where it has not come to that."""

    task_id: int
    name: str
    app_id: str
    scheduled_at_us: int
    handed_out_at_us: int | None
    worker: str | None
    attempts: int
    finished_at_us: int | None
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """What readers may see of an instance. Times in microseconds."""

    instance_id: str
    name: str
    component: str
    app_id: str
    status: Status
    execution_id: str
    created_at_us: int
    started_at_us: int | None
    updated_at_us: int
    completed_at_us: int | None
    scheduled_start_us: int | None
    custom_status: str | None  # never empty
    input: str | None  # None too when payloads were not asked for
    output: str | None
    failure: FailureView | None
    failure_wire: bytes | None  # the same as a serialized TaskFailureDetails
    tags: tuple[tuple[str, str], ...]
    parent_id: str | None
    parent_app_id: str | None
    version: str | None
    history_length: int
    history_bytes: int
    waits_for: str  # what has to come before it moves on, for people
    waits_since_us: int | None
    next_wake_us: int | None
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the instance has ended."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event of an engine that has other events than ours: the members of an answer's JSON."""

    members: tuple[tuple[str, Json], ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Events of the present generation, from `first_seq` on: serialized HistoryEvents, or shown."""

    events: tuple[bytes | ShownEvent, ...]
    first_seq: int
    next_after: int | None  # pass it as `after_seq` for the next page; None at the end


@dataclass(frozen=True, slots=True)
class InstancePage:
    """A page of a listing; `next_token` is None at the end."""

    instances: tuple[InstanceView, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class IdPage:
    """A page of instance ids in the order of birth."""

    instance_ids: tuple[str, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Started:
    """A start that is on disk."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class Done:
    """A change that is on disk; `in_force` is false while it has still to take effect."""

    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Purged:
    """How many instances were deleted; `in_force` is false while readers may still see them."""

    count: int
    in_force: bool = True


class WorkflowComponent(Protocol):
    """A workflow engine behind the API. Every call may raise StoreError or ComponentError.

    Which of the two depends on where the engine is: in this process, or away.
    """

    name: str  # as the API's path names it, "dapr" for the embedded one
    kind: str  # "workflow.dapr" or "workflow.temporal", as component files say

    @property
    def deliveries(self) -> Deliveries | None:
        """What the component can do for sources of messages; None if it cannot in one commit."""
        ...

    def trouble(self) -> str | None:
        """Return why the engine cannot be asked just now, for people; None if nothing is known."""
        ...

    async def start(self, request: Start) -> Started | Refusal:
        """Start an instance; on disk when it returns. Needs no worker."""
        ...

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        """Give an instance an event; on disk when it returns."""
        ...

    async def terminate(self, request: Terminate) -> Done | Refusal:
        """End an instance, and with `recursive` its descendants."""
        ...

    async def suspend(self, request: Suspend) -> Done | Refusal:
        """Let an instance take no new work; no change if it is suspended."""
        ...

    async def resume(self, request: Resume) -> Done | Refusal:
        """Let an instance go on; no change if it is not suspended."""
        ...

    async def purge(self, request: Purge) -> Purged | Refusal:
        """Delete everything about an instance."""
        ...

    async def rerun(self, request: Rerun) -> Started | Refusal:
        """Begin a new instance from an event of a finished one."""
        ...

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        """Return what readers may see, or None if there is no such instance."""
        ...

    async def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None, payloads: bool = True
    ) -> InstanceView | None:
        """Return once the instance has started (left PENDING) or, with `finished`, has ended.

        A missing instance is waited for, as Dapr does. After `timeout_us` the view of that
        moment is returned, which is None if there is still no such instance.
        """
        ...

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        """Return committed events of the present generation, or None if there is no instance."""
        ...

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        """Return the activities of an instance, ended ones too, or None if there is none."""
        ...

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        """Return a page of instances. Raises CallerFault for a bad token."""
        ...

    async def list_ids(self, token: str | None, limit: int) -> IdPage:
        """Return a page of instance ids. Raises CallerFault for a bad token."""
        ...

    async def known_names(self) -> Sequence[str]:
        """Return workflow types that the component knows of, most used first."""
        ...
