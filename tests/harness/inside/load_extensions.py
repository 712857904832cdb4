"""Loads extension modules as files say, then asks for work as a runtime client does, and says what came of each."""

import importlib.machinery
import importlib.util
import json
import socket
import sys


def load(name: str, path: str) -> str:
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.machinery.ModuleSpec(name, loader, origin=path)
    try:
        loader.exec_module(importlib.util.module_from_spec(spec))
    except (ImportError, SystemError) as error:
        return str(error)
    return "loaded"


told = [load(name, path) for name, path in json.loads(sys.argv[1])]
print(json.dumps(told), flush=True)
here, there = socket.socketpair()
for _ in range(2):
    here.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
