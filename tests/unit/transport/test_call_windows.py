"""A client that counts: it is never sent more than it allowed, and in the end all of it."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Talk

STREAMS = (1, 3, 5, 7)
LARGE = 200_000


@dataclass(slots=True)
class Client:
    """The windows as the client knows them: new settings hold once they are agreed to."""

    connection: int = 65_535
    initial: int = 65_535
    streams: dict[int, int] = field(default_factory=dict)
    got: dict[int, int] = field(default_factory=dict)
    proposed: list[int] = field(default_factory=list)

    def says(self, step: tuple[str, int, int]) -> bytes:
        """Put a step into bytes, if it makes sense now."""
        what, stream_id, size = step
        match what:
            case "call" if stream_id > max(self.streams, default=0):
                self.streams[stream_id] = self.initial
                self.got[stream_id] = 0
                return h.call(stream_id, b"/t/Large", str(LARGE).encode())
            case "settings":
                self.proposed.append(size)
                return h.settings((4, size), (5, 16_384 + size % 1_000))
            case "stream" if stream_id in self.streams and size:
                self.streams[stream_id] += size
                return h.widen(stream_id, size)
            case "connection" if size:
                self.connection += size
                return h.widen(0, size)
            case _:
                return b""

    def hears(self, told: list[h.Received]) -> None:
        """Count what came back, in its order."""
        for found in told:
            if found.kind == h.SETTINGS:
                assert found.flags == h.ACK
                change = self.proposed[0] - self.initial
                self.initial = self.proposed.pop(0)
                self.streams = {number: left + change for number, left in self.streams.items()}
            elif found.kind == h.DATA:
                size = len(found.payload)
                self.connection -= size
                self.streams[found.stream_id] -= size
                self.got[found.stream_id] += size
                assert self.connection >= 0
                assert self.streams[found.stream_id] >= 0


SIZES = st.sampled_from([0, 1, 7, 100, 16_384, 65_535, 70_000, 300_000])
STEPS = st.tuples(
    st.sampled_from(["call", "settings", "stream", "connection"]), st.sampled_from(STREAMS), SIZES
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(STEPS, max_size=4), max_size=12), st.booleans())
async def test_a_client_that_counts(turns: list[list[tuple[str, int, int]]], paused: bool) -> None:
    talk, client = Talk(), Client(proposed=[65_535])
    client.hears(talk.say(h.GREETING))
    for number, turn in enumerate(turns):
        talk.wire.paused = paused and bool(number % 2)
        talk.wire.go_on()
        client.hears(await talk.ask(b"".join(client.says(step) for step in turn)))
    talk.wire.paused = False
    talk.wire.go_on()
    end = [("settings", 0, 2 * LARGE), ("connection", 0, 5 * LARGE)]
    client.hears(await talk.ask(*(client.says(step) for step in end)))
    assert set(client.got.values()) <= {LARGE + 5}
    assert not talk.session.calls
    assert talk.wire.room.held == 0
