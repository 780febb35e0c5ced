"""One process in memory, with its store, its worker and its time, all of it in this thread.

Theory of operation. The engine is the real one, on the simulated loop: time stands still while
anything runs, and jumps to what is next when nothing does. The store outlives the process, which
may die at any occasion of the schedule and is there again after a moment, with nothing but the
store. Whoever asks something runs the loop until it is answered, so a test is plain code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perdure.app.memory import memory_store
from perdure.authoring.registry import Registry
from perdure.base.time import DAY_US, SECOND_US, is_never
from perdure.engine.settings import EngineSettings
from perdure.proving.calls import Call, Fault, Reply, Request
from perdure.proving.loop import Home, SimLoop
from perdure.proving.node import Node, Surroundings
from perdure.testing.around import EngineBroken, Hearing, LoopClock
from perdure.testing.deciding import Deciding
from perdure.testing.disk import TrialDisk
from perdure.testing.doubles import Doubles, Understudies
from perdure.testing.occasions import Occasions, Story
from perdure.testing.runs import Runs
from perdure.testing.schedule import Schedule
from perdure.testing.worker import Worker

APP_ID: Final = "test"
TURNS_MAX: Final = 20_000
# How long a process that has died is away.
_AWAY_US: Final = SECOND_US
_MOMENT_US: Final = 1_000
_ROWS_MAX: Final = 1_000_000
_ANSWER_US: Final = DAY_US
_FOR_EVER_US: Final = 100 * 366 * DAY_US


class NotIdle(AssertionError):
    """Something goes on and on, so that there is no end to wait for."""

    __module__ = "perdure.testing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a world is to be."""

    schedule: Schedule
    beginning_us: int
    replay_each_turn: bool
    turns_max: int


