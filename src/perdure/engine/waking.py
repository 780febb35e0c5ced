"""Who wakes whom: what is ready finds a worker, and a worker with room finds what is ready."""

from perdure.base.limits import TURN_RETRY_LONGEST_US
from perdure.engine.dispatcher import WorkStream
from perdure.engine.ground import Ground
from perdure.engine.memory import Memory
from perdure.engine.moves import Moves
from perdure.engine.recovery import Recovery
from perdure.engine.residents import Resident
from perdure.engine.tasks import Tasks


class Waking:
    """Connects the rooms that hand out with those that make ready."""

    def __init__(
        self, ground: Ground, memory: Memory, tasks: Tasks, moves: Moves, recovery: Recovery
    ) -> None:
        """Connect them."""
        self._landing = ground.landing
        self._ready = memory.ready
        self._inboxes = memory.inboxes
        self._turns = memory.turns
        self._tasks = tasks
        self._moves = moves
        self._recovery = recovery
        self._ready.on_ready = self._pump_turns
        self._ready.on_terminate = self._terminate
        self._ready.on_delay_over = self._spawn_wake
        memory.tasks.on_ready = self._pump_tasks
        self._turns.on_room = self._place_of_turn
        self._tasks.on_room = self._place_of_activity

    def joined(self, app_id: str) -> None:
        """Hand out what is ready to a worker that has come."""
        self._turns.joined(app_id)
        self._place_of_activity(app_id)

    def left(self, stream: WorkStream) -> None:
        """Hand out again what a worker had that has gone."""
        self._turns.left(stream)
        self._tasks.left(stream)

    def _pump_turns(self, app_id: str) -> None:
        self._turns.pump(app_id)
        self._recovery.refill_turns(app_id)

    def _pump_tasks(self, app_id: str) -> None:
        self._tasks.pump(app_id)
        self._recovery.refill_tasks(app_id)

    # Both kinds share the room of a stream. A place goes to the other kind first, so that neither
    # keeps it for as long as there is more of it.

    def _place_of_turn(self, app_id: str) -> None:
        self._pump_tasks(app_id)
        self._pump_turns(app_id)

    def _place_of_activity(self, app_id: str) -> None:
        self._pump_turns(app_id)
        self._pump_tasks(app_id)

    def _terminate(self, resident: Resident) -> None:
        # The worker's answer to a turn that is out will find nothing.
        resident.moving = True
        self._turns.forget(resident)
        resident.turn = None
        self._landing.spawn(self._terminated(resident), "terminating")

    async def _terminated(self, resident: Resident) -> None:
        try:
            await self._moves.terminate(resident)
        except Exception:
            # The order is on disk and stays there; it is tried again after a pause.
            resident.moving = False
            self._ready.delays.delay(
                resident.key,
                attempt=1,
                first_us=TURN_RETRY_LONGEST_US,
                longest_us=TURN_RETRY_LONGEST_US,
            )
            raise

    def _spawn_wake(self, key: int) -> None:
        self._landing.spawn(self._inboxes.wake(key), "trying again")
