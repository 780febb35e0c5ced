"""Seats as runtimes and clients take them, and what of a sidecar's settings is kept."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from perdure.workflow.seats import AtAddress, InThisProcess, Seat


class _Details(NamedTuple):
    """A call as an interceptor of grpcio sees it."""

    method: str
    timeout: float | None
    metadata: list[tuple[str, str]] | None
    credentials: object
    wait_for_ready: bool | None
    compression: object


class _Seen(Exception):
    """Ends the asking of an interceptor once it has told what it adds."""


def seat_at(place: InThisProcess | AtAddress, message_bytes_max: int | None = None) -> Seat:
    """Take a seat, for messages up to a size if there is one.

    What a place needs is loaded only where it is used.
    """
    seat = _seat_at(place)
    seat.message_bytes_max = message_bytes_max
    return seat


def _seat_at(place: InThisProcess | AtAddress) -> Seat:
    if isinstance(place, AtAddress):
        from perdure.workflow.at_address import RemoteSeat  # noqa: PLC0415 - see above

        return RemoteSeat(place)
    from perdure.workflow.in_process import LocalSeat  # noqa: PLC0415 - see above

    return LocalSeat(place)


def added_metadata(interceptors: Iterable[object]) -> tuple[tuple[str, str], ...]:
    """Return the metadata that interceptors of grpcio add to a call.

    There is no grpcio here for them to sit in. They are asked once, with a call that goes nowhere.
    """
    added: list[tuple[str, str]] = []

    def seen(details: Any, _request: object) -> object:
        added.extend((str(key), str(value)) for key, value in details.metadata or ())
        raise _Seen

    for interceptor in interceptors:
        intercept: Callable[..., object] | None = getattr(
            interceptor, "intercept_unary_unary", None
        ) or getattr(interceptor, "intercept_unary_stream", None)
        if intercept is None:
            continue
        details = _Details("/TaskHubSidecarService/Hello", None, [], None, None, None)
        try:
            intercept(seen, details, None)
        except _Seen:
            continue
    return tuple(added)
