"""Where the benchmark runs: pinned to one processor, with a /tmp that is a mount of its own, as in Lambda.

The engine knows files in /tmp by their device there; elsewhere it has to look paths up, which is another thing to
measure.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# util-linux unshare(1): as root, or in a user namespace where those are to be had.
_NAMESPACES = {
    "as root": ("unshare", "--mount", "--propagation", "private"),
    "in a user namespace": ("unshare", "--map-root-user", "--mount", "--propagation", "private"),
}
_MARK = "BENCHMARK_PLACE"
_MOUNT = 'mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"'


def lies_in_tmp(*paths: Path) -> bool:
    """Whether any of them is below /tmp: the policy would keep the shielded side from its own files."""
    return any(Path("/tmp") in path.resolve().parents for path in paths)


def _is_own_mount() -> bool:
    return os.stat("/tmp").st_dev != os.stat("/").st_dev


def reachable(file: Path) -> str:
    """A path to the file that still leads there when another /tmp hides its folder. The folder stays open for that."""
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(folder, True)
    return f"/proc/self/fd/{folder}/{file.name}"


def enter(argv: list[str]) -> str:
    """Starts this program again in such a place, or returns what the place is like: one line for the report."""
    if place := os.environ.pop(_MARK, ""):
        return place
    if _is_own_mount():
        return "/tmp is a mount of its own"
    if lies_in_tmp(Path(__file__), Path(sys.prefix)):
        return "/tmp is not a mount of its own: this checkout lies in it, so none was put over it"
    for how, prefix in _NAMESPACES.items():
        try:
            tried = subprocess.run([*prefix, "sh", "-c", _MOUNT, "sh", "true"], capture_output=True, check=False)
        except FileNotFoundError:
            break
        if tried.returncode == 0:
            os.environ[_MARK] = f"/tmp is a mount of its own, made {how}"
            command = [*prefix, "sh", "-c", _MOUNT, "sh", sys.executable, *argv]
            sys.stdout.flush()
            os.execvp(command[0], command)
    return "/tmp is not a mount of its own: no mount namespace is to be had here"


def pin() -> str:
    """Keeps this process and its children on one processor; says so."""
    processor = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processor})
    return f"pinned to processor {processor}"
