"""Requests come out of their notes as they went in."""

from hypothesis import given
from hypothesis import strategies as st

from perdure.core.requests import RaiseEvent, Start
from perdure.core.tracing import TraceContext
from perdure.engine.parcels import pack_event, pack_start, unpack_event, unpack_start

texts = st.text(st.characters(), max_size=20)
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
traces = st.builds(TraceContext, texts, texts, texts, st.none() | texts)
starts = st.builds(
    Start,
    instance_id=texts,
    name=texts,
    app_id=texts,
    input=st.none() | texts,
    version=st.none() | texts,
    scheduled_start_us=st.none() | st.integers(0, 2**60),
    tags=pairs,
    trace=st.none() | traces,
    options=pairs,
)
events = st.builds(RaiseEvent, instance_id=texts, name=texts, input=st.none() | texts)


@given(starts, st.integers(0, 2**60))
def test_a_start_comes_out_as_it_went_in(start: Start, at_us: int) -> None:
    assert unpack_start(pack_start(start, at_us)) == (start, at_us)


@given(events, st.integers(0, 2**60))
def test_an_event_comes_out_as_it_went_in(event: RaiseEvent, at_us: int) -> None:
    assert unpack_event(pack_event(event, at_us)) == (event, at_us)


def test_what_is_kept_can_be_read_by_people() -> None:
    event = RaiseEvent(instance_id="a", name="approval", input="true")
    assert pack_event(event, 5) == (
        b'{"at_us": 5, "instance_id": "a", "name": "approval", "input": "true"}'
    )
