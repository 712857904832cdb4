"""Java under AWS's runtime client in the emulated sandbox: every way in, unshielded and in every mode."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from harness.thinning import long_but
from runtimes.java import table
from runtimes.java.building import Code
from runtimes.java.running import Run, in_mode, run, unshielded, with_environment
from runtimes.java.table import LINES, LISTS, Attempt
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.sandbox import shield_lines

Packages = Callable[[int], FunctionPackage]
Runs = Callable[[int, str], Run]

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "alert": in_mode("alert"),
    "allow": in_mode("allow"),
    "lists": LISTS,
}
# The newest; all of them in `make test-long`.
EACH_LINE = pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), ids=lambda line: f"java{line}")


def of(line: int, attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.is_in(line)]


@pytest.fixture(scope="module")
def runs(package: Packages) -> Runs:
    """All attempts of a version of Java in one of SETTINGS, or unshielded; each run made once."""

    @functools.cache
    def made(line: int, settings: str) -> Run:
        attempts = of(line, table.ATTEMPTS + (table.TLS if settings in ("unshielded", "lists") else []))
        function = package(line)
        if settings == "unshielded":
            return run(unshielded(function), attempts)
        return run(with_environment(function, SETTINGS[settings]), attempts)

    return made


def complaints(made: Run, plain: Run, attempts: Sequence[Attempt], expected: Callable[[Attempt], str]) -> list[str]:
    """What is not as it should be. `expected`: allow, alert or block, for an attempt. `plain`: the run
    without the shield."""
    found: list[str] = []
    for attempt in attempts:
        said, alerts = made.said[attempt.name], made.alerts[attempt.name]
        outcome = expected(attempt)
        if not plain.said[attempt.name].startswith("done: "):
            found.append(f"{attempt.name} does not work without the shield: {plain.said[attempt.name]}")
        if outcome == "block" and not re.search(attempt.says, said.removeprefix("failed: ")):
            found.append(f"{attempt.name} should be denied, and say {attempt.says!r}: {said}")
        if outcome != "block" and not said.startswith("done: "):
            found.append(f"{attempt.name} should work: {said}")
        field, _, value = attempt.about.partition("=")
        # Of the same violation there is one line in a second: another attempt's, then.
        reported = [
            line
            for line in alerts or [line for lines in made.alerts.values() for line in lines]
            if (line.get("policy"), line.get("mode")) == (attempt.policy, outcome)
            and str(line["details"].get(field, "")).startswith(value)
        ]
        if outcome == "allow" and alerts:
            found.append(f"{attempt.name} is reported, but allowed: {alerts}")
        if outcome != "allow" and not reported and attempt.policy != table.HANDLER:
            found.append(f"{attempt.name} is not reported: {alerts}")
        if any(line.get("policy") != attempt.policy for line in alerts):
            found.append(f"{attempt.name} is reported for another policy: {alerts}")
    # Of each file a process tells once a minute.
    told = any(line.get("policy") == table.HANDLER for lines in made.alerts.values() for line in lines)
    if not told and any(expected(attempt) != "allow" for attempt in attempts if attempt.policy == table.HANDLER):
        found.append("that the handler is read is not reported at all")
    if made.after:
        found.append(f"nobody did what is reported: {made.after}")
    return found


def is_denied(attempt: Attempt) -> str:
    return "block" if attempt.policy else "allow"


@pytest.mark.promise("runtime.quiet")
@EACH_LINE
def test_hello_world_is_quiet(runs: Runs, line: int) -> None:
    """The default policy, cold and warm: the line that says so at the start, and no other."""
    assert [made.get("event") for made in runs(line, "default").first] == ["armed"]


@EACH_LINE
def test_what_is_denied(runs: Runs, line: int) -> None:
    made, unshielded = runs(line, "default"), runs(line, "unshielded")
    assert complaints(made, unshielded, of(line, table.ATTEMPTS), is_denied) == []
    assert sorted(unshielded.effects) == ["asked", "datagrams", "requests", "tmp"]
    assert made.effects == {}


def assert_goes_on(runs: Runs, line: int, settings: str, expected: Callable[[Attempt], str]) -> None:
    """What is not blocked leaves the same in /tmp as without the shield."""
    made, plain = runs(line, settings), runs(line, "unshielded")
    attempts = of(line, table.ATTEMPTS + (table.TLS if settings == "lists" else []))
    assert complaints(made, plain, attempts, expected) == []
    assert made.effects["tmp"] == plain.effects["tmp"]


@EACH_LINE
def test_what_is_reported(runs: Runs, line: int) -> None:
    assert_goes_on(runs, line, "alert", lambda attempt: "alert" if attempt.policy else "allow")


@pytest.mark.long
@pytest.mark.parametrize("line", LINES)
def test_what_is_allowed(runs: Runs, line: int) -> None:
    assert_goes_on(runs, line, "allow", lambda _: "allow")


@pytest.mark.promise("runtime.java-programs")
@EACH_LINE
def test_what_is_listed(runs: Runs, line: int) -> None:
    def outcome(attempt: Attempt) -> str:
        return "block" if attempt.policy and (attempt in table.TLS or not attempt.listed) else "allow"

    assert_goes_on(runs, line, "lists", outcome)


@pytest.mark.promise("handler.jar")
@EACH_LINE
def test_a_handler_in_a_jar(package: Packages, code: Code, line: int) -> None:
    """The jar that holds the handler's class is closed; other classes in it still load. Where /tmp is listed, Netty's
    library is loaded from there, and its system calls are judged all the same."""
    in_jar = replace(package(line), code=code.jar)
    native = [Attempt("netty_epoll_available"), *(a for a in table.ATTEMPTS if a.name.startswith("netty_epoll_d"))]
    plain = run(unshielded(in_jar), [*table.JAR, *native[1:]])
    assert complaints(run(in_jar, table.JAR), plain, table.JAR, is_denied) == []
    made = run(with_environment(in_jar, {"SHIELD_ALLOW_TMP": "/tmp/libnetty_*"}), native)
    assert complaints(made, plain, native, is_denied) == []
    assert {kind for kind in made.effects if kind != "tmp"} == set()


@pytest.mark.promise("kernel.limits")
@EACH_LINE
def test_a_jdk_keeps_its_helper(runs: Runs, line: int) -> None:
    """A helper starts the JDK's programs, and is judged there: without it, no alert names the program."""
    (armed,) = [line for line in runs(line, "default").first if line.get("event") == "armed"]
    has_helper = line > 8
    assert armed["kernel"] == (["file-growth"] if has_helper else ["file-growth", "programs"])
    assert list(armed.get("kernel_off", {})) == (["programs"] if has_helper else [])
    assert "kernel" not in [line.get("event") for line in runs(line, "default").first]


