"""Whose call it is, and whose workflow it names (behaviour.md 1.1, "Newer")."""

from typing import Final

from starlette.requests import Request

from perdure.api.http.errors import Problem
from perdure.api.http.parameters import SHOWN_CHARS_MAX, Parameters
from perdure.base.ids import is_legal_instance_id
from perdure.base.limits import NAME_BYTES_MAX
from perdure.components.asking import Asker

CALLER_HEADER: Final = "dapr-app-id"
OWNER: Final = "appID"


def asker_of(request: Request, own_app_id: str) -> Asker:
    """Return who asks: the app in the header, or the server's own. Raises Problem."""
    caller = request.headers.get(CALLER_HEADER) or own_app_id
    if len(caller) > NAME_BYTES_MAX:
        raise _invalid(caller)
    if OWNER.encode() not in request.scope["query_string"]:
        return Asker(caller)
    owner = Parameters(request).text(OWNER)
    if not owner:
        return Asker(caller)
    known = owner in {own_app_id, caller}
    if not known and not (owner.isprintable() and is_legal_instance_id(owner, "")):
        raise _invalid(owner)
    if len(owner.encode()) > NAME_BYTES_MAX:
        raise _invalid(owner)
    return Asker(caller, owner)


def _invalid(app_id: str) -> Problem:
    text = (
        f"workflow app ID '{app_id[:SHOWN_CHARS_MAX]}' is invalid: "
        "only alphanumeric, underscore and dash characters are allowed"
    )
    return Problem(400, "ErrInvalidWorkflowAppID", text)
