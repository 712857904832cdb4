"""The way of docs/guide/roll-out.md: a log of alert mode, `learn`, and block mode with what that wrote."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.toml_tables import table
from integration.cli.running import command
from lab.workloads.catalogue import Workload
from lab.workloads.judging import differs, environment_of
from lab.workloads.running import Functions, Run
from shielded_function import ShieldPolicy

Verdict = Literal["green", "green once accepted", "not green"]
_QUIET = ("read_handler",)  # tracebacks read the source, and go on without it


class Learned(NamedTuple):
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
    def of_json(value: Mapping[str, Any]) -> Learned:
        """The same again."""
        return Learned(**{**value, "accept": tuple(value["accept"])})


def learn(functions: Functions, workload: Workload, unshielded: Run, log: Sequence[str]) -> Learned:
    """Learns from the lines of alert mode, and runs the workload in block mode with what was written."""
    with tempfile.TemporaryDirectory(prefix="learned-") as folder:
        lines = Path(folder, "alert.log")
        lines.write_text("".join(f"{line}\n" for line in log))
        status, fields = _learn(lines)
        why = _denied(functions, workload, unshielded, lines)
        accept = _accept(lines) if status == 3 and why else ()
        if accept:
            _, fields = _learn(lines, *accept)
            why = _denied(functions, workload, unshielded, lines)
    return Learned(status, accept, fields, "not green" if why else "green once accepted" if accept else "green", why)


def _learn(log: Path, *accept: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and the fields of the policy that is written beside the log."""
    file = log.with_name("policy.toml")
    options = [word for entry in accept for word in ("--accept", entry)]
    done = command("learn", log, *options, "--output", file)
    return done.returncode, table(file.read_text()) if file.exists() else {}


def _accept(log: Path) -> tuple[str, ...]:
    """What the command that it printed accepts."""
    (told,) = json.loads(command("learn", log, "--json").stdout)["functions"]
    return tuple(told["accept"])


def _denied(functions: Functions, workload: Workload, unshielded: Run, log: Path) -> str:
    """Empty where block mode denies nothing with the file that was written."""
    file = log.with_name("policy.toml")
    policy = ShieldPolicy.from_file(file) if file.exists() else ShieldPolicy()
    run = functions.run(workload, policy, environment_of(policy.presets))
    told = [f"{each.policy} {each.path or each.allow}" for each in run.alerts if each.policy not in _QUIET]
    return "; ".join(filter(None, (differs(unshielded, run), ", ".join(told[:4]))))
