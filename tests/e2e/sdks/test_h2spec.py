"""The transport under h2spec, the conformance suite for HTTP/2 servers (RFC 9113 and RFC 7541).

It is built from the Go module proxy, as the Go SDK is. Its requests are not gRPC, so they also
show that a stranger is answered as HTTP asks.
"""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.serving import Server

_MODULE = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"
_BUILD_S = 300
_RUN_S = 100


@pytest.fixture(scope="session")
def h2spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    folder = tmp_path_factory.mktemp("h2spec")
    environment = {**os.environ, "GOBIN": str(folder)}
    subprocess.run(["go", "install", _MODULE], env=environment, check=True, timeout=_BUILD_S)
    return folder / "h2spec"


@pytest.mark.timeout(_BUILD_S + _RUN_S)
def test_every_case_of_h2spec_passes(h2spec: Path, tmp_path: Path) -> None:
    with closing(Server.in_folder(tmp_path).start()) as server:
        path = "/dapr.proto.runtime.v1.Dapr/GetMetadata"
        where = ["-h", "127.0.0.1", "-p", str(server.grpc_port), "-P", path, "--timeout", "5"]
        ran = subprocess.run(
            [str(h2spec), "generic", "http2", "hpack", *where],
            capture_output=True,
            text=True,
            check=False,
            timeout=_RUN_S,
        )
    verdict = ran.stdout.strip().splitlines()[-1]
    assert ran.returncode == 0, ran.stdout
    assert verdict.endswith(" 0 skipped, 0 failed"), verdict
    assert int(verdict.split()[0]) >= 145, verdict
