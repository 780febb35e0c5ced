"""What a component refuses, in the words that the embedded engine has for it."""

from perdure.core.requests import Reason, Refusal, Start


def missing() -> Refusal:
    """Refuse to change an instance that is not there."""
    return Refusal(Reason.NOT_FOUND, "no such instance exists")


def finished(instance_id: str) -> Refusal:
    """Refuse to change an instance that has finished."""
    return Refusal(Reason.ALREADY_FINISHED, f"workflow '{instance_id}' has already finished")


def taken(start: Start) -> Refusal:
    """Refuse to start under an id that is in use, or that may not be used again."""
    active = "an active workflow" if start.replace_finished else "a workflow"
    text = f"{active} with ID '{start.instance_id}' already exists"
    return Refusal(Reason.ALREADY_EXISTS, text)


def not_finished(descendant: str | None = None) -> Refusal:
    """Refuse to delete what has not finished, or has a descendant that has not."""
    below = "" if descendant is None else f": its descendant '{descendant}'"
    return Refusal(Reason.NOT_FINISHED, f"orchestration has not yet completed{below}")


def unsupported(text: str) -> Refusal:
    """Refuse what Temporal, or this server of it, cannot do."""
    return Refusal(Reason.UNSUPPORTED, text)


def no_pause(said: str) -> Refusal:
    """Refuse to suspend on a server that pauses nothing."""
    return unsupported(
        f"this Temporal server does not pause workflows: {said}; whoever runs it can allow it with "
        "the dynamic configuration frontend.WorkflowPauseEnabled"
    )
