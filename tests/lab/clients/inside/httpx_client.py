"""httpx: one GET by HTTP/2 over TLS."""

import httpx
from attempt import attempt


def talk(host: str, port: int) -> object:
    with httpx.Client(http2=True, timeout=10) as client:
        return client.get(f"https://{host}:{port}/path").json()


attempt(talk)
