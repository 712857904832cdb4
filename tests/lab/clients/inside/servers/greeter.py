"""A gRPC server, with TLS at one port and without at another: `greeter.py CERTIFICATE KEY ADDRESS TLS_PORT PORT`."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc


def greet(request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b"hello " + request


certificate, key, address, with_tls, without = sys.argv[1:]
server = grpc.server(ThreadPoolExecutor(2))
methods = {"Greet": grpc.unary_unary_rpc_method_handler(greet)}
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("greeter.Greeter", methods)])
pair = (Path(key).read_bytes(), Path(certificate).read_bytes())
server.add_secure_port(f"{address}:{with_tls}", grpc.ssl_server_credentials([pair]))
server.add_insecure_port(f"{address}:{without}")
server.start()
server.wait_for_termination()
