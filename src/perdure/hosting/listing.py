"""What is asked of a listing, as the query that every store understands."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from perdure.base.errors import ConfigurationError
from perdure.base.limits import PAGE_ROWS_MAX
from perdure.core.status import Status
from perdure.hosting.instances import microseconds_of
from perdure.store.query import AllOf, Compare, Field, Filter, InstanceQuery, Operator


def query_of(
    *,
    workflow: str | None,
    status: Status | Sequence[Status] | None,
    tags: Mapping[str, str],
    id_prefix: str | None,
    created: tuple[datetime | None, datetime | None],
    page: int,
) -> InstanceQuery:
    """Return the first page of a listing. `created` is from when to when, each None for any."""
    if not 1 <= page <= PAGE_ROWS_MAX:
        raise ConfigurationError(f"page={page}: expected from 1 to {PAGE_ROWS_MAX}")
    terms: list[Filter] = []
    if workflow is not None:
        terms.append(Compare(Field.NAME, Operator.EQ, (workflow,)))
    if isinstance(status, str):
        raise ConfigurationError(f"status={status!r}: expected perdure.Status, such as RUNNING")
    if status is not None:
        wanted = (status,) if isinstance(status, Status) else tuple(status)
        terms.append(Compare(Field.STATUS, Operator.IN, tuple(int(each) for each in wanted)))
    if id_prefix is not None:
        terms.append(Compare(Field.ID, Operator.PREFIX, (id_prefix,)))
    terms += [
        Compare(f"tags.{name}", Operator.EQ, (value,)) for name, value in sorted(tags.items())
    ]
    after, before = created
    if after is not None:
        terms.append(Compare(Field.CREATED, Operator.GTE, (microseconds_of(after),)))
    if before is not None:
        terms.append(Compare(Field.CREATED, Operator.LT, (microseconds_of(before),)))
    return InstanceQuery(where=AllOf(tuple(terms)), limit=page)
