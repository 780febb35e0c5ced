"""Records as JSON objects: whatever is in a record comes back, and nothing else gets in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.base.errors import CallerFault
from perdure.moving.records import packed, unpacked
from perdure.store.port import Head, Identity, TaskAdd, TaskRow
from perdure.wire.json_api.text import write

_integers = st.integers(-(2**63), 2**63 - 1)
_texts = st.text(st.characters(codec="utf-8"))
_records = st.one_of(
    st.builds(
        Identity,
        instance_id=_texts,
        name=_texts,
        app_id=_texts,
        execution_id=_texts,
        version=st.none() | _texts,
        born_at_us=_integers,
        parent_key=st.none() | _integers,
        tags=st.lists(st.tuples(_texts, _texts)).map(tuple),
        propagated=st.none() | st.binary(),
    ),
    st.builds(Head, phase=_integers, patches=st.lists(_texts).map(tuple), stalled=st.none()),
    st.builds(
        TaskRow,
        row=_integers,
        key=_integers,
        instance_id=_texts,
        suspended=st.booleans(),
        add=st.builds(
            TaskAdd, _integers, _integers, _texts, _texts, st.binary(), _integers, st.none()
        ),
    ),
)


@given(_records)
def test_a_record_comes_back(record: Identity | Head | TaskRow) -> None:
    members = json.loads(write(packed(record)))
    assert unpacked(type(record), members) == record


def test_what_is_known_is_not_looked_for() -> None:
    members = packed(Head(phase=1), without=frozenset({"phase"}))
    assert unpacked(Head, members, phase=3) == Head(phase=3)
    with pytest.raises(CallerFault, match="phase is no member that is known"):
        unpacked(Head, packed(Head(phase=1)), phase=3)
