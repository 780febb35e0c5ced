"""The load on Restate: HTTP calls to its ingress."""

import asyncio
import os
from typing import Any

import aiohttp
from driving import serve


class Client:
    """Calls handlers, as any HTTP client does."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Call through this session."""
        self._session = session
        self._base = f"http://127.0.0.1:{os.environ['RESTATE_INGRESS_PORT']}"

    async def _post(self, path: str, value: Any, headers: dict[str, str] | None = None) -> Any:
        async with self._session.post(self._base + path, json=value, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.content_type == "application/json" else None

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        # The key makes a repeated call one call, as an instance id does elsewhere.
        return await self._post(f"/bench/{workflow}", value, {"idempotency-key": instance_id})

    async def begin(self, instance_id: str) -> None:
        url = f"{self._base}/waiting/{instance_id}/run/send"
        # Without an input there is no type of it either: the ingress refuses one.
        async with self._session.post(url, skip_auto_headers={"Content-Type"}) as answer:
            answer.raise_for_status()

    async def wake(self, instance_id: str) -> Any:
        await self._post(f"/waiting/{instance_id}/go", "gone")
        path = f"/restate/workflow/waiting/{instance_id}/attach"
        async with self._session.get(self._base + path) as answer:
            answer.raise_for_status()
            return await answer.json()


async def main() -> None:
    """Serve orders."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await serve(Client(session))


if __name__ == "__main__":
    asyncio.run(main())
