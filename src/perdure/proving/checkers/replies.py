"""The replies are those that the auditor predicts from what could be seen meanwhile."""

from typing import Final

from perdure.components.port import InstanceView
from perdure.core import requests as rq
from perdure.core.deliveries import Delivery
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from perdure.proving.auditor import Seen
from perdure.proving.calls import Call, Fault, Look
from perdure.proving.checkers.base import Checker
from perdure.proving.node import Node

ACCEPTED: Final = "accepted"
_STORE: Final = frozenset({"StoreUnavailable", "StoreAway", "StoreFailed", "StoreUnsure"})


class Replies(Checker):
    """Nobody is told what was true at no moment between the question and the answer."""

    promise = "replies"
    calm = False  # no fault is injected, so that none may be told

    def answered(self, node: Node, call: Call) -> None:
        if isinstance(call.reply, Fault):
            self._fault(node, call.reply, call)
            return
        window = self.auditor.window(call.target, call.since)
        if window is None:
            return
        match call.request:
            case Look():
                self._look(call, window)
            case rq.Rerun():
                self._rerun(call, window)
            case Delivery():
                pass  # another checker looks after messages
            case _:
                told = call.reply.reason if isinstance(call.reply, Refusal) else ACCEPTED
                right = {each for seen in window for each in self._predict(call, seen)}
                if told not in right:
                    self._wrong(call, window)

    def _fault(self, node: Node, fault: Fault, call: Call) -> None:
        stopping = not node.up and fault.kind in {"StoreUnavailable", "ShuttingDown"}
        if fault.kind not in _STORE and not stopping:
            self.accuse(f"{call.kind} {call.number} was answered with {fault.kind}")
        elif self.calm and not stopping:
            self.accuse(f"{call.kind} {call.number} was answered with {fault.kind} in calm weather")

    def _predict(self, call: Call, seen: Seen) -> set[Reason | str]:
        request = call.request
        match request:
            case rq.Start():
                return self._start(request, seen, call.since)
            case rq.Purge():
                return self._purge(request, seen, call.since)
            case _ if not seen.there:
                return {Reason.NOT_FOUND}
            case _ if seen.finished:
                return {Reason.ALREADY_FINISHED}
            case rq.RaiseEvent() if seen.status is Status.STALLED:
                return {Reason.STALLED}
            case _:
                return {ACCEPTED}

    def _start(self, request: rq.Start, seen: Seen, since: int) -> set[Reason | str]:
        if seen.key is None:
            return {ACCEPTED}
        if not seen.finished:
            return {Reason.ALREADY_EXISTS}
        if not request.replace_finished:
            return {Reason.ALREADY_EXISTS}
        if self.auditor.active_below(seen.key, since):
            return {ACCEPTED, Reason.DESCENDANT_ACTIVE}
        return {ACCEPTED}

    def _purge(self, request: rq.Purge, seen: Seen, since: int) -> set[Reason | str]:
        if seen.key is None:
            return {Reason.NOT_FOUND}
        if request.force:
            return {ACCEPTED}
        if not seen.finished:
            return {Reason.NOT_FINISHED}
        if request.recursive and self.auditor.active_below(seen.key, since):
            return {ACCEPTED, Reason.NOT_FINISHED}
        return {ACCEPTED}

    def _look(self, call: Call, window: list[Seen]) -> None:
        if call.reply is None:
            right = any(not seen.there for seen in window)
        else:
            assert isinstance(call.reply, InstanceView), call.reply
            right = any(seen.there and seen.status == call.reply.status for seen in window)
        if not right:
            self._wrong(call, window)

    def _rerun(self, call: Call, window: list[Seen]) -> None:
        assert isinstance(call.request, rq.Rerun), call
        sources = self.auditor.window(call.request.source_id, call.since)
        if sources is None:
            return
        match call.reply:
            case Refusal(reason=Reason.ALREADY_EXISTS):
                right = any(seen.there for seen in window) or self._children_are_there(call)
            case Refusal(reason=Reason.NOT_FOUND | Reason.INVALID):
                right = True  # whether there is such an event is for tests of the core
            case _:
                free = any(not seen.there for seen in window)
                right = free and any(seen.finished and not seen.has_parent for seen in sources)
        if not right:
            self._wrong(call, window)

    def _children_are_there(self, call: Call) -> bool:
        """A rerun is not begun either if an id is in use that it would give to a child."""
        return any(name.startswith(f"{call.target}:") for name in self.images.by_id)

    def _wrong(self, call: Call, window: list[Seen]) -> None:
        seen = ", ".join(each.status.name if each.there else "nobody" for each in window)
        text = f"{call.kind} {call.number} of '{call.target}' was answered: {call.told()}"
        self.accuse(f"{text}; what could be seen: {seen}")
