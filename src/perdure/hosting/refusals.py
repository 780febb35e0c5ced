"""What an engine will not do, and how a workflow can end, as exceptions for Python people."""

from typing import Final, Self, TypeVar

from perdure.base.errors import PerdureError
from perdure.core.requests import Reason, Refusal
from perdure.hosting.instances import Instance

T = TypeVar("T")


class Refused(PerdureError):
    """A request that will not be done; `reason` says why, for programs."""

    def __init__(self, reason: Reason, text: str) -> None:
        """Say why."""
        super().__init__(text)
        self.reason = reason

    def __reduce__(self) -> tuple[type[Self], tuple[Reason, str]]:
        """Go to another process and come back whole."""
        return type(self), (self.reason, str(self))


class InstanceNotFound(Refused):
    """There is no instance of that id."""


class InstanceExists(Refused):
    """The id is taken by another instance."""


class InstanceFinished(Refused):
    """The instance has ended already."""


class InstanceNotFinished(Refused):
    """The instance, or one of its descendants, has not ended yet."""


class InstanceStalled(Refused):
    """The instance waits for fitting code."""


class WorkflowEnded(PerdureError):
    """A workflow ended without a result; `instance` is what is known of it."""

    def __init__(self, instance: Instance, text: str) -> None:
        """Say how."""
        super().__init__(text)
        self.instance = instance

    def __reduce__(self) -> tuple[type[Self], tuple[Instance, str]]:
        """Go to another process and come back whole."""
        return type(self), (self.instance, str(self))


class WorkflowFailed(WorkflowEnded):
    """A workflow has failed; `instance.failure` says of what."""


class WorkflowTerminated(WorkflowEnded):
    """A workflow was terminated."""


_CLASSES: Final[dict[Reason, type[Refused]]] = {
    Reason.NOT_FOUND: InstanceNotFound,
    Reason.ALREADY_EXISTS: InstanceExists,
    Reason.ALREADY_FINISHED: InstanceFinished,
    Reason.NOT_FINISHED: InstanceNotFinished,
    Reason.DESCENDANT_ACTIVE: InstanceNotFinished,
    Reason.STALLED: InstanceStalled,
}


def granted(answer: T | Refusal) -> T:
    """Return an answer; raises the Refused that a refusal is."""
    if isinstance(answer, Refusal):
        raise _CLASSES.get(answer.reason, Refused)(answer.reason, answer.text)
    return answer
