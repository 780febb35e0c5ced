"""A listing of instances, as data: a filter tree, an order and a page.

Every store turns the same tree into its own language. Field names are those that people write
in the API (`api.md` section 5), `tags.KEY` among them.

A comparison with a missing value, the instance's or the query's, is false, save that NEQ is
true. A value of another type than the field's counts as missing. Text compares by code points.
In an order, missing values are less than any other.
"""

from dataclasses import dataclass
from enum import StrEnum

Value = str | int | None


class Field(StrEnum):
    """What can be filtered and ordered by. Times are microseconds, a status its number."""

    ID = "instanceID"
    NAME = "workflowName"
    STATUS = "runtimeStatus"
    CREATED = "createdAt"
    STARTED = "startedAt"
    UPDATED = "lastUpdatedAt"
    COMPLETED = "completedAt"
    PARENT = "parentInstanceID"
    APP = "appID"
    VERSION = "version"
    WAITS_FOR = "waitsFor"
    CUSTOM_STATUS = "customStatus"


class Operator(StrEnum):
    """The comparisons of Dapr's state query language, and a prefix match for ids."""

    EQ = "EQ"
    NEQ = "NEQ"
    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"
    IN = "IN"
    PREFIX = "PREFIX"


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `field` is a Field, or `tags.KEY`; `values` has one, or many for IN."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them; true if there is none."""

    terms: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them; false if there is none."""

    terms: tuple["Filter", ...]


Filter = Compare | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class InstanceQuery:
    """A listing. Ties are broken by birth, in the direction of the first key.

    `token` is what an earlier page of the same filter and order returned.
    """

    where: Filter = AllOf(())
    order: tuple[Order, ...] = (Order(Field.CREATED, descending=True),)
    limit: int = 50
    token: str | None = None
