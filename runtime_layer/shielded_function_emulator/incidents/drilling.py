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
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation, LogLine
from shielded_function_emulator.incidents import Incident, IncidentError, facts_of, kinds, step_of, title_of
from shielded_function_emulator.incidents.staging import ECHO, SECRETS, language_of, stage
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.replies import AnsweringNetwork, Trust, is_address
from shielded_function_emulator.sandbox import ADDRESSES
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.web import Environ, StartResponse
from shielded_function_monitoring import Alert

OUTCOMES: Final = ("stopped", "partly", "passed", "not run")
"""`stopped`: no secret reached a receiver, and nothing of the payload ran or changed a file."""
ALLOWED: Final = "allowed.invalid"
"""In a row, the first host that the function's policy lists."""
_HOST: Final = r"(?:^|,)((?:[a-z0-9-]+\.)+[a-z]+)(?::(\d+))?(?=,|$)"
_PRECIOUS: Final = "precious"
_MORE_INVOCATIONS: Final = 5

Played = Mapping[str, Any]
"""An incident as JSON: its facts, its outcome, and its `behaviours`; beside them the log of the shielded run, for
alarms, which is empty where it was not run."""


Effects = tuple[bool, list[Alert], str]
"""Of one behaviour: whether it happened, its alerts and its error."""


def play(incident: Incident, package: FunctionPackage, runtime: Runtime | None) -> tuple[Played, Sequence[LogLine]]:
    """Plays an incident twice.

    Raises:
        IncidentError: it does not fit the function's code, or shows nothing: a behaviour did not happen unshielded, or
            did not happen shielded, and no control stopped it.
        SandboxError: there is no sandbox here, or the function did not start.
    """
    told: dict[str, Any] = {**facts_of(incident), "outcome": "not run", "behaviours": []}
    if any(each.get("host") == ALLOWED for each in incident["behaviours"]):
        listed = re.search(_HOST, package.environment.get("SHIELD_ALLOW_OUTBOUND", ""))
        if listed is None:
            return {**told, "differs": "Not run: the policy lists no host by its name."}, ()
        target = {"host": listed[1], "port": int(listed[2] or 443)}
        incident = {**incident, "behaviours": [{**each, **target} for each in incident["behaviours"]]}
    if not incident["behaviours"]:
        return told, ()
    plain, _ = _run(incident, _without_shield(package), runtime)
    titles = [title_of(each) for each in incident["behaviours"]]
    for title, (happened, _, error) in zip(titles, plain, strict=True):
        if not happened:
            raise IncidentError(f"{incident['id']}: unshielded too, it did not {title}: {error or 'no reason'}")
    shielded, log = _run(incident, package, runtime)
    for behaviour, title, (happened, alerts, why) in zip(incident["behaviours"], titles, shielded, strict=True):
        by = {mode: tuple(dict.fromkeys(a.policy for a in alerts if a.mode == mode)) for mode in ("block", "alert")}
        if not happened and not by["block"]:
            said = f"{incident['id']}: shielded, it did not {title}, and no control says why"
            raise IncidentError(f"{said}: {why or 'no reason'}")
        told["behaviours"].append(
            {
                "behaviour": title,
                "unshielded": f"happened: {kinds()[behaviour['do']]['proof']}",
                "shielded": "happened" if happened else "stopped",
                "stopped_by": () if happened else by["block"],
                "reported_by": by["alert"],
            }
        )
    passed = {happened for happened, _, _ in shielded}
    return {**told, "outcome": "partly" if len(passed) > 1 else "passed" if True in passed else "stopped"}, log


def _without_shield(package: FunctionPackage) -> FunctionPackage:
    """The function as it would be without the construct: a wrapper that it had is first again."""
    kept = {name: value for name, value in package.environment.items() if not name.startswith("SHIELD_")}
    kept.pop("AWS_LAMBDA_EXEC_WRAPPER", None)
    if wrapper := package.environment.get("SHIELD_NEXT_WRAPPER"):
        kept["AWS_LAMBDA_EXEC_WRAPPER"] = wrapper
    return replace(package, environment=kept)


class Receiver:
    """A host that an incident talks to: a WSGI application. `answer`: its answer; `got`: the messages that arrived."""

    def __init__(self) -> None:
        self.answer, self.got = "", list[str]()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        self.got.append(f"{environ['QUERY_STRING']} {environ.get('HTTP_REFERER')} {body}")
        start_response("200 OK", [])
        return [self.answer.encode()]


