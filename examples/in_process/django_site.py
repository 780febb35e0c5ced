"""Orders in a Django site of one file: `python django_site.py runserver --noreload`.

The views are as blocking as any. All of a process share one engine, which is opened by the first
of them and closed when the process ends.
"""

import json
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST
from orders import Order, order, registry

from perdure import InstanceExists, SyncEngine

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for an example",  # noqa: S106 - nothing is signed with it
)

engine = SyncEngine("orders.db", registry=registry)


@require_POST
def place(request: HttpRequest, number: str) -> JsonResponse:
    """Take an order: when this answers it is on disk."""
    try:
        engine.start(order, Order.model_validate_json(request.body), id=number)
    except InstanceExists as error:
        return JsonResponse({"error": str(error)}, status=409)
    return JsonResponse({"number": number}, status=202)


@require_POST
def approve(request: HttpRequest, number: str) -> JsonResponse:
    """Approve an order, or not."""
    engine.raise_event(number, "approval", json.loads(request.body))
    return JsonResponse({}, status=202)


@require_GET
def look(_: HttpRequest, number: str) -> JsonResponse:
    """Tell how an order stands."""
    instance = engine.get(number)
    if instance is None:
        raise Http404(number)
    return JsonResponse(
        {
            "number": number,
            "status": instance.status.name,
            "now": instance.custom_status,
            "result": instance.output,
        }
    )


urlpatterns = [
    path("orders/<number>", place),
    path("orders/<number>/approval", approve),
    path("orders/<number>/state", look),
]

application = get_wsgi_application()
engine.open()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
