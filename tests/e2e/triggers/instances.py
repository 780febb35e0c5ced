"""What a server says that its triggers have led to."""

from urllib.parse import quote

from tests.e2e.serving import Server


def instance_ids(server: Server) -> list[str]:
    """Return the ids of all instances."""
    found: list[str] = []
    token = ""
    while True:
        more = f"&continuationToken={quote(token, safe='')}" if token else ""
        answer = server.request("GET", f"/v1.0/workflows?pageSize=1000{more}")
        assert answer.status == 200, answer
        page = answer.json()
        found += [each["instanceID"] for each in page["instances"]]
        token = page.get("continuationToken") or ""
        if not token:
            return found


def dead_letters(server: Server, trigger: str) -> list[dict[str, object]]:
    """Return the first page of a trigger's dead letters."""
    answer = server.request("GET", f"/v1.0/triggers/{trigger}/dead-letters")
    assert answer.status == 200, answer
    letters: list[dict[str, object]] = answer.json()["deadLetters"]
    return letters
