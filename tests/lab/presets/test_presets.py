"""Every preset: its library in the emulated Lambda, with it and without, and what a preset may hold."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.browser import CHROMIUM
from harness.thinning import long_but
from lab.presets import libraries
from lab.workloads import packages
from lab.workloads.catalogue import JAVA
from runtimes.functions import STACK, Described, synthesize
from shielded_function import ShieldPolicy
from shielded_function.policy.presets import PRESETS
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.platform_files import LAYERS_ROOT, RUNTIME_ROOT, TASK_ROOT
from shielded_function_monitoring import Alert, parse_line

ROOT, JVM, BROWSER = "/var/packages", "/opt/java", "/var/chromium"
_MEMORY_MB = 1024
# What the function says when its library worked.
SAYS: Mapping[str, Any] = {
    "accp": "AmazonCorrettoCryptoProvider",
    "aws-crt": "3603696870",
    "catboost": 2,
    "cffi": [1, 2, 3],
    "chromium": "compiled",
    "ctypes": [1, 2, 3],
    "ddtrace": "work",
    "find-library": ["libc.so.6", None],
    "gitpython": ["first", "first"],
    "grpc-netty": "available",
    "imageio": "PNG",
    "imageio-ffmpeg": "9",
    "jax": 14.0,
    "jna": "42",
    "jnr-ffi": "42",
    "jpype": "PRESETS",
    "lightgbm": 100,
    "lz4-java": "the same again",
    "matplotlib": "PNG",
    "netty-epoll": "available",
    "netty-tcnative": "available",
    "numba": 45.0,
    "openpyxl": "PK",
    "platform-calls": 64,
    "poi": "PK",
    "polars": [4, 2],
    "prophet": 32,
    "pulp": 8.0,
    "python-tempfile": "kept nothing",
    "snappy-java": "the same again",
    "sparticuz-chromium": ["title", "title"],
    "sqlite-jdbc": "42",
    "swc": "var a = 1;",
    "zstd-jni": "the same again",
}
# The entry of each foreign-function bridge, which it needs with block_foreign_functions.
FOREIGN = {"cffi": "_cffi_backend", "ctypes": "_ctypes", "jna": "jna", "jnr-ffi": "jffi", "jpype": "_jpype"}
# What a library goes on without, and no preset should admit (docs/guide/files-and-programs.md).
STAYS_REFUSED: Mapping[str, tuple[str, ...]] = {
    "chromium": ("2001:4860:4860::8888",),
    "jna": ("/usr/sbin/ldconfig",),
    # Of a library that is not there, a compiler and its linker are asked, where there is one.
    "find-library": ("/usr/bin/*gcc*", "/usr/bin/*ld*", "/usr/lib/gcc/*/collect2", "/tmp/cc*"),
}
_POLICIES = {
    "allow_tmp": "read_write_tmp",
    "allow_child_process": "create_child_process",
    "allow_executable_memory": "executable_memory",
}
# Of each language, and of each way; all in `make test-long`.
_SAMPLE = ("gitpython", "jna", "swc")
each_preset = pytest.mark.parametrize("name", PRESETS)
each_that_runs = pytest.mark.parametrize("name", long_but(_SAMPLE, PRESETS))


@dataclass(frozen=True)
class Run:
    """What two invocations of a function came to: what each said, and all alerts."""

    said: list[Any]
    alerts: list[Alert]


Runs = Callable[[str, ShieldPolicy], Run]


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """One function for each language that can be had."""
    python, node = (libraries.code_of(each, tmp_path_factory.mktemp(each)) for each in ("python", "node"))
    described = [Described("Python", lambda_.Runtime.PYTHON_3_13, "app.handler", python, ShieldPolicy())]
    if not _missing_node():
        described.append(Described("Node", lambda_.Runtime.NODEJS_22_X, "app.handler", node, ShieldPolicy()))
    if not _missing_java():
        code = libraries.compile_handler(tmp_path_factory.mktemp("java"))
        described.append(Described("Java", lambda_.Runtime.JAVA_21, "presets.Handler::handle", code, ShieldPolicy()))
    return synthesize(tmp_path_factory.mktemp("presets") / "cdk.out", described)


def _missing_java() -> str:
    try:
        java.oldest_compiler()
    except LookupError as error:
        return str(error.args[0])
    return find("java21").missing() or libraries.JAVA.missing() or packages.missing("Java")


def _missing_node() -> str:
    return find("nodejs22.x").missing() or packages.missing("Node.js")


_MISSING: Mapping[str, Callable[[], str]] = {
    "Java": _missing_java,
    "Node.js": _missing_node,
    "Python": lambda: libraries.PYTHON.missing() or packages.missing("Python"),
}


@pytest.fixture
def run(assembly: CloudAssembly) -> Runs:
    """Invokes a function that uses a preset's library twice, under a policy. Skips where the library is not there."""

    def made(name: str, policy: ShieldPolicy) -> Run:
        language = PRESETS[name].language
        if reason := _MISSING[language]() or libraries.missing(name):
            pytest.skip(reason)
        package = assembly.function(STACK, language.removesuffix(".js"))
        kept = {n: value for n, value in package.environment.items() if not n.startswith("SHIELD_")}
        environment = {**kept, **policy.to_env(), **PRESETS[name].environment, "USE": name}
        mounts = {}
        if language == "Python":
            package = replace(package, handler=f"{name.replace('-', '_')}_use.handler")
            environment["PYTHONPATH"] = f"{ROOT}:{LAYERS_ROOT}/python:{RUNTIME_ROOT}"
            mounts = libraries.packages(ROOT, name)
        if language == "Node.js":
            package = replace(package, handler=f"{name}.handler")
            mounts = {f"{TASK_ROOT}/node_modules": packages.folder("Node.js") / "node_modules"}
        if name == "jpype":  # which starts a JVM in its own process
            if reason := find("java21").missing():
                pytest.skip(reason)
            environment["JAVA_HOME"] = JVM
            mounts |= java.mounts_of(java.homes()[21], JVM)
        if name == "chromium":
            if reason := CHROMIUM.missing():
                pytest.skip(reason)
            program, variables, files = libraries.chromium(BROWSER)
            mounts |= files
            listed = replace(policy, allow_child_process=(*policy.allow_child_process, program))
            environment |= {**variables, **listed.to_env()}
        package = replace(package, environment=environment, memory_mb=_MEMORY_MB)
        with EmulatedFunction(package, mounts=mounts) as function:
            invocations = [function.invoke({}) for _ in range(2)]
        lines = [parse_line(line.message) for each in invocations for line in each.log]
        said = [each.payload.get("done", each.payload) for each in invocations]
        return Run(said, [line for line in lines if isinstance(line, Alert)])

    return made


