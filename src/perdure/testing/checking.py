"""Whether code goes on with instances that other code began: their histories, led through it.

Theory of operation. The history is replayed as a process does that takes an instance over. Where
the code asks for something else than was recorded, the instance would stall. Where it follows to
the end, what it is then found to want is compared with what is recorded: it may not fail, for
nothing new has happened to it; and if it ends, or asks for more than it had, the instance goes on,
otherwise than before.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from perdure.authoring.divergence import Divergence, told
from perdure.authoring.failures import (
    OrchestratorNotRegisteredError,
    VersionNotRegisteredException,
)
from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer
from perdure.base.time import is_never
from perdure.core import actions as act
from perdure.core.events import AnyFailure, ExecutionCompleted, ExecutionStalled, WorkflowStarted
from perdure.core.status import Status
from perdure.testing.histories import History
from perdure.wire.fields import failure_of

_ASKED_MAX: Final = 3
# The ends that are the code's own; all others come from outside.
_BY_THE_CODE: Final = frozenset({Status.COMPLETED, Status.FAILED})
_PLACE: Final = re.compile(r'File "([^"]+)", line (\d+)')


class Fate(StrEnum):
    """What becomes of an instance under the code that is checked."""

    CONTINUES = "continues"
    DIFFERS = "differs"  # it goes on, and not as the code did that began it
    BREAKS = "breaks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What becomes of one instance, why, and where in the code. Step 0 and line 0 are none."""

    instance_id: str
    workflow: str
    source: str
    fate: Fate
    reason: str = ""
    step: int = 0
    recorded: str = ""
    asked: str = ""
    file: str = ""
    line: int = 0

    def as_data(self) -> dict[str, object]:
        """Return it for programs."""
        found: dict[str, object] = {
            "instanceID": self.instance_id,
            "workflowName": self.workflow,
            "source": self.source,
            "fate": self.fate.value,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.step:
            found |= {"step": self.step, "recorded": self.recorded, "asked": self.asked}
        if self.file:
            found |= {"file": self.file, "line": self.line}
        return found


def check(histories: Iterable[History], registry: Registry) -> Iterator[Finding]:
    """Yield what becomes of each instance under the workflows of a registry."""
    for history in histories:
        yield _Check(history, registry).finding()


class _Check:
    """The check of one instance."""

    def __init__(self, history: History, registry: Registry) -> None:
        self._history = history
        self._registry = registry

    def finding(self) -> Finding:
        missing = self._missing()
        if missing is not None:
            return self._found(Fate.BREAKS, missing)
        events = self._history.events
        ended = [event for event in events if isinstance(event, ExecutionCompleted)]
        past = [e for e in events if not isinstance(e, ExecutionCompleted | ExecutionStalled)]
        if not past:
            return self._found(Fate.CONTINUES)
        # A turn of nothing but its beginning: what the code wants now, it wants by itself.
        now = WorkflowStarted(at_us=max(event.at_us for event in past))
        replayer = Replayer(self._registry, failure_of=failure_of)
        decision = replayer.decide(self._history.instance_id, len(past), lambda: past, [now])
        match decision:
            case Divergence():
                return self._diverged(decision)
            case act.Decision():
                return self._decided(decision, ended[-1] if ended else None)
            case _:
                assert_never(decision)

    def _missing(self) -> str | None:
        versions = [e.version_name for e in self._history.events if isinstance(e, WorkflowStarted)]
        version = next(filter(None, versions), None)
        try:
            self._registry.find_workflow(self._history.workflow, version)
        except OrchestratorNotRegisteredError:
            return f"no workflow '{self._history.workflow}' is registered"
        except VersionNotRegisteredException as error:
            return str(error)
        return None

    def _diverged(self, found: Divergence) -> Finding:
        reason = f"step {found.step} was {found.recorded}, and the code asks for {found.asked}"
        return replace(
            self._found(Fate.BREAKS, reason),
            step=found.step,
            recorded=found.recorded,
            asked=found.asked,
            file=found.file,
            line=found.line,
        )

    def _decided(self, decision: act.Decision, ended: ExecutionCompleted | None) -> Finding:
        ending = next((a for a in decision.actions if isinstance(a, act.Complete)), None)
        if any(isinstance(action, act.VersionNotAvailable) for action in decision.actions):
            return self._found(Fate.BREAKS, "the version that it runs is not registered")
        if ended is not None and ended.status not in _BY_THE_CODE:
            return self._found(Fate.CONTINUES)
        if ending is not None:
            return self._ending(ending, ended)
        if ended is not None:
            return self._found(Fate.DIFFERS, f"it was {ended.status.name}, and would go on")
        asked = [told(action) for action in decision.actions if not _is_endless(action)]
        if asked:
            more = [f"{len(asked) - _ASKED_MAX} more"] if len(asked) > _ASKED_MAX else []
            what = ", ".join(asked[:_ASKED_MAX] + more)
            return self._found(Fate.DIFFERS, f"it would ask for {what} before what it waits for")
        return self._found(Fate.CONTINUES)

    def _ending(self, ending: act.Complete, ended: ExecutionCompleted | None) -> Finding:
        if ended is not None and ended.status is ending.status:
            return self._found(Fate.CONTINUES)
        if ending.status is Status.FAILED:
            return self._failing(ending.failure)
        was = "unfinished" if ended is None else ended.status.name
        return self._found(Fate.DIFFERS, f"it was {was}, and would be {ending.status.name}")

    def _failing(self, failure: AnyFailure) -> Finding:
        found = failure_of(failure) if isinstance(failure, bytes) else failure
        if found is None:
            return self._found(Fate.BREAKS, "it would fail")
        finding = self._found(Fate.BREAKS, f"it would fail: {found.error_type}: {found.message}")
        places = _PLACE.findall(found.stack_trace or "")
        if not places:
            return finding
        return replace(finding, file=places[-1][0], line=int(places[-1][1]))

    def _found(self, fate: Fate, reason: str = "") -> Finding:
        return Finding(
            instance_id=self._history.instance_id,
            workflow=self._history.workflow,
            source=self._history.source,
            fate=fate,
            reason=reason,
        )


def _is_endless(action: act.Action) -> bool:
    """Tell the timers of waits without a time-out: the wait itself is what counts."""
    return isinstance(action, act.CreateTimer) and is_never(action.fire_at_us)
