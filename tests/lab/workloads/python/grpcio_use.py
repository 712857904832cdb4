# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportArgumentType=false
"""Calls a service, where nobody listens, by its own threads."""

import grpc
from outcome import told


def use():
    with grpc.insecure_channel("closed.example:50051") as channel:
        call = channel.unary_unary("/greeter.Greeter/Hello", lambda text: text, lambda data: data)
        return call(b"you", timeout=5).decode()


handler = told(use)