def _target(alert: Alert) -> str:
    return str(alert.details.get("path") or alert.details.get("ip"))


def _stays_refused(name: str, alert: Alert) -> bool:
    return any(fnmatch.fnmatch(_target(alert), each) for each in STAYS_REFUSED.get(name, ()))


@each_that_runs
def test_the_library_works_with_its_preset(run: Runs, name: str) -> None:
    """In block mode, without an alert for anything that should be allowed, and again."""
    made = run(name, ShieldPolicy(presets=[name]))
    assert made.said == [SAYS[name]] * 2
    assert [_target(alert) for alert in made.alerts if not _stays_refused(name, alert)] == []
    assert made.alerts or name != "jna"


@pytest.mark.promise("memory.foreign")
@pytest.mark.parametrize("name", long_but(("ctypes", "jna"), FOREIGN))
def test_a_bridge_is_refused_by_the_switch(run: Runs, name: str) -> None:
    """Where all else alerts, and not where its entry is listed."""
    blocked = replace(ShieldPolicy.report_only(), block_foreign_functions=True)
    made = run(name, blocked)
    assert SAYS[name] not in made.said
    assert {(each.policy, each.allow) for each in made.alerts if each.mode == "block"} == {
        ("executable_memory", FOREIGN[name])
    }
    made = run(name, replace(blocked, allow_executable_memory=[FOREIGN[name]]))
    assert made.said == [SAYS[name]] * 2
    assert FOREIGN[name] not in {each.allow for each in made.alerts}  # jpype asks for ctypes too, and goes on without