class World:
    """Everything of one test, put together."""

    node: Node
    worker: Worker

    def __init__(self, registry: Registry, terms: Terms) -> None:
        """Boot the process."""
        self._terms = terms
        self.workflows = Understudies(registry)
        self.loop = SimLoop(lambda: (0, 0))
        self.loop.on_fault = self._unheard
        self.story = Story(lambda: self.loop.now_us)
        self.occasions = Occasions(terms.schedule, self.story)
        self.store = memory_store()
        self.disk = TrialDisk(self.store, self.occasions, self._broken)
        self.disk.on_changed = self._look
        self.disk.on_restart = self._restart
        self.failure: BaseException | None = None
        self.checks: list[Callable[[], None]] = []
        self.stalls: dict[str, str] = {}
        self.turns = 0
        self._apps = {APP_ID: None}
        self.doubles = Doubles(registry, self.fail)
        self.runs = Runs(self.doubles, self._look)
        self._is_running = False
        self._is_stopping = False
        self._calls = 0
        self.node = Node("process", self._surroundings())
        self.loop.outside(0, self.node.boot)
        self.run_until(lambda: self.node.up)

    def _surroundings(self) -> Surroundings:
        clock = LoopClock(self.loop, self._terms.beginning_us)
        return Surroundings(
            loop=self.loop,
            disk=self.disk,
            seed="test",
            settings=EngineSettings(app_id=APP_ID),
            clock=lambda _: clock,
            observer=lambda node: Hearing(node, self.fail),
            on_up=self._up,
            on_down=self._down,
            on_handed_out=lambda *_: None,
            on_answered=lambda _node, call, reply: setattr(call, "reply", reply),
            on_told=lambda *_: None,
            on_trouble=lambda _what, error: self.fail(error),
        )

    # ---- life

    def _up(self, node: Node) -> None:
        deciding = Deciding(
            self.workflows,
            replay_each_turn=self._terms.replay_each_turn,
            stalled=self._stalled,
            asked=self.expect,
            failed=self.fail,
        )
        self.worker = Worker(node, deciding, self.runs, self.occasions, self.story)
        self.worker.call_in = self.loop.call_in
        self.worker.on_turn = self._turn
        for app_id in self._apps:
            self.worker.connect(app_id)

    def expect(self, app_id: str) -> None:
        """Have the work of an app done, too."""
        # Whatever apps there are, this one does their work, as far as it or the test has it.
        self._apps[app_id] = None
        self.loop.call_soon(self.worker.connect, app_id)

    def _down(self, node: Node, why: str) -> None:
        del why
        self._is_stopping = False
        self.loop.outside(_AWAY_US, self._boot, node)

    def _boot(self, node: Node) -> None:
        self.story.tell("the process is there again")
        node.boot()

    def _restart(self) -> None:
        if self.node.up:  # what is still starting cannot be stopped in good order
            self._is_stopping = True
            self.loop.outside(0, self.node.stop)

    def crash(self) -> None:
        """Let the process die here and now, and wait until it is there again."""
        self.story.tell("the process dies")
        self.node.kill("by the test")
        self.run_until(lambda: self.node.up)

    def restart(self) -> None:
        """Stop the process in good order, and wait until it is there again."""
        self.story.tell("the process is stopped")
        epoch = self.node.epoch
        self.node.stop()
        self.run_until(lambda: self.node.up and self.node.epoch > epoch)

    def close(self) -> None:
        """End everything."""
        self.loop.close()

    # ---- what goes on

    def ask(self, request: Request) -> Reply:
        """Ask the engine, as a door does; return its answer."""
        with self.occasions.calm():
            self.run_until(lambda: self.node.up and not self._is_stopping)
            self._calls += 1
            call = Call(self._calls, "test", request)
            told: list[Call] = []
            self.node.serve(call, told.append)
            self.run_until(lambda: bool(told))
        assert told, "nothing goes wrong while it is calm"
        assert not isinstance(call.reply, Fault), call.reply
        return call.reply

    def run_until(self, over: Callable[[], bool], for_us: int = _ANSWER_US) -> bool:
        """Run until something is so, or until a time is over; return whether it is so.

        Raises what has failed meanwhile: a check of the test, the engine, or that there is no end.
        """
        __tracebackhide__ = True
        if self._is_running:
            raise RuntimeError("an activity cannot drive the engine that it runs in")
        self._is_running = True
        try:
            limit_us = self.loop.now_us + for_us
            self.loop.run_until(lambda: self.failure is not None or over(), limit_us)
        finally:
            self._is_running = False
        self.raise_failure()
        return over()

    def raise_failure(self) -> None:
        """Raise what has failed, if anything has."""
        __tracebackhide__ = True
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def settle(self) -> None:
        """Run until nothing more happens unless a timer fires or somebody asks for something."""
        self.run_until(self._is_settled, _FOR_EVER_US)

    def run_until_idle(
        self, over: Callable[[], bool] = lambda: False, for_us: int = _FOR_EVER_US
    ) -> None:
        """Run until nothing more happens unless somebody asks for something, or until `over`.

        Timers fire, as long as they do so in time.
        """
        __tracebackhide__ = True
        limit_us = self.loop.now_us + for_us
        self.run_until(lambda: over() or self._is_idle(limit_us), for_us)

    def advance(self, for_us: int) -> None:
        """Let time pass, and what comes at its end come to be on disk."""
        until_us = self.loop.now_us + for_us
        self.run_until_idle(for_us=for_us)
        if self._is_settled():
            self.loop.skip(until_us)
        self.run_until(lambda: False, until_us - self.loop.now_us)
        self.run_until(self._is_settled, _MOMENT_US)

    def _is_settled(self) -> bool:
        node = self.node
        if not (self.loop.quiet and node.up and node.crew.writing.idle) or self._is_stopping:
            return False
        if node.home.reads or node.serving or self.worker.in_hand:
            return False
        figures = node.engine.figures()
        busy = ("ready_turns", "ready_activities", "outstanding_turns", "outstanding_activities")
        if any(figures[each] for each in busy) or self._is_pausing():
            return False
        next_us = self._next_timer_us()
        return next_us is None or next_us > node.clock.now_us()

    def _is_pausing(self) -> bool:
        """Tell whether something is to be handed out again, after a pause."""
        if any(not row.suspended for row in self.store.tasks(0, _ROWS_MAX)):
            return True
        ready = (self.store.snapshot(row.key) for row in self.store.ready(0, _ROWS_MAX))
        # One that stalls is tried again and again, and nobody waits for that.
        return any(found is not None and found.head.stalled is None for found in ready)

    def _is_idle(self, limit_us: int) -> bool:
        if not self._is_settled():
            return False
        next_us = self._next_timer_us()
        if next_us is None:
            return True
        # The engine looks at its clock once an hour while it waits: nobody needs to see that.
        self.loop.skip(min(next_us - self._terms.beginning_us, limit_us))
        return self.loop.now_us >= limit_us

    def _next_timer_us(self) -> int | None:
        next_us = self.store.next_timer_us()
        return None if next_us is None or is_never(next_us) else next_us

    # ---- what is seen

    def fail(self, error: BaseException) -> None:
        """Note what has failed; the first of several is what matters."""
        if self.failure is None:
            self.failure = error

    def check(self) -> None:
        """Raise what does not hold now: a check of the test, or that an instance is stuck."""
        self._look()
        stuck = [row.instance_id for row in self.store.stuck(1)]
        if stuck:
            self.fail(EngineBroken(f"nothing will ever move {stuck[0]!r}"))
        self.raise_failure()

    def _look(self) -> None:
        for check in self.checks:
            try:
                check()
            except BaseException as error:  # noqa: BLE001 - raised where the test is
                self.fail(error)

    def _turn(self) -> None:
        self.turns += 1
        if self.turns > self._terms.turns_max:
            self.fail(
                NotIdle(
                    f"there were more than {self._terms.turns_max} turns: a workflow that goes on "
                    "for ever is run with `advance`, or up to a status with `run_until`"
                )
            )

    def _stalled(self, instance_id: str, sentence: str) -> None:
        if self.stalls.get(instance_id) != sentence:
            self.story.tell(f"'{instance_id}' stalls: {sentence}")
        self.stalls[instance_id] = sentence

    def _broken(self, text: str) -> None:
        self.fail(EngineBroken(text))

    def _unheard(self, home: Home | None, error: BaseException) -> None:
        del home
        self.fail(error)
