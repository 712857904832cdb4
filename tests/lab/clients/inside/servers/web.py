"""An HTTPS server, HTTP/1.1 and HTTP/2, that says what it was asked: `web.py CERTIFICATE KEY ADDRESS PORT`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":  # the server's own start and end
        return
    body = json.dumps({"path": scope["path"], "http": scope["http_version"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


config = Config()
config.certfile, config.keyfile = sys.argv[1:3]
config.bind = [":".join(sys.argv[3:])]
config.loglevel = "WARNING"
# Its command line, and not this, needs semaphores, and so a /dev/shm, which Lambda has not.
asyncio.run(serve(application, config))
