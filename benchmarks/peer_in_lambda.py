"""Tests that a peer starts, and holds, under emulated restrictions of Lambda.

In the emulated sandbox: no capabilities, no prctl, ptrace, seccomp, process_vm_readv, pidfd_getfd or unshare, no call
newer than Linux 5.10. Each peer runs a program that writes to /tmp, which its policy denies. Nothing here was seen in
AWS.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from network import emulated
from peer_sides import AUDIT, INTERPOSER, NATIVE, NODE, NOTIFY, PEERS, SHIELD, SHIELD_POLICY, Built, policy

_WROTE = "wrote to /tmp"
_CODE = f"open('/tmp/probe', 'w').write('x'); print('{_WROTE}')"
_SCRIPT = f"require('node:fs').writeFileSync('/tmp/probe', 'x'); console.log('{_WROTE}')\n"
_RUN = ("/var/lang/bin/python3", "-c", _CODE)
_PEERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    NATIVE: (_RUN, {}),
    SHIELD: (("/opt/shielded-function/shield", *_RUN), dict(SHIELD_POLICY)),
    INTERPOSER: (_RUN, {"LD_PRELOAD": "/opt/libinterpose.so"}),
    NOTIFY: (("/opt/notify", *_RUN), {}),
    AUDIT: (_RUN, {"PYTHONPATH": "/opt/audit"}),
    NODE: (("/opt/node", "--permission", "--allow-fs-read=/opt/*", "/opt/probe.cjs"), {}),
}
HOLDS = "starts, holds"


def try_all(built: Built) -> dict[str, str]:
    """By peer: that it holds, or why it does not."""
    sandbox = emulated("sandbox")
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        task, layers = Path(folder) / "task", Path(folder) / "opt"
        task.mkdir()
        _lay_out(built, layers)
        with sandbox.Sandbox(task=task, layers=layers) as box:
            for name, (argv, environment) in _PEERS.items():
                done = box.run_command(list(argv), environment=policy(["/tmp"]) | environment, timeout=60)
                found[name] = _verdict(name, done.stdout, done.stderr)
    return found


def _lay_out(built: Built, layers: Path) -> None:
    shutil.copytree(built.shield.parent, layers / "shielded-function")
    shutil.copytree(PEERS / "audit", layers / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    for program in (built.interposer, built.notify, built.node):
        shutil.copy(program, layers)
    (layers / "probe.cjs").write_text(_SCRIPT)


def _verdict(name: str, stdout: str, stderr: str) -> str:
    if _WROTE in stdout:
        return "starts, denies nothing" if name != NATIVE else "starts"
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stderr).strip().splitlines() or ["says nothing"]
    denied = any(re.search(r"PermissionError|Access to this API has been restricted|EACCES", line) for line in lines)
    return HOLDS if denied else f"no: {lines[0].strip().removeprefix('notify: ')}"
