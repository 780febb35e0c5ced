"""Where a value comes from, and that the README of options has no doubles."""

import pytest

from perdure.app.config import Config
from perdure.app.options import OPTIONS, Given, gather
from perdure.base.errors import ConfigurationError


def test_every_option_is_a_field_of_the_configuration() -> None:
    assert {option.field for option in OPTIONS} <= set(Config.model_fields)


def test_no_flag_and_no_variable_has_two_meanings() -> None:
    flags = [option.flag for option in OPTIONS if option.flag]
    variables = [name for option in OPTIONS for name in option.environment]
    assert len(flags) == len(set(flags))
    assert len(variables) == len(set(variables))


def test_a_flag_wins_over_the_environment() -> None:
    found = gather({"dapr_http_port": 1}, {"DAPR_HTTP_PORT": "2", "DAPR_GRPC_PORT": "3"})
    assert found == {
        "http_port": Given(1, "--dapr-http-port"),
        "grpc_port": Given("3", "DAPR_GRPC_PORT"),
    }


def test_the_first_variable_wins() -> None:
    assert gather({}, {"APP_ID": "b", "DAPR_APP_ID": "a"})["app_id"].value == "a"


def test_nothing_given_is_nothing() -> None:
    assert gather({"app_id": None, "resources_path": []}, {"DAPR_API_TOKEN": ""}) == {}


def test_lists() -> None:
    found = gather({"resources_path": ["a", "b"]}, {"DAPR_LISTEN_ADDRESSES": "::1, 127.0.0.1"})
    assert found["resources_paths"].value == ["a", "b"]
    assert found["listen_addresses"].value == ["::1", "127.0.0.1"]


def test_a_flag_that_there_is_not() -> None:
    with pytest.raises(ConfigurationError, match="--placement-host-address: there is no such flag"):
        gather({"placement_host_address": "x"}, {})
