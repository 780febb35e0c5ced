"""Requests of clients on their way, and what came back."""

from dataclasses import dataclass
from typing import Any, Final

from perdure.base.errors import CallerFault, PerdureError
from perdure.components.port import Done, InstanceView, Purged, Started, WorkflowComponent
from perdure.core import requests as rq
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    RaiseStep,
    StartOrRaiseStep,
    StartStep,
    TerminateStep,
)
from perdure.core.requests import Refusal


@dataclass(frozen=True, slots=True)
class Look:
    """Read an instance."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that could not be done: the kind of error."""

    kind: str


Request = (
    rq.Start
    | rq.RaiseEvent
    | rq.Terminate
    | rq.Suspend
    | rq.Resume
    | rq.Purge
    | rq.Rerun
    | Delivery
    | Look
)
Reply = Started | Done | Purged | Delivered | Refusal | Fault | InstanceView | None

KINDS: Final[dict[type[Any], str]] = {
    rq.Start: "start",
    rq.RaiseEvent: "event",
    rq.Terminate: "terminate",
    rq.Suspend: "suspend",
    rq.Resume: "resume",
    rq.Purge: "purge",
    rq.Rerun: "rerun",
    Delivery: "message",
    Look: "look",
}


@dataclass(slots=True, eq=False)
class Call:
    """One request of one client. Steps are those of the trace."""

    number: int
    client: str
    request: Request
    since: int = 0  # from when on the node that took it may have seen the disk
    answered_step: int | None = None
    reply: Reply = None
    heard: bool = False  # the client knows the reply
    lost: bool = False  # nobody will ever tell it

    @property
    def kind(self) -> str:
        """What is asked, in a word."""
        return KINDS[type(self.request)]

    @property
    def target(self) -> str:
        """The instance that is asked for."""
        if isinstance(self.request, rq.Rerun):
            return self.request.new_id
        if isinstance(self.request, Delivery):
            return instance_of(self.request)
        return self.request.instance_id

    @property
    def accepted(self) -> bool:
        """Whether it was acknowledged."""
        return self.answered_step is not None and isinstance(
            self.reply, Started | Done | Purged | Delivered
        )

    @property
    def over(self) -> bool:
        """Whether its client knows what came of it, or never will."""
        return self.heard or self.lost

    def told(self) -> str:
        """Return the reply in a few words."""
        match self.reply:
            case Refusal(reason=reason):
                return f"refused: {reason.value}"
            case Fault(kind=kind):
                return f"fault: {kind}"
            case Delivered(fate=fate):
                return f"accepted: {fate.value}"
            case InstanceView(status=status):
                return f"seen: {status.name}"
            case None:
                return "nothing there"
            case _:
                return "accepted"


def instance_of(delivery: Delivery) -> str:
    """Return the instance that a delivery is for."""
    match delivery.step:
        case StartStep(start=start) | StartOrRaiseStep(start=start):
            return start.instance_id
        case RaiseStep(event=event):
            return event.instance_id
        case TerminateStep(terminate=terminate):
            return terminate.instance_id
        case None:
            return ""


async def perform(component: WorkflowComponent, request: Request) -> Reply:  # noqa: C901, PLR0911 - one case a kind
    """Ask a component, as a door does; whatever it raises comes back as a `Fault`."""
    try:
        match request:
            case rq.Start():
                return await component.start(request)
            case rq.RaiseEvent():
                return await component.raise_event(request)
            case rq.Terminate():
                return await component.terminate(request)
            case rq.Suspend():
                return await component.suspend(request)
            case rq.Resume():
                return await component.resume(request)
            case rq.Purge():
                return await component.purge(request)
            case rq.Rerun():
                return await component.rerun(request)
            case Delivery():
                assert component.deliveries is not None, "the embedded engine takes messages"
                return await component.deliveries.deliver(request)
            case Look(instance_id=instance_id):
                return await component.get(instance_id)
    except (CallerFault, PerdureError) as error:
        return Fault(type(error).__name__)
