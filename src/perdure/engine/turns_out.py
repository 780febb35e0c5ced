"""Turns that are at workers, by instance, and the limits on how many may be."""

from collections.abc import Container
from dataclasses import dataclass, replace

from perdure.engine.blocked import Blocked
from perdure.engine.dispatcher import Work, WorkStream
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.residents import Resident, Turn
from perdure.engine.slots import Slots
from perdure.store.leases import Term


@dataclass(frozen=True, slots=True)
class TurnOut:
    """A turn at a worker; the stream is None once that has ended while the answer lands."""

    resident: Resident
    turn: Turn
    stream: WorkStream | None

    @property
    def echoes(self) -> bool:
        """Whether its worker is known to echo the tokens of turns."""
        return self.stream is not None and self.stream.echoes_in_turns


class TurnsOut:
    """What is out, and who waits for a place under the limit of its name."""

    def __init__(self, ready: ReadyTurns, slots: Slots) -> None:
        """Begin with nothing out; `ready` knows the apps."""
        self._ready = ready
        self.slots = slots
        self._out: dict[str, TurnOut] = {}
        self.blocked: Blocked[int, None] = Blocked()

    def find(self, instance_id: str) -> TurnOut | None:
        """Return what is out of an instance."""
        return self._out.get(instance_id)

    def block(self, resident: Resident) -> None:
        """Let an instance wait until fewer turns of its name are out."""
        self.blocked.add(resident.identity.app_id, resident.identity.name, resident.key, None)

    def any_under(self, terms: Container[Term | None]) -> bool:
        """Tell whether anything is out of what is held under some terms."""
        return any(out.resident.term in terms for out in self._out.values())

    def went_out(self, resident: Resident, turn: Turn, stream: WorkStream) -> None:
        """Note that a turn is at a worker."""
        self.slots.take(resident.identity.name)
        self._out[resident.instance_id] = TurnOut(resident, turn, stream)

    def came_back(self, resident: Resident) -> list[str]:
        """Note that an instance's turn is at no worker any more; the batch stays frozen.

        Returns the apps that may have a place now.
        """
        out = self._out.get(resident.instance_id)
        if out is None or out.resident is not resident:
            return []
        del self._out[resident.instance_id]
        out.turn.token = ""
        if out.stream is not None:
            out.stream.release(Work.TURN, out.turn)
        was_full = self.slots.full()
        name = resident.identity.name
        self.slots.give(name)
        # A place under the limit of all apps is free for any of them.
        others = self._ready.apps() if was_full else self.blocked.apps_of(name)
        return list(dict.fromkeys([resident.identity.app_id, *others]))

    def left(self, stream: WorkStream) -> list[TurnOut]:
        """Return what a stream that has ended held, save what is being landed."""
        lost = []
        for out in [out for out in self._out.values() if out.stream is stream]:
            if out.resident.moving:
                self._out[out.resident.instance_id] = replace(out, stream=None)
            else:
                lost.append(out)
        return lost
