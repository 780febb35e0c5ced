"""Flags, environment, files and defaults come to one configuration, or to one clear sentence."""

from pathlib import Path

import pytest

from perdure.app.config import Config, load
from perdure.base.errors import ConfigurationError
from perdure.base.time import SECOND_US

CONFIGURATION = """apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec:
  tracing:
    samplingRate: "0.25"
    otel: {endpointAddress: "collector:4318", isSecure: false, protocol: http}
  workflow:
    maxConcurrentWorkflowInvocations: 5
  accessControl: {}
"""


def refusal(flags: dict[str, object], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(flags, environ or {})
    return str(caught.value)


def test_nothing_given_is_the_default() -> None:
    config = load({}, {})
    assert config == Config()
    assert (config.http_port, config.grpc_port, config.store) == (3500, 50001, Path("perdure.db"))
    assert config.listen_addresses == ("127.0.0.1",)
    assert config.is_loopback_only


def test_a_flag_wins_over_a_variable_and_that_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGURATION)
    flags: dict[str, object] = {"config": str(file)}
    assert load(flags, {}).otel_endpoint == "http://collector:4318"
    assert load(flags, {}).otel_sampling_rate == 0.25
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://variable:4318"}
    assert load(flags, environ).otel_endpoint == "http://variable:4318"
    flags["otel_endpoint"] = "http://flag:4318"
    assert load(flags, environ).otel_endpoint == "http://flag:4318"


def test_files_bring_limits_and_warnings(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGURATION)
    folder = tmp_path / "components"
    folder.mkdir()
    (folder / "s.yaml").write_text(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\n"
        "metadata: {name: s}\nspec: {type: state.redis, version: v1}\n"
    )
    config = load({"config": file, "resources_path": [folder]}, {})
    assert config.workflow.turns_max == 5
    assert config.component_names == {"s"}
    assert config.warnings == (
        f"{file}:10:3: spec.accessControl is not used by perdure and has no effect",
        f"{folder}/s.yaml:4:8: state.redis is not used by perdure and has no effect",
    )


def test_a_token_comes_from_the_environment_and_is_never_shown() -> None:
    config = load({}, {"DAPR_API_TOKEN": "s3cret"})
    assert config.api_token is not None
    assert config.api_token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(config)
    assert "s3cret" not in config.model_dump_json()


def test_sizes_and_lists() -> None:
    config = load({"max_body_size": "16Mi", "dapr_listen_addresses": "0.0.0.0,::1"}, {})
    assert config.message_bytes_max == 16 * 1024 * 1024
    assert config.listen_addresses == ("0.0.0.0", "::1")
    assert load({"receipts_kept": "1h30m"}, {}).receipts_us == 5_400 * SECOND_US
    assert not config.is_loopback_only


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_addresses(address: str) -> None:
    assert load({"dapr_listen_addresses": [address]}, {}).is_loopback_only


@pytest.mark.parametrize(
    ("flags", "writes_json"),
    [
        ({}, False),
        ({"log_as_json": True}, True),
        ({"log_as_json": False}, False),
        ({"log_format": "json"}, True),
    ],
)
def test_log_formats(flags: dict[str, object], *, writes_json: bool) -> None:
    assert load(flags, {}).writes_json is writes_json


@pytest.mark.parametrize("level", ["warn", "WARNING", "Warn"])
def test_levels_in_any_case(level: str) -> None:
    assert load({"log_level": level}, {}).log_level == "warn"


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        ({"dapr_http_port": "70000"}, {}, "--dapr-http-port 70000: should be less than or equal"),
        ({}, {"DAPR_GRPC_PORT": "x"}, "DAPR_GRPC_PORT x: should be a valid integer"),
        ({"max_body_size": "4Q"}, {}, "--max-body-size 4Q: expected a size such as 4Mi"),
        ({"max_body_size": "1"}, {}, "--max-body-size 1: should be greater than or equal to 65536"),
        ({"max_body_size": "9Ti"}, {}, "--max-body-size 9Ti: should be less than or equal"),
        ({}, {"PERDURE_STORE": "mysql://x"}, "PERDURE_STORE mysql://x: there is no store mysql://"),
        ({"store": "/"}, {}, "--store /: is a folder"),
        ({"store": "/no/where/x.db"}, {}, "--store /no/where/x.db: there is no folder /no/where"),
        ({"tls_cert": "c.pem"}, {}, "--tls-cert and --tls-key go together"),
        ({"tls_client_ca": "ca.pem"}, {}, "--tls-client-ca needs --tls-cert"),
        ({"tls_cert": "/no/c", "tls_key": "/no/k"}, {}, "--tls-cert /no/c: there is no such file"),
        ({"dapr_http_port": 50001}, {}, "--dapr-grpc-port 50001: is the same as --dapr-http-port"),
        ({"log_level": "loud"}, {}, "--log-level loud: should be 'debug'"),
        ({"app_id": "x" * 300}, {}, "--app-id xxx"),
        ({"instance_id_extra_characters": "/"}, {}, "--instance-id-extra-characters /: expected"),
        ({"instance_id_max_bytes": 0}, {}, "--instance-id-max-bytes 0: should be greater"),
        ({"receipts_kept": "a week"}, {}, "--receipts-kept a week: expected a length of time"),
        ({}, {"PERDURE_RECEIPTS_KEPT": "1ms"}, "PERDURE_RECEIPTS_KEPT 1ms: expected a length"),
        ({"dapr_graceful_shutdown_seconds": -1}, {}, "--dapr-graceful-shutdown-seconds -1: should"),
        ({"otel_endpoint": "localhost:4318"}, {}, "--otel-endpoint localhost:4318: expected an"),
        ({"otel_sampling_rate": 3}, {}, "--otel-sampling-rate 3: should be less"),
        ({"config": "/no/c.yaml"}, {}, "/no/c.yaml: cannot be read"),
        ({"dapr_listen_addresses": ","}, {}, "--dapr-listen-addresses"),
        ({"scheduler_host_address": "x"}, {}, "--scheduler-host-address: there is no such flag"),
    ],
)
def test_errors_say_who_is_to_blame_and_what_was_expected(
    flags: dict[str, object], environ: dict[str, str], expected: str
) -> None:
    assert refusal(flags, environ).startswith(expected)


def test_ports_chosen_by_the_system_may_be_many() -> None:
    config = load({"dapr_http_port": 0, "dapr_grpc_port": 0, "metrics_port": 0}, {})
    assert config.metrics_port == 0
