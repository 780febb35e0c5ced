"""The calls of the API that the `trigger` programs make."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

from perdure.base.limits import PAGE_ROWS_MAX
from perdure.cli.address import find_address
from perdure.cli.client import Client, token_of
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.nearest import did_you_mean, nearest
from perdure.cli.workflow.records import JsonObject

_ROOT: Final = "/v1.0/triggers"


class Calls:
    """The triggers of one server."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def triggers(self) -> list[JsonObject]:
        """Return every trigger, by name."""
        found: list[JsonObject] = self.client.must("GET", _ROOT).body["triggers"]
        return found

    def trigger(self, name: str) -> JsonObject:
        """Return one trigger with what was written; raises Trouble if there is none."""
        answer = self.client.call("GET", _path(name))
        if answer.error_code == "ERR_TRIGGER_NOT_FOUND":
            names = [str(each["name"]) for each in self.triggers()]
            near = nearest(name, names)
            advice = did_you_mean(near) or "`perdure trigger list` shows those that there are."
            raise Trouble(f"There is no trigger {name}.", advice=advice, code=ExitCode.NOT_FOUND)
        if not answer.is_success:
            raise self.client.trouble(answer)
        found: JsonObject = answer.body
        return found

    def change(self, name: str, what: str) -> None:
        """Pause or resume a trigger; raises Trouble if there is none."""
        self.trigger(name)
        self.client.must("POST", f"{_path(name)}/{what}")

    def dead_letters(self, name: str, limit: int | None = None) -> Iterator[JsonObject]:
        """Yield the dead letters of a trigger, oldest first."""
        yield from self._pages(f"{_path(name)}/dead-letters", "deadLetters", {}, limit)

    def dead_letter(self, name: str, key: str) -> JsonObject:
        """Return one dead letter with its message."""
        found: JsonObject = self.client.must("GET", self._letter(name, key)).body
        return found

    def edit(self, name: str, key: str, body: bytes, content_type: str | None) -> None:
        """Put another payload in the place of a dead letter's."""
        headers = [("content-type", content_type)] if content_type else []
        self.client.must("PUT", self._letter(name, key), body=body, headers=headers)

    def discard(self, name: str, key: str) -> None:
        """Delete a dead letter."""
        self.client.must("DELETE", self._letter(name, key))

    def replay(self, name: str, key: str) -> tuple[bool, str]:
        """Try a dead letter again; return whether it is gone, and what it led to, or why not."""
        answer = self.client.call("POST", f"{self._letter(name, key)}/replay")
        if answer.error_code == "ERR_TRIGGER_MESSAGE_UNUSABLE":
            return False, answer.message
        if not answer.is_success:
            raise self.client.trouble(answer)
        return True, str(answer.body["outcome"])

    def kept(self, name: str, since: str | None) -> Iterator[JsonObject]:
        """Yield the messages that are kept of a trigger, oldest first."""
        query = {} if since is None else {"since": since}
        yield from self._pages(f"{_path(name)}/kept", "messages", query, None)

    def _pages(
        self, path: str, member: str, query: dict[str, str], limit: int | None
    ) -> Iterator[JsonObject]:
        left = limit
        token = ""
        while left is None or left > 0:
            size = PAGE_ROWS_MAX if left is None else min(left, PAGE_ROWS_MAX)
            asked: dict[str, Any] = {**query, "pageSize": size}
            page = self.client.must(
                "GET", path, query={**asked, "token": token} if token else asked
            ).body
            yield from page[member]
            left = None if left is None else left - len(page[member])
            token = str(page.get("nextToken") or "")
            if not token:
                return

    @staticmethod
    def _letter(name: str, key: str) -> str:
        return f"{_path(name)}/dead-letters/{quote(key, safe='')}"


def _path(name: str) -> str:
    return f"{_ROOT}/{quote(name, safe='')}"


@contextmanager
def connected(server: str | None) -> Iterator[Calls]:
    """Return the triggers of the server that is meant, with the token of the environment."""
    with Client(find_address(server, os.environ), token_of(os.environ)) as client:
        yield Calls(client)
