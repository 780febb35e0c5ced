"""Secrets of files and of the environment, as components refer to them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from perdure.app.component_files import read_resources
from perdure.base.errors import ConfigurationError

COMPONENT = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {{name: orders}}
spec:
  type: bindings.http
  version: v1
  metadata:
  - name: secret
    secretKeyRef: {{name: "{name}", key: "{key}"}}
auth:
  secretStore: vault
"""

STORE = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: vault}
spec:
  type: TYPE
  version: v1
  metadata:
"""
SECRETS = {"redis": "word", "sql": {"user": "me", "pass": "x", "ports": [1, 2]}}


def secret(
    folder: Path,
    type_: str,
    items: Mapping[str, str],
    name: str,
    key: str = "",
    environ: Mapping[str, str] | None = None,
) -> str:
    (folder / "z.yaml").write_text(
        STORE.replace("TYPE", type_)
        + "".join(f"  - {{name: {each}, value: '{value}'}}\n" for each, value in items.items())
    )
    (folder / "a.yaml").write_text(COMPONENT.format(name=name, key=key))
    found = read_resources([folder], app_id="shop", environ=environ or {})
    assert found.warnings == []
    return found.components["orders"].text("secret")


@pytest.fixture
def secrets_file(tmp_path: Path) -> Path:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps(SECRETS))
    return file


@pytest.mark.parametrize(
    ("more", "name", "key", "expected"),
    [
        ({}, "redis", "", "word"),
        ({}, "redis", "redis", "word"),
        ({}, "sql:user", "", "me"),
        ({"nestedSeparator": "."}, "sql.ports.1", "", "2"),
        ({"multiValued": "true"}, "sql", "pass", "x"),
        ({"multiValued": "true"}, "sql", "ports:0", "1"),
        ({"multiValued": "true"}, "redis", "", "word"),
    ],
)
def test_a_secret_of_a_file(
    tmp_path: Path, secrets_file: Path, more: Mapping[str, str], name: str, key: str, expected: str
) -> None:
    items = {"secretsFile": str(secrets_file), **more}
    assert secret(tmp_path, "secretstores.local.file", items, name, key) == expected


def test_a_secret_of_the_environment(tmp_path: Path) -> None:
    environ = {"SHOP_HMAC": "word", "DAPR_API_TOKEN": "never"}
    kind = "secretstores.local.env"
    assert secret(tmp_path, kind, {"prefix": "SHOP_"}, "HMAC", environ=environ) == "word"
    assert secret(tmp_path, kind, {}, "SHOP_HMAC", environ=environ) == "word"
    with pytest.raises(ConfigurationError, match="DAPR_API_TOKEN is not lent"):
        secret(tmp_path, kind, {"prefix": "DAPR_"}, "API_TOKEN", environ=environ)
    with pytest.raises(ConfigurationError, match=r"a.yaml:9:5: secret NO: .* NO is not set"):
        secret(tmp_path, kind, {}, "NO", environ=environ)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "secrets.json is not JSON"),
        ("[" * 100_000, "secrets.json is not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"a":' * 60 + "1" + "}" * 60, "is nested deeper than 50 levels"),
        ('{"other": "hush"}', "a.yaml:9:5: secret redis: .*secrets.json does not hold it"),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, secrets_file: Path, content: str, expected: str
) -> None:
    secrets_file.write_text(content)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        secret(tmp_path, "secretstores.local.file", {"secretsFile": str(secrets_file)}, "redis")
    assert "hush" not in str(caught.value)


def test_a_missing_file_a_missing_key_and_another_store(tmp_path: Path, secrets_file: Path) -> None:
    kind = "secretstores.local.file"
    with pytest.raises(ConfigurationError, match=r"z.yaml:8:.*cannot be read: No such file"):
        secret(tmp_path, kind, {"secretsFile": str(tmp_path / "none")}, "redis")
    with pytest.raises(ConfigurationError, match="secret redis has no key user"):
        secret(tmp_path, kind, {"secretsFile": str(secrets_file)}, "redis", "user")
    with pytest.raises(
        ConfigurationError,
        match=r"z.yaml:5:3: component vault: secretstores.hashicorp.vault cannot be loaded; use "
        "secretstores.local.file or secretstores.local.env",
    ):
        secret(tmp_path, "secretstores.hashicorp.vault", {}, "redis")
