"""The demo's results: rows of results, and whether each is as it should be."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shielded_function_emulator.checkout_run import STACK, CheckoutRun
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.internet import ATTACKER_ADDRESS, ATTACKER_NAME, ATTACKER_ZONE
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_monitoring import Alert
from shielded_function_monitoring.simulated.log_events import LogEvent
from shielded_function_monitoring.template import monitoring_of

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
        """The caller that the line names: package, file and line of the code; empty where none is told."""
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


class AlarmStates(NamedTuple):
    """The states without lines, and with the run's lines: ALARM where one of a function's alarms fires."""

    before: str
    after: str


class Fired(NamedTuple):
    """An alarm that fired: its name, why, and the actions that CloudWatch would call."""

    alarm: str
    reason: str
    actions: tuple[str, ...]


@dataclass
class Verdicts:
    """The results of the demo. `complaints`: problems that are in no row."""

    rows: list[Row] = field(default_factory=list[Row])
    allowed: list[AllowedRow] = field(default_factory=list[AllowedRow])
    alarms: dict[str, AlarmStates] = field(default_factory=dict[str, AlarmStates])
    fired: dict[str, list[Fired]] = field(default_factory=dict[str, list[Fired]])
    complaints: list[str] = field(default_factory=list[str])

    @property
    def is_as_expected(self) -> bool:
        """Whether each row is, an alarm of each function went from OK to ALARM, and there are no complaints."""
        rows: Sequence[Row | AllowedRow] = [*self.rows, *self.allowed]
        alarms = [states == AlarmStates("OK", "ALARM") for states in self.alarms.values()]
        return all(row.is_as_expected for row in rows) and all(alarms) and not self.complaints

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
            "alarm": self.alarms["block"]._asdict(),
            "fired": [
                {"mode": mode, "alarm": fired.alarm, "actions": list(fired.actions)}
                for mode, alarms in self.fired.items()
                for fired in alarms
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
        verdicts.alarms[mode], verdicts.fired[mode] = _alarms(assembly, run)
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


def _alarms(assembly: CloudAssembly, run: CheckoutRun) -> tuple[AlarmStates, list[Fired]]:
    """The function's alarms, by the template's own filter and rules: with no lines, and with the run's."""
    cloudwatch = monitoring_of(assembly.environment(STACK), run.function)
    events = [LogEvent(line.time, line.message) for line in run.log]
    at = events[-1].time if events else time.time()
    cloudwatch.evaluate(at)
    quiet = cloudwatch.states
    cloudwatch.put_log_events(cloudwatch.functions[0].log_group, events)
    fired = [
        Fired(change.alarm.name, change.reason, tuple(call.action for call in change.notifications))
        for change in cloudwatch.evaluate(at)
        if change.state == "ALARM"
    ]
    before, now = (
        "ALARM" if "ALARM" in states.values() else "OK" if states else "none" for states in (quiet, cloudwatch.states)
    )
    return AlarmStates(before, now), fired
