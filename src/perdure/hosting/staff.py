"""The workers that an engine has in its own process: one for each registry that is attached."""

import asyncio
import logging

from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer
from perdure.engine.service import Engine
from perdure.hosting.settings import HostSettings
from perdure.wire.fields import failure_of
from perdure.worker.activities import ActivityRunner
from perdure.worker.local import Local
from perdure.worker.runner import Runner
from perdure.worker.turns import Turns

_log = logging.getLogger("perdure.worker")


class Worker:
    """One registry's worker: its stream, its code and its activities."""

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        settings: HostSettings,
        context_type: type[WorkflowContext] = WorkflowContext,
    ) -> None:
        """Begin to take work. Raises ShuttingDown when the engine takes no more workers."""
        replayer = Replayer(registry, failure_of=failure_of, context_type=context_type)
        self._activities = ActivityRunner(
            registry.activities.get, threads=settings.threads, processes=settings.processes
        )
        self._place = Local(engine, app_id=settings.app_id, worker="this process")
        self._runner = Runner(self._place, Turns(replayer), self._activities)
        self._place.on_recall(self._runner.recall)
        self._working = asyncio.create_task(self._runner.run())
        self._working.add_done_callback(_report)

    def cut(self) -> None:
        """Stop activities that still run: they are run again by whoever has them next."""
        if self._activities:
            _log.warning("%d activities are cut off, and will run again", len(self._activities))
        self._activities.close()

    async def leave(self) -> None:
        """Take no more work, and let go of what is in hand."""
        self._activities.close()
        self._place.close()
        await asyncio.wait([self._working])


def _report(working: "asyncio.Task[None]") -> None:
    if not working.cancelled() and (error := working.exception()) is not None:
        _log.error("a worker has ended", exc_info=error)
