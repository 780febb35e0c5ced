"""Seats as runtimes and clients take them, and what of a sidecar's settings is kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from perdure.workflow.seats import AtAddress, InThisProcess, Seat, place_of

_NOT_SENT: Final = "the work is done in this process, and no message is sent"
_CODE_IS_KEPT: Final = (
    "what is kept between turns is code, not histories; history_cache_max_instances bounds it"
)
# Why an argument of Dapr's SDK has no effect where it is told that it has none.
_IDLE: Final = {
    "max_grpc_message_length": _NOT_SENT,
    "disable_stateful_history": _NOT_SENT,
    "history_cache_ttl": _CODE_IS_KEPT,
    "history_cache_max_bytes": _CODE_IS_KEPT,
}


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


def place_with(
    interceptors: Sequence[object], host: str | None, port: str | None
) -> InThisProcess | AtAddress:
    """Return where to work, with what interceptors of grpcio add to the metadata of a call.

    Raises ConfigurationError for an address that means nothing.
    """
    place = place_of(host, port)
    if isinstance(place, AtAddress) and interceptors:
        return replace(place, metadata=(*place.metadata, *added_metadata(interceptors)))
    return place


def without_effect(place: InThisProcess | AtAddress, **given: float | None) -> Iterator[str]:
    """Yield a sentence for each argument that has been given and has no effect at a place."""
    for name, value in given.items():
        reason = _IDLE[name]
        if value and not (reason is _NOT_SENT and isinstance(place, AtAddress)):
            yield f"{name}={value} has no effect: {reason}"


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
