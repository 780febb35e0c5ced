"""What interceptors of grpcio add to calls is sent, although there is no grpcio for them."""

from collections.abc import Callable
from typing import Any

from perdure.workflow.opening import added_metadata


class AppId:
    """Adds metadata, as those of applications do."""

    def intercept_unary_unary(
        self, continuation: Callable[..., object], details: Any, request: object
    ) -> object:
        metadata = [*details.metadata, ("dapr-app-id", "shop")]
        return continuation(details._replace(metadata=metadata), request)


class OfStreams:
    """Adds metadata to streams alone."""

    def intercept_unary_stream(
        self, continuation: Callable[..., object], details: Any, request: object
    ) -> object:
        return continuation(details._replace(metadata=[("more", "1")]), request)


class Idle:
    """Calls nobody, and is no interceptor that can be asked."""


def test_the_metadata_of_interceptors_is_found() -> None:
    found = added_metadata([AppId(), Idle(), OfStreams()])
    assert found == (("dapr-app-id", "shop"), ("more", "1"))
    assert added_metadata([]) == ()
