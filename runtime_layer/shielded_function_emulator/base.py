"""Lays the runtime's files out in one folder, as they lie below /: the content of a sandbox's root.

In Lambda they lie on the mount of / (a function of a container image sees one overlay there, and mounts for /dev,
/proc, /tmp and three files). A plain sandbox binds them one by one, and the shield judges their opens in another way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from shielded_function_emulator.platform_files import LANGUAGE_ROOT, RUNTIME_ROOT

# The prefix of a system Python is most of the machine, so it stays a mount.
_TOO_MUCH = (Path("/"), Path("/usr"), Path("/usr/local"))
# A function must not see the packages beside the tests' own interpreter.
_IGNORED = shutil.ignore_patterns("site-packages")


def lay_out(mounts: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Copies the mounts of /var/lang and /var/runtime into `folder`; returns the other mounts."""
    left: dict[str, Path] = {}
    for target, source in sorted(mounts.items()):
        ours = any(target == root or target.startswith(f"{root}/") for root in (LANGUAGE_ROOT, RUNTIME_ROOT))
        if not ours or source.resolve() in _TOO_MUCH:
            left[target] = source
            continue
        place = folder / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, ignore=_IGNORED, copy_function=_link, dirs_exist_ok=True)
        else:
            _link(str(source.resolve()), str(place))
    return left


def _link(source: str, target: str) -> None:
    """A hard link, or a copy where there can be none: on another filesystem, or of another user's file."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)
