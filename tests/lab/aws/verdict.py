"""What should have happened, the facts that nobody has measured, and both as tables. Nothing here asks AWS anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lab.aws.observe import Observed

# What each of the dependency's deeds is against.
DEEDS = {
    "http_to_address": "outbound_connectivity",
    "http_to_name": "outbound_connectivity",
    "dns_labels": "outbound_connectivity",
    "write_tmp": "read_write_tmp",
    "run_program": "create_child_process",
    "read_handler": "read_handler",
}
# In alert mode these go through: they need nobody to answer.
_LOCAL = ("write_tmp", "run_program", "read_handler")

# Open questions about Lambda, and where the doctor's answer has each. What is reported by others, but not measured by
# this project, stands here too.
QUESTIONS: dict[str, str] = {
    "kernel": "facts.kernel",
    "C library": "facts.libc",
    "may a process call seccomp(2)?": "doctor.seccomp",
    "may it install a filter?": "doctor.seccomp_filter",
    "may a supervisor be asked (seccomp notify)?": "doctor.seccomp_notify",
    "is NoNewPrivs inherited?": "doctor.no_new_privs",
    "which seccomp mode is on?": "doctor.seccomp_mode",
    "actions of seccomp": "facts.seccomp actions",
    "does prctl read?": "doctor.prctl_get_name",
    "does prctl write?": "doctor.prctl_set_name",
    "prctl(PR_SET_NO_NEW_PRIVS)": "doctor.prctl_no_new_privs",
    "ptrace": "doctor.ptrace",
    "process_vm_readv": "doctor.process_vm_readv",
    "pidfd_open": "doctor.pidfd_open",
    "pidfd_getfd": "doctor.pidfd_getfd",
    "clone3": "doctor.clone3",
    "io_uring": "doctor.io_uring",
    "memfd_create": "doctor.memfd_create",
    "Landlock": "doctor.landlock",
    "user namespaces": "doctor.user_namespaces",
    "mount ids in statx": "doctor.statx_mount_id",
    "may code be patched?": "doctor.patch_code",
    "does the process engine arm?": "doctor.process_engine",
    "does a kernel engine work?": "doctor.kernel_engine",
    "file systems": "facts.mounts",
    "resolvers": "facts.resolvers",
    "resolv.conf": "facts.resolv.conf",
    "addresses of the platform": "facts.variables",
    "user and group": "facts.user and group",
    "process": "facts.process",
    "command line of the runtime": "facts.command",
    "stdout and stderr": "facts.streams",
    "owners of files": "facts.owners",
    "home": "facts.home",
    "limits of descriptors": "facts.descriptors",
    "limits of processes": "facts.processes",
    "status": "facts.status",
    "ptrace scope": "facts.ptrace scope",
}


@dataclass(frozen=True)
class Check:
    """One expectation: what, of which function, and what was found instead if it does not hold."""

    function: str
    what: str
    holds: bool
    found: str


def checks(role: str, name: str, observed: Observed) -> list[Check]:
    """What a function that was attacked should have done.

    Args:
        role: `Blocked` or `Watched`.
        name: what to call it.
        observed: what it did.
    """
    made: list[Check] = []
    answer: Mapping[str, str] = observed.answer
    for deed in DEEDS:
        claimed = answer.get(deed, "not tried")
        if role == "Blocked":
            made.append(Check(name, f"{deed} is denied", claimed.startswith("failed: "), claimed))
        elif deed in _LOCAL:
            made.append(Check(name, f"{deed} goes through", claimed.startswith("succeeded: "), claimed))
    mode = {"Blocked": "block", "Watched": "alert"}[role]
    for policy in dict.fromkeys(DEEDS.values()):
        modes = {alert.mode for alert in observed.alerts if alert.policy == policy}
        made.append(Check(name, f"an alert line for {policy}", modes == {mode}, ", ".join(sorted(modes)) or "none"))
    events = [event.event for event in observed.events]
    made.append(Check(name, "an armed line", "armed" in events, ", ".join(events) or "none"))
    made.append(
        Check(name, "every line follows the schema", not observed.malformed, "; ".join(observed.malformed)[:200])
    )
    counted = observed.violations or 0
    wanted = observed.counted
    made.append(Check(name, "the metric counts each violation", counted == wanted > 0, f"{counted:g} of {wanted}"))
    made.append(Check(name, "the alarm fires", observed.alarm == "ALARM", str(observed.alarm)))
    return made


def facts_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to each question, from what a doctor returned."""
    return {question: _looked_up(answer, source) for question, source in QUESTIONS.items()}


def _looked_up(answer: Mapping[str, Any], source: str) -> Any:
    kind, _, name = source.partition(".")
    found = answer.get(kind, {}).get(name)
    if kind == "facts" or found is None:
        return "not told" if found is None else found
    said = [found["outcome"], *(str(found[key]) for key in ("value", "error", "signal") if found[key] is not None)]
    return ": ".join(said)


def report(
    checked: Iterable[Check], facts: Mapping[str, Mapping[str, Any]], starts: Mapping[str, float | None]
) -> dict[str, Any]:
    """All of it, as JSON can hold it."""
    return {"checks": [asdict(check) for check in checked], "facts": dict(facts), "init_ms": dict(starts)}


def table(told: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = ["", "what was expected"]
    for check in told["checks"]:
        mark = "ok  " if check["holds"] else "NOT "
        lines.append(
            f"  {mark} {check['function']:14} {check['what']}" + ("" if check["holds"] else f": {check['found']}")
        )
    for name, facts in told["facts"].items():
        lines += ["", f"Lambda, as {name} found it"]
        lines += [f"  {question:44} {_one_line(answer)}" for question, answer in facts.items()]
    lines += ["", "cold starts, as Lambda reports them (one each)"]
    lines += [f"  {name:14} {'not reported' if ms is None else f'{ms:.0f} ms'}" for name, ms in told["init_ms"].items()]
    return "\n".join(lines)


def _one_line(answer: Any) -> str:
    return answer.replace("\n", "; ") if isinstance(answer, str) else json.dumps(answer)
