"""What the server's own API tells of everything in it."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from tests.e2e.crash.judging import Seen
from tests.e2e.serving import HOST

_PAGE: Final = 1_000
_POLL_S: Final = 0.1
_TIMEOUT_S: Final = 30.0
_ACTIVE: Final = "&status=PENDING&status=RUNNING&status=SUSPENDED&status=STALLED"


class Window:
    """Looks at a server, whichever life of it there is just now."""

    def __init__(self, port: Callable[[], int], *, patience_s: float = 0.0) -> None:
        """Look in at `port`, which may be another one for each question.

        With `patience_s`, a server may say for so long that its store is away.
        """
        self._port = port
        self._patience_s = patience_s
        self._client = httpx.Client(trust_env=False, timeout=_TIMEOUT_S)

    def close(self) -> None:
        self._client.close()

    def statuses(self, selected: str = "") -> dict[str, str]:
        """The status of every instance."""
        return {each["instanceID"]: each["runtimeStatus"] for each in self._listed(selected)}

    def await_finish(self, deadline_s: float) -> None:
        """Return when everything has finished, or time is up: then the judge will tell."""
        end = time.monotonic() + deadline_s
        while self.statuses(_ACTIVE) and time.monotonic() < end:
            time.sleep(_POLL_S)

    def everything(self) -> dict[str, Seen]:
        """Every instance with its output and its history."""
        return {
            each["instanceID"]: Seen(
                workflow=each["workflowName"],
                status=each["runtimeStatus"],
                output=each.get("output"),
                parent=each.get("parentInstanceID"),
                history=tuple(self._history(each["instanceID"])),
            )
            for each in self._listed("&payloads=true")
        }

    def stuck(self) -> float:
        """The metric that counts what nothing will ever move."""
        text = self._get("/metrics").text
        line = next(each for each in text.splitlines() if each.startswith("perdure_stuck_"))
        return float(line.split()[1])

    def _listed(self, parameters: str) -> Iterator[dict[str, Any]]:
        yield from self._paged(f"/v1.0/workflows?pageSize={_PAGE}{parameters}", "instances")

    def _history(self, instance: str) -> Iterator[dict[str, Any]]:
        path = f"/v1.0/workflows/dapr/{instance}/history?pageSize={_PAGE}"
        yield from self._paged(path, "events")

    def _paged(self, path: str, member: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            page = self._get(path + token).json()
            yield from page[member]
            if "token" not in page:
                return
            token = f"&token={page['token']}"

    def _get(self, path: str) -> httpx.Response:
        end = time.monotonic() + self._patience_s
        while True:
            answer = self._look(path)
            is_away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not is_away or time.monotonic() > end:
                break
            time.sleep(_POLL_S)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer

    def _look(self, path: str) -> httpx.Response:
        url = f"http://{HOST}:{self._port()}{path}"
        try:
            return self._client.get(url)
        except httpx.RemoteProtocolError:
            # The connection was kept alive from an earlier life of the server.
            return self._client.get(url)
