"""The handler of the workers."""

from pathlib import Path

import workers


def _reads():
    try:
        return bool(Path(__file__).read_text())
    except PermissionError:
        return "denied"


AT_LOAD = _reads()
workers.pass_gate(f"ask-{workers.NAME}")
BEFORE_ASKING = _reads()


def handler(event, context):
    workers.pass_gate("answer")
    return {"worker": workers.NAME, "load": AT_LOAD, "before": BEFORE_ASKING, "invocation": _reads()}
