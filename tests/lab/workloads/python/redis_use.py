# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Sets and gets a key, through a pipeline."""

import redis
from outcome import told


def use():
    client = redis.Redis("cache.example", socket_timeout=5)
    return client.pipeline().set("key", "value").get("key").execute()[1].decode()


handler = told(use)
