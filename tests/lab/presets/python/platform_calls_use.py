# pyright: basic
"""Asks what machine this is."""

import platform
import subprocess


def handler(event: object, context: object) -> dict[str, object]:
    platform.uname().processor  # noqa: B018 - it asks when it is read
    bits = subprocess.run(["getconf", "LONG_BIT"], capture_output=True, text=True, check=True).stdout
    return {"done": int(bits)}
