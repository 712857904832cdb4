"""urllib3: one GET over TLS, without retries."""

import urllib3
from attempt import attempt


def talk(host: str, port: int) -> object:
    with urllib3.PoolManager() as pool:
        return pool.request("GET", f"https://{host}:{port}/path", timeout=10, retries=False).json()


attempt(talk)
