"""The instances of the embedded component, as each caller may see them."""

from perdure.api.grpc.calls import Call
from perdure.components.asking import Asker
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.port import WorkflowComponent
from perdure.wire.generated import history_pb2 as pb


class Instances:
    """TaskHub knows no components: whatever it names is the embedded one's."""

    def __init__(self, catalog: Catalog, app_id: str) -> None:
        """Show those of `catalog`; `app_id` is the caller where that names no other."""
        self._catalog = catalog
        self._app_id = app_id

    def asker(self, call: Call, route: pb.Route | None = None) -> Asker:
        """Return who asks, and the app that the request is routed to. Raises CallerFault."""
        return call.asker(self._app_id, "" if route is None else route.target_app)

    def seen_by(self, call: Call, route: pb.Route | None = None) -> WorkflowComponent:
        """Return the component as the caller sees it. Raises CallerFault."""
        catalog = self._catalog.seen_by(self.asker(call, route))
        return catalog.components[EMBEDDED]
