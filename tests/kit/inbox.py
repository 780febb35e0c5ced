"""A receiver of messages that says what a test wants, and remembers what it was handed."""

import asyncio
from collections import deque

from perdure.triggers.port import Message, Settled


class Inbox:
    """Use `receive` as the receiver. `answers` come first; when they are used up, ACCEPTED."""

    def __init__(self, *answers: Settled) -> None:
        self.answers = deque(answers)
        self.arrived: asyncio.Queue[Message] = asyncio.Queue()
        self.messages: list[Message] = []
        self.accepted: list[Message] = []
        # Cleared, it keeps every call of the receiver open until it is set again.
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self, message: Message) -> Settled:
        self.messages.append(message)
        self.arrived.put_nowait(message)
        await self.gate.wait()
        settled = self.answers.popleft() if self.answers else Settled.ACCEPTED
        if settled is Settled.ACCEPTED:
            self.accepted.append(message)
        return settled

    async def next(self) -> Message:
        """Wait for the next message that arrives."""
        return await self.arrived.get()

    def ids(self) -> list[str | None]:
        """Return the ids of what was accepted, in order."""
        return [message.message_id for message in self.accepted]
