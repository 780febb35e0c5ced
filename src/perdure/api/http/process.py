"""What SDKs ask a sidecar when they start, and what operators ask of it (behaviour.md 1.5)."""

from typing import Final

from starlette.background import BackgroundTask
from starlette.responses import Response

from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE
from perdure.api.http.errors import Problem
from perdure.api.http.parameters import Parameters
from perdure.api.http.replies import json_reply
from perdure.api.http.settings import Call
from perdure.api.http.starting import check_name
from perdure.base.errors import CallerFault
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.wire.json_api.text import Json

_APP_ID_PARAMETER: Final = "appid"


async def health(call: Call) -> Response:
    """204 if the server can serve, and is the app that the caller means."""
    runtime = call.door.runtime
    why_not = runtime.not_ready_because()
    if why_not is not None:
        raise Problem(500, "ERR_HEALTH_NOT_READY", f"dapr is not ready: {why_not}")
    # Workers and their SDKs ask for outbound health, which a broker that is away does not touch.
    catalog = call.door.catalog
    away = catalog.components[EMBEDDED].trouble()
    if away is None and catalog.triggers is not None:
        away = catalog.triggers.trouble()
    if away is not None:
        raise Problem(500, "ERR_HEALTH_NOT_READY", f"dapr is not ready: {away}")
    meant = Parameters(call.request).text(_APP_ID_PARAMETER)
    if meant and meant != runtime.app_id:
        raise Problem(500, "ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match")
    return Response(status_code=204)


async def outbound_health(call: Call) -> Response:
    """204 if the server can serve; Python, .NET and Java SDKs wait for it."""
    if call.door.runtime.not_ready_because() is not None:
        raise Problem(500, "ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready")
    return Response(status_code=204)


async def metadata(call: Call) -> Response:
    """Return what this process is; JavaScript SDKs wait for it."""
    runtime = call.door.runtime
    workers = runtime.connected_workers()
    answer: dict[str, Json] = {
        "id": runtime.app_id,
        "runtimeVersion": runtime.version,
        "enabledFeatures": [],
        "actors": _actors(runtime.app_id, workers),
        "components": [
            {"name": name, "type": component.kind, "version": "v1", "capabilities": []}
            for name, component in sorted(call.door.catalog.components.items())
        ]
        + _message_components(call.door.catalog),
        "extended": {
            **runtime.extended_metadata(),
            **call.door.catalog.troubles(),
            "daprRuntimeVersion": runtime.version,
        },
        "subscriptions": _subscriptions(call.door.catalog),
        "httpEndpoints": [],
        "appConnectionProperties": {},
        "actorRuntime": {
            "runtimeStatus": "RUNNING",
            "activeActors": _actors(runtime.app_id, workers),
            "hostReady": runtime.not_ready_because() is None,
            "placement": "",
        },
        "scheduler": {"connected_addresses": []},
        "workflowAccessPolicies": [
            {"name": policy.name} for policy in call.door.catalog.access.policies
        ],
        "workflows": {"connectedWorkers": workers} if workers else {},
    }
    return json_reply(answer)


async def set_metadata(call: Call) -> Response:
    """Add a pair to the metadata for as long as the process lives."""
    key = call.path["key"]
    check_name(key, "ERR_METADATA_KEY_INVALID", "metadata key")
    body = await read_body(call, too_large_status=TOO_LARGE)
    try:
        call.door.runtime.set_extended_metadata(key, body.decode())
    except UnicodeDecodeError as error:
        raise CallerFault("the body is not UTF-8") from error
    return Response(status_code=204)


async def shutdown(call: Call) -> Response:
    """Answer, and then begin to stop; a request that breaks off in the middle stops nothing."""
    await read_body(call, too_large_status=TOO_LARGE)
    force = call.request.headers.get("dapr-force-shutdown", "").lower() == "true"
    stop = BackgroundTask(call.door.runtime.request_shutdown, force=force)
    return Response(status_code=204, background=stop)


def _message_components(catalog: Catalog) -> list[Json]:
    if catalog.triggers is None:
        return []
    return [
        {"name": view.name, "type": view.kind, "version": "v1", "capabilities": []}
        for view in catalog.triggers.component_views()
    ]


def _subscriptions(catalog: Catalog) -> list[Json]:
    if catalog.triggers is None:
        return []
    return [
        {
            "pubsubname": view.pubsub,
            "topic": view.topic,
            "metadata": dict(view.metadata),
            "rules": [{"match": match, "path": path} for match, path in view.rules],
            "deadLetterTopic": view.dead_letter_topic,
            "type": "DECLARATIVE",
        }
        for view in catalog.triggers.subscription_views()
    ]


def _actors(app_id: str, workers: int) -> list[Json]:
    # Dapr runs workflows on actors, and its users wait until these types are hosted, which is so
    # while a worker is connected.
    if not workers:
        return []
    kinds = ("workflow", "activity")
    return [{"type": f"dapr.internal.default.{app_id}.{kind}", "count": 0} for kind in kinds]
