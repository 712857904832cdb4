"""A function that is traced with AWS's X-Ray SDK."""

from __future__ import annotations

import os
import socket

from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()


def handler(event: dict[str, str], context: object) -> dict[str, str]:
    # The emulator samples nothing.
    os.environ["_X_AMZN_TRACE_ID"] = os.environ["TRACE_HEADER"]
    with xray_recorder.in_subsegment("handling") as subsegment, socket.create_server(("127.0.0.1", 0)):
        if subsegment:
            subsegment.put_annotation("name", event["name"])
        return {"said": f"hello {event['name']}"}