@pytest.mark.promise("runtime.java-programs")
@EACH_LINE
@pytest.mark.parametrize("mechanism", long_but({"FORK"}, ["VFORK", "FORK"]))
def test_launch_mechanisms(runs: Runs, package: Packages, line: int, mechanism: str) -> None:
    """Other ways than posix_spawn, the JDK's own, from the JVM itself: what is listed runs, what is not does not."""
    variables = {
        "SHIELD_ALLOW_CHILD_PROCESS": "/usr/bin/id",
        "JAVA_TOOL_OPTIONS": f"-Djdk.lang.Process.launchMechanism={mechanism}",
    }
    attempts = [attempt for attempt in of(line, table.PROGRAMS) if attempt.name != "process_pipeline"]
    made = run(with_environment(package(line), variables), attempts)

    def outcome(attempt: Attempt) -> str:
        return "allow" if attempt.about == "path=/usr/bin/id" else "block"

    assert complaints(made, runs(line, "unshielded"), attempts, outcome) == []


@EACH_LINE
def test_behind_a_wrapper_that_inserts_an_agent(runs: Runs, package: Packages, line: int) -> None:
    """The agent sees the handler's class, and what is denied without it is denied with it."""
    attempts, seen = of(line, table.PROGRAMS + table.SOURCE), Attempt("what_the_agent_saw")
    wrapped = with_environment(package(line), {"SHIELD_NEXT_WRAPPER": "/var/task/insert-agent"})
    made = run(wrapped, [*attempts, seen])
    assert made.said[seen.name] == "done: saw the handler"
    assert [line.get("event") for line in made.first] == ["armed"]
    assert complaints(made, runs(line, "unshielded"), attempts, is_denied) == []
    assert made.effects == {}


@pytest.mark.promise("runtime.jvm")
@pytest.mark.long
@pytest.mark.parametrize("collector", ["G1", "Parallel"])
def test_stress(package: Packages, collector: str) -> None:
    """Collectors with threads of their own, the optimizing compiler, implicit null checks, and sixteen threads in calls
    that are judged: the same comes of it as without the shield."""
    line = max(LINES)
    options = {"_JAVA_OPTIONS": f"-XX:-UseSerialGC -XX:+Use{collector}GC -XX:TieredStopAtLevel=4"}
    stress = [Attempt("stress")]
    function = with_environment(package(line), options)
    plain, made = run(unshielded(function), stress), run(with_environment(function, LISTS), stress)
    assert made.said == plain.said
    assert made.said["stress"].startswith("done: 1600 nulls, ")
    assert complaints(made, plain, stress, is_denied) == []


@EACH_LINE
def test_the_runtimes_files_while_it_loads_the_function(runs: Runs, line: int) -> None:
    """Until the runtime asks for work, the function's code may use them too; then they are closed."""
    name = "runtimes_counters_while_loading"
    assert runs(line, "default").said[name] == runs(line, "unshielded").said[name] == "done: /tmp/hsperfdata_function/1"


@pytest.mark.promise("runtime.quiet")
@EACH_LINE
def test_the_end_is_quiet(package: Packages, line: int) -> None:
    """The JVM takes its own file away when it ends, long after it is ready."""
    with EmulatedFunction(package(line)) as function:
        assert function.invoke({}).payload == {}
        tmp = function.sandbox.path("/tmp")
        assert [path.name for path in tmp.glob("hsperfdata_sbx_*/*")]
        ended = function.invoke({"attempts": ["exit"]})
        assert ended.failed
        assert [made.get("event") for made in shield_lines([line.message for line in ended.log])] in ([], ["armed"])
        assert not [path.name for path in tmp.glob("hsperfdata_sbx_*/*")]
