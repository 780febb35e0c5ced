"""The client of Temporal's workers, connected when the bridge starts."""

import logging
import re
from datetime import timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, PayloadLimitsConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode

from perdure.base.errors import ConfigurationError
from perdure.bridge.texts import TEMPORAL_BYTES_MAX
from perdure.components.temporal.connection import tls_config
from perdure.components.temporal.settings import TemporalSettings

_CONNECT_TIMEOUT: Final = timedelta(seconds=10)


async def connected(settings: TemporalSettings) -> Client:
    """Return a client. Raises ConfigurationError if the cluster or the namespace is not there."""
    # Its own words about single tasks are for those who write workers; what matters is told here.
    logging.getLogger("temporalio").setLevel(logging.WARNING)
    try:
        client = await Client.connect(
            settings.hostport,
            namespace=settings.namespace,
            identity=settings.identity,
            api_key=settings.api_key,
            tls=tls_config(settings.tls),
            connect_timeout=_CONNECT_TIMEOUT,
            runtime=_runtime(),
            # Sizes are checked where they arise, with words for whoever made them.
            payload_limits=PayloadLimitsConfig(
                payloads_warn_size=TEMPORAL_BYTES_MAX, memo_warn_size=TEMPORAL_BYTES_MAX
            ),
        )
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.namespace), timeout=_CONNECT_TIMEOUT
        )
    except RPCError as error:
        raise ConfigurationError(_complaint(settings, error)) from error
    except RuntimeError as error:
        raise ConfigurationError(
            f"--temporal {settings.hostport}: no Temporal cluster answers there: {_why(error)}"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"--temporal {settings.hostport}: {error}") from error
    return client


def _why(error: RuntimeError) -> str:
    """Return what the system said, out of all that the client's own libraries say around it."""
    said = re.search(r'message: "([^"]+)"', str(error))
    return str(error) if said is None else said[1]


def _runtime() -> Runtime:
    """Return the client's own threads, whose log goes where ours goes."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    log = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=log))


def _complaint(settings: TemporalSettings, error: RPCError) -> str:
    if error.status is RPCStatusCode.NOT_FOUND:
        return f"--namespace {settings.namespace}: the cluster has none of that name"
    return f"--temporal {settings.hostport}: {error.status.name}: {error.message}"
