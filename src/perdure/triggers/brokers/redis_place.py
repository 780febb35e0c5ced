"""Where a Redis is and how to get in, from the metadata that all Redis components share."""

from dataclasses import dataclass
from typing import Final

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.triggers.port import Settings

# For so long at most a server holds a read back that finds nothing.
BLOCK_MS: Final = 2_000
_PORT: Final = 6379
_PORTS_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """Where a Redis is, and how to get in."""

    host: str
    port: int
    database: int
    username: str | None
    password: str | None
    tls: bool
    dial_timeout_s: float
    read_timeout_s: float

    def client(self, *, connections_max: int) -> "aioredis.Redis":
        """Return a client that never tries anything twice by itself."""
        pool = aioredis.BlockingConnectionPool(
            host=self.host,
            port=self.port,
            db=self.database,
            username=self.username,
            password=self.password,
            connection_class=aioredis.SSLConnection if self.tls else aioredis.Connection,
            socket_connect_timeout=self.dial_timeout_s,
            # A read may last as long as the server holds it back, and then as long as an answer.
            socket_timeout=self.read_timeout_s + BLOCK_MS / 1_000,
            retry=Retry(NoBackoff(), 0),
            max_connections=connections_max,
            timeout=BROKER_ANSWER_TIMEOUT_US / SECOND_US,
        )
        return aioredis.Redis.from_pool(pool)


def place_of(settings: Settings) -> RedisPlace:
    """Read the metadata that all Redis components share."""
    for name, why in (
        ("failover", "Redis Sentinel is not supported; name the server itself in redisHost"),
        ("useEntraID", "Entra ID is not supported; use redisUsername and redisPassword"),
    ):
        if settings.flag(name, default=False):
            raise settings.fault(name, why)
    if settings.one_of("redisType", ("node", "cluster"), "node") == "cluster":
        raise settings.fault("redisType", "Redis Cluster is not supported; use a single node")
    for name in ("clientCert", "clientKey"):
        if settings.optional(name):
            raise settings.fault(
                name, "client certificates are not supported towards Redis; use a password"
            )
    host, port = _host_and_port(settings)
    return RedisPlace(
        host=host,
        port=port,
        database=settings.integer("redisDB", 0, least=0, most=10_000),
        username=settings.optional("redisUsername") or None,
        password=settings.optional("redisPassword") or None,
        tls=settings.flag("enableTLS", default=False),
        dial_timeout_s=settings.duration_us("dialTimeout", 5 * SECOND_US) / SECOND_US,
        read_timeout_s=settings.duration_us("readTimeout", 3 * SECOND_US) / SECOND_US,
    )


def _host_and_port(settings: Settings) -> tuple[str, int]:
    address = settings.text("redisHost")
    if "," in address:
        raise settings.fault("redisHost", "expected one host:port; clusters are not supported")
    host, colon, port = address.rpartition(":")
    if not colon:
        return address, settings.integer("redisPort", _PORT, least=1, most=_PORTS_MAX)
    if not host or not port.isdecimal() or not 0 < int(port) <= _PORTS_MAX:
        raise settings.fault("redisHost", "expected host:port, such as localhost:6379")
    return host.strip("[]"), int(port)
