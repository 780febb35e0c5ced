"""Metadata of components: types, references, and refusals that name the place."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from perdure.app.component_files import read_resources
from perdure.app.component_metadata import ComponentSettings
from perdure.base.errors import ConfigurationError
from perdure.base.time import SECOND_US

HEAD = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: pubsub.redis
  version: v1
  metadata:
"""


def settings(
    tmp_path: Path, metadata: str, environ: Mapping[str, str] | None = None, *others: str
) -> ComponentSettings:
    (tmp_path / "a.yaml").write_text(HEAD + metadata)
    for number, other in enumerate(others):
        (tmp_path / f"b{number}.yaml").write_text(other)
    found = read_resources([tmp_path], app_id="shop", namespace="prod", environ=environ or {})
    return found.components["orders"]


def said(act: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        act()
    return str(caught.value).rsplit("/", 1)[-1]


def test_values_are_text_as_dapr_reads_them(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
  - {name: redisHost, value: "localhost:6379"}
  - {name: count, value: 12}
  - {name: enableTLS, value: true}
  - {name: empty}
  - {name: list, value: [1, a]}
  - {name: who, value: "{appID}.{namespace}.{podName}"}
""",
        {"POD_NAME": "pod-1"},
    )
    assert found.text("redisHost") == "localhost:6379"
    assert found.text("REDISHOST") == "localhost:6379"
    assert found.integer("count", 1, least=1, most=99) == 12
    assert found.flag("enableTLS", default=False) is True
    assert found.optional("empty") == ""
    assert found.text("empty", "other") == "other"
    assert found.optional("list") == '[1,"a"]'
    assert found.optional("who") == "shop.prod.pod-1"
    assert found.optional("absent") is None
    assert list(found.names()) == ["redisHost", "count", "enableTLS", "empty", "list", "who"]
    assert (found.component, found.type, found.app_id) == ("orders", "pubsub.redis", "shop")


def test_a_template_makes_an_id_of_its_own(tmp_path: Path) -> None:
    found = settings(tmp_path, "\n  - {name: consumerID, value: 'c-{uuid}'}\n")
    assert len(found.text("consumerID")) == len("c-") + 36


def test_lengths_of_time_and_words(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
  - {name: timeout, value: 1m30s}
  - {name: mode, value: fast}
  - {name: wrong, value: "10 minutes"}
""",
    )
    assert found.duration_us("timeout", 0) == 90 * SECOND_US
    assert found.duration_us("absent", 7) == 7
    assert found.one_of("mode", ["slow", "fast"], "slow") == "fast"
    assert said(lambda: found.duration_us("wrong", 0)) == (
        "a.yaml:12:19: component orders: wrong: expected a length of time such as 500ms, 90s or "
        "1h30m"
    )
    assert said(lambda: found.one_of("mode", ["slow", "sound"], "slow")).endswith(
        "mode: expected one of slow, sound"
    )


@pytest.mark.parametrize("value", ["0", "100", "ten", "1.5", "9" * 400, "٣٤٥"])
def test_a_number_out_of_bounds_is_refused(tmp_path: Path, value: str) -> None:
    found = settings(tmp_path, f"\n  - name: count\n    value: '{value}'\n")
    assert said(lambda: found.integer("count", 1, least=1, most=99)) == (
        "a.yaml:11:5: component orders: count: expected a whole number from 1 to 99"
    )


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    found = settings(tmp_path, "\n  - {name: a, value: ''}\n")
    assert "component orders: a: is missing; add it" in said(lambda: found.text("a"))
    assert "component orders: redisHost: is missing" in said(lambda: found.text("redisHost"))


def test_what_nobody_asks_for_is_warned_about(tmp_path: Path) -> None:
    found = settings(tmp_path, "\n  - {name: a, value: x}\n  - {name: b, value: y}\n")
    found.text("A")
    (warning,) = found.unused()
    assert warning.endswith(
        "a.yaml:11:15: b is not used by perdure's pubsub.redis and has no effect"
    )


def test_an_environment_variable_is_read(tmp_path: Path) -> None:
    metadata = "\n  - {name: redisPassword, envRef: REDIS_PASSWORD}\n"
    assert settings(tmp_path, metadata, {"REDIS_PASSWORD": "x{appID}"}).text("redisPassword") == (
        "x{appID}"
    )
    assert said(lambda: settings(tmp_path, metadata)) == (
        "a.yaml:10:27: the environment variable REDIS_PASSWORD is not set"
    )


@pytest.mark.parametrize("variable", ["DAPR_API_TOKEN", "APP_API_TOKEN", "dapr_x"])
def test_tokens_are_not_lent(tmp_path: Path, variable: str) -> None:
    metadata = f"\n  - {{name: redisPassword, envRef: {variable}}}\n"
    assert "is not lent to components" in said(
        lambda: settings(tmp_path, metadata, {variable: "secret"})
    )


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    metadata = "\n  - {name: redisHost, value: a}\n  - {name: RedisHost, value: b}\n"
    assert said(lambda: settings(tmp_path, metadata)) == (
        "a.yaml:11:5: RedisHost stands here a second time"
    )


def test_a_secret_needs_its_store(tmp_path: Path) -> None:
    metadata = "\n  - {name: redisPassword, secretKeyRef: {name: redis}}\n"
    assert "auth.secretStore does not say" in said(lambda: settings(tmp_path, metadata))
    named = f"{metadata}auth:\n  secretStore: vault\n"
    assert said(lambda: settings(tmp_path, named)) == (
        "a.yaml:12:3: there is no secret store vault among the components"
    )
