"""Filters of the wire as the store's filter trees."""

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from perdure.core.status import TERMINAL
from perdure.store.query import AllOf, AnyOf, Compare, Field, Filter, Operator
from perdure.wire.fields import microseconds
from perdure.wire.generated import management_pb2 as pb


def to_purge(filter_: pb.PurgeInstanceFilter, *, force: bool) -> Filter:
    """Return what a purge takes: of what the filter names only the finished, unless forced."""
    named = frozenset(int(status) for status in filter_.runtime_status)
    finished = frozenset(int(status) for status in TERMINAL)
    wanted = named if force else (named & finished if named else finished)
    terms = _range(
        Field.CREATED,
        filter_.created_time_from if filter_.HasField("created_time_from") else None,
        filter_.created_time_to if filter_.HasField("created_time_to") else None,
    )
    if wanted or not force:
        terms = (*terms, _among(wanted))
    return AllOf(terms)


def to_list(query: pb.InstanceFilter) -> Filter:
    """Return what QueryInstances asks for."""
    terms = _range(
        Field.CREATED,
        query.created_time_from if query.HasField("created_time_from") else None,
        query.created_time_to if query.HasField("created_time_to") else None,
    )
    if query.runtime_status:
        terms = (*terms, _among(query.runtime_status))
    if query.instance_id_prefix.value:
        terms = (*terms, Compare(Field.ID, Operator.PREFIX, (query.instance_id_prefix.value,)))
    return AllOf(terms)


def to_list_finished(request: pb.ListFinishedRequest) -> Filter:
    """Return what ListInstanceIds asks for: the finished, by when they finished."""
    terms = _range(
        Field.COMPLETED,
        request.completed_time_from if request.HasField("completed_time_from") else None,
        request.completed_time_to if request.HasField("completed_time_to") else None,
    )
    return AllOf((*terms, _among(request.runtime_status or TERMINAL)))


def _range(field: Field, since: Timestamp | None, until: Timestamp | None) -> tuple[Filter, ...]:
    terms: list[Filter] = []
    if since is not None:
        terms.append(Compare(field, Operator.GTE, (microseconds(since),)))
    if until is not None:
        terms.append(Compare(field, Operator.LTE, (microseconds(until),)))
    return tuple(terms)


def _among(statuses: Iterable[int]) -> Filter:
    numbers = tuple(sorted({int(status) for status in statuses}))
    return Compare(Field.STATUS, Operator.IN, numbers) if numbers else AnyOf(())
