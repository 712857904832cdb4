"""Connects, from a generator in a comprehension."""

import socket
from collections.abc import Iterator


class Client:
    """Of one host."""

    def __init__(self, host: str) -> None:
        self.host = host

    def dial(self) -> None:
        """Connects."""
        s = socket.socket()
        s.connect_ex((self.host, 9))
        s.close()

    def often(self) -> Iterator[None]:
        """One connection an item."""
        for _ in range(1):
            yield self.dial()


def call(host: str) -> list[None]:
    """Connects once."""
    return [made for made in Client(host).often() if not made]
