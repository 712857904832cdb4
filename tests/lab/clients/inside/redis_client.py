"""redis-py: a value is set and read, without the ten retries that it makes otherwise."""

import redis
from attempt import attempt
from redis.backoff import NoBackoff
from redis.retry import Retry


def talk(host: str, port: int) -> object:
    with redis.Redis(host, port, socket_timeout=10, retry=Retry(NoBackoff(), 0)) as client:
        client.set("key", "value")
        value = client.get("key")
    assert isinstance(value, bytes)
    return value.decode()


attempt(talk)
