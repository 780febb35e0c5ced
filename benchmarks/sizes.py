"""`python -m benchmarks.sizes`: how much room workflows take, on SQLite and on Postgres.

Runs some thousands of each kind with the engine in this process on a SQLite file, and tells what
one of them takes of the file once it is compacted. With `--postgres URL`, of an empty database, the
same instances are promoted there, and what they take there is told.
"""

import argparse
import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import perdure

COUNT = 2_000
IN_FLIGHT = 64
registry = perdure.Registry()


@registry.activity()
def greet(_context: perdure.ActivityContext, name: object) -> object:
    return f"hello {name}"


@registry.workflow()
def hello(context: perdure.WorkflowContext, name: object) -> Generator[Any, Any, object]:
    """One activity, and ended."""
    return (yield context.call_activity(greet, input=name))


@registry.workflow()
def chain10(context: perdure.WorkflowContext, name: object) -> Generator[Any, Any, object]:
    """Ten activities, and ended."""
    for _ in range(10):
        name = yield context.call_activity(greet, input=name)
    return name


@registry.workflow()
def waiting(context: perdure.WorkflowContext, name: object) -> Generator[Any, Any, object]:
    """One activity done, waiting for an event."""
    yield context.call_activity(greet, input=name)
    return (yield context.wait_for_external_event("go"))


@registry.workflow()
def sleeping(context: perdure.WorkflowContext, _name: object) -> Generator[Any, Any, object]:
    """One timer set, for a long time."""
    return (yield context.create_timer(timedelta(hours=1)))


KINDS = {"hello": hello, "chain10": chain10, "waiting": waiting, "sleeping": sleeping}
_REACHED = {"waiting": "event", "sleeping": "timer"}


async def _fill(file: Path, kind: str, count: int) -> None:
    async with perdure.Engine(file, registry=registry) as engine:
        ids = iter(range(count))

        async def client() -> None:
            for number in ids:
                handle = await engine.start(KINDS[kind], "world", id=f"{kind}-{number}")
                if kind not in _REACHED:
                    await handle.result()

        await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
        await _until_reached(engine, kind, count)


async def _until_reached(engine: perdure.Engine, kind: str, count: int) -> None:
    while kind in _REACHED:
        found = [each async for each in engine.instances()]
        if sum(each.waits_for == _REACHED[kind] for each in found) == count:
            return
        await asyncio.sleep(0.2)


def _compact_bytes(file: Path) -> int:
    small = file.with_suffix(".small")
    with sqlite3.connect(file) as connection:
        connection.execute("VACUUM INTO ?", (str(small),))
    connection.close()
    return small.stat().st_size


def _psql(url: str, text: str) -> str:
    done = subprocess.run(
        ["psql", "-XAtq", url, "-c", text], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _postgres_bytes(url: str, file: Path) -> int:
    """Promote a file into an empty schema, and return what its tables take."""
    _psql(url, "DROP SCHEMA IF EXISTS perdure CASCADE")
    arguments = [sys.executable, "-m", "perdure", "promote", str(file), url]
    subprocess.run(arguments, check=True, capture_output=True)
    size = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n"
    where = "ON n.oid = c.relnamespace WHERE n.nspname = 'perdure' AND c.relkind IN ('r', 'S')"
    return int(_psql(url, f"{size} {where}"))


def _measure(kind: str, count: int, url: str | None) -> Sequence[float]:
    with tempfile.TemporaryDirectory() as folder:
        sizes: dict[int, list[int]] = {}
        for many in (count // 10, count):
            file = Path(folder) / f"{many}.db"
            asyncio.run(_fill(file, kind, many))
            sizes[many] = [_compact_bytes(file)]
            if url is not None:
                sizes[many].append(_postgres_bytes(url, file))
        few, all_of = sizes.values()
        more = count - count // 10
        return [(much - little) / more for little, much in zip(few, all_of, strict=True)]


def main() -> None:
    """Measure each kind, and print a line for it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--postgres", metavar="URL", help="an empty database, which is written to")
    asked = parser.parse_args()
    for kind, workflow in KINDS.items():
        found = _measure(kind, asked.count, asked.postgres)
        told = ", ".join(
            f"{name} {size:,.0f} bytes"
            for name, size in zip(("SQLite", "Postgres"), found, strict=False)
        )
        print(f"{kind} ({workflow.__doc__}): {told}")


if __name__ == "__main__":
    main()
