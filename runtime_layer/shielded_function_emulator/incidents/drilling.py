"""Plays an incident in a function, unshielded and shielded, and reports the real effects.

The payload's own report is not trusted. The proofs are outside of it: a receiver has the secret, the name server was
asked for it, a program has written to the log, a file has changed. The secret is made up for each run, and stands in
the place of the real ones.

No real host is ever contacted: the function runs in a network namespace whose only interface is its loopback, and the
receivers' sockets are of the same namespace. Without such a namespace nothing is played.
"""

from __future__ import annotations

import base64
import json
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction, Invocation, LogLine
from shielded_function_emulator.incidents import Behaviour, Incident, IncidentError
from shielded_function_emulator.incidents.receivers import TLS_PORT, Place, Receivers
from shielded_function_emulator.incidents.staging import PROGRAM, SECRETS, language_of, stage
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.sandbox import ADDRESSES, SandboxError
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.trial import NAMESPACES
from shielded_function_monitoring import Alert

Outcome = Literal["stopped", "partly", "passed", "not run"]
OUTCOMES: Final = ("stopped", "partly", "passed", "not run")
_PRECIOUS: Final = "precious"
_MORE_INVOCATIONS: Final = 5
_RAN = {
    "python": "import os; os.write(2, b'{}\\n')",
    "nodejs": "require('node:fs').writeSync(2, '{}\\n')",
}


@dataclass(frozen=True)
class Run:
    """One run of an incident: by behaviour, whether it happened, its alerts and its error; the log's lines of these,
    and of the shield's own events."""

    happened: tuple[bool, ...]
    alerts: list[list[Alert]]
    errors: list[str]
    log: list[LogLine]


@dataclass(frozen=True)
class Step:
    """A behaviour in the shielded run. `stopped_by`: controls that blocked it; `reported_by`: all with an alert."""

    behaviour: Behaviour
    happened: bool
    stopped_by: tuple[str, ...]
    reported_by: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """The result of an incident. `log`: the shielded run's, for alarms; empty where it was not run."""

    incident: Incident
    steps: tuple[Step, ...]
    log: Sequence[LogLine]

    @property
    def outcome(self) -> Outcome:
        """`stopped`: no secret reached a receiver, and nothing of the payload ran or changed a file."""
        if not self.steps:
            return "not run"
        happened = [step.happened for step in self.steps]
        return "passed" if all(happened) else "partly" if any(happened) else "stopped"


def play(incident: Incident, package: FunctionPackage, runtime: Runtime | None) -> Played:
    """Plays an incident twice.

    Raises:
        IncidentError: it does not fit the function's code, or shows nothing: a behaviour did not happen unshielded, or
            did not happen shielded, and no control stopped it.
        SandboxError: there is no sandbox with a separate network here, or the function did not start.
    """
    if not incident.behaviours:
        return Played(incident, (), ())
    plain = _run(incident, _without_shield(package), runtime)
    for behaviour, happened, error in zip(incident.behaviours, plain.happened, plain.errors, strict=True):
        if not happened:
            raise IncidentError(f"{incident.id}: unshielded too, it did not {behaviour.title}: {error or 'no reason'}")
    shielded = _run(incident, package, runtime)
    steps: list[Step] = []
    for number, behaviour in enumerate(incident.behaviours):
        happened, alerts, why = shielded.happened[number], shielded.alerts[number], shielded.errors[number]
        by = {mode: tuple(dict.fromkeys(a.policy for a in alerts if a.mode == mode)) for mode in ("block", "alert")}
        if not happened and not by["block"]:
            said = f"{incident.id}: shielded, it did not {behaviour.title}, and no control says why"
            raise IncidentError(f"{said}: {why or 'no reason'}")
        steps.append(Step(behaviour, happened, () if happened else by["block"], by["alert"]))
    return Played(incident, tuple(steps), shielded.log)


def _without_shield(package: FunctionPackage) -> FunctionPackage:
    """The function as it would be without the construct: a wrapper that it had is first again."""
    kept = {name: value for name, value in package.environment.items() if not name.startswith("SHIELD_")}
    kept.pop("AWS_LAMBDA_EXEC_WRAPPER", None)
    if wrapper := package.environment.get("SHIELD_NEXT_WRAPPER"):
        kept["AWS_LAMBDA_EXEC_WRAPPER"] = wrapper
    return replace(package, environment=kept)


