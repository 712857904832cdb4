"""Asks for one event and answers it, as `curl` does in a shell's loop."""

from __future__ import annotations

import json
import os
import pathlib
from http.client import HTTPConnection
from typing import Any

connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("GET", "/2018-06-01/runtime/invocation/next")
event = connection.getresponse()
names: dict[str, Any] = {"os": os, "make": lambda path: pathlib.Path(path).touch(), "result": None}
exec(json.loads(event.read())["code"], names)
path = f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response"
connection.request("POST", path, json.dumps(names["result"]))
connection.getresponse().read()
