"""What both forms check of a start, in Dapr's order: id, name, tags."""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request

from perdure.api.http.errors import Problem
from perdure.api.http.parameters import SHOWN_CHARS_MAX, Parameters
from perdure.api.http.settings import Door
from perdure.base.errors import CallerFault
from perdure.base.ids import is_legal_instance_id
from perdure.base.limits import NAME_BYTES_MAX, OPTION_NAME_CHARS_MAX, OPTIONS_MAX
from perdure.core.tracing import TraceContext, parse_traceparent
from perdure.wire.tags import TAGS_METADATA_KEY, parse_cookie_pairs

_NAME_INVALID: Final = "ERR_WORKFLOW_NAME_INVALID"
_OPTION_PARAMETER: Final = "option."


def check_instance_id(door: Door, instance_id: str) -> None:
    """Raise Problem if a new instance may not bear this id."""
    if len(instance_id.encode()) > door.settings.instance_id_bytes_max:
        raise Problem(
            400,
            "ERR_INSTANCE_ID_TOO_LONG",
            "workflow instance ID exceeds the max length of "
            f"{door.settings.instance_id_bytes_max} characters",
        )
    if not is_legal_instance_id(instance_id, door.settings.instance_id_extra_characters):
        raise Problem(
            400,
            "ERR_INSTANCE_ID_INVALID",
            f"workflow instance ID '{instance_id}' is invalid: "
            "only alphanumeric and underscore characters are allowed",
        )


def check_workflow_name(door: Door, name: str) -> None:
    """Raise Problem if no workflow type may have this name.

    The first segment of a path says which form is meant, so a type named like a component could
    never be reached in document form.
    """
    if name in door.component_names:
        raise Problem(
            400,
            _NAME_INVALID,
            f"workflow type '{name}' has the name of a workflow component: register the workflow "
            "under another name",
        )
    check_name(name, _NAME_INVALID, "workflow name")


def check_name(name: str, code: str, what: str) -> None:
    """Raise Problem if a name is too long or holds what cannot be printed."""
    if len(name.encode()) > NAME_BYTES_MAX:
        raise Problem(400, code, f"{what} exceeds the max length of {NAME_BYTES_MAX} bytes")
    if not name.isprintable():
        raise Problem(400, code, f"{what} holds a character that is not printable")


def tags_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Return the tags that the request's headers carry. Raises Problem if they are malformed."""
    values = request.headers.getlist(TAGS_METADATA_KEY)
    try:
        return parse_cookie_pairs(_as_text(values))
    except CallerFault as fault:
        raise Problem(400, "ERR_WORKFLOW_METADATA_INVALID", str(fault)) from fault


def options_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Return the options of a start, `option.NAME=value` in its query; of a name the last counts.

    Raises CallerFault beyond their bounds. What they mean, the component knows.
    """
    found = {
        name.removeprefix(_OPTION_PARAMETER): value
        for name, value in Parameters(request).pairs
        if name.startswith(_OPTION_PARAMETER)
    }
    if len(found) > OPTIONS_MAX:
        raise CallerFault(f"a start has at most {OPTIONS_MAX} options")
    for name in found:
        if not 0 < len(name) <= OPTION_NAME_CHARS_MAX:
            raise CallerFault(f"'{name[:SHOWN_CHARS_MAX]}' cannot be the name of an option")
    return tuple(found.items())


def trace_of(request: Request) -> TraceContext | None:
    """Return the W3C trace context that the request belongs to."""
    parent = request.headers.get("traceparent")
    if parent is None:
        return None
    state = ",".join(request.headers.getlist("tracestate"))
    return parse_traceparent(parent, state=state or None)


def _as_text(values: Iterable[str]) -> Iterable[str]:
    # Headers come as Latin-1; what was sent is UTF-8 if it can be.
    for value in values:
        try:
            yield value.encode("latin-1").decode()
        except UnicodeDecodeError as error:
            raise CallerFault(f"{TAGS_METADATA_KEY}: a value is not UTF-8") from error
