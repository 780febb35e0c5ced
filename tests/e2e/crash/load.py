"""The load: clients that start workflows, tell them things, and write down what they are told."""

import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.e2e.crash.calls import Calls, Ended
from tests.e2e.crash.judging import FINISHED, LAST
from tests.e2e.crash.ledger import UNKNOWN, Ledger

WAIT_S: Final = 1
PAUSE_S: Final = 0.05
RETRIES_S: Final = 60.0
PATIENCE_S: Final = 60.0


class Gate:
    """Lets clients call while the server is up, and tells when nobody is in a call any more."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = False
        self._inside = 0

    def open(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, and return when all have come out."""
        with self._changed:
            self._open = False
            if not self._changed.wait_for(lambda: self._inside == 0, PATIENCE_S):
                raise AssertionError("a call to a dead server does not end")

    def __enter__(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._open, PATIENCE_S):
                raise AssertionError("the server does not come back")
            self._inside += 1

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()


class Client:
    """One client on a thread of its own: one workflow after the other, each a little story."""

    def __init__(self, name: str, seed: int, calls: Calls, ledger: Ledger, gate: Gate) -> None:
        self._name = name
        self._random = Random(f"{seed}-{name}")
        self._calls = calls
        self._ledger = ledger
        self._gate = gate
        self._count = 0
        self._ending = threading.Event()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Let it bring the story that it is in to its end, and raise what it has died of."""
        self._ending.set()
        self._thread.join(RETRIES_S)
        if self.failure is not None:
            raise AssertionError(f"client {self._name} has died") from self.failure
        assert not self._thread.is_alive(), f"client {self._name} does not end"

    def close(self) -> None:
        """Let go of its connections; it asks nothing any more."""
        self._ending.set()
        self._calls.close()

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._story()
        except BaseException as error:  # noqa: BLE001 - raised again by `finish`
            self.failure = error

    # ---- one call

    def _ask(self, call: Callable[[], Ended], what: str, **fields: object) -> Ended:
        with self._gate:
            ended = call()
        if ended.surprise is not None:
            self._ledger.write("surprise", text=ended.surprise)
        if what:
            extra = {"in_force": ended.in_force} if what == "terminate" else {}
            self._ledger.write(what, outcome=ended.outcome, **extra, **fields)
        if ended.outcome == UNKNOWN:
            # Between its death and the closing of the gate the server refuses connections.
            self._ending.wait(PAUSE_S)
        return ended

    def _surely(self, attempt: Callable[[], Ended]) -> Ended:
        """Try until there is an answer."""
        end = time.monotonic() + RETRIES_S
        while (ended := attempt()).outcome == UNKNOWN:
            assert time.monotonic() < end, "no answer for a minute"
        return ended

    def _over_http(self) -> bool:
        return self._random.random() < 0.5

    def _begin(self, workflow: str, value: Any, *, surely: bool) -> tuple[str, Ended]:
        self._count += 1
        instance = f"{self._name}-{self._count}"
        fields = {"instance": instance, "workflow": workflow, "input": value}
        calls = self._calls
        if surely:
            return instance, self._surely(
                lambda: self._ask(lambda: calls.start(workflow, instance, value), "start", **fields)
            )
        start = calls.start if self._over_http() else calls.hub_start
        return instance, self._ask(lambda: start(workflow, instance, value), "start", **fields)

    def _look(self, workflow: str, instance: str) -> str:
        ended = self._ask(lambda: self._calls.wait(workflow, instance, WAIT_S), "")
        if ended.outcome == UNKNOWN or not ended.in_force:
            return ""
        status = ended.body["runtimeStatus"]
        assert status in FINISHED, ended.body
        output = ended.body.get("output")
        self._ledger.write("seen", instance=instance, status=status, output=output)
        return str(status)

    def _go(self, instance: str, data: object) -> Ended:
        calls = self._calls
        send = calls.raise_event if self._over_http() else calls.hub_raise_event
        return self._ask(lambda: send(instance, "go", data), "go", instance=instance, data=data)

    def _event(self, instance: str, sender: str, number: int) -> Ended:
        calls = self._calls
        send = calls.raise_event if self._over_http() else calls.hub_raise_event
        event = {"sender": sender, "number": number}
        return self._ask(lambda: send(instance, "item", event), "event", instance=instance, **event)

    # ---- stories

    def _story(self) -> None:
        story = self._random.choices(
            (self._plain, self._collecting, self._waiting, self._ending_one, self._ending_brood,
             self._purging),
            weights=(50, 20, 12, 6, 6, 6),
        )[0]  # fmt: skip
        story()

    def _plain(self) -> None:
        """Start something that comes to its end by itself. Some of these starts are left alone."""
        seconds = self._random.choice((0, 0.01, 0.05))
        steps = {"steps": self._random.randint(1, 5), "seconds": seconds}
        inputs: dict[str, Any] = {
            "chain": steps,
            "fan": steps,
            "sleeper": {"timer": self._random.uniform(0.05, 2), "seconds": seconds},
            "stumbler": None,
            "looper": {"rounds": self._random.randint(2, 5), "done": [], "seconds": seconds},
            "family": {"child": steps},
        }
        workflow = self._random.choice(sorted(inputs))
        surely = self._random.random() < 0.5
        instance, ended = self._begin(workflow, inputs[workflow], surely=surely)
        if ended.outcome != UNKNOWN and self._random.random() < 0.7:
            self._look(workflow, instance)

    def _collecting(self) -> None:
        """Send numbered events in the names of two senders, then one that is the last."""
        value: dict[str, Any] = {
            "taken": [],
            "steps": [],
            "seconds": self._random.choice((0, 0.02)),
        }
        instance, _ = self._begin("collector", value, surely=True)
        numbers = {"a": 0, "b": 0}
        for _ in range(self._random.randint(4, 16)):
            sender = self._random.choice("ab")
            numbers[sender] += 1
            self._event(instance, sender, numbers[sender])
        self._end_collector(instance)
        self._look("collector", instance)

    def _end_collector(self, instance: str) -> None:
        # One who has heard the last event once has finished, and is told again in vain.
        attempts = iter(range(1_000))
        self._surely(lambda: self._event(instance, LAST, next(attempts)))

    def _waiter(self) -> str:
        seconds = self._random.choice((0, 0.02))
        return self._begin("waiter", {"seconds": seconds}, surely=True)[0]

    def _waiting(self) -> None:
        """Suspend a workflow, tell it what it waits for, and most times let it go on."""
        instance = self._waiter()
        if self._random.random() < 0.7:
            suspend = self._calls.suspend if self._over_http() else self._calls.hub_suspend
            self._surely(lambda: self._ask(lambda: suspend(instance), "suspend", instance=instance))
            self._surely(lambda: self._go(instance, self._random.random()))
            if self._random.random() < 0.4:
                return  # and it is to stay suspended until the end of the campaign
            self.resume(instance)
        else:
            self._surely(lambda: self._go(instance, self._random.random()))
        self._look("waiter", instance)

    def resume(self, instance: str) -> None:
        resume = self._calls.resume if self._over_http() else self._calls.hub_resume
        self._surely(lambda: self._ask(lambda: resume(instance), "resume", instance=instance))

    def _ending_one(self) -> None:
        instance = self._waiter()
        self._terminate("waiter", instance)
        self._look("waiter", instance)

    def _ending_brood(self) -> None:
        instance, _ = self._begin("brood", {"seconds": 0}, surely=True)
        self._ending.wait(self._random.uniform(0, 0.2))
        self._terminate("brood", instance)

    def _terminate(self, workflow: str, instance: str) -> None:
        calls, output = self._calls, {"ended": self._random.random()}
        fields = {"instance": instance, "output": output}
        if self._over_http():
            self._surely(
                lambda: self._ask(
                    lambda: calls.terminate(workflow, instance, output), "terminate", **fields
                )
            )
        else:
            self._surely(
                lambda: self._ask(
                    lambda: calls.hub_terminate(instance, output), "terminate", **fields
                )
            )

    def _purging(self) -> None:
        value = {"steps": 1, "seconds": 0}
        instance, _ = self._begin("chain", value, surely=True)
        if self._look("chain", instance):
            self._surely(
                lambda: self._ask(
                    lambda: self._calls.purge("chain", instance), "purge", instance=instance
                )
            )
