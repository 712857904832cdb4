"""The benchmark's internet: documentation addresses on `lo` of a separate network namespace, served by `servers.py`.

Loopback addresses would not do: the shield lets every program reach them, and learns nothing from answers that name
them. These are as far away as any other to it, so a shielded client passes the whole judged path.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from rows import MeasurementError, Need

# Also in network_calls.c and resolv.conf.
NAME = "service.bench.example"
SERVICE = "203.0.113.10"
RESOLVER = "203.0.113.53"
PLAIN, TLS, GRPC = 80, 443, 50051
OF_A_PACKAGE = "203.0.113.21"
"""Allowed by an entry that names a package."""

HERE = Path(__file__).resolve().parent
RESOLV_CONF = HERE / "resolv.conf"


def emulated(module: str) -> ModuleType:
    """A module of the emulated Lambda, which knows how to do this already."""
    return importlib.import_module(f"shielded_function_emulator.{module}")


def bring_up() -> None:
    """Gives `lo` of a new network namespace its addresses."""
    emulated("loopback").bring_up(["203.0.113.1/24"])


@contextmanager
def served(authority: Path, has: Collection[Need]) -> Iterator[None]:
    """Runs the servers, where the place has a network for them. `authority`: where their authority's certificate goes.

    Raises:
        MeasurementError: they did not start.
    """
    if Need.NETWORK not in has:
        yield
        return
    command = [sys.executable, str(HERE / "servers.py"), str(authority)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise MeasurementError(f"{command[1]} ended with status {process.wait()}: see its message above")
        try:
            yield
        finally:
            process.stdin.close()  # ends it