def _run(incident: Incident, package: FunctionPackage, runtime: Runtime | None) -> Run:
    nonce = f"drill{secrets.token_hex(8)}"
    steps = [
        {**behaviour.parameters, "do": behaviour.do, "step": number, "host": behaviour.host(package.region)}
        for number, behaviour in enumerate(incident.behaviours)
    ]
    plan = {"nonce": nonce, "secrets": f"/var/task/{SECRETS}", "steps": steps}
    answers = _answers(steps, nonce, language_of(package.runtime))
    # An address is the sandbox's own as long as it lives, on its loopback.
    addresses = (*ADDRESSES, *(f"{place.host}/32" for place in answers if place.is_address))
    with tempfile.TemporaryDirectory(prefix="drill-") as scratch:
        task = Path(scratch) / "task"
        stage(package, incident, plan, task)
        platform = {"AWS_SECRET_ACCESS_KEY": nonce}
        staged = replace(package, code=task)
        with EmulatedFunction(staged, platform, runtime=runtime, addresses=addresses) as function:
            sandbox = function.sandbox
            if not sandbox.isolation.whole:
                raise SandboxError(NAMESPACES.format(sandbox.isolation.note))
            precious = [sandbox.path(step["path"]) for step in steps if step["do"] in ("overwrite", "delete")]
            for file in precious:
                file.write_text(_PRECIOUS)
                file.chmod(0o666)
            with Receivers(sandbox, answers) as receivers:
                invocation, log = _invoke(function, nonce)
                files = {file.name: file.read_text() if file.exists() else None for file in precious}
                seen = _Seen(nonce, receivers, log, invocation, files)
                happened = tuple(seen.has(step) for step in steps)
    return _read(log, nonce, happened)


def _answers(steps: Sequence[Mapping[str, Any]], nonce: str, language: str) -> dict[Place, bytes]:
    """The answer of each host: a program for a download, code for an evaluation, `{}` for others."""
    answers: dict[Place, bytes] = {}
    for step in steps:
        if not step["host"] or step["do"] == "resolve":
            continue
        place = Place(step["host"], step.get("port", TLS_PORT))
        code = _RAN[language].replace("{}", json.dumps({"shielded_drill": nonce, "ran": step["step"]}))
        body = {"download": PROGRAM, "evaluate": code}.get(step["do"], "{}")
        answers[place] = body.encode() if answers.get(place, b"{}") == b"{}" else answers[place]
    return answers


def _invoke(function: EmulatedFunction, nonce: str) -> tuple[Invocation, tuple[LogLine, ...]]:
    """Invokes it until the payload is at its end: Node.js does not wait for a module's asynchronous work."""
    first = function.invoke({})
    log = first.log
    for _ in range(_MORE_INVOCATIONS):
        if any(line.get("finished") for line in _told(log, nonce)):
            return first, log
        time.sleep(0.5)
        log += function.invoke({}).log
    last = "; ".join(line.message for line in log[-3:])
    raise IncidentError(f"{function.package.name}: the payload did not come to its end: {first.payload}; {last}")


def _told(log: Sequence[LogLine], nonce: str) -> list[dict[str, Any]]:
    """The payload's lines; of any other line an empty object."""
    lines = (json.loads(one.message) if one.message.startswith('{"shielded_drill":') else {} for one in log)
    return [line if line.get("shielded_drill") == nonce else {} for line in lines]


@dataclass(frozen=True)
class _Seen:
    """The effects that are visible from outside."""

    nonce: str
    receivers: Receivers
    log: Sequence[LogLine]
    invocation: Invocation
    files: Mapping[str, str | None]

    def has(self, step: Mapping[str, Any]) -> bool:
        """Whether a behaviour happened."""
        do = step["do"]
        if do in ("send", "ask", "aws", "mine"):
            messages = self.receivers.got[Place(step["host"], step.get("port", TLS_PORT))]
            return any(do != "send" or self._is_secret(message) for message in messages)
        if do == "resolve":
            asked = (one.name for one in self.receivers.network.questions if one.name.endswith(step["host"]))
            return any(self.nonce.encode().hex() in name for name in asked)
        if do in ("overwrite", "delete"):
            return self.files[Path(step["path"]).name] != _PRECIOUS
        if do == "answer":
            return self.nonce in json.dumps(self.invocation.payload)
        return any(line.get("ran") == step["step"] for line in _told(self.log, self.nonce))

    def _is_secret(self, message: bytes) -> bool:
        """In base64, the secret may begin at any of three places."""
        cut = (self.nonce[at:].encode() for at in range(3))
        return any(base64.b64encode(text)[: len(text) // 3 * 4] in message for text in cut)


def _read(log: Sequence[LogLine], nonce: str, happened: tuple[bool, ...]) -> Run:
    """The alerts between each behaviour's beginning and its end are its own; others are the function's."""
    run = Run(happened, [[] for _ in happened], [""] * len(happened), [])
    current: int | None = None
    for line, told in zip(log, _told(log, nonce), strict=True):
        if "begin" in told:
            current = told["begin"]
        elif "end" in told:
            run.errors[told["end"]] = told.get("error", "")
            current = None
        shield = ShieldLog.of([line])
        if current is not None:
            run.alerts[current] += [alert for _, alert in shield.alerts]
        if current is not None or shield.events:
            run.log.append(line)
    return run
