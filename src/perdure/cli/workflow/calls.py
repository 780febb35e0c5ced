"""The calls of the API that the `workflow` programs make, in document form.

A person names an instance by its id alone, the document form wants its type as well: it is looked
up first. That also tells a mistyped id from an instance that is there, before anything is changed.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, PAGE_ROWS_MAX
from perdure.cli.client import Answer, Client
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.nearest import did_you_mean, nearest
from perdure.cli.workflow.records import UNFINISHED, Instance, JsonObject

RELEASED_COMPONENT: Final = "dapr"
_ROOT: Final = "/v1.0/workflows"
_NEAR_IDS_LOOKED_AT: Final = 200
# How much of an unknown id is taken to be right when its neighbours are looked for.
_NEAR_PREFIXES: Final = (8, 4, 2)


class Calls:
    """The API of one server."""

    def __init__(self, client: Client, component: str | None = None) -> None:
        self.client = client
        self.component = component

    def page(self, query: Mapping[str, str | int]) -> JsonObject:
        """Return one page of the list as the server tells it."""
        page: JsonObject = self.client.must("GET", _ROOT, query=self._at(query)).body
        return page

    def listed(self, query: Mapping[str, str | int], limit: int) -> tuple[list[Instance], str]:
        """Return up to `limit` instances, and the token of what comes after them."""
        found: list[Instance] = []
        token = str(query.get("token", ""))
        while len(found) < limit:
            size = min(limit - len(found), PAGE_ROWS_MAX)
            more: dict[str, str | int] = {**query, "pageSize": size}
            page = self.page({**more, "token": token} if token else more)
            found += [Instance.read(raw) for raw in page["instances"]]
            token = str(page.get("token") or "")
            if not token:
                break
        return found, token

    def unfinished(self) -> Iterator[Instance]:
        """Yield every instance that has not ended."""
        query: dict[str, str | int] = {"status": ",".join(UNFINISHED)}
        while True:
            found, token = self.listed(query, PAGE_ROWS_MAX)
            yield from found
            if not token:
                return
            query["token"] = token

    def find(self, instance_id: str) -> Instance | None:
        """Return what the list knows of an instance, or None if there is none of this id."""
        query = {"filter": {"EQ": {"instanceID": instance_id}}, "page": {"limit": 1}}
        page = self.client.must(
            "POST", f"{_ROOT}/query", query=self._at(), body=json.dumps(query).encode()
        ).body
        return Instance.read(page["instances"][0]) if page["instances"] else None

    def require(self, instance_id: str) -> Instance:
        """Return what the list knows of an instance. Raises Trouble that names the nearest ids."""
        found = self.find(instance_id)
        if found is None:
            near = did_you_mean(nearest(instance_id, self._neighbours(instance_id)))
            raise Trouble(
                f"There is no workflow with the id {instance_id!r}.",
                advice=near or "`perdure workflow list` shows the ids there are.",
                code=ExitCode.NOT_FOUND,
            )
        return found

    def _neighbours(self, instance_id: str) -> Iterator[str]:
        prefixes = [instance_id[:size] for size in _NEAR_PREFIXES if size < len(instance_id)]
        for prefix in (*prefixes, ""):
            query = {"idPrefix": prefix} if prefix else {}
            found, _ = self.listed(query, limit=_NEAR_IDS_LOOKED_AT)
            yield from (each.instance_id for each in found)

    def known_types(self) -> list[str]:
        """Return the workflow types of the instances that are there, of the newest at least."""
        found, _ = self.listed({}, limit=PAGE_ROWS_MAX)
        return list(dict.fromkeys(each.name for each in found))

    def was_seen(self, workflow_type: str) -> bool:
        """Tell whether there is, or was lately, an instance of this type."""
        return bool(self.listed({"type": workflow_type}, limit=1)[0])

    def connected_workers(self) -> int:
        """Return how many workers are connected to the server."""
        workflows = self.client.must("GET", "/v1.0/metadata").body.get("workflows") or {}
        return int(workflows.get("connectedWorkers") or 0)

    def start(
        self,
        workflow_type: str,
        instance_id: str,
        body: bytes | None,
        headers: Sequence[tuple[str, str]],
        started_with: Mapping[str, str],
    ) -> Answer:
        """Start an instance and return the answer, an error too.

        `started_with` are options for the component that runs it.
        """
        path = f"{path_of(workflow_type, instance_id)}/start"
        query = self._at({f"option.{name}": value for name, value in started_with.items()})
        return self.client.call("POST", path, query=query, body=body, headers=headers)

    def started(self, workflow_type: str, instance_id: str) -> Instance:
        """Return an instance that was started just now."""
        path = path_of(workflow_type, instance_id)
        return Instance.read(self.client.must("GET", path, query=self._at()).body)

    def get(self, instance: Instance, *, wait_s: int = 0) -> Instance:
        """Return everything about an instance, after up to `wait_s` unless it has ended before."""
        path = path_of(instance.name, instance.instance_id)
        return Instance.read(self.client.must("GET", path, query=self._at(), wait_s=wait_s).body)

    def activities(self, instance: Instance) -> list[JsonObject]:
        """Return the activities of an instance, ended ones too."""
        path = f"{path_of(instance.name, instance.instance_id)}/activities"
        found: list[JsonObject] = self.client.must("GET", path, query=self._at()).body["activities"]
        return found

    def history(self, instance: Instance, after_seq: int = 0) -> Iterator[JsonObject]:
        """Return the events of the present generation that come after `after_seq`."""
        return self._events(instance, after_seq, {})

    def committed(self, instance: Instance) -> Iterator[bytes]:
        """Return the events of the present generation as they were committed."""
        for event in self._events(instance, 0, {"raw": "true"}):
            yield b64decode(event["raw"])

    def _events(
        self, instance: Instance, after_seq: int, more: Mapping[str, str]
    ) -> Iterator[JsonObject]:
        path = f"{path_of(instance.name, instance.instance_id)}/history"
        token = str(after_seq)
        while token:
            query: dict[str, str | int] = {"token": token, "pageSize": HISTORY_PAGE_ROWS_MAX}
            page = self.client.must("GET", path, query=self._at({**query, **more})).body
            yield from page["events"]
            token = page.get("token", "")

    def rerun(self, instance: Instance, body: bytes) -> Answer:
        """Begin a new instance from an event of a finished one; return the answer, an error too."""
        path = f"{path_of(instance.name, instance.instance_id)}/rerun"
        return self.client.call("POST", path, query=self._at(), body=body)

    def change(
        self,
        instance: Instance,
        verb: str,
        *,
        body: bytes | None = None,
        query: Mapping[str, str | int] | None = None,
        advice: str = "",
    ) -> Answer:
        """Change an instance by one of the POST calls.

        Raises Trouble if it is refused, with `advice` where the instance's state is why.
        """
        path = f"{path_of(instance.name, instance.instance_id)}/{verb}"
        return self._changed(
            self.client.call("POST", path, body=body, query=self._at(query)), advice
        )

    def purge(self, instance: Instance, query: Mapping[str, str | int], advice: str) -> Answer:
        """Delete an instance. Raises Trouble as `change` does."""
        path = path_of(instance.name, instance.instance_id)
        return self._changed(self.client.call("DELETE", path, query=self._at(query)), advice)

    def _at(self, query: Mapping[str, str | int] | None = None) -> Mapping[str, str | int]:
        """Return a query that names the component, if there is one to be named."""
        named: dict[str, str | int] = {"component": self.component} if self.component else {}
        return {**(query or {}), **named}

    def _changed(self, answer: Answer, advice: str) -> Answer:
        if not answer.is_success:
            is_state = answer.status == HTTPStatus.CONFLICT
            raise self.client.trouble(answer, advice if is_state else "")
        return answer


def path_of(workflow_type: str, instance_id: str) -> str:
    """Return the path of an instance in document form."""
    return f"{_ROOT}/{quote(workflow_type, safe='')}/{quote(instance_id, safe='')}"
