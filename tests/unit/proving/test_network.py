"""The simulated network: connections keep their order, single calls overtake."""

from random import Random

from perdure.proving.loop import SimLoop
from perdure.proving.network import Network


def test_a_connection_keeps_its_order_and_single_calls_do_not() -> None:
    loop = SimLoop(lambda: (0, 0))
    network = Network(loop, Random("network"))
    streamed: list[int] = []
    single: list[int] = []
    for number in range(200):
        network.stream("a", lambda number=number: streamed.append(number))  # type: ignore[misc]  # the default binds it
        network.single("b", lambda number=number: single.append(number))  # type: ignore[misc]  # the default binds it
    loop.run_until(lambda: False, 10_000_000)
    assert streamed == list(range(200))
    assert single != list(range(200))
    assert sorted(single) == list(range(200))
    assert network.overtaken > 20
    loop.close()
