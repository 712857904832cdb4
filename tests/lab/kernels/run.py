"""`make test-kernel`: rounds of tests in guests of older kernels. Exit status 1: something is not as it must be.
2: nothing could be run."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from lab.kernels import guest
from lab.kernels.kernels import KERNELS, Kernel
from lab.kernels.rounds import ROUNDS, Round, chosen
from lab.libcs.fetch import Unavailable, root_of
from shielded_function_emulator import node_program as node

# What this machine compiled, for guests: emulated, zig takes minutes.
_COMPILED = guest.CHECKOUT / ".tools" / "kernels" / "compiled"
_ZIG_CACHE = str(guest.CHECKOUT / ".zig-cache")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs tests on older kernels, in a virtual machine.")
    names = ", ".join(one.name for one in ROUNDS)
    parser.add_argument("rounds", nargs="*", help=f"{names}, or paths of tests; else the first three")
    parser.add_argument("--kernel", action="append", choices=[kernel.name for kernel in KERNELS], help="only this one")
    return parser.parse_args(argv)


def _environment() -> dict[str, str]:
    """The same on this machine and in a guest, of which nothing stays."""
    path = node.environment_with(node.choose())
    return {
        "PATH": path["PATH"],
        "JSII_NODE": path["JSII_NODE"],
        "PYTHONPATH": str(guest.CHECKOUT / "tests"),
        "LANG": "C.UTF-8",
        "ZIG_GLOBAL_CACHE_DIR": _ZIG_CACHE,
        "ZIG_LOCAL_CACHE_DIR": _ZIG_CACHE,
        "COMPILED_TESTS": str(_COMPILED),
    }


def _prepare(one: Round, environment: Mapping[str, str]) -> bool:
    if not one.before:
        return True
    print(f"== this machine: {one.name}", flush=True)
    done = subprocess.run(one.before, env=os.environ | dict(environment), cwd=guest.CHECKOUT, check=False)
    return done.returncode == 0


def _try(kernel: Kernel, one: Round, environment: Mapping[str, str]) -> str:
    """Empty, or what is wrong."""
    print(f"== Linux {kernel.name}: {one.name}", flush=True)
    try:
        status = guest.run(root_of(kernel), one.command, {**environment, "HOME": "/tmp"}, one.minutes * 60)
    except guest.GuestError as error:
        return str(error)
    return "" if status == 0 else f"exit status {status}"


def main(argv: Sequence[str] | None = None) -> int:
    """Goes on after a failure, and says at the end what came of each."""
    options = _arguments(argv)
    try:
        rounds = chosen(options.rounds or [one.name for one in ROUNDS[:3]])
        kernels = [kernel for kernel in KERNELS if not options.kernel or kernel.name in options.kernel]
        if platform.machine() != "x86_64":
            raise Unavailable(f"the guests are x86_64 and run this machine's files, which are {platform.machine()}")
        for kernel in kernels:
            root_of(kernel)
    except (ValueError, Unavailable) as error:
        print(f"kernels: {error}", file=sys.stderr)
        return 2
    environment, told, wrong = _environment(), list[str](), 0
    for one in rounds:
        if not _prepare(one, environment):
            told.append(f"{one.name}: fails on this machine already, so it was not tried elsewhere")
            wrong += 1
            continue
        for kernel in kernels:
            began = time.monotonic()
            what = _try(kernel, one, environment)
            wrong += bool(what)
            told.append(
                f"Linux {kernel.name}, {one.name}: {what or 'as it must be'} ({time.monotonic() - began:.0f} s)"
            )
            print(told[-1], flush=True)
    print("\n".join(["==", *told]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
