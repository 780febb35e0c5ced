"""Whatever a message says: it is read or refused, decided, kept and read back as it was."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from perdure.base.ids import is_legal_instance_id
from perdure.core.deliveries import StartStep
from perdure.triggers.cloud_events import STRUCTURED, NoEvent
from perdure.triggers.definitions import Action, OfTopic, Subscription, Trigger
from perdure.triggers.expressions import Expression
from perdure.triggers.outcomes import as_data, described, in_words
from perdure.triggers.port import Message
from perdure.triggers.records import (
    DeadLetter,
    KeptMessage,
    read_dead_letter,
    read_kept,
    write_dead_letter,
    write_kept,
)
from perdure.triggers.routing import (
    Ignored,
    Planned,
    Rules,
    Unusable,
    decide,
    identity_of,
    received,
)

RULES = Rules("app", 64)
PLAIN = Trigger(
    name="plain", origin=OfTopic("p", "t"), action=Action.START, component="dapr", workflow="w"
)
NAMED = Trigger(
    name="named",
    origin=OfTopic("p", "t"),
    action=Action.START,
    component="dapr",
    workflow="w",
    match=Expression("has(data.id) || event.type == 'x'"),
    instance_id=Expression("data.id"),
    input=Expression("{'all': data, 'headers': metadata}"),
    tags=Expression("metadata"),
)
WAY = Subscription(
    name="way", pubsub="p", topic="t", rules=((Expression("data.id == 'a'"), "/plain"),)
)

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "data", "a"]) | TEXT, inner, max_size=4)
    ),
    max_leaves=10,
)
EVENTS = st.fixed_dictionaries(
    {"id": TEXT, "source": TEXT, "type": st.just("x") | TEXT, "specversion": st.just("1.0")},
    optional={"data": JSON, "data_base64": TEXT, "datacontenttype": TEXT, "traceparent": TEXT},
)
BODIES = st.binary(max_size=60) | (JSON | EVENTS).map(lambda value: json.dumps(value).encode())
MESSAGES = st.builds(
    Message,
    message_id=st.none() | TEXT,
    data=BODIES,
    content_type=st.none() | TEXT | st.sampled_from([STRUCTURED, "application/json", "text/plain"]),
    attributes=st.lists(
        st.tuples(st.sampled_from(["ce-id", "ce-source", "ce-type", "x"]) | TEXT, TEXT), max_size=4
    ).map(tuple),
    topic=st.none() | TEXT,
    received_at_us=st.integers(0, 2**60),
    redelivered=st.just(False),
)


@given(MESSAGES, st.booleans())
@example(Message(message_id=None, data=b'{"id": 1e400}'), False)
@example(Message(message_id=None, data=b'{"id": 123456789012345678901234567890}'), False)
def test_every_message_comes_to_something(message: Message, raw: bool) -> None:
    try:
        found = received("p/t", message, raw=raw)
    except NoEvent:
        return
    assert identity_of(message, found.event) == identity_of(message, found.event)
    for trigger in (PLAIN, NAMED):
        for way in (None, WAY):
            plan = decide(trigger, way, found, RULES)
            assert in_words(plan)
            json.dumps(as_data(plan))
            match plan:
                case Planned(step=StartStep(start=start) as step):
                    assert described(step)
                    assert is_legal_instance_id(start.instance_id)
                    assert 0 < len(start.instance_id.encode()) <= 64
                    assert start.input is None or json.loads(start.input) is not Ellipsis
                case Planned():
                    raise AssertionError("both only start")
                case Ignored(reason) | Unusable(reason):
                    assert reason


@given(MESSAGES, TEXT, st.integers(1, 20))
def test_records_are_read_back_as_they_were(message: Message, reason: str, attempts: int) -> None:
    letter = DeadLetter(trigger="t", source="s", reason=reason, attempts=attempts, message=message)
    assert read_dead_letter(write_dead_letter(letter)) == letter
    kept = KeptMessage(outcome=reason, message=message)
    assert read_kept(write_kept(kept)) == kept
