"""Which form a path is in: the rule of api.md section 1, as a table."""

import pytest

from perdure.components.catalog import is_released_form

# prefix, first segment, whether ?instanceID= is there, whether the form is the released one
CASES = [
    ("v1.0", "dapr", False, True),
    ("v1.0", "dapr", True, True),
    ("v1.0", "temporal", False, True),
    ("v1.0", "OrderProcessing", False, False),
    ("v1.0", "OrderProcessing", True, True),
    ("v1.0", "Dapr", False, False),
    ("v1.0", "dapr ", False, False),
    ("v1.0", "", False, False),
    ("v1.0-beta1", "OrderProcessing", False, True),
    ("v1.0-beta1", "dapr", False, True),
    ("v1.0-alpha1", "OrderProcessing", False, True),
    ("v1.0-alpha1", "dapr", True, True),
]


@pytest.mark.parametrize(("prefix", "first", "has_instance_query", "released"), CASES)
def test_the_first_segment_decides(
    prefix: str, first: str, has_instance_query: bool, released: bool
) -> None:
    assert released is is_released_form(
        prefix=prefix,
        first_segment=first,
        component_names=frozenset({"dapr", "temporal"}),
        has_instance_query=has_instance_query,
    )
