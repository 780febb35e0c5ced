"""The workers' part: streams of work items out, answers in."""

from typing import Final

import grpc

from perdure.api.grpc.calls import Call
from perdure.api.grpc.faults import Rejected
from perdure.api.grpc.methods import Send
from perdure.api.grpc.settings import GrpcSettings
from perdure.api.grpc.streams import Outlet, Pings, WorkerStreams
from perdure.base.errors import ShuttingDown
from perdure.base.limits import STREAM_ITEMS_MAX, STREAM_ITEMS_MAX_NODE
from perdure.engine.work import Dialect, Profile, Stream, Workplace
from perdure.wire.generated.work_pb2 import GetWorkItems, Nothing, WorkItem
from perdure.wire.management import keeps_history, speaks_microsoft, takes_pings, takes_recalls

_PING_MICROSOFT: Final = WorkItem(ping_microsoft=Nothing()).SerializeToString()
_PING: Final = WorkItem(ping=Nothing()).SerializeToString()


_DIALECTS: Final = {
    True: Dialect.MICROSOFT,
    False: Dialect.DAPR,
    None: Dialect.UNDECIDED,
}


class Work:
    """GetWorkItems and the completions."""

    def __init__(
        self, workplace: Workplace, streams: WorkerStreams, settings: GrpcSettings, app_id: str
    ) -> None:
        """Hand out the work of `workplace`, of `app_id` where a worker names no other."""
        self._workplace = workplace
        self._streams = streams
        self._settings = settings
        self._app_id = app_id

    async def get_work_items(self, request: GetWorkItems, call: Call, send: Send) -> None:
        """Send work items until the worker goes or the server stops, which ends it with OK."""
        stream = self._open(profile_of(request, call, self._app_id))
        outlet = Outlet(send, call.offer, self._settings.send_timeout_us)
        pings = Pings(_ping_for(request), self._settings.ping_after_us)
        await self._streams.serve(stream, outlet, pings, call.accept)

    async def complete_turn(self, answer: bytes) -> None:
        """Take a turn's answer."""
        await self._workplace.complete_turn(answer)

    async def complete_activity(self, answer: bytes) -> None:
        """Take an activity's result."""
        await self._workplace.complete_activity(answer)

    def _open(self, profile: Profile) -> Stream:
        if self._streams.count >= self._settings.streams_max:
            raise _not_now(
                f"{self._settings.streams_max} workers are connected, and no more may be"
            )
        try:
            return self._workplace.open_stream(profile)
        except ShuttingDown as reason:
            raise _not_now(str(reason)) from reason


def profile_of(request: GetWorkItems, call: Call, own_app_id: str) -> Profile:
    """Return what a worker says of itself, by its first message and its metadata."""
    microsoft = speaks_microsoft(request)
    node = "grpc-node-js" in (call.value("user-agent") or "")
    return Profile(
        app_id=call.app_id(own_app_id),
        worker=call.peer,
        dialect=_DIALECTS[microsoft],
        turns_max=max(request.turns_max, 0) or None,
        activities_max=max(request.activities_max, 0) or None,
        items_max=STREAM_ITEMS_MAX_NODE if node else STREAM_ITEMS_MAX,
        stateful_history=keeps_history(request) and microsoft is False,
        takes_recalls=takes_recalls(request),
    )


def _ping_for(request: GetWorkItems) -> bytes | None:
    # Dapr's workers of the undecided sort pass over a message that they do not know.
    if speaks_microsoft(request) is not False:
        return _PING_MICROSOFT
    return _PING if takes_pings(request) else None


def _not_now(reason: str) -> Rejected:
    text = f"unable to establish work item stream at this time: {reason}"
    return Rejected(grpc.StatusCode.UNAVAILABLE, text)
