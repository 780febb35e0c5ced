"""How an engine in a program's own process is to be, checked when it is made."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypedDict, Unpack

from perdure.authoring.registry import Registry
from perdure.authoring.replay import RUNS_KEPT_MAX
from perdure.base.errors import ConfigurationError
from perdure.base.limits import STOP_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.core.status import TERMINAL, Status

APP_ID: Final = "perdure"
STORE: Final = "perdure.db"
THREADS: Final = 32
THREADS_MOST: Final = 1_000
PROCESSES_MOST: Final = 64
STOP_TIMEOUT_S: Final = STOP_TIMEOUT_US / SECOND_US

Duration = float | timedelta  # in seconds, where it is a number


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """The settings of an engine. A door whose port is None is not opened; port 0 is a free one."""

    store: str = field(repr=False)  # it may hold a password
    app_id: str
    http: int | None
    grpc: int | None
    host: str
    api_token: str | None
    stop_timeout_us: int
    threads: int
    processes: int
    retention_us: Mapping[Status, int] = field(default_factory=dict)
    apps: Mapping[str, Registry] = field(default_factory=dict, repr=False)

    @property
    def has_doors(self) -> bool:
        """Whether others can reach it."""
        return self.http is not None or self.grpc is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of one registry's work is done at once. None is for the engine to choose."""

    threads: int | None = None  # for activities that are not async
    activities: int | None = None  # that run at the same time
    turns: int | None = None  # that are decided or handed in at the same time
    runs_kept: int = RUNS_KEPT_MAX  # instances whose code is kept between turns

    def __post_init__(self) -> None:
        """Raise ValueError for a bound with which nothing could ever run."""
        for name, most in (
            ("threads", self.threads),
            ("activities", self.activities),
            ("orchestrations", self.turns),
        ):
            if most is not None and most < 1:
                raise ValueError(f"at most {most} {name} at once: nothing would ever run")


class Settings(TypedDict, total=False):
    """What can be set where an engine is made."""

    app_id: str  # the app that its workflows belong to
    http: int | None  # the port of an HTTP door; None for no door, 0 for a free port
    grpc: int | None  # the port of a gRPC door
    host: str  # where the doors are: this machine only, unless told otherwise
    api_token: str | None  # what callers at the doors have to show
    stop_timeout: Duration  # for how long running activities may go on when it is closed
    threads: int  # for activities that are not async
    processes: int  # for activities with process=True; as many as there are cores by default
    retention: Duration | None  # after which instances that have ended are deleted; None: never
    apps: Mapping[str, Registry]  # further apps that live in the process, by their ids


def settings_of(store: str | os.PathLike[str], **given: Unpack[Settings]) -> HostSettings:
    """Return the settings; raises ConfigurationError for one that cannot be."""
    http, grpc = given.get("http"), given.get("grpc")
    threads = given.get("threads", THREADS)
    processes = given.get("processes", os.cpu_count() or 1)
    app_id = given.get("app_id", APP_ID)
    retention = given.get("retention")
    for name, port in (("http", http), ("grpc", grpc)):
        if port is not None and not _is_count(port, 0, 65_535):
            raise ConfigurationError(f"{name}={port!r}: a port is a number from 0 to 65535")
    for name, count, most in (
        ("threads", threads, THREADS_MOST),
        ("processes", processes, PROCESSES_MOST),
    ):
        if not _is_count(count, 1, most):
            raise ConfigurationError(f"{name}={count!r}: expected from 1 to {most}")
    apps = dict(given.get("apps", {}))
    if not app_id or not all(apps):
        raise ConfigurationError("app_id: expected a name")
    if app_id in apps:
        raise ConfigurationError(
            f"apps: '{app_id}' is the engine's own app: its registry is `registry`"
        )
    kept_us = None if retention is None else microseconds(retention, "retention")
    return HostSettings(
        store=os.fspath(store),
        app_id=app_id,
        http=http,
        grpc=grpc,
        host=given.get("host", "127.0.0.1"),
        api_token=given.get("api_token"),
        stop_timeout_us=microseconds(given.get("stop_timeout", STOP_TIMEOUT_S), "stop_timeout"),
        threads=threads,
        processes=processes,
        retention_us={} if kept_us is None else dict.fromkeys(TERMINAL, kept_us),
        apps=apps,
    )


def _is_count(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def microseconds(duration: Duration, name: str) -> int:
    """Return a length of time in whole microseconds; raises ConfigurationError if it is none."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ConfigurationError(f"{name}={duration!r}: expected a length of time, in seconds")
    return round(seconds * SECOND_US)
