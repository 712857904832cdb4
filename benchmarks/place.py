"""Where the benchmark runs: pinned to one processor, with its own network and mounts, as a function has.

The engine knows files in /tmp by their device where that is a separate mount; elsewhere it has to look paths up,
which is another thing to measure. The network is that of `network.py`; the mounts of the layer and the handler are
those of `mounts.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mounts
import network
from rows import Need

# util-linux unshare(1): as root, or in a user namespace where those are available.
_WAYS = {
    "as root": ("unshare",),
    "in a user namespace": ("unshare", "--map-root-user"),
}
_MOUNTS = ("--mount", "--propagation", "private")
_MARK, _NETWORK = "BENCHMARK_PLACE", "BENCHMARK_NETWORK"
_RESOLVER = 'mount --bind "$0" "$(realpath /etc/resolv.conf)"'
_TMP = "mount -t tmpfs -o mode=1777 tmpfs /tmp"
_RUN = 'exec "$@"'


@dataclass(frozen=True)
class Place:
    """The properties of the place: a line for the report, and the needs of rows that it meets."""

    note: str
    has: frozenset[Need]


def lies_in_tmp(*paths: Path) -> bool:
    """Whether any of them is below /tmp: the policy would keep the shielded side from its own files."""
    return any(Path("/tmp") in path.resolve().parents for path in paths)


def reachable(file: Path) -> str:
    """A path to the file that still leads there when another /tmp hides its folder. The folder stays open for that."""
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(folder, True)
    return f"/proc/self/fd/{folder}/{file.name}"


def _command(way: tuple[str, ...], *, with_network: bool, with_tmp: bool) -> list[str]:
    steps = [*([_RESOLVER] if with_network else []), *([_TMP] if with_tmp else []), _RUN]
    spaces = [*_MOUNTS, *(["--net"] if with_network else [])]
    return [*way, *spaces, "sh", "-c", " && ".join(steps), str(network.RESOLV_CONF)]


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def enter(argv: list[str]) -> Place:
    """Starts this program again in the best place there is, or says what the one it is in is like."""
    if note := os.environ.pop(_MARK, ""):
        has = {Need.NETWORK} if os.environ.pop(_NETWORK, "") else set[Need]()
        if has:
            network.bring_up()
        if mounts.make():
            has.add(Need.MOUNTS)
        return Place(note, frozenset(has))
    as_it_is = _tmp_as_it_is()
    with_tmp = not as_it_is
    for with_network in (True, False) if with_tmp else (True,):
        for how, way in _WAYS.items():
            command = _command(way, with_network=with_network, with_tmp=with_tmp)
            if not _works(command):
                continue
            os.environ[_MARK] = as_it_is or f"/tmp is a separate mount, made {how}"
            os.environ[_NETWORK] = "1" if with_network else ""
            sys.stdout.flush()
            os.execvp(command[0], [*command, sys.executable, *argv])
    return Place(as_it_is or "/tmp is not a separate mount: mount namespaces are not available here", frozenset())


def _tmp_as_it_is() -> str:
    """The note on a /tmp that needs, or can have, no mount over it; empty where one is to be put."""
    if os.stat("/tmp").st_dev != os.stat("/").st_dev:
        return "/tmp is a separate mount"
    if lies_in_tmp(Path(__file__), Path(sys.prefix)):
        return "/tmp is not a separate mount: this checkout lies in it, so none was put over it"
    return ""


def pin() -> str:
    """Keeps this process and its children on one processor; says so."""
    processor = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processor})
    return f"pinned to processor {processor}"
