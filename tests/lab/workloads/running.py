"""Runs a workload in the emulated Lambda, in one way: two invocations, and what the shield wrote."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aws_cdk import aws_lambda as lambda_
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from harness import programs
from lab.workloads import packages
from lab.workloads.catalogue import Language, Workload
from lab.workloads.outside import Outside
from runtimes.functions import AUTHORITY, STACK, Described, shield_lines, synthesize
from shielded_function import ShieldPolicy
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.platform_files import LAYERS_ROOT, RUNTIME_ROOT

_ROOT = "/var/packages"
_MEMORY_MB, _SECONDS = 1769, 40
_TEXT = 400  # characters that are kept of an error's text
_PLAIN = "Plain"  # the id of the function without a shield
_RUNTIMES: Mapping[Language, tuple[lambda_.Runtime, str]] = {
    "Python": (lambda_.Runtime.PYTHON_3_13, "{}_use.handler"),
    "Node.js": (lambda_.Runtime.NODEJS_22_X, "{}.handler"),
    "Java": (lambda_.Runtime.JAVA_21, "workloads.{}::handle"),
}
_TRUSTING = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")  # what Python's clients read
_STORE = "/etc/emulated-lambda/authority.p12"
_TRUST = f"-Djavax.net.ssl.trustStore={_STORE} -Djavax.net.ssl.trustStoreType=PKCS12"
Kind = Literal["works", "raises", "ends", "hangs"]


class Outcome(NamedTuple):
    """One invocation: what it came to, the types of an error (or what it gave), and the error's text."""

    kind: Kind
    what: str
    text: str = ""


class Asked(NamedTuple):
    """What an alert is about: its policy, the entry that would permit it, and the path."""

    policy: str
    allow: str
    path: str


class Run(NamedTuple):
    """Two invocations in one way. `alerts`: of both, each but once."""

    outcomes: tuple[Outcome, ...]
    alerts: tuple[Asked, ...]

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        return {"outcomes": [list(each) for each in self.outcomes], "alerts": [list(each) for each in self.alerts]}

    @staticmethod
    def of_json(value: Mapping[str, Any]) -> Run:
        """The same again."""
        outcomes = tuple(Outcome(*each) for each in value["outcomes"])
        return Run(outcomes, tuple(Asked(*each) for each in value["alerts"]))


def outcome_of(invocation: Invocation) -> Outcome:
    """What the handler said, or the platform for it."""
    said: Any = invocation.payload
    if not invocation.is_json:
        kind: Kind = "hangs" if "timed out" in str(said) else "ends"
        return Outcome(kind, "", str(said)[:_TEXT])
    if isinstance(said, dict) and "done" in said:
        return Outcome("works", json.dumps(said["done"])[:_TEXT])
    if isinstance(said, dict) and "error" in said:
        return Outcome("raises", ", ".join(said["error"]), str(said["text"])[:_TEXT])
    if isinstance(said, dict) and "errorType" in said:
        kind = "ends" if said["errorType"] == "Runtime.ExitError" else "raises"
        return Outcome(kind, str(said["errorType"]), str(said.get("errorMessage", ""))[:_TEXT])
    return Outcome("ends", "", json.dumps(said)[:_TEXT])


class Functions(Composite):
    """The functions of an app, one for each language that is wanted and each of shielded and not."""

    def __init__(self, code: Mapping[Language, Path]) -> None:
        self._code = code

    def enter_parts(self, stack: ExitStack) -> None:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workloads-")))
        described = [
            Described(f"{prefix}{language.replace('.', '')}", runtime, "to.be", self._code[language], policy)
            for language in self._code
            for runtime, _ in (_RUNTIMES[language],)
            for prefix, policy in (("", ShieldPolicy()), (_PLAIN, None))
        ]
        self._assembly: CloudAssembly = synthesize(scratch / "cdk.out", described)
        self._authority = CertificateAuthority()
        self._trusted = scratch
        (scratch / "authority.pem").write_bytes(self._authority.pem)
        entry = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(self._authority.pem), b"authority")
        (scratch / "authority.p12").write_bytes(pkcs12.serialize_java_truststore([entry], NoEncryption()))

    def run(self, workload: Workload, policy: ShieldPolicy | None, environment: Mapping[str, str]) -> Run:
        """Invokes a workload twice; `policy` None: unshielded. `environment` is the function's own, besides the row's.

        Raises LookupError when a server that it needs is not there.
        """
        return self.observe(workload, policy, environment)[0]

    def observe(
        self, workload: Workload, policy: ShieldPolicy | None, environment: Mapping[str, str]
    ) -> tuple[Run, list[str]]:
        """The same, with all that it logged."""
        _, handler = _RUNTIMES[workload.language]
        id = f"{_PLAIN if policy is None else ''}{workload.language.replace('.', '')}"
        package = self._assembly.function(STACK, id)
        kept = {name: value for name, value in package.environment.items() if not name.startswith("SHIELD_")}
        shield = policy.to_env() if policy else {}
        mounts = {AUTHORITY: self._trusted / "authority.pem", _STORE: self._trusted / "authority.p12"}
        own, shown = _of_language(workload)
        package = replace(
            package,
            handler=handler.format(workload.module),
            environment={**kept, **shield, **own, **workload.environment, **environment},
            memory_mb=_MEMORY_MB,
            timeout_seconds=_SECONDS,
        )
        mounts |= shown | (programs.mounts() if workload.servers else {})
        function = EmulatedFunction(package, mounts=mounts)
        with function, Outside(function.sandbox, self._authority, workload.servers):
            invocations = [function.invoke({}) for _ in range(2)]
        asked = {
            Asked(alert.policy, alert.allow or "", str(alert.details.get("path", "")))
            for each in invocations
            for alert in shield_lines(each.log)[0]
        }
        log = [line.message for each in invocations for line in each.log]
        return Run(tuple(map(outcome_of, invocations)), tuple(sorted(asked))), log


def _of_language(workload: Workload) -> tuple[dict[str, str], dict[str, Path]]:
    """What a language's functions have in their environment, and what the sandbox shows of their libraries."""
    if workload.language == "Python":
        trust: dict[str, str] = dict.fromkeys(_TRUSTING, AUTHORITY)
        environment = {**trust, "PYTHONPATH": f"{_ROOT}:{LAYERS_ROOT}/python:{RUNTIME_ROOT}"}
        return environment, packages.python_mounts(workload.packages, _ROOT)
    if workload.language == "Node.js":
        return {"NODE_EXTRA_CA_CERTS": AUTHORITY}, {
            "/var/task/node_modules": packages.folder("Node.js") / "node_modules"
        }
    environment = {"JAVA_TOOL_OPTIONS": _TRUST}
    return environment, {"/var/task/lib": packages.jars_of(workload.name)} if workload.packages else {}
