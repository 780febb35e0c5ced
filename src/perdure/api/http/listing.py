"""Listing and searching instances (api.md section 5)."""

from typing import Final

from starlette.responses import Response

from perdure.api.http import errors
from perdure.api.http.asking import OWNER
from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE
from perdure.api.http.errors import doing
from perdure.api.http.forms import COMPONENT, component_in_query
from perdure.api.http.parameters import SHOWN_CHARS_MAX, Parameters
from perdure.api.http.query_fields import TAG_PREFIX, compare
from perdure.api.http.query_language import order_by, query_of
from perdure.api.http.replies import json_reply
from perdure.api.http.settings import Call
from perdure.api.http.views import FIELDS, PAYLOAD_FIELDS, instance_json
from perdure.base.errors import CallerFault
from perdure.base.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, QUERY_TERMS_MAX
from perdure.components.catalog import EMBEDDED
from perdure.store.query import AllOf, Compare, Field, InstanceQuery, Operator, Order
from perdure.wire.json_api.text import Json, read

_TAG_PARAMETER: Final = "tag."
_WITHOUT_PAYLOADS: Final = frozenset(FIELDS) - PAYLOAD_FIELDS

# Of these parameters every value counts, and one of them has to match.
_ONE_OF: Final = (("status", Field.STATUS), ("type", Field.NAME), ("parent", Field.PARENT))
# Of these only the first, and all of them have to hold.
_BOUNDS: Final = (
    ("createdAfter", Field.CREATED, Operator.GT),
    ("createdBefore", Field.CREATED, Operator.LT),
    ("completedAfter", Field.COMPLETED, Operator.GT),
    ("completedBefore", Field.COMPLETED, Operator.LT),
    ("idPrefix", Field.ID, Operator.PREFIX),
)
PARAMETERS: Final = frozenset(
    {
        *(name for name, _ in _ONE_OF),
        *(name for name, _, _ in _BOUNDS),
        "sort",
        "pageSize",
        "token",
        "payloads",
        COMPONENT,
        OWNER,
    }
)


async def list_instances(call: Call) -> Response:
    """Return a page of the instances that every parameter selects."""
    parameters = Parameters(call.request)
    for name, _ in parameters.pairs:
        # A parameter that was misspelled must not select everything.
        if name not in PARAMETERS and not name.startswith(_TAG_PARAMETER):
            raise CallerFault(f"unknown parameter '{name[:SHOWN_CHARS_MAX]}'")
    query = InstanceQuery(
        where=AllOf(_comparisons(parameters)),
        order=_order(parameters),
        limit=parameters.number("pageSize", default=PAGE_ROWS_DEFAULT, least=1, most=PAGE_ROWS_MAX),
        token=parameters.text("token") or None,
    )
    return await _page(call, query, payloads=parameters.flag("payloads", default=False))


async def query_instances(call: Call) -> Response:
    """Return a page of the instances that a query in Dapr's state query language selects."""
    body = await read_body(call, too_large_status=TOO_LARGE)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise CallerFault("the query is not UTF-8") from error
    query, payloads = query_of(read(text))
    return await _page(call, query, payloads=payloads)


async def _page(call: Call, query: InstanceQuery, *, payloads: bool) -> Response:
    component = component_in_query(call) or call.door.component(EMBEDDED)
    with doing(errors.QUERY, ""):
        page = await component.find(query, payloads=payloads)
    fields = frozenset(FIELDS) if payloads else _WITHOUT_PAYLOADS
    answer: dict[str, Json] = {
        "instances": [instance_json(view, fields) for view in page.instances]
    }
    if page.next_token is not None:
        answer["token"] = page.next_token
    return json_reply(answer)


def _comparisons(parameters: Parameters) -> tuple[Compare, ...]:
    found = [
        compare(field, Operator.IN, words)
        for name, field in _ONE_OF
        if (words := parameters.words(name))
    ]
    found += [
        compare(field, operator, text)
        for name, field, operator in _BOUNDS
        if (text := parameters.text(name))
    ]
    found += [
        compare(TAG_PREFIX + name.removeprefix(_TAG_PARAMETER), Operator.EQ, value)
        for name, value in parameters.pairs
        if name.startswith(_TAG_PARAMETER)
    ]
    if sum(len(each.values) for each in found) > QUERY_TERMS_MAX:
        raise CallerFault(f"the parameters have more than {QUERY_TERMS_MAX} values")
    return tuple(found)


def _order(parameters: Parameters) -> tuple[Order, ...]:
    words = parameters.words("sort")
    if len(words) > len(Field):
        raise CallerFault("sort must be a list of fields, each named once")
    order = tuple(
        order_by(word.removeprefix("-"), descending=word.startswith("-")) for word in words
    )
    return order or InstanceQuery().order
