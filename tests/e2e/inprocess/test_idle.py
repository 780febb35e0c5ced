"""What an instance costs that waits: a hundred thousand of them are to fit into 200 MB.

As many as are kept in memory, 10,000, take what is measured here; the others are on disk alone.
With all of them a process takes about 172 MiB (`python -m benchmarks.inprocess idle`).
"""

import asyncio
import gc
import tracemalloc
from pathlib import Path
from typing import Final

from perdure import Engine, WorkflowContext

_FEW: Final = 300
_MANY: Final = 1_500
_AT_ONCE: Final = 50
_BYTES_MAX: Final = 7_500


async def test_what_waits_for_an_event_takes_little_memory(tmp_path: Path) -> None:
    async with Engine(tmp_path / "idle.db") as engine:

        @engine.workflow
        async def waiting(ctx: WorkflowContext, name: str) -> str:
            return str(await ctx.wait_for_external_event("go"))

        async def leave(first: int, last: int) -> None:
            for begun in range(first, last, _AT_ONCE):
                ids = [f"w-{number}" for number in range(begun, begun + _AT_ONCE)]
                await asyncio.gather(*(engine.start(waiting, "x", id=each) for each in ids))
                await asyncio.gather(*(engine.wait(each, started=True) for each in ids))

        await leave(0, _FEW)  # what is made once is there then
        gc.collect()
        tracemalloc.start()
        try:
            await leave(_FEW, _MANY)
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    each = held / (_MANY - _FEW)
    assert each < _BYTES_MAX, each
