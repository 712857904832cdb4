"""Arms this process from code, twice: first with a policy that needs little, then with a stricter one."""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import sys

sys.path.insert(0, "/opt/python")
import shielded_function_runtime as shield

MODES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory")


def configured(**modes: str) -> str:
    try:
        shield.configure({"policy": {**dict.fromkeys(MODES, "allow"), **modes}})
    except Exception as error:
        return str(error)
    return "armed"


print(json.dumps({"told": [configured(), configured(outbound_connectivity="block")]}))
