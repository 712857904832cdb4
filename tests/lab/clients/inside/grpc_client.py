"""grpcio: one unary call, over TLS or, with `plain` as second argument, without."""

import sys

import grpc
from attempt import attempt


def talk(host: str, port: int) -> object:
    address = f"{host}:{port}"
    plain = "plain" in sys.argv[2:]
    opened = grpc.insecure_channel(address) if plain else grpc.secure_channel(address, grpc.ssl_channel_credentials())
    with opened as channel:
        return channel.unary_unary("/greeter.Greeter/Greet")(b"you", timeout=10).decode()


attempt(talk)
