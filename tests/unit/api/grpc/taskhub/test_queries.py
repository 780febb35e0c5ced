"""Filters of the wire as filter trees."""

import pytest

from perdure.api.grpc.taskhub.queries import to_list, to_list_finished, to_purge
from perdure.store.query import AllOf, AnyOf, Compare, Field, Operator
from perdure.wire.generated import management_pb2 as pb

COMPLETED, FAILED, CANCELED, TERMINATED, PENDING = 1, 3, 4, 5, 6
FINISHED = Compare(Field.STATUS, Operator.IN, (COMPLETED, FAILED, CANCELED, TERMINATED))


def _statuses(*numbers: int) -> Compare:
    return Compare(Field.STATUS, Operator.IN, numbers)


@pytest.mark.parametrize(
    ("named", "force", "term"),
    [
        ((), False, FINISHED),
        ((FAILED,), False, _statuses(FAILED)),
        ((FAILED, PENDING, FAILED), False, _statuses(FAILED)),
        ((PENDING,), False, AnyOf(())),
        ((PENDING,), True, _statuses(PENDING)),
    ],
)
def test_what_a_purge_takes(named: tuple[int, ...], force: bool, term: object) -> None:
    filter_ = pb.PurgeInstanceFilter()
    filter_.MergeFromString(b"".join(bytes((0x18, number)) for number in named))
    assert to_purge(filter_, force=force) == AllOf((term,))  # type: ignore[arg-type]  # a filter or none, as the case has it


def test_a_forced_purge_of_everything() -> None:
    assert to_purge(pb.PurgeInstanceFilter(), force=True) == AllOf(())


def test_times_are_inclusive_on_both_ends() -> None:
    filter_ = pb.PurgeInstanceFilter()
    filter_.created_time_from.seconds = 1
    filter_.created_time_to.nanos = 5_000
    assert to_purge(filter_, force=True) == AllOf(
        (
            Compare(Field.CREATED, Operator.GTE, (1_000_000,)),
            Compare(Field.CREATED, Operator.LTE, (5,)),
        )
    )


def test_a_query() -> None:
    query = pb.InstanceFilter()
    query.instance_id_prefix.value = "a"
    query.MergeFromString(b"\x08\x06")
    assert to_list(query) == AllOf(
        (_statuses(PENDING), Compare(Field.ID, Operator.PREFIX, ("a",))),
    )
    assert to_list(pb.InstanceFilter()) == AllOf(())


def test_a_list_of_the_finished() -> None:
    request = pb.ListFinishedRequest()
    request.completed_time_from.seconds = 2
    assert to_list_finished(request) == AllOf(
        (Compare(Field.COMPLETED, Operator.GTE, (2_000_000,)), FINISHED)
    )
