"""The X API and an API server of Kubernetes, as small as the examples need them."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.e2e.serving import HOST

_SIGN_OF_LIFE_S = 1.0


class Service:
    """Answers GET and POST, and streams that stay open; one thread for each connection."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.lines: list[bytes] = []
        self.streams = 0
        self._closing = False
        answer = self._answer

        class Connection(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def do_POST(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Connection)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all streams, and listen no more."""
        with self.changed:
            self._closing = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def say(self, value: object) -> None:
        """Send a line to every stream, now and to come."""
        with self.changed:
            self.lines.append(json.dumps(value).encode())
            self.changed.notify_all()

    def wait_for_stream(self, number: int = 1) -> None:
        """Wait until so many streams have been opened."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.streams >= number, 60.0), "nobody listens"

    def reply(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Any:
        """Return the answer as JSON, or an iterator of lines for a stream."""
        raise AssertionError(f"nobody answers {method} {path} {query} {body!r}")

    def stream(self, wanted: Callable[[bytes], bool] = lambda _: True) -> Iterator[bytes]:
        """The wanted lines, from the first; an empty one now and then."""
        with self.changed:
            self.streams += 1
            self.changed.notify_all()
        told = 0
        while True:
            with self.changed:
                self.changed.wait_for(partial(self._has_more, told), _SIGN_OF_LIFE_S)
                if self._closing:
                    return
                found, told = self.lines[told:], len(self.lines)
            yield from filter(wanted, found)
            yield b""

    def _has_more(self, told: int) -> bool:
        return self._closing or len(self.lines) > told

    def _answer(self, connection: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(connection.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = connection.rfile.read(int(connection.headers.get("Content-Length", "0")))
        answer = self.reply(connection.command, parts.path, query, body)
        connection.send_response(200)
        connection.send_header("Content-Type", "application/json")
        connection.end_headers()
        try:
            if isinstance(answer, Iterator):
                for line in answer:
                    connection.wfile.write(line + b"\n")
                    connection.wfile.flush()
            else:
                connection.wfile.write(json.dumps(answer).encode())
        except OSError:
            # The client is gone, as one that is killed is.
            connection.close_connection = True


class Tweets(Service):
    """The filtered stream: who opens it hears what was posted from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.rules: list[dict[str, str]] = []
        self.key_was_shown = False

    def reply(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Any:
        match method, path:
            case "POST", "/oauth2/token":
                self.key_was_shown = True
                return {"token_type": "bearer", "access_token": "token"}
            case "GET", "/2/tweets/search/stream/rules":
                return {"data": self.rules}
            case "POST", "/2/tweets/search/stream/rules":
                added = json.loads(body)["add"]
                self.rules = [{**rule, "id": str(n)} for n, rule in enumerate(added)]
                return {"data": self.rules}
            case "GET", "/2/tweets/search/stream":
                heard = set(self.lines)
                return self.stream(lambda line: line not in heard)
            case "GET", "/2/tweets/search/recent":
                since = int(query["since_id"])
                found = [json.loads(line)["data"] for line in self.lines]
                return {"data": [tweet for tweet in found if int(tweet["id"]) > since]}
            case _:
                return super().reply(method, path, query, body)

    def post(self, tweet_id: int, text: str) -> None:
        """Post a tweet of the account."""
        self.say({"data": {"id": str(tweet_id), "text": text, "author_id": "7"}})


class Deployments(Service):
    """The Deployments of a namespace: an empty list, and a watch of what is created after it."""

    def reply(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Any:
        match method, path:
            case "GET", "/apis/apps/v1":
                verbs = ["list", "watch"]
                one = {"name": "deployments", "kind": "Deployment", "namespaced": True}
                return {"resources": [{**one, "verbs": verbs}]}
            case "GET", "/apis/apps/v1/namespaces/default/deployments":
                if "watch" not in query:
                    metadata = {"resourceVersion": "1"}
                    return {"kind": "DeploymentList", "metadata": metadata, "items": []}
                after = int(query["resourceVersion"])
                return self.stream(lambda line: _version(line) > after)
            case _:
                return super().reply(method, path, query, body)

    def create(self, name: str, version: int, image: str) -> None:
        """Create a Deployment."""
        self.say(
            {
                "type": "ADDED",
                "object": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "metadata": {
                        "name": name,
                        "namespace": "default",
                        "uid": f"uid-{name}-{version}",
                        "resourceVersion": str(version),
                        "creationTimestamp": "2026-01-01T00:00:00Z",
                    },
                    "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
                },
            }
        )

    def write_kubeconfig(self, place: Any) -> None:
        """Write a configuration that leads here."""
        place.write_text(
            json.dumps(
                {
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": self.url}}],
                    "users": [{"name": "u", "user": {"token": "token"}}],
                }
            )
        )


def _version(line: bytes) -> int:
    return int(json.loads(line)["object"]["metadata"]["resourceVersion"])


@contextmanager
def offered(service: Service) -> Iterator[None]:
    """Close a service in the end."""
    try:
        yield
    finally:
        service.close()
