"""Whether a request may be done, given what is known of the instance it names.

The answer is None (it may) or a `Refusal`, whose texts are Dapr's own (behaviour.md 1.2, 3.2).
"""

from dataclasses import dataclass

from perdure.core.requests import Purge, RaiseEvent, Reason, Refusal, Resume, Start, Suspend
from perdure.core.requests import Terminate as TerminateRequest
from perdure.core.status import TERMINAL, Status


@dataclass(frozen=True, slots=True)
class Known:
    """What admission has to know of an instance that exists."""

    name: str
    status: Status

    @property
    def finished(self) -> bool:
        """Whether the instance has ended."""
        return self.status in TERMINAL


NO_SUCH_INSTANCE = Refusal(Reason.NOT_FOUND, "no such instance exists")


def admit_start(
    request: Start, existing: Known | None, active_descendant: str | None
) -> Refusal | None:
    """Decide a start; `active_descendant` is an unfinished instance below the existing one."""
    if existing is None:
        return None
    if not existing.finished or not request.replace_finished:
        text = f"an active workflow with ID '{request.instance_id}' already exists"
        if existing.finished:
            text = f"a workflow with ID '{request.instance_id}' already exists"
        return Refusal(Reason.ALREADY_EXISTS, text)
    if active_descendant is not None:
        return Refusal(
            Reason.DESCENDANT_ACTIVE,
            f"cannot recreate workflow with ID '{request.instance_id}': "
            f"its descendant '{active_descendant}' is still active",
        )
    return None


def admit_change(
    request: RaiseEvent | TerminateRequest | Suspend | Resume, existing: Known | None
) -> Refusal | None:
    """Decide a request that changes a running instance.

    A finished one is reported as ALREADY_FINISHED: the document form refuses with it, the
    released form takes it for done.
    """
    if existing is None:
        return NO_SUCH_INSTANCE
    if existing.finished:
        text = f"workflow '{request.instance_id}' has already finished"
        return Refusal(Reason.ALREADY_FINISHED, text)
    if isinstance(request, RaiseEvent) and existing.status is Status.STALLED:
        return Refusal(Reason.STALLED, "workflow is stalled")
    return None


def admit_purge(request: Purge, existing: Known | None) -> Refusal | None:
    """Decide a purge; `force` deletes whatever the status."""
    if existing is None:
        return NO_SUCH_INSTANCE
    if not existing.finished and not request.force:
        return Refusal(Reason.NOT_FINISHED, "orchestration has not yet completed")
    return None
