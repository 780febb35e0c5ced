"""The shapes of what authors write and callers hand over, for type checkers."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

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
WithoutInput: TypeAlias = Callable[[_Context], _Coming[Out]]
AnyHandle: TypeAlias = Handle[Any]
AnySyncHandle: TypeAlias = SyncHandle[Any]
