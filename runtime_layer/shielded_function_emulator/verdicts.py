"""The demo's results: rows of results, and whether each is as it should be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shielded_function_emulator.checkout_run import CheckoutRun
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.internet import ATTACKER_ADDRESS, ATTACKER_NAME, ATTACKER_ZONE
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.trial import Alarm, alarms_of
from shielded_function_monitoring import Alert

# The expected result of a shielded attempt, by the mode of its policy.
EXPECTED = {"block": "denied", "alert": "succeeded"}


class Attempt(NamedTuple):
    """One attempt of the dependency, and the sign of its alert: a field of `details`, and the end of its value."""

    deed: str
    title: str
    policy: str
    detail: str
    ending: str

    def is_reported_by(self, alert: Alert, mode: str) -> bool:
        """Whether the alert is about this attempt."""
        found = str(alert.details.get(self.detail, ""))
        return alert.policy == self.policy and alert.mode == mode and found.endswith(self.ending)


ATTEMPTS = (
    Attempt("http_to_address", "HTTP to an address", "outbound_connectivity", "ip", ATTACKER_ADDRESS),
    Attempt("http_to_name", "HTTP to a name", "outbound_connectivity", "host", ATTACKER_NAME),
    Attempt("dns_labels", "DNS labels", "outbound_connectivity", "host", ATTACKER_ZONE),
    Attempt("write_tmp", "write /tmp", "read_write_tmp", "path", "/tmp/.leftpad-plus"),
    Attempt("run_program", "run a program", "create_child_process", "path", "/usr/bin/id"),
    Attempt("read_handler", "read the handler", "read_handler", "path", "/var/task/app.py"),
)
# The package that makes the attempts.
DEPENDENCY = "leftpad_plus"


@dataclass(frozen=True)
class Row:
    """One attempt in one mode. `line`: the alert line, empty when there is none."""

    attempt: Attempt
    mode: str
    unshielded: str
    shielded: str
    line: str

    @property
    def caller(self) -> Mapping[str, Any]:
        """The caller that the line names: package, file and line of the code; empty where none is known."""
        return json.loads(self.line or "{}").get("caller", {})

    @property
    def names_another(self) -> bool:
        """Whether the line blames another package. Of a Python that the engine cannot read, it names none."""
        return self.caller.get("package", DEPENDENCY) != DEPENDENCY

    @property
    def is_as_expected(self) -> bool:
        """Whether the attempt works unshielded, has the result of its mode shielded, and its alert blames the right
        package."""
        came_to = (self.unshielded, self.shielded) == ("succeeded", EXPECTED[self.mode])
        return came_to and bool(self.line) and not self.names_another


@dataclass(frozen=True)
class AllowedRow:
    """One of the handler's own calls, in one mode."""

    call: str
    mode: str
    unshielded: str
    shielded: str

    @property
    def is_as_expected(self) -> bool:
        """Whether it works with and without the shield."""
        return self.unshielded == self.shielded == "succeeded"


@dataclass
class Verdicts:
    """The results of the demo. `complaints`: problems that are in no row."""

    rows: list[Row] = field(default_factory=list[Row])
    allowed: list[AllowedRow] = field(default_factory=list[AllowedRow])
    alarms: dict[str, tuple[Alarm, ...]] = field(default_factory=dict[str, "tuple[Alarm, ...]"])
    complaints: list[str] = field(default_factory=list[str])

    @property
    def is_as_expected(self) -> bool:
        """Whether each row is, an alarm of each function went from OK to ALARM, and there are no complaints."""
        rows: Sequence[Row | AllowedRow] = [*self.rows, *self.allowed]
        alarms = [self.alarm(mode) == {"before": "OK", "after": "ALARM"} for mode in self.alarms]
        return all(row.is_as_expected for row in rows) and all(alarms) and not self.complaints

    def alarm(self, mode: str) -> dict[str, str]:
        """The states without lines, and with the run's: ALARM where one of a function's alarms fires."""
        alarms = self.alarms[mode]
        states = {"before": [each.before for each in alarms], "after": [each.after for each in alarms]}
        return {name: "ALARM" if "ALARM" in found else "OK" if found else "none" for name, found in states.items()}

    def fired(self, mode: str) -> list[Alarm]:
        """The alarms that fire."""
        return [each for each in self.alarms[mode] if each.after == "ALARM"]

    def to_json(self) -> dict[str, Any]:
        """The stable form: `{"attempts": [...], "allowed": [...], "alarm": {"before", "after"}, "fired": [...]}`."""
        return {
            "attempts": [
                {
                    "attempt": row.attempt.title,
                    "policy": row.attempt.policy,
                    "mode": row.mode,
                    "unshielded": row.unshielded,
                    "shielded": row.shielded,
                    "alerted": bool(row.line),
                    "caller": row.caller,
                }
                for row in self.rows
            ],
            "allowed": [
                {"call": row.call, "mode": row.mode, "unshielded": row.unshielded, "shielded": row.shielded}
                for row in self.allowed
            ],
            "alarm": self.alarm("block"),
            "fired": [
                {"mode": mode, "alarm": fired.name, "actions": list(fired.actions)}
                for mode in self.alarms
                for fired in self.fired(mode)
            ],
        }


def judge(assembly: CloudAssembly, unshielded: CheckoutRun, shielded: Mapping[str, CheckoutRun]) -> Verdicts:
    """Compares the unshielded run with the shielded ones (by mode)."""
    verdicts = Verdicts()
    for mode, run in shielded.items():
        log = ShieldLog.of(run.log)
        verdicts.rows += [_row(attempt, mode, unshielded, run, log) for attempt in ATTEMPTS]
        verdicts.allowed += [
            AllowedRow(call, mode, _said(unshielded.allowed[call]), _said(run.allowed[call])) for call in run.allowed
        ]
        place = assembly.find(run.function)
        verdicts.alarms[mode] = alarms_of(assembly, place, assembly.package(place).name, run.log)
        verdicts.complaints += [f"{mode}: malformed line: {line}" for line in log.malformed]
        verdicts.complaints += [f"{mode}: unexpected alert: {line}" for line in _false_alerts(mode, log)]
        if [event.event for event in log.events] != ["armed"]:
            verdicts.complaints.append(f"{mode}: expected one armed line, found {log.events}")
    if ShieldLog.of(unshielded.log) != ShieldLog():
        verdicts.complaints.append("the unshielded function wrote lines of a shield")
    return verdicts


def _said(arrived: bool) -> str:
    return "succeeded" if arrived else "failed"


def _row(attempt: Attempt, mode: str, unshielded: CheckoutRun, run: CheckoutRun, log: ShieldLog) -> Row:
    lines = [line for line, alert in log.alerts if attempt.is_reported_by(alert, mode)]
    return Row(attempt, mode, unshielded.outcome(attempt.deed), run.outcome(attempt.deed), lines[0] if lines else "")


def _false_alerts(mode: str, log: ShieldLog) -> list[str]:
    """Alerts that no attempt explains: a shield with false alarms gets turned off."""
    return [line for line, alert in log.alerts if not any(attempt.is_reported_by(alert, mode) for attempt in ATTEMPTS)]
