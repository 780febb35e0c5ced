"""The HTTP door as one ASGI application."""

import asyncio
from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from perdure.api.http import replies
from perdure.api.http.api_token import ApiToken
from perdure.api.http.errors import Problem
from perdure.api.http.methods import Methods
from perdure.api.http.openapi import description
from perdure.api.http.paths import BadEscape, NormalPaths
from perdure.api.http.routes import routes
from perdure.api.http.settings import Call, Door, HttpSettings
from perdure.base.errors import PerdureError
from perdure.components.catalog import Catalog
from perdure.components.runtime import Runtime

# What a script of another origin may read of an answer besides its body.
_EXPOSED = ("Location", "Retry-After", "Preference-Applied", "Allow")


def build_app(
    settings: HttpSettings,
    catalog: Catalog,
    runtime: Runtime,
    further_routes: Sequence[Route] = (),
    *,
    webhooks: Sequence[BaseRoute] = (),
    open_paths: Collection[str] = (),
) -> Starlette:
    """Return the application.

    `further_routes` (metrics, say) return text, and need the API token like all others.
    `webhooks` are tried last, so that none of them can stand before a path of the API; those at
    `open_paths` are served without the API token.

    When the server stops, `end_waits` has to be called before its connections are closed.
    """
    door = Door(settings, catalog, runtime, asyncio.Event())
    # Where nobody is named, a browser is told nothing, so that it keeps the answers from its pages.
    browsers = Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=("*",),
        allow_headers=("*",),
        expose_headers=_EXPOSED,
    )
    app = Starlette(
        routes=[*routes(door), _openapi_route(door, further_routes), *further_routes, *webhooks],
        middleware=[
            *((browsers,) if settings.allowed_origins else ()),
            Middleware(NormalPaths),
            Middleware(ApiToken, token=settings.api_token, open_paths=open_paths),
        ],
        exception_handlers={
            Problem: replies.on_problem,
            PerdureError: replies.on_fault,
            BadEscape: _on_bad_escape,
            ClientDisconnect: replies.on_gone,
            HTTPException: replies.on_no_route,
            Exception: replies.on_mistake,
        },
    )
    # A slash at the end is forgiven without sending the caller elsewhere.
    app.router.redirect_slashes = False
    app.state.door = door
    return app


def end_waits(app: Starlette) -> None:
    """End the long polls that are open, and those to come at once: the server is stopping."""
    door: Door = app.state.door
    door.stopping.set()


def _openapi_route(door: Door, further_routes: Sequence[Route]) -> Route:
    document = description(
        door.settings,
        door.component_names,
        door.runtime.version,
        [route.path for route in further_routes],
    ).encode()

    async def openapi(_call: Call) -> Response:
        return Response(document, media_type="application/json")

    return Route("/openapi.json", Methods(door, {"GET": openapi}))


async def _on_bad_escape(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)
