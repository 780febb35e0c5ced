"""What has to wait until fewer of its name are out, in the order in which it came."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Blocked(Generic[K, V]):
    """Ready things over the limit of their name, by app and name; each key is in it once.

    They are taken one by one as places come free: to look at all of them for each place would
    cost the square of their number.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: dict[tuple[str, str], OrderedDict[K, V]] = {}

    def __bool__(self) -> bool:
        """Tell whether anything waits."""
        return bool(self._waiting)

    def add(self, app_id: str, name: str, key: K, value: V) -> None:
        """Let something of a name wait."""
        self._waiting.setdefault((app_id, name), OrderedDict()).setdefault(key, value)

    def take(self, app_id: str, is_full: Callable[[str], bool]) -> tuple[K, V] | None:
        """Take the first of an app whose name is not full any more."""
        for (app, name), waiting in self._waiting.items():
            if app == app_id and not is_full(name):
                taken = waiting.popitem(last=False)
                if not waiting:
                    del self._waiting[app, name]
                return taken
        return None

    def take_where(self, wanted: Callable[[K, V], bool]) -> list[V]:
        """Take out all that is wanted; looks at everything."""
        taken = []
        for place, waiting in list(self._waiting.items()):
            taken += [waiting.pop(key) for key, of in list(waiting.items()) if wanted(key, of)]
            if not waiting:
                del self._waiting[place]
        return taken

    def apps_of(self, name: str) -> list[str]:
        """Return the apps that wait for a place of a name."""
        return [app for app, waited_for in self._waiting if waited_for == name]
