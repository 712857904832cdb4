"""A plain UDP client: one datagram to a host by name, one back."""

import socket

from attempt import attempt


def talk(host: str, port: int) -> object:
    ((family, kind, _, _, address),) = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
    with socket.socket(family, kind) as client:
        client.settimeout(10)
        client.sendto(b"datagram", address)
        return client.recv(64).decode()


attempt(talk)
