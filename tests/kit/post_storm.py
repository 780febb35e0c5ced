"""A storm in which most requests are messages that their sources deliver again and again.

What each message has led to is counted in what has landed: never twice, and in the end once.
"""

from collections import Counter
from typing import Final

from perdure.base.errors import StoreError
from perdure.base.time import DAY_US
from perdure.core.deliveries import Fate, OnExisting, OnMissing, Step
from perdure.core.events import EventRaised, ExecutionStarted
from perdure.core.notes import Shelf
from perdure.core.requests import Refusal
from perdure.engine.parcels import unpack_event
from perdure.store.port import Verdict
from perdure.wire.events import decode
from tests.kit.posting import event, post, post_surely, start, start_or_raise, terminate
from tests.kit.storm import IDS, TROUBLE, Storm

BEGUN: Final = frozenset({Fate.STARTED, Fate.RECYCLED, Fate.PARKED})


class PostStorm(Storm):
    """A storm of messages."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.house.expected_faults = (*TROUBLE, "handing", "starting", "forgetting")
        self.messages: dict[str, Step] = {}
        self.told: dict[str, Fate] = {}  # what was acknowledged, the first time

    async def request(self) -> None:
        if self.random.random() < 0.3:
            await super().request()
        elif self.messages and self.random.random() < 0.4:
            await self._deliver(self.random.choice(list(self.messages)))
        else:
            self.sequence += 1
            message_id = f"post {self.sequence}"
            self.messages[message_id] = self._step(message_id)
            await self._deliver(message_id)

    def _step(self, message_id: str) -> Step:
        instance_id = self.random.choice([*IDS, "d", "e"])
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return start(instance_id, self.random.choice(list(OnExisting)), message_id)
            case 3 | 4 | 5:
                on_missing = self.random.choice(list(OnMissing))
                return event(instance_id, message_id, on_missing, keep_us=DAY_US)
            case 6:
                return start_or_raise(instance_id, message_id, message_id)
            case _:
                return terminate(instance_id)

    async def _deliver(self, message_id: str) -> None:
        before = self.told.get(message_id)
        try:
            told = await post(self.house, message_id, self.messages[message_id])
        except StoreError:
            return
        self._note(message_id, before, told)

    def _note(self, message_id: str, before: Fate | None, told: Fate | Refusal) -> None:
        if before is not None:
            assert told is Fate.DUPLICATE, "what was acknowledged is known"
        elif isinstance(told, Fate):
            # One that was not acknowledged may have landed all the same.
            self.told[message_id] = told

    async def calm_down(self) -> None:
        store = self.house.store
        store.power_returns()
        store.fail_commits(0)
        store.fail_reads(0)
        for message_id, step in self.messages.items():
            told = await post_surely(self.house, message_id, step)
            self._note(message_id, self.told.get(message_id), told)
        await super().calm_down()

    def check(self) -> None:
        super().check()
        births, events = self._landed()
        waiting = Counter(
            unpack_event(row.body)[0].name
            for row in self.house.store.notes(Shelf.MAILBOX, (0, 0), 10_000)
        )
        assert self.house.store.note_count(Shelf.PARKED) == 0, "everything parked has begun"
        for message_id in self.messages:
            effects = births[message_id] + events[message_id] + waiting[message_id]
            told = self.told.get(message_id)
            if told in {*BEGUN, Fate.RAISED, Fate.KEPT}:
                assert effects == 1, (message_id, told, effects)
                assert births[message_id] == (told in BEGUN), (message_id, told)
            elif told is Fate.DUPLICATE:
                assert effects <= 1, (message_id, effects)
            else:
                assert effects == 0, (message_id, told, effects)

    def _landed(self) -> tuple[Counter[str | None], Counter[str]]:
        """Count the births by their input and the raised events by their name."""
        births: Counter[str | None] = Counter()
        events: Counter[str] = Counter()
        store = self.house.store
        for entry, outcome in zip(store.landed, store.outcomes, strict=True):
            if outcome.verdict is not Verdict.LANDED:
                continue
            for birth, born in zip(entry.births, outcome.births, strict=True):
                if born.key is not None and birth.inbox:
                    begun = decode(birth.inbox[0].event)
                    assert isinstance(begun, ExecutionStarted)
                    births[begun.input] += 1
            for add, seq in zip(entry.inbox, outcome.inbox_seqs, strict=True):
                raised = decode(add.event)
                if seq is not None and isinstance(raised, EventRaised):
                    events[raised.name] += 1
        return births, events
