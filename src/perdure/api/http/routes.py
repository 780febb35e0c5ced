"""Every path of the HTTP door, in the order in which they are tried."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.routing import Route

from perdure.api.http import (
    document,
    document_runs,
    history,
    listing,
    process,
    publishing,
    released,
    triggers,
)
from perdure.api.http.forms import EVENT, FIRST, INSTANCE, NAME, Forms
from perdure.api.http.methods import Handler, Methods
from perdure.api.http.publishing import PUBSUB, TOPIC
from perdure.api.http.settings import Door
from perdure.api.http.triggers import KEY as DEAD_LETTER
from perdure.api.http.triggers import NAME as TRIGGER

_RELEASED_PREFIXES: Final = ("v1.0-beta1", "v1.0-alpha1")

_ONE: Final = f"/{{{FIRST}}}/{{{INSTANCE}}}"

# What is asked of one instance, by the path after `workflows`.
_INSTANCE: Final[tuple[tuple[str, dict[str, Forms]], ...]] = (
    (
        f"/{{{FIRST}}}/{{{NAME}}}/start",
        {"POST": Forms(released.start, document_runs.start)},
    ),
    (
        _ONE,
        {
            "GET": Forms(released.get, document_runs.get),
            "DELETE": Forms(None, document.purge),
        },
    ),
    (
        f"{_ONE}/raiseEvent/{{{EVENT}}}",
        {"POST": Forms(released.raise_event, document.raise_event)},
    ),
    (f"{_ONE}/raiseEvent", {"POST": Forms(None, document.raise_event)}),
    (f"{_ONE}/terminate", {"POST": Forms(released.terminate, document.terminate)}),
    (f"{_ONE}/suspend", {"POST": Forms(None, document.suspend)}),
    (f"{_ONE}/resume", {"POST": Forms(released.resume, document.resume)}),
    (f"{_ONE}/pause", {"POST": Forms(released.pause, None)}),
    (f"{_ONE}/purge", {"POST": Forms(released.purge, None)}),
    (f"{_ONE}/history", {"GET": Forms(None, history.get_history)}),
    (f"{_ONE}/activities", {"GET": Forms(None, history.get_activities)}),
    (f"{_ONE}/rerun", {"POST": Forms(None, history.rerun)}),
)

_REST: Final[tuple[tuple[str, dict[str, Handler]], ...]] = (
    ("/v1.0/workflows", {"GET": listing.list_instances}),
    ("/v1.0/workflows/query", {"POST": listing.query_instances}),
    (f"/v1.0/workflows/{{{FIRST}}}", {"GET": released.no_instance_id}),
    ("/v1.0/healthz", {"GET": process.health}),
    ("/v1.0/healthz/outbound", {"GET": process.outbound_health}),
    ("/v1.0/metadata", {"GET": process.metadata}),
    ("/v1.0/metadata/{key}", {"PUT": process.set_metadata}),
    ("/v1.0/shutdown", {"POST": process.shutdown}),
    (f"/v1.0/publish/{{{PUBSUB}}}/{{{TOPIC}:path}}", {"POST": publishing.publish}),
    (
        f"/v1.0-alpha1/publish/bulk/{{{PUBSUB}}}/{{{TOPIC}:path}}",
        {"POST": publishing.publish_bulk},
    ),
)

_TRIGGER: Final = f"/v1.0/triggers/{{{TRIGGER}}}"
_LETTER: Final = f"{_TRIGGER}/dead-letters/{{{DEAD_LETTER}}}"
_TRIGGERS: Final[tuple[tuple[str, dict[str, Handler]], ...]] = (
    ("/v1.0/triggers", {"GET": triggers.list_triggers}),
    (_TRIGGER, {"GET": triggers.get_trigger}),
    (f"{_TRIGGER}/pause", {"POST": triggers.pause}),
    (f"{_TRIGGER}/resume", {"POST": triggers.resume}),
    (f"{_TRIGGER}/kept", {"GET": triggers.list_kept}),
    (f"{_TRIGGER}/dead-letters", {"GET": triggers.list_dead_letters}),
    (
        _LETTER,
        {
            "GET": triggers.get_dead_letter,
            "PUT": triggers.edit_dead_letter,
            "DELETE": triggers.discard_dead_letter,
        },
    ),
    (f"{_LETTER}/replay", {"POST": triggers.replay_dead_letter}),
)


def routes(door: Door) -> list[Route]:
    """Return the routes of both forms, of the listing and of what is asked of the process."""
    return [Route(path, Methods(door, handlers)) for path, handlers in _paths()]


def _paths() -> Iterator[tuple[str, Mapping[str, Handler]]]:
    for path, forms in _INSTANCE:
        yield f"/v1.0/workflows{path}", forms
    yield from _REST
    yield from _TRIGGERS
    for prefix in _RELEASED_PREFIXES:
        # Everything there is in released form, and what that form does not know is not there.
        for path, forms in _INSTANCE:
            handlers = {
                method: form.released for method, form in forms.items() if form.released is not None
            }
            if handlers:
                yield f"/{prefix}/workflows{path}", handlers
        yield f"/{prefix}/workflows/{{{FIRST}}}", {"GET": released.no_instance_id}
