"""A function that is traced with AWS's X-Ray SDK, as its documentation has it."""

import os
import socket

from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()


@xray_recorder.capture("greeting")
def greet(name):
    xray_recorder.current_subsegment().put_annotation("name", name)
    with socket.create_server(("127.0.0.1", 0)):
        return f"hello {name}"


def handler(event, context):
    # The emulator samples nothing.
    os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    with xray_recorder.in_subsegment("handling"):
        return {"said": greet(event["name"])}
