"""What a server is among others, where its store is one that several can share."""

import os
import socket

from perdure.app.config import Config
from perdure.engine.settings import Sharing
from perdure.store.port import Store
from perdure.store.sharing import SharedStore


def sharing_of(config: Config, store: Store) -> Sharing | None:
    """Return how a server shares its store; None where the store is for one alone."""
    if not isinstance(store, SharedStore):
        return None
    return Sharing(
        store=store,
        node=os.urandom(16).hex(),
        name=config.node_name or socket.gethostname(),
        lease_ttl_us=config.lease_ttl_us,
    )
