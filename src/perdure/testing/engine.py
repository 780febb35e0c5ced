"""The engine in memory that tests hold: plain calls, whose time is its own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, Unpack, overload

from perdure.authoring.payloads import text_of
from perdure.core import requests as rq
from perdure.hosting.instances import microseconds_of
from perdure.hosting.refusals import granted
from perdure.hosting.settings import Duration, microseconds
from perdure.hosting.shapes import (
    AnyWorkflow,
    In,
    Out,
    PlainWithInput,
    PlainWithoutInput,
    StartOptions,
    WithInput,
    WithoutInput,
)
from perdure.testing.applications import Application, registry_of
from perdure.testing.doubles import Named, called
from perdure.testing.instances import AnyInstance, VirtualInstance
from perdure.testing.runs import ActivityRun
from perdure.testing.schedule import Schedule
from perdure.testing.world import APP_ID, TURNS_MAX, Terms, World

# A time like any other, so that nothing hangs on the day on which a test is run.
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PAGE_ROWS: Final = 1_000


class InvariantBroken(AssertionError):
    """What was always to be so is not; the sentence of the invariant tells what."""

    __module__ = "perdure.testing"


class VirtualEngine:
    """The real engine, over a store in memory, in time that jumps to what is next.

    Nothing runs but within a call of it, and every call comes back at once, however much time
    passes within. It is used from one thread, in plain tests and in those that are coroutines.
    Turns, activities that block and activities that are coroutines all run in place, in the
    thread of the test; so what they wait for must not be outside of the process.
    """

    def __init__(
        self,
        application: Application,
        *,
        now: datetime = BEGINNING,
        replay_each_turn: bool = True,
        turns_max: int = TURNS_MAX,
        schedule: Schedule = (),
    ) -> None:
        """Run the workflows and activities of an application, from `now` on.

        With `replay_each_turn` the code is led through its whole history at every turn, which
        brings to light what is not deterministic; without, it is kept, and long workflows are
        quicker. A test of more than `turns_max` turns is taken for one without an end. `schedule`
        is what goes wrong: see `faults`.
        """
        terms = Terms(
            schedule=schedule,
            beginning_us=microseconds_of(now),
            replay_each_turn=replay_each_turn,
            turns_max=turns_max,
        )
        self.world = World(registry_of(application), terms)
        self._beginning = now

    def __enter__(self) -> Self:
        """Give the engine; it runs from when it is made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        """Give the engine."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything; what is unfinished stays so."""
        self.world.close()

    # ---- workflows

    @overload
    def start(
        self, workflow: WithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> VirtualInstance[Out]: ...
    @overload
    def start(
        self, workflow: WithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> VirtualInstance[Out]: ...
    @overload
    def start(
        self, workflow: PlainWithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> VirtualInstance[Out]: ...
    @overload
    def start(
        self, workflow: PlainWithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> VirtualInstance[Out]: ...
    @overload
    def start(
        self, workflow: str, input: object = None, **more: Unpack[StartOptions]
    ) -> AnyInstance: ...
    def start(  # noqa: PLR0913 - each is something that can be said of a start
        self,
        workflow: AnyWorkflow,
        input: object = None,  # noqa: A002 - the word of those who call
        *,
        id: str | None = None,  # noqa: A002 - the word of those who call
        at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        replace_finished: bool = False,
        app_id: str | None = None,
    ) -> AnyInstance:
        """Start a workflow, as `perdure.Engine` does; nothing of it has run yet.

        Without an `id` it gets one of its name and a number. Raises InstanceExists if the id is
        taken.
        """
        name = called(workflow)
        request = rq.Start(
            instance_id=self._fresh_id(name) if id is None else id,
            name=name,
            app_id=app_id or APP_ID,
            input=text_of(input),
            scheduled_start_us=None if at is None else microseconds_of(at),
            tags=tuple(sorted((tags or {}).items())),
            replace_finished=replace_finished,
        )
        if request.app_id != APP_ID:
            self.world.expect(request.app_id)
        granted(self.world.ask(request))
        return VirtualInstance(self.world, request.instance_id, workflow)

    @overload
    def run(self, workflow: WithInput[In, Out], input: In) -> Out: ...
    @overload
    def run(self, workflow: WithoutInput[Out], input: None = None) -> Out: ...
    @overload
    def run(self, workflow: PlainWithInput[In, Out], input: In) -> Out: ...
    @overload
    def run(self, workflow: PlainWithoutInput[Out], input: None = None) -> Out: ...
    @overload
    def run(self, workflow: str, input: object = None) -> Any: ...
    def run(self, workflow: AnyWorkflow, input: object = None) -> Any:  # noqa: A002 - the word of those who call
        """Start a workflow, and return its result (see `VirtualInstance.result`)."""
        __tracebackhide__ = True
        started: AnyInstance = self.start(workflow, input)
        return started.result()

    def instance(self, id: str) -> AnyInstance:  # noqa: A002 - the word of those who call
        """Return an instance by its id, such as a child."""
        return VirtualInstance(self.world, id)

    def instances(self) -> list[AnyInstance]:
        """Return every instance, children too, in the order of birth."""
        found: list[AnyInstance] = []
        after = 0
        while page := self.world.store.list_ids(after, _PAGE_ROWS):
            found += [VirtualInstance(self.world, instance_id) for _, instance_id in page]
            after = page[-1][0]
        return found

    def raise_event(self, id: str, name: str, data: object = None) -> None:  # noqa: A002 - the word of those who call
        """Give an instance an event."""
        self.instance(id).raise_event(name, data)

    def _fresh_id(self, name: str) -> str:
        count = len(self.instances()) + 1
        while self.instance(f"{name}-{count}").exists:
            count += 1
        return f"{name}-{count}"

    # ---- time

    @property
    def now(self) -> datetime:
        """The time that it is for the engine and its workflows, in whole milliseconds.

        What happens without any time passing takes microseconds, which nobody counts.
        """
        return self._beginning + timedelta(milliseconds=self.world.loop.now_us // 1_000)

    def settle(self) -> None:
        """Run whatever runs by itself, and let no timer of a workflow fire.

        So it is found in the middle: while it waits for an event with a time-out, or sleeps.
        Activities that take time are given it.
        """
        self.world.settle()

    def run_until_idle(self, *, within: timedelta | None = None) -> None:
        """Run until nothing happens any more unless an event comes: timers fire, one by one.

        `within` is the time that may pass. Raises NotIdle if there is no end to it.
        """
        if within is None:
            self.world.run_until_idle()
        else:
            self.world.run_until_idle(for_us=microseconds(within, "within"))

    def advance(self, time: Duration) -> None:
        """Let so much time pass, a timedelta or seconds; what comes within it happens."""
        self.world.advance(microseconds(time, "time"))

    # ---- activities

    def replace(self, activity: Named, by: object) -> None:
        """Have something else happen in place of an activity, from now on.

        `by` is a function, called as an activity is; an exception, which is raised; `in_turn(…)`,
        for one run after the other; or a value, which is returned. The activity need not exist.
        """
        self.world.doubles.replace(activity, by)

    def restore(self, activity: Named) -> None:
        """Have an activity run itself again."""
        self.world.doubles.restore(activity)

    def replace_workflow(self, workflow: Named, by: object) -> None:
        """Have something else happen in place of a workflow, such as a child, from now on.

        `by` is a workflow, an exception, which it fails with, or a value, which it returns.
        """
        self.world.workflows.replace(workflow, by)

    def restore_workflow(self, workflow: Named) -> None:
        """Have a workflow run itself again."""
        self.world.workflows.restore(workflow)

    def runs(self, activity: Named | None = None) -> list[ActivityRun]:
        """Return how activities ran, or one of them, in the order in which they ended.

        What ran twice, since its process died or its worker was cut off, is there twice.
        """
        name = None if activity is None else called(activity)
        return [run for run in self.world.runs.ended if name in {None, run.name}]

    # ---- trouble

    def crash(self) -> None:
        """Let the process die as if killed, and be there again a second later."""
        self.world.crash()

    def restart(self) -> None:
        """Stop the process in good order, and start it again."""
        self.world.restart()

    def always(self, sentence: str, check: Callable[[], object]) -> None:
        """Hold `check` to be true after every commit and every run of an activity.

        Where it is false, or raises, the test fails there and then: with the sentence, or with
        what was raised.
        """

        def look() -> None:
            if not check():
                raise InvariantBroken(sentence)

        self.world.checks.append(look)
