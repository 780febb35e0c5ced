"""A call as the methods see it: whose it is and what it carries beside its message."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from perdure.base.errors import CallerFault
from perdure.base.ids import is_legal_instance_id
from perdure.base.limits import NAME_BYTES_MAX, TASKHUB_INSTANCE_ID_BYTES_MAX
from perdure.components.asking import Asker
from perdure.transport import call as transport
from perdure.wire.tags import TAGS_METADATA_KEY, checked_tags, parse_cookie_pairs

Context = transport.Call
_SHOWN_CHARS_MAX: Final = 100


class Call:
    """One call's metadata and peer."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        """Look at the call through the transport's view of it."""
        self._context = context

    def values(self, key: str) -> list[str]:
        """Return every value of a request metadata key, in the order they came."""
        metadata = self._context.invocation_metadata()
        return [str(value) for name, value in metadata if name == key]

    def value(self, key: str) -> str | None:
        """Return the last value of a request metadata key, if it is there and not empty."""
        values = self.values(key)
        return (values[-1] or None) if values else None

    def app_id(self, own_app_id: str) -> str:
        """Return the app that the caller names, or the server's own."""
        return checked_name(self.value("dapr-app-id") or own_app_id, "app id")

    def asker(self, own_app_id: str, owner: str = "") -> Asker:
        """Return who asks, and whose workflow the call names. Raises CallerFault."""
        caller = self.app_id(own_app_id)
        if not owner:
            return Asker(caller)
        if owner not in {own_app_id, caller} and not is_legal_instance_id(owner):
            raise CallerFault(
                f"workflow app ID '{owner[:_SHOWN_CHARS_MAX]}' is invalid: "
                "only alphanumeric, underscore and dash characters are allowed"
            )
        return Asker(caller, checked_name(owner, "app id"))

    def tags(self, more: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        """Return the tags in the request metadata and `more`. Raises CallerFault."""
        return checked_tags((*parse_cookie_pairs(self.values(TAGS_METADATA_KEY)), *more))

    async def accept(self) -> None:
        """Tell the client that its stream is open, before there is anything to send on it."""
        await self._context.send_initial_metadata(())

    def offer(self, message: bytes) -> bool:
        """Send a message on its stream if that needs no waiting; tells whether it was sent."""
        return self._context.offer(message)

    @property
    def peer(self) -> str:
        """Where the call comes from, for people."""
        return unquote(self._context.peer())


def checked_name(name: str, what: str) -> str:
    """Return `name`. Raises CallerFault if it is longer than any name may be."""
    if len(name.encode()) > NAME_BYTES_MAX:
        raise CallerFault(f"the {what} is longer than {NAME_BYTES_MAX} bytes")
    return name


def checked_id(instance_id: str) -> str:
    """Return an instance id that TaskHub takes. Raises CallerFault if it is too long."""
    if len(instance_id.encode()) > TASKHUB_INSTANCE_ID_BYTES_MAX:
        raise CallerFault(f"the instance ID is longer than {TASKHUB_INSTANCE_ID_BYTES_MAX} bytes")
    return instance_id
