"""The shapes of what authors write and callers hand over, for type checkers."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypedDict, TypeVar

from perdure.hosting.handles import Handle
from perdure.hosting.sync_handles import SyncHandle

In = TypeVar("In")
Out = TypeVar("Out")

_Context: TypeAlias = Any  # each author annotates the one that is meant
_Coming: TypeAlias = Awaitable[Out] | Generator[object, Any, Out]

AnyFunction: TypeAlias = Callable[..., Any]
# A workflow by its function, or by its name alone.
AnyWorkflow: TypeAlias = AnyFunction | str
WithInput: TypeAlias = Callable[[_Context, In], _Coming[Out]]
WithoutInput: TypeAlias = (
    Callable[[_Context], _Coming[Out]] | Callable[[_Context, None], _Coming[Out]]
)
# Those that neither wait nor yield, but return at once.
PlainWithInput: TypeAlias = Callable[[_Context, In], Out]
PlainWithoutInput: TypeAlias = Callable[[_Context], Out]
AnyHandle: TypeAlias = Handle[Any]
AnySyncHandle: TypeAlias = SyncHandle[Any]


class StartOptions(TypedDict, total=False):
    """What can be said of a start, as `perdure.Engine.start` tells it."""

    id: str | None
    at: datetime | None
    tags: Mapping[str, str] | None
    replace_finished: bool
    app_id: str | None
