"""The flags of a server: none that the configuration does not know, none left out on the way."""

import inspect
from pathlib import Path

from perdure.app.options import OPTIONS
from perdure.cli.flags import FLAGS, LogLevel, as_arguments, given, with_server_flags
from perdure.cli.main import app
from tests.unit.cli.invoking import invoke

# Another way to say --log-as-json, which daprd does not have.
NOT_FLAGS = {"log_format"}


def test_every_flag_is_an_option_of_the_server_and_the_other_way_round() -> None:
    known = {option.key for option in OPTIONS if option.key is not None}
    assert {flag.key for flag in FLAGS} == known - NOT_FLAGS


def test_keys_are_different() -> None:
    assert len({flag.key for flag in FLAGS}) == len(FLAGS)


def test_a_function_gets_every_flag_besides_its_own() -> None:
    @with_server_flags(dapr_http_port="a free one")
    def function(name: str, **settings: object) -> None:
        del name, settings

    parameters = inspect.signature(function).parameters
    assert list(parameters) == ["name", *(flag.key for flag in FLAGS)]


def test_what_was_not_given_is_left_out() -> None:
    settings: dict[str, object] = {
        "app_id": None,
        "resources_path": [],
        "store": "",
        "log_level": LogLevel.WARN,
    }
    assert given(settings) == {"store": "", "log_level": "warn"}


def test_settings_become_arguments_that_mean_the_same() -> None:
    settings = {
        "app_id": "shop",
        "dapr_http_port": 41,
        "resources_path": [Path("a"), Path("b c")],
        "log_level": LogLevel.DEBUG,
        "log_as_json": True,
        "config": None,
    }
    assert as_arguments(settings) == [
        *("--app-id", "shop"),
        *("--dapr-http-port", "41"),
        *("--resources-path", "a", "--resources-path", "b c"),
        *("--log-level", "debug"),
        "--log-as-json",
    ]


def test_help_tells_every_flag_in_full_on_a_narrow_screen() -> None:
    for program in ("serve", "run"):
        told = invoke(app, [program, "--help"], columns=80).stdout
        for flag in FLAGS:
            assert f"{flag.name} " in told, (program, flag.name)


def test_run_tells_that_its_ports_are_free_ones() -> None:
    told = " ".join(invoke(app, ["run", "--help"], columns=200).stdout.split())
    assert "default: a free one, or DAPR_HTTP_PORT" in told
