"""A real API server of Kubernetes, built from its Go modules, over a real etcd."""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests.e2e.building import build
from tests.e2e.polling import POLL_S
from tests.e2e.programs import tail
from tests.e2e.serving import HOST, free_ports

FOLDER: Final = Path(__file__).resolve().parent
PROGRAM: Final = FOLDER / "target" / "kube-apiserver"
PACKAGE: Final = "k8s.io/kubernetes/cmd/kube-apiserver"
# It is a large program, and on a fresh machine all its modules are fetched first.
BUILD_DEADLINE_S: Final = 1_500.0
START_DEADLINE_S: Final = 120.0
TOKEN: Final = "let-me-in"
DEPLOYMENTS: Final = "/apis/apps/v1/namespaces/default/deployments"


def build_it() -> None:
    """Build the server; Go sees for itself whether anything has changed."""
    build(["go", "build", "-o", str(PROGRAM), PACKAGE], folder=FOLDER, deadline_s=BUILD_DEADLINE_S)


def _three() -> tuple[int, int, int]:
    one, two, three = free_ports(3)
    return one, two, three


@dataclass(slots=True)
class Cluster:
    """etcd and an API server; no controllers, so nothing happens but what a test does."""

    folder: Path
    ports: tuple[int, int, int] = field(default_factory=_three)
    _etcd: subprocess.Popen[bytes] | None = None
    _server: subprocess.Popen[bytes] | None = None

    @property
    def kubeconfig(self) -> Path:
        """A configuration as `kubectl` reads it; the server's certificate is checked."""
        place = self.folder / "kubeconfig"
        cluster = {
            "server": f"https://{HOST}:{self.ports[2]}",
            "certificate-authority": str(self.folder / "certificates" / "apiserver.crt"),
        }
        place.write_text(
            json.dumps(
                {
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "users": [{"name": "u", "user": {"token": TOKEN}}],
                }
            )
        )
        return place

    def start(self) -> "Cluster":
        """Start both, and return once the API server is ready."""
        self._make_keys()
        client, peers, _ = self.ports
        assert shutil.which("etcd"), "`etcd` is not installed; these tests need it (etcd-server)"
        self._etcd = self._begin(
            "etcd",
            ["etcd", "--data-dir", str(self.folder / "etcd")],
            *(f"--listen-client-urls=http://{HOST}:{client}",),
            *(f"--advertise-client-urls=http://{HOST}:{client}",),
            *(f"--listen-peer-urls=http://{HOST}:{peers}", "--log-level=error"),
        )
        self.start_server()
        return self

    def start_server(self) -> None:
        """Start the API server, and return once it is ready."""
        client, _, secure = self.ports
        keys = self.folder / "accounts.key"
        self._server = self._begin(
            "apiserver",
            [str(PROGRAM), f"--etcd-servers=http://{HOST}:{client}", f"--secure-port={secure}"],
            *(f"--bind-address={HOST}", f"--cert-dir={self.folder / 'certificates'}"),
            *(f"--service-account-key-file={keys}", f"--service-account-signing-key-file={keys}"),
            *("--service-account-issuer=https://example", "--authorization-mode=RBAC"),
            *(
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
            ),
            f"--token-auth-file={self.folder / 'tokens.csv'}",
        )
        end = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < end:
            assert self._server.poll() is None, tail(self.folder / "apiserver.log")
            if self._is_ready():
                return
            time.sleep(POLL_S)
        raise AssertionError(f"no API server:\n{tail(self.folder / 'apiserver.log')}")

    def kill_server(self) -> None:
        """Kill the API server; what it knows is in etcd."""
        server, self._server = self._server, None
        assert server is not None
        server.kill()
        server.wait()

    def close(self) -> None:
        """Kill both."""
        for process in (self._server, self._etcd):
            if process is not None:
                process.kill()
                process.wait()

    def compact(self) -> None:
        """Let etcd forget all but the present."""
        url = f"http://{HOST}:{self.ports[0]}/v3"
        answer = httpx.post(f"{url}/kv/range", json={"key": "AA=="}, trust_env=False)
        revision = answer.raise_for_status().json()["header"]["revision"]
        body = {"revision": revision, "physical": True}
        httpx.post(f"{url}/kv/compaction", json=body, trust_env=False).raise_for_status()

    def ask(self, method: str, path: str, body: object = None, kind: str = "json") -> Any:
        """Ask the API server for something, and return its answer."""
        with self._client() as client:
            answer = client.request(
                method,
                path,
                content=None if body is None else json.dumps(body),
                headers={"Content-Type": f"application/{kind}"},
            )
        assert answer.is_success, answer.text
        return answer.json()

    def create(self, name: str) -> None:
        """Create a Deployment."""
        labels = {"app": name}
        pod = {"containers": [{"name": "main", "image": f"{name}:1"}]}
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
        self.ask("POST", DEPLOYMENTS, {**kind, "metadata": {"name": name}, "spec": spec})

    def scale(self, name: str, replicas: int) -> None:
        """Change a Deployment."""
        patch = {"spec": {"replicas": replicas}}
        self.ask("PATCH", f"{DEPLOYMENTS}/{name}", patch, "merge-patch+json")

    def delete(self, name: str) -> None:
        """Delete a Deployment."""
        self.ask("DELETE", f"{DEPLOYMENTS}/{name}")

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://{HOST}:{self.ports[2]}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            verify=False,  # noqa: S501 - the certificate is as new as the server
            trust_env=False,
            timeout=30.0,
        )

    def _is_ready(self) -> bool:
        try:
            with self._client() as client:
                return client.get("/readyz").is_success
        except httpx.TransportError:
            # Nobody listens yet: that is what is being waited for.
            return False

    def _make_keys(self) -> None:
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
        keys = str(self.folder / "accounts.key")
        subprocess.run(["openssl", "genrsa", "-out", keys, "2048"], check=True, capture_output=True)

    def _begin(self, name: str, command: list[str], *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
