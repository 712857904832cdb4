"""The packages of the clients and of their servers, as a function would bring them: mounted beside its code."""

from __future__ import annotations

import compileall
from pathlib import Path

from shielded_function_emulator.languages.python import closure, top_level

ROOT = "/var/packages"
_DISTRIBUTIONS = (
    *("aiohttp", "amqtt", "argon2-cffi", "dnspython", "grpcio", "h2", "httpx", "hypercorn", "paho-mqtt"),
    *("psycopg", "psycopg-binary", "pycares", "redis", "requests", "urllib3"),
)


def package_mounts() -> dict[str, Path]:
    """The packages with all that they require, by their paths in the sandbox.

    They are compiled first, as pip does it: inside, they are read-only, and every program would compile them again.
    """
    tops = {path for name in closure(_DISTRIBUTIONS) for path in top_level(name)}
    tops = {path for path in tops if path.exists() and not path.name.endswith(".dist-info")}
    for top in tops:
        if top.is_dir():
            compileall.compile_dir(top, quiet=2, workers=1)
    return {f"{ROOT}/{top.name}": top for top in tops}
