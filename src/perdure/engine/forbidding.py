"""What policies of other apps do not let through: events and orders to their instances."""

from collections.abc import Iterable

from perdure.core import effects as fx
from perdure.core.access import Access, Operation
from perdure.core.events import EventRaised
from perdure.engine.reading import Reader
from perdure.store.port import Snapshot, Store


def told_others(access: Access, effects: Iterable[fx.Effect]) -> list[fx.Tell]:
    """Return what may be forbidden among effects: nothing, where everything is open."""
    if access.is_open:
        return []
    return [effect for effect in effects if isinstance(effect, fx.Tell)]


async def forbidden(
    access: Access, reader: Reader, app_id: str, tells: list[fx.Tell]
) -> dict[fx.Tell, str]:
    """Return what an app may not tell instances of other apps, with why."""

    def ask(store: Store) -> dict[fx.Tell, str]:
        denied = {}
        for tell in tells:
            why = _denied(access, app_id, tell, store.snapshot(tell.instance_id))
            if why is not None:
                denied[tell] = why
        return denied

    return await reader.surely(ask)


def may_replace(access: Access, app_id: str, holder: Snapshot) -> bool:
    """Tell whether what an app starts may take the id of an instance, finished, and delete that."""
    if holder.head.completed_at_us is None:
        return False
    owner, name = holder.identity.app_id, holder.identity.name
    return access.denies(app_id, owner, Operation.PURGE, name) is None


def _denied(access: Access, app_id: str, tell: fx.Tell, target: Snapshot | None) -> str | None:
    if target is None:
        return None
    raises = isinstance(tell.event, EventRaised)
    operation = Operation.RAISE if raises else Operation.TERMINATE
    return access.denies(app_id, target.identity.app_id, operation, target.identity.name)
