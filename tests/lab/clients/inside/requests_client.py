"""requests: one GET over TLS."""

import requests
from attempt import attempt


def talk(host: str, port: int) -> object:
    return requests.get(f"https://{host}:{port}/path", timeout=10).json()


attempt(talk)
