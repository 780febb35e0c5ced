"""The table of types: what is known, what is near, and what has to be installed."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tomllib import loads

import pytest

import perdure
from perdure.base.errors import ConfigurationError
from perdure.triggers import registry
from tests.kit.metadata import Metadata

ROOT = Path(perdure.__file__).parents[2]
_ROOMS = tuple(f"perdure.triggers.{name}" for name in ("pubsub", "bindings", "brokers"))


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_type_has_its_module(kind: str) -> None:
    family, _, name = kind.partition(".")
    module = import_module(f"perdure.triggers.{family}.{name.replace('-', '_')}")
    assert callable(module.build)


def test_types_are_those_that_were_promised() -> None:
    assert set(registry.KINDS) == {
        *(
            f"bindings.{name}"
            for name in (
                *("cron", "http", "twitter", "kubernetes", "kafka"),
                *("rabbitmq", "redis", "mqtt3", "nats"),
            )
        ),
        *(
            f"pubsub.{name}"
            for name in ("in-memory", "redis", "rabbitmq", "kafka", "jetstream", "mqtt3")
        ),
    }


def test_an_unknown_type_is_told_what_is_near() -> None:
    for kind, said in (
        ("pubsub.rabbit", "there is no type pubsub.rabbit; did you mean pubsub.rabbitmq"),
        ("bindings.x", "there is no type bindings.x; known are bindings.cron, bindings.http"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            registry.build_pubsub(Metadata(kind, "x"))


@pytest.mark.parametrize(
    ("kind", "library", "extra"),
    [
        ("pubsub.redis", "redis", "redis"),
        ("bindings.kubernetes", "kubernetes_asyncio", "kubernetes"),
        ("pubsub.jetstream", "nats", "nats"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_to_run(
    monkeypatch: pytest.MonkeyPatch, kind: str, library: str, extra: str
) -> None:
    assert find_spec(library) is not None
    for name in [
        each for each in sys.modules if each.split(".")[0] == library or each.startswith(_ROOMS)
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError) as caught:
        registry.build_binding(Metadata(kind, "x"))
    assert f'which is not installed; run: pip install "perdure[{extra}]"' in str(caught.value)
    extras = loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extra in extras
