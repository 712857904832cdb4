"""How the engine's tests run programs in a sandbox: by which paths, with which settings, and with what in /tmp."""

from __future__ import annotations

import os
import shutil

from emulated_lambda.sandbox import Sandbox

PYTHON = "/var/lang/bin/python3"
SHIELD = "/opt/shielded-function/shield"
POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")


def policy(**settings: str) -> dict[str, str]:
    """SHIELD_* settings: every policy allows unless it is given."""
    merged = dict.fromkeys(POLICIES, "allow") | {"executable_memory": "allow"} | settings
    return {f"SHIELD_{name.upper()}": value for name, value in merged.items()}


def prepare_tmp(sandbox: Sandbox) -> None:
    """/tmp as the tests expect it: a file, a folder, and a link out of /tmp; all else is taken away.

    Done from outside, which costs no process: it happens before every one of them.
    """
    tmp = sandbox.path("/tmp")
    owner = tmp.stat()
    for entry in tmp.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (tmp / "there").write_text("content")
    (tmp / "folder").mkdir()
    (tmp / "link").symlink_to("/etc/resolv.conf")
    for entry in tmp.iterdir():
        os.chown(entry, owner.st_uid, owner.st_gid, follow_symlinks=False)
