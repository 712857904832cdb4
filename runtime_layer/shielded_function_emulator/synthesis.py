"""Synthesizes an example app into a folder: with the CDK command line if `make setup` fetched it, else by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from shielded_function.cli import node
from shielded_function_emulator.kernel import machine

CHECKOUT = Path(__file__).resolve().parents[2]
_SOURCE_ROOTS = ("constructs", "monitoring", "runtime_layer")
_CDK = CHECKOUT / "node_modules" / ".bin" / "cdk"
_ARCHITECTURE = {"aarch64": "arm64"}.get(machine(), machine())
_SECONDS = 300.0


class SynthesisError(Exception):
    """The app did not synthesize; the text ends with what it said."""


def synthesize(app: Path, output: Path) -> None:
    """Runs the CDK app in the folder `app` for this machine's architecture.

    Raises:
        SynthesisError: it failed, or took longer than five minutes.
    """
    environment = node.environment_with(node.choose())
    roots = [str(CHECKOUT / root) for root in _SOURCE_ROOTS]
    environment["PYTHONPATH"] = os.pathsep.join([*roots, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    if _CDK.exists():
        command = [str(_CDK), "synth", "--quiet", "--no-notices", "--output", str(output)]
        command += ["--context", f"architecture={_ARCHITECTURE}"]
    else:
        command = [sys.executable, "app.py"]
        environment |= {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": f'{{"architecture":"{_ARCHITECTURE}"}}'}
    try:
        done = subprocess.run(
            command,
            cwd=app,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"{app.name}: not synthesized after {_SECONDS:g} s") from error
    if done.returncode != 0:
        raise SynthesisError(f"{app.name}: {' '.join(command[:2])} failed:\n{done.stderr[-4000:]}")