def _run(incident: Incident, package: FunctionPackage, runtime: Runtime | None) -> tuple[list[Effects], list[LogLine]]:
    """The effects of each behaviour, with the log's lines of these, and of the shield's own events."""
    nonce = f"drill{secrets.token_hex(8)}"
    steps = [step_of(behaviour, number, package.region) for number, behaviour in enumerate(incident["behaviours"])]
    plan = {"nonce": nonce, "when": incident["when"], "secrets": f"/var/task/{SECRETS}", "steps": steps}
    ports = {step["port"] for step in steps if step["port"]}
    receivers = {step["host"]: Receiver() for step in steps if step["port"]}
    for step in steps:  # a program for a download, and code for an evaluation
        if step["port"] and {"evaluate", "start"} & set(step):
            code = language_of(package.runtime).ran % json.dumps({"shielded_drill": nonce, "ran": step["step"]})
            if "sound" in step:
                code = f"RIFF....WAVEdata{base64.b64encode(code.encode()).decode()}"
            runs = "evaluate" in step or step["start"][0] == "{interpreter}"
            receivers[step["host"]].answer = code if runs else ECHO
    # An address is the sandbox's own as long as it lives, on its loopback.
    addresses = (*ADDRESSES, *(f"{host}/32" for host in receivers if is_address(host)))
    with tempfile.TemporaryDirectory(prefix="drill-") as scratch, ExitStack() as stack:
        task = Path(scratch) / "task"
        stage(package, incident, plan, task)
        trust = stack.enter_context(Trust())
        platform = {**trust.environment, "AWS_SECRET_ACCESS_KEY": nonce}
        staged = EmulatedFunction(replace(package, code=task), platform, trust.mounts, runtime, addresses=addresses)
        function = stack.enter_context(staged)
        sandbox = function.sandbox
        precious = {step["path"]: sandbox.path(step["path"]) for step in steps if step["do"] in ("overwrite", "delete")}
        for file in precious.values():
            file.write_text(_PRECIOUS)
            file.chmod(0o666)
        network = stack.enter_context(AnsweringNetwork(sandbox, receivers, trust.authority, ports))
        invocation, log = _invoke(function, nonce)
        ran = {line.get("ran") for line in _told(log, nonce)}
        changed = {path for path, file in precious.items() if not file.exists() or file.read_text() != _PRECIOUS}

    def happened(step: Mapping[str, Any]) -> bool:
        """Whether a behaviour happened, by the effects that are visible from outside."""
        do = step["do"]
        if do == "resolve":
            asked = (one.name for one in network.names.questions)
            return any(nonce.encode().hex() in name and step["host"] in name for name in asked)
        if do == "answer":
            return nonce in json.dumps(invocation.payload)
        if step["port"] and not {"evaluate", "start"} & set(step):
            return any(not step["take"] or _has(message, nonce) for message in receivers[step["host"]].got)
        return step.get("path") in changed if do in ("overwrite", "delete") else step["step"] in ran

    return _read(log, nonce, tuple(map(happened, steps)))


def _has(message: str, nonce: str) -> bool:
    """Whether a message has the secret in base64, where it may begin at any of three places."""
    cut = (nonce[at:].encode() for at in range(3))
    return any(base64.b64encode(text)[: len(text) // 3 * 4].decode() in message for text in cut)


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


def _read(log: Sequence[LogLine], nonce: str, happened: tuple[bool, ...]) -> tuple[list[Effects], list[LogLine]]:
    """The alerts between each behaviour's beginning and its end are its own; others are the function's."""
    alerts: list[list[Alert]] = [[] for _ in happened]
    errors, kept = [""] * len(happened), list[LogLine]()
    current: int | None = None
    for line, told in zip(log, _told(log, nonce), strict=True):
        if "begin" in told:
            current = told["begin"]
        elif "end" in told:
            errors[told["end"]] = told.get("error", "")
            current = None
        shield = ShieldLog.of([line])
        if current is not None:
            alerts[current] += [alert for _, alert in shield.alerts]
        if current is not None or shield.events:
            kept.append(line)
    return list(zip(happened, alerts, errors, strict=True)), kept