@each_that_runs
def test_the_library_needs_its_preset(run: Runs, name: str) -> None:
    """Without it, and each part of it: nothing else is reported than what it admits, and all that it admits is."""
    made = run(name, ShieldPolicy.report_only())
    adds = PRESETS[name].adds()
    assert made.said == [SAYS[name]] * 2
    wanted = [alert for alert in made.alerts if not _stays_refused(name, alert)]
    assert {alert.policy for alert in wanted} <= {_POLICIES[field] for field in adds}
    asked = {(alert.policy, alert.details.get("path", "")) for alert in made.alerts}
    asking = {alert.allow for alert in made.alerts if alert.policy == "executable_memory"}
    assert asking == set(adds.get("allow_executable_memory", ()))
    for entry in adds.get("allow_tmp", ()):
        listed = ShieldPolicy(allow_tmp=[entry])
        assert any(listed.decide("tmp", path).allowed for policy, path in asked if policy == "read_write_tmp"), entry
    for entry in adds.get("allow_child_process", ()):
        if Path(entry).exists():
            assert ("create_child_process", entry) in asked


def test_a_preset_names_the_versions_that_were_run() -> None:
    pom = (libraries.HERE / "java" / "pom.xml").read_text()
    jars = dict(re.findall(r"<artifactId>([\w.-]+)</artifactId>\s*<version>([\w.-]+)</version>", pom))
    modules = json.loads((packages.HERE / "node" / "package.json").read_text())["dependencies"]
    jars |= {row.package.split(":")[1]: row.package.split(":")[2] for row in JAVA if ":" in row.package}
    pins = [*libraries.WHEELS, *packages.PARTS["Python"].pins]
    registered = modules | dict(wheel.split("==") for wheel in reversed(pins))
    for name, preset in PRESETS.items():
        for version in preset.versions.split(", "):
            library, _, number = version.rpartition(" ")
            if library in ("CPython", "a JVM of version", "Chromium"):
                continue  # those that the tests have: Debian's browser is its newest
            found = registered.get(library) or next((jars[each] for each in jars if library in each), "")
            assert found.startswith(number), f"{name}: {version}, run with {found or 'nothing'}"


def test_every_preset_has_its_function() -> None:
    assert set(SAYS) == set(PRESETS)


@each_preset
def test_a_preset_is_narrow(name: str) -> None:
    """Of /tmp one component is not literal, and that has a prefix or a fixed length; never a host."""
    adds = PRESETS[name].adds()
    assert set(adds) <= set(_POLICIES)
    for entry in adds.get("allow_tmp", ()):
        assert re.match(r"/tmp(/|$)", entry)
        components = entry.removesuffix("/**").split("/")[2:]
        wild = [each for each in components if set("*?") & set(each)]
        assert len(components) <= 1
        assert all(re.match(r"[#\w.-]{3}|\?+$|[*?]+-[\w.-]{4}", each) for each in wild), entry
    for entry in adds.get("allow_child_process", ()):
        assert not set("*?") & set(entry)
    assert not re.search("python", " ".join(adds.get("allow_executable_memory", ())))


@each_preset
def test_a_preset_is_a_policys_canonical_form(name: str) -> None:
    policy = ShieldPolicy(presets=[name])
    assert {field: getattr(policy, field) for field in PRESETS[name].adds()} == {
        field: tuple(value) if isinstance(value, list) else value for field, value in PRESETS[name].adds().items()
    }
