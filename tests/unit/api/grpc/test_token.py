"""The API token among a call's metadata."""

from typing import Any

import pytest

from perdure.api.grpc.token import token_complaint

MISSING = "missing api token in request metadata"
WRONG = "authentication error: api token mismatch"


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ([], MISSING),
        ([("other", "right")], MISSING),
        ([("dapr-api-token", "")], MISSING),
        ([("dapr-api-token", "wrong")], WRONG),
        ([("dapr-api-token", "rightx")], WRONG),
        ([("dapr-api-token", "ü")], WRONG),
        ([("dapr-api-token", "right")], None),
        ([("dapr-api-token", b"right")], None),
        ([("a", "b"), ("dapr-api-token", "right")], None),
        ([("dapr-api-token", "wrong"), ("dapr-api-token", "right")], None),
        ([("dapr-api-token", "right"), ("dapr-api-token", "wrong")], WRONG),
    ],
)
def test_complaints(metadata: Any, complaint: str | None) -> None:
    assert token_complaint("right", metadata) == complaint
