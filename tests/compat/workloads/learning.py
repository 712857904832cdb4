"""The way of docs/guide/roll-out.md: a log of alert mode, `learn`, and block mode with what that wrote."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from compat.workloads.catalogue import Workload
from compat.workloads.judging import differs, environment_of
from compat.workloads.running import Functions, Run
from integration.cli.running import command
from shielded_function import ShieldPolicy

Verdict = Literal["green", "green once accepted", "not green"]
_QUIET = ("read_handler",)  # tracebacks read the source, and go on without it


class Learnt(NamedTuple):
    """What `learn` made of a log.

    Attributes:
        status: its exit status.
        accept: the entries of the command that it printed; none where it was not needed.
        fields: the policy that it wrote at last.
        verdict: what block mode made of that.
        why: of what is not green.
    """

    status: int
    accept: tuple[str, ...]
    fields: Mapping[str, Any]
    verdict: Verdict
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        return {**self._asdict(), "accept": list(self.accept)}

    @staticmethod
    def of_json(value: Mapping[str, Any]) -> Learnt:
        """The same again."""
        return Learnt(**{**value, "accept": tuple(value["accept"])})


def learn(functions: Functions, workload: Workload, unshielded: Run, log: Sequence[str]) -> Learnt:
    """Learns from the lines of alert mode, and runs the workload in block mode with what was written."""
    with tempfile.TemporaryDirectory(prefix="learnt-") as folder:
        lines = Path(folder, "alert.log")
        lines.write_text("".join(f"{line}\n" for line in log))
        status, told = _learn(lines)
        accept = tuple(told.get("accept", ()))
        why = _denied(functions, workload, unshielded, lines)
        if why and status == 3 and accept:
            _, told = _learn(lines, *accept)
            why = _denied(functions, workload, unshielded, lines)
            return Learnt(status, accept, told["policy"], "not green" if why else "green once accepted", why)
    return Learnt(status, (), told["policy"], "not green" if why else "green", why)


def _learn(log: Path, *accept: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and what `--json` tells; the policy is written beside the log."""
    options = [word for entry in accept for word in ("--accept", entry)]
    written = command("learn", log, *options, "--output", log.with_name("policy.toml"))
    told: dict[str, Any] = {"accept": [], "policy": {}}
    for function in json.loads(command("learn", log, *options, "--json").stdout)["functions"]:
        told = function
    return written.returncode, told


def _denied(functions: Functions, workload: Workload, unshielded: Run, log: Path) -> str:
    """Empty where block mode denies nothing with the file that was written."""
    file = log.with_name("policy.toml")
    policy = ShieldPolicy.from_file(file) if file.exists() else ShieldPolicy()
    run = functions.run(workload, policy, environment_of(policy.presets))
    told = [f"{each.policy} {each.path or each.allow}" for each in run.alerts if each.policy not in _QUIET]
    return "; ".join(filter(None, (differs(unshielded, run), ", ".join(told[:4]))))
