"""`python -m benchmarks.scale`: what happens to the partitions of a large fleet, and what it costs.

Plays what befalls a fleet (a cold start, deaths, a roll-out, a lost zone) with the real lease and
placement code under a virtual clock, and prints tables: how many partitions moved, how long it took
until all was even again, and what was asked of the store. Then it spreads instances over partitions
by their ids, as the store does, and tells how evenly nodes are loaded by that.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.scale.fleet import Fleet
from benchmarks.scale.loads import Load, spread
from benchmarks.scale.talk import Talk, talk
from perdure.base.time import SECOND_US

_EVEN_LIMIT_LEASES: Final = 20  # so many lengths of a lease is waited for an even spread
_INSTANCES: Final = 1_000_000_000
_SAMPLED: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Phase:
    """What befell the fleet, and what came of it; rates are of the time until all was even."""

    what: str
    nodes: int
    even_after_s: float | None
    moved: int  # different partitions
    moves: int  # how often one changed hands
    stands_per_s: float
    lease_writes_per_s: float
    read_mb_per_s: float
    news_per_s: float
    heard_per_s: float


def _play(fleet: Fleet, name: str, befall: Callable[[], None], least_s: float = 0.0) -> Phase:
    began = time.monotonic()
    fleet.take_figures()
    began_us = fleet.loop.now_us
    befall()
    even_s = fleet.until_even(_EVEN_LIMIT_LEASES * fleet.ttl_us)
    if even_s is not None:
        even_s = (fleet.loop.now_us - began_us) / SECOND_US
    passed_s = (fleet.loop.now_us - began_us) / SECOND_US
    if passed_s < least_s:
        fleet.pass_time(round((least_s - passed_s) * SECOND_US))
        passed_s = least_s
    figures = fleet.take_figures()
    # A stand writes the member's row as well; renewals, takings and givings are rows of leases.
    writes = figures.stands + figures.renewals + figures.claims + figures.releases
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return Phase(
        what=name,
        nodes=len(fleet.nodes),
        even_after_s=even_s,
        moved=len(figures.moves),
        moves=figures.claims,
        stands_per_s=figures.stands / passed_s,
        lease_writes_per_s=writes / passed_s,
        read_mb_per_s=figures.bytes_read / passed_s / 1e6,
        news_per_s=figures.news / passed_s,
        heard_per_s=figures.heard / passed_s,
    )


def _phases(nodes: int, partitions: int, ttl_s: int, seed: int) -> Iterator[Phase]:
    fleet = Fleet(partitions, ttl_s * SECOND_US, seed)
    few, some, rolled = max(1, nodes // 100), max(1, nodes // 20), min(3, nodes)

    def start() -> None:
        fleet.come(nodes, 5 * SECOND_US)
        fleet.pass_time(5 * SECOND_US)

    def kill(count: int) -> None:
        for node in fleet.some(count):
            node.die()

    def grow() -> None:
        fleet.come(some, 10 * SECOND_US)
        fleet.pass_time(10 * SECOND_US)

    def roll() -> None:
        """Replace nodes one after another, as a roll-out does."""
        for node in fleet.some(rolled):
            node.leave()
            fleet.pass_time(2 * SECOND_US)
            fleet.come(1, 0)
            fleet.pass_time(3 * SECOND_US)

    yield _play(fleet, f"{nodes:,} nodes come up within 5 s", start)
    yield _play(fleet, "nothing happens for half a minute", lambda: None, least_s=30.0)
    yield _play(fleet, f"{few} die at once (kill -9)", lambda: kill(few))
    yield _play(fleet, f"{some} more come within 10 s", grow)
    yield _play(fleet, f"{rolled} are replaced, one each 5 s", roll)
    yield _play(fleet, "a third dies at once", lambda: kill(len(fleet.nodes) // 3))
    fleet.close()


def _told(phases: list[Phase]) -> Table:
    columns = ("what", "nodes", "even after s", "partitions moved", "moves", "stands/s")
    more = ("lease writes/s", "read MB/s", "news/s", "heard/s")
    table = Table(*columns, *more, title="Partitions")
    for each in phases:
        even = "never" if each.even_after_s is None else f"{each.even_after_s:.1f}"
        counts = (f"{each.moved:,}", f"{each.moves:,}")
        rates = (each.stands_per_s, each.lease_writes_per_s, each.read_mb_per_s)
        news = (each.news_per_s, each.heard_per_s)
        table.add_row(
            *(each.what, f"{each.nodes:,}", even, *counts),
            *(f"{rate:,.1f}" for rate in (*rates, *news)),
        )
    return table


def _loads_told(loads: list[Load]) -> Table:
    columns = ("ids", "instances per partition", "busiest partition", "by chance alone")
    table = Table(*columns, "busiest node", title=f"{_INSTANCES:,} instances (mean = 1)")
    for each in loads:
        mean = f"{each.instances_per_partition:,.0f}"
        busiest = f"{each.busiest_partition:.3f}"
        chance = "" if each.by_chance is None else f"{each.by_chance:.3f}"
        table.add_row(each.what, mean, busiest, chance, f"{each.busiest_node:.3f}")
    return table


def _talk_told(talks: list[Talk]) -> Table:
    table = Table("commit", "nodes", "news", "bytes", "heard by", title="News for each commit")
    for each in talks:
        figures = (f"{each.news:.2f}", f"{each.bytes_long:,.0f}", f"{each.heard:,.0f}")
        table.add_row(each.what, f"{each.nodes:,}", *figures)
    return table


def main() -> None:
    """Play everything, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000)
    parser.add_argument("--partitions", type=int, default=4_096)
    parser.add_argument("--lease-seconds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sampled", type=int, default=_SAMPLED, help="ids that are really hashed")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    phases = list(_phases(asked.nodes, asked.partitions, asked.lease_seconds, asked.seed))
    loads = spread(
        nodes=asked.nodes,
        partitions=asked.partitions,
        sampled=asked.sampled,
        instances=_INSTANCES,
        seed=asked.seed,
    )
    sizes = sorted({2, min(10, asked.nodes), min(100, asked.nodes), asked.nodes})
    talks = [each for nodes in sizes for each in talk(nodes, asked.partitions, asked.seed)]
    console = Console(width=160)
    console.print(_told(phases))
    console.print(_talk_told(talks))
    console.print(_loads_told(loads))
    if asked.json is not None:
        told: dict[str, list[Any]] = {"phases": phases, "talk": talks, "loads": loads}
        report = {name: [asdict(each) for each in rows] for name, rows in told.items()}
        asked.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
