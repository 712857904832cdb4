"""A package whose handler is loaded when the test says so: each worker waits here for its turn."""

import http.client
import multiprocessing
import os

RUNTIME_API = os.environ["AWS_LAMBDA_RUNTIME_API"]


def pass_gate(name: str) -> None:
    connection = http.client.HTTPConnection(RUNTIME_API)
    connection.request("GET", f"/gate/{name}")
    connection.getresponse().read()


# multiprocessing names its processes in the order in which they were forked.
NAME = multiprocessing.current_process().name
pass_gate(f"load-{NAME}")
