"""The list of cases, as the program that runs inside the sandbox gives it: there is no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache

from harness.engine import INSIDE as ENGINE_INSIDE
from security.cases.inside import common
from security.cases.task import INSIDE
from shielded_function_emulator.machine import architecture

MODES = ("block", "alert", "allow")
WAYS = ("wrapper", "late")
POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory")


@dataclass(frozen=True)
class Case(common.Case):
    """`section`: the module inside that has it."""

    section: str = ""

    def settings_in(self, mode: str) -> dict[str, str]:
        """All SHIELD_* settings: everything is allowed but what the case is about."""
        merged = {f"SHIELD_{name.upper()}": "allow" for name in POLICIES}
        # The engine protects itself as strictly as the strictest policy asks for.
        subject = "read_write_tmp" if self.policy == "self_protection" else self.policy
        merged[f"SHIELD_{subject.upper()}"] = mode
        return merged | {name: value.replace("{mode}", mode) for name, value in self.settings.items()}

    @property
    def ready(self) -> bool:
        """Whether the runtime has asked for work before the case runs."""
        return self.policy == "read_handler"


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    command = [sys.executable, "-B", str(INSIDE / "main.py"), "list"]
    environment = os.environ | {"CASES_MACHINE": architecture(), "PYTHONPATH": str(ENGINE_INSIDE)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return tuple(Case(**facts) for facts in json.loads(done.stdout))
