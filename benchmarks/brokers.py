"""`python -m benchmarks.brokers [BROKER …]`: messages a second, from each broker to workflows.

A number of messages lies in the broker. First the broker's own client takes and acknowledges them
and does nothing else: that is as fast as it gets. Then `perdure serve` takes as many, each of which
starts a workflow, on disk before it is acknowledged. JSON on standard output, and a table.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.plain_consumers import PLAIN, Count
from perdure.triggers.port import Outgoing, PubSub
from tests.e2e.serving import Server
from tests.e2e.triggers.brokering import TOPIC, resources
from tests.kit.brokers.kinds import KINDS, Broker
from tests.kit.brokers.settings import settings_of

_SIDE_BY_SIDE = 100
_DEADLINE_S = 300.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second."""

    plain: float
    perdure: float


def main() -> None:
    """Measure the brokers that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.brokers", description=__doc__)
    parser.add_argument("brokers", nargs="*", metavar="BROKER", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--messages", type=int, default=5_000, help="how many (default: 5000)")
    arguments = parser.parse_args()
    names = arguments.brokers or list(KINDS)
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        parser.error(f"no broker is called {unknown[0]}; there are {', '.join(KINDS)}")
    rates: dict[str, Rates] = {}
    for name in names:
        print(f"measuring {name}", file=sys.stderr)
        rates[name] = measure(name, arguments.messages)
    print(json.dumps({name: _figures(each) for name, each in rates.items()}, indent=2))
    Console(stderr=True, width=100).print(_table(rates))


def measure(name: str, messages: int) -> Rates:
    """Measure one broker, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="perdure-") as text:
        folder = Path(text)
        (folder / "broker").mkdir()
        broker = KINDS[name](folder / "broker")
        broker.process.start()
        try:
            plain = asyncio.run(_plain(broker, folder, messages))
            ours = _perdure(broker, folder, messages)
        finally:
            broker.stop_for_good()
    return Rates(plain, ours)


async def _plain(broker: Broker, folder: Path, messages: int) -> float:
    topic = "plain"
    await broker.prepare(topic)
    reader = PLAIN[broker.kind](broker, topic)
    await reader.join()
    await _publish(broker, folder, topic, messages)
    count = Count(messages)
    async with asyncio.timeout(_DEADLINE_S):
        await reader.read(count)
    return count.rate


def _perdure(broker: Broker, folder: Path, messages: int) -> float:
    asyncio.run(_prepare(broker))
    place = resources(folder, broker, as_event=False)
    server = Server.in_folder(folder, "--resources-path", str(place))
    # A first run makes the queue, group or session in which messages wait.
    server.start()
    server.stop()
    asyncio.run(_publish(broker, folder, TOPIC, messages))
    server.start()
    try:
        count = Count(messages)
        end = time.monotonic() + _DEADLINE_S
        while count.seen < messages:
            assert time.monotonic() < end, f"{count.seen} of {messages} after {_DEADLINE_S} s"
            count.set(_started(server))
            time.sleep(_POLL_S)
        return count.rate
    finally:
        server.stop()


def _started(server: Server) -> int:
    lines = server.request("GET", "/metrics").text.splitlines()
    wanted = 'perdure_trigger_messages_total{outcome="started"'
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(wanted))


async def _prepare(broker: Broker) -> None:
    await broker.prepare(TOPIC)


async def _publish(broker: Broker, folder: Path, topic: str, messages: int) -> None:
    module = import_module(f"perdure.triggers.pubsub.{broker.kind}")
    pubsub: PubSub = module.build(
        settings_of(folder, f"pubsub.{broker.kind}", broker.metadata, name="app")
    )
    try:
        for first in range(0, messages, _SIDE_BY_SIDE):
            numbers = range(first, min(first + _SIDE_BY_SIDE, messages))
            await asyncio.gather(*(pubsub.publish(topic, _message(n)) for n in numbers))
    finally:
        await pubsub.close()


def _message(number: int) -> Outgoing:
    body = json.dumps({"n": number, "note": "x" * 200}).encode()
    return Outgoing(data=body, content_type="application/json")


def _figures(rates: Rates) -> Mapping[str, float]:
    return {
        "plain_messages_per_s": round(rates.plain, 1),
        "perdure_workflows_per_s": round(rates.perdure, 1),
    }


def _table(rates: Mapping[str, Rates]) -> Table:
    table = Table(title="from broker to workflow, each on disk before it is acknowledged")
    table.add_column("broker")
    for column in ("plain consumer, messages/s", "perdure, workflows/s", "part"):
        table.add_column(column, justify="right")
    for name, each in rates.items():
        part = f"{100 * each.perdure / each.plain:.0f} %"
        table.add_row(name, f"{each.plain:,.0f}", f"{each.perdure:,.0f}", part)
    return table


if __name__ == "__main__":
    main()
