"""Which of the two path forms is meant (api.md, section 1)."""

import pytest

from perdure.components.catalog import is_released_form

NAMES = frozenset({"dapr", "temporal"})


@pytest.mark.parametrize(
    ("prefix", "first", "query", "released"),
    [
        ("v1.0", "dapr", False, True),
        ("v1.0", "temporal", False, True),
        ("v1.0", "order", False, False),
        ("v1.0", "Dapr", False, False),
        ("v1.0", "order", True, True),
        ("v1.0-beta1", "order", False, True),
        ("v1.0-alpha1", "order", False, True),
        ("v1.0-alpha1", "dapr", True, True),
    ],
)
def test_the_first_segment_decides(prefix: str, first: str, *, query: bool, released: bool) -> None:
    found = is_released_form(
        prefix=prefix, first_segment=first, component_names=NAMES, has_instance_query=query
    )
    assert found is released
