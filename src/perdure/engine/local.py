"""An app in this process: its workflow code is asked at once, its activities begin here.

Theory of operation. Such an app is a stream like any other, save that nothing is sent over it. Its
turns are decided in place (`engine.deciding`), by plain calls with records. Its activities are
begun by `LocalWork.run` once their cause is on disk, and told of by the three words of `LocalApp`.
While an app is here it has all the turns and activities of its app id.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from perdure.core.actions import Decision
from perdure.core.events import AnyFailure, Event, TaskScheduled
from perdure.engine.dispatcher import WorkStream
from perdure.engine.queueing import TaskOut
from perdure.engine.work import Profile
from perdure.store.port import HandOut


@dataclass(slots=True, eq=False)
class Errand(TaskOut):
    """One run of an activity in this process."""

    noted: bool = False  # its hand-out is on disk, or on its way there
    told: bool = False  # what came of it

    @property
    def unnoted(self) -> HandOut | None:
        task = self.task
        if self.noted:
            return None
        return HandOut(
            task.add.generation,
            task.add.task_id,
            self.stream.profile.worker,
            self.handed_out_at_us,
        )

    @property
    def instance_id(self) -> str:
        """The id of the instance that it is for."""
        return self.task.instance_id

    @property
    def workflow_name(self) -> str:
        """The type of that instance; empty for what was under way before the process started."""
        return self.task.workflow_name

    @property
    def scheduled(self) -> TaskScheduled:
        """What is to be run: name, input, version and the task's id and execution id."""
        return self.task.scheduled

    @property
    def propagated(self) -> bytes | None:
        """The history that it is given to read, a serialized PropagatedHistory."""
        return self.task.add.propagated

    @property
    def attempt(self) -> int:
        """The how manieth run of the activity it is, counted from 1."""
        return self.task.attempts


class LocalWork(Protocol):
    """An app's workflows and activities. Called on the loop's thread; must not block."""

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        propagated: bytes | None,
    ) -> Decision | str:
        """Return what the workflow decides about `new`, or in a sentence why it cannot tell.

        `key` names one history. If the code of that key has been kept and has seen `past_length`
        events it goes on from there, else it runs once more over `past()`. What it decides may
        never land: then `forget` is called, and it is asked anew. `propagated` is the history that
        was handed down to the instance, a serialized PropagatedHistory.
        """
        ...

    def forget(self, key: Hashable) -> None:
        """Drop what is kept of a key, if anything is."""
        ...

    def run(self, errand: Errand) -> None:
        """Begin an activity. Its end is told to the `LocalApp`, at once or later."""
        ...


class LocalApp(WorkStream):
    """One attached app. Its methods are called on the loop's thread."""

    def __init__(
        self,
        profile: Profile,
        leave: Callable[[WorkStream], None],
        work: LocalWork,
        told: "Told",
    ) -> None:
        """Attach `work`; what it tells of errands goes to `told`."""
        super().__init__(profile, leave)
        self.work = work
        self.echoes_tokens = True  # an errand is itself, and no other of its name
        self._told = told

    def completed(self, errand: Errand, result: str | None) -> None:
        """Take an activity's result; words about one that has been told of are dropped."""
        self._told.completed(errand, result)

    def failed(self, errand: Errand, failure: AnyFailure) -> None:
        """Take an activity's failure."""
        self._told.failed(errand, failure)

    def abandoned(self, errand: Errand) -> None:
        """Take note that a run was given up: the activity is run again."""
        self._told.abandoned(errand)


class Told(Protocol):
    """Who is told of errands."""

    def completed(self, errand: Errand, result: str | None) -> None:
        """Take a result."""
        ...

    def failed(self, errand: Errand, failure: AnyFailure) -> None:
        """Take a failure."""
        ...

    def abandoned(self, errand: Errand) -> None:
        """Take a run back."""
        ...
