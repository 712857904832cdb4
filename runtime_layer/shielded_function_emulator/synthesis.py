"""Synthesizes an example app into a folder: with the CDK command line if `make setup` fetched it, else by itself.

The app runs with this Python, which has the package installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shielded_function_emulator import node_program as node
from shielded_function_emulator.kernel import machine

CHECKOUT = Path(__file__).resolve().parents[2]
_CDK = Path("node_modules", ".bin", "cdk")
_ARCHITECTURE = {"aarch64": "arm64"}.get(machine(), machine())
_SECONDS = 300.0


class SynthesisError(Exception):
    """The app did not synthesize; the text ends with its output."""


def synthesize(app: Path, output: Path, context: Mapping[str, str] | None = None) -> None:
    """Runs the CDK app in the folder `app` for this machine's architecture.

    Args:
        app: the folder.
        output: where the cloud assembly goes.
        context: further settings, as `cdk synth --context NAME=VALUE` takes them.

    Raises:
        SynthesisError: it failed, or took longer than five minutes.
    """
    environment = node.environment_with(node.choose())
    settings = {"architecture": _ARCHITECTURE, **(context or {})}
    cdk = next((file for root in (app, *app.parents, CHECKOUT) if (file := root / _CDK).exists()), None)
    if cdk is not None:
        command = [str(cdk), "synth", "--quiet", "--no-notices", "--output", str(output)]
        command += [option for name, value in settings.items() for option in ("--context", f"{name}={value}")]
    else:
        command = [sys.executable, "app.py"]
        environment |= {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(settings)}
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
