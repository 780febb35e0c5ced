"""What every call about workflows may say of its app, and of the app that it is for."""

from collections.abc import Mapping
from typing import Any, Final

from perdure.api.http.asking import CALLER_HEADER, OWNER
from perdure.api.http.openapi.parts import errors, in_header, in_query

_APP_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
_PARAMETERS: Final = (
    in_query(OWNER, "The app whose workflow is meant, where it is not the caller's own.", _APP_ID),
    in_header(CALLER_HEADER, "The app that the call comes from; else the server's own.", _APP_ID),
)
_METHODS: Final = frozenset({"get", "post", "delete"})


def asked(paths: Mapping[str, Any], *, forbids: bool) -> dict[str, Any]:
    """Return paths with the parameters; with `forbids` what a policy denies is 403."""
    return {path: _asked(item, forbids=forbids) for path, item in paths.items()}


def _asked(item: Mapping[str, Any], *, forbids: bool) -> dict[str, Any]:
    changed = {**item, "parameters": [*item.get("parameters", ()), *_PARAMETERS]}
    for method in _METHODS & item.keys() if forbids else ():
        operation = item[method]
        responses = {**operation["responses"], "403": errors(403)["403"]}
        changed[method] = {**operation, "responses": responses}
    return changed
