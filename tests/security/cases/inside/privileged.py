"""Runs a program as root of a user namespace with mounts of its own: there, what needs a privilege can be tried."""

from __future__ import annotations

import os
import sys

from shielded_function_emulator import kernel


def main() -> None:
    kernel.new_user_namespace(0, 0, kernel.CLONE_NEWNS)
    kernel.mount("none", "/var/task/mounted", "tmpfs")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
