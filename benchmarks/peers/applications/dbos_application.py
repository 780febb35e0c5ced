"""The workloads on DBOS: a library, so that workflows, steps and load share one process.

`dbos_application.py DATABASE_URL`. On SQLite it needs a version that the standard library of this
Python may not have, and takes that of pysqlite3 then.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from typing import Any

SQLITE_MIN = (3, 42)

if sqlite3.sqlite_version_info < SQLITE_MIN and sys.argv[1].startswith("sqlite"):
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandleAsync  # noqa: E402
from driving import serve  # noqa: E402

LONG_S = 24 * 3600


@DBOS.step()
async def echo(value: Any) -> Any:
    return value


@DBOS.workflow()
async def hello(value: Any) -> Any:
    return await echo(value)


@DBOS.workflow()
async def chain(count: int) -> int:
    for number in range(count):
        await echo(number)
    return count


@DBOS.workflow()
async def fanout(count: int) -> int:
    return len(await asyncio.gather(*(echo(number) for number in range(count))))


@DBOS.workflow()
async def wait(value: Any) -> Any:
    return await DBOS.recv_async("go", timeout_seconds=LONG_S)


WORKFLOWS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "hello": hello,
    "chain": chain,
    "fanout": fanout,
    "wait": wait,
}


class Client:
    """Starts and awaits workflows in this process."""

    async def _start(self, instance_id: str, workflow: str, value: Any) -> WorkflowHandleAsync[Any]:
        with SetWorkflowID(instance_id):
            return await DBOS.start_workflow_async(WORKFLOWS[workflow], value)

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        handle = await self._start(instance_id, workflow, value)
        return await handle.get_result()

    async def begin(self, instance_id: str) -> None:
        await self._start(instance_id, "wait", None)

    async def wake(self, instance_id: str) -> Any:
        await DBOS.send_async(instance_id, "gone", topic="go")
        handle: WorkflowHandleAsync[Any] = await DBOS.retrieve_workflow_async(instance_id)
        return await handle.get_result()


async def main() -> None:
    """Launch, which recovers what a death has left, and serve."""
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": sys.argv[1],
        "application_version": "1",
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    await serve(Client())
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main())
