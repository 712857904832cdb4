# pyright: basic, reportMissingImports=false
"""Starts a JVM in the process, and asks it something."""

import os

import jpype

jpype.startJVM(f"{os.environ['JAVA_HOME']}/lib/server/libjvm.so")


def handler(event: object, context: object) -> dict[str, object]:
    return {"done": str(jpype.java.lang.String("presets").toUpperCase())}
