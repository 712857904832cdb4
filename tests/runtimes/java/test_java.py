"""Java under AWS's runtime client in the emulated sandbox: every way in, unshielded and in every mode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from harness.thinning import long_but
from runtimes.attempts import ALERT, ALLOW, BLOCK, UNSHIELDED, Attempt, complaints
from runtimes.functions import Run, attempt_all, policy_of
from runtimes.java import table
from runtimes.java.building import JAR
from runtimes.java.table import LINES, LISTS
from shielded_function.policy import Mode
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.sandbox import shield_lines

Packages = Callable[[int], FunctionPackage]
Runs = Callable[[int, str], Run]

# The newest; all of them in `make test-long`.
EACH_LINE = pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), ids=lambda line: f"java{line}")


def of(line: int, attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.since <= line and line not in attempt.lacks]


def unshielded(package: FunctionPackage) -> FunctionPackage:
    """The package without its wrapper and the settings."""
    kept = {
        name: value
        for name, value in package.environment.items()
        if name != "AWS_LAMBDA_EXEC_WRAPPER" and not name.startswith("SHIELD_")
    }
    return replace(package, environment=kept)


def with_environment(package: FunctionPackage, variables: Mapping[str, str]) -> FunctionPackage:
    """The package with other variables, SHIELD_* settings among them."""
    return replace(package, environment={**package.environment, **variables})


MODES: tuple[Mode, ...] = ("alert", "allow")
SETTINGS: Mapping[str, Mapping[str, str]] = {"default": {}, "lists": LISTS} | {
    mode: policy.to_env() for mode in MODES if (policy := policy_of(mode))
}


@pytest.fixture(scope="module")
def runs(package: Packages) -> Runs:
    """All attempts of a version of Java in one of SETTINGS, or unshielded; each run made once."""

    @functools.cache
    def made(line: int, settings: str) -> Run:
        attempts = of(line, table.ATTEMPTS + (table.TLS if settings in (UNSHIELDED, "lists") else []))
        function = package(line)
        function = unshielded(function) if settings == UNSHIELDED else with_environment(function, SETTINGS[settings])
        return attempt_all(function, attempts)

    return made


@pytest.mark.promise("runtime.quiet")
@EACH_LINE
def test_hello_world_is_quiet(runs: Runs, line: int) -> None:
    """The default policy, cold and warm: the line that says so at the start, and no other."""
    alerts, events = runs(line, "default").first
    assert (alerts, [event.event for event in events]) == ([], ["armed"])


def told_of_the_handler(made: Run) -> bool:
    """Of each file a process tells once a minute."""
    return any(alert.policy == table.HANDLER for outcome in made.outcomes.values() for alert in outcome.alerts)


@EACH_LINE
def test_what_is_denied(runs: Runs, line: int) -> None:
    made, plain = runs(line, "default"), runs(line, UNSHIELDED)
    assert complaints(of(line, table.ATTEMPTS), plain.outcomes, made.outcomes, BLOCK) == {}
    assert plain.reached > {"", "one", "stream", "netty"}
    assert (made.reached, told_of_the_handler(made)) == (set(), True)


def assert_goes_on(runs: Runs, line: int, settings: str, mode: Callable[[Attempt], str] | str) -> None:
    attempts = of(line, table.ATTEMPTS + (table.TLS if settings == "lists" else []))
    assert complaints(attempts, runs(line, UNSHIELDED).outcomes, runs(line, settings).outcomes, mode) == {}


@EACH_LINE
def test_what_is_reported(runs: Runs, line: int) -> None:
    assert_goes_on(runs, line, "alert", ALERT)
    assert told_of_the_handler(runs(line, "alert"))


@pytest.mark.long
@pytest.mark.parametrize("line", LINES)
def test_what_is_allowed(runs: Runs, line: int) -> None:
    assert_goes_on(runs, line, "allow", ALLOW)


@pytest.mark.promise("runtime.java-programs")
@EACH_LINE
def test_what_is_listed(runs: Runs, line: int) -> None:
    refused = [*table.TLS, *table.SOURCE]
    assert_goes_on(runs, line, "lists", lambda attempt: BLOCK if attempt in refused else ALLOW)


@pytest.mark.promise("handler.jar")
@EACH_LINE
def test_a_handler_in_a_jar(package: Packages, line: int) -> None:
    """The jar that holds the handler's class is closed; other classes in it still load. Where /tmp is listed, Netty's
    library is loaded from there, and its system calls are judged all the same."""
    in_jar = replace(package(line), code=JAR)
    native = [a for a in table.ATTEMPTS if a.name in ("netty_epoll_available", "netty_epoll_datagram")]
    plain = attempt_all(unshielded(in_jar), [*table.JAR, native[0]]).outcomes
    assert complaints(table.JAR, plain, attempt_all(in_jar, table.JAR).outcomes, BLOCK) == {}
    listed = with_environment(in_jar, {"SHIELD_ALLOW_TMP": "/tmp/libnetty_*"})
    made = attempt_all(listed, native)
    assert (complaints(native, plain, made.outcomes, BLOCK), made.reached) == ({}, set())


@pytest.mark.promise("kernel.limits")
@EACH_LINE
def test_a_jdk_keeps_its_helper(runs: Runs, line: int) -> None:
    """A helper starts the JDK's programs, and is judged there: without it, no alert names the program."""
    (armed,) = [event.fields for event in runs(line, "default").first[1]]
    has_helper = line > 8
    assert armed["kernel"] == (["file-growth"] if has_helper else ["file-growth", "programs"])
    assert list(armed.get("kernel_off", {})) == (["programs"] if has_helper else [])


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
    made = attempt_all(with_environment(package(line), variables), attempts)
    modes = {attempt: ALLOW if attempt.allow == ("/usr/bin/id",) else BLOCK for attempt in attempts}
    assert complaints(attempts, runs(line, UNSHIELDED).outcomes, made.outcomes, modes.__getitem__) == {}


@EACH_LINE
def test_behind_a_wrapper_that_inserts_an_agent(runs: Runs, package: Packages, line: int) -> None:
    """The agent sees the handler's class, and what is denied without it is denied with it."""
    attempts, seen = of(line, table.PROGRAMS + table.SOURCE), Attempt("", "what_the_agent_saw")
    wrapped = with_environment(package(line), {"SHIELD_NEXT_WRAPPER": "/var/task/insert-agent"})
    made = attempt_all(wrapped, [*attempts, seen])
    assert made.outcomes[seen.id].ok == "saw the handler"
    assert [event.event for event in made.first[1]] == ["armed"]
    assert complaints(attempts, runs(line, UNSHIELDED).outcomes, made.outcomes, BLOCK) == {}


@pytest.mark.promise("runtime.jvm")
@pytest.mark.long
@pytest.mark.parametrize("collector", ["G1", "Parallel"])
def test_stress(package: Packages, collector: str) -> None:
    """Collectors with threads of their own, the optimizing compiler, implicit null checks, and sixteen threads in calls
    that are judged: the same comes of it as without the shield."""
    line = max(LINES)
    options = {"_JAVA_OPTIONS": f"-XX:-UseSerialGC -XX:+Use{collector}GC -XX:TieredStopAtLevel=4"}
    stress = Attempt("", "stress")
    function = with_environment(package(line), options)
    plain, made = attempt_all(unshielded(function), [stress]), attempt_all(with_environment(function, LISTS), [stress])
    assert complaints([stress], plain.outcomes, made.outcomes, BLOCK) == {}
    assert plain.outcomes[stress.id].ok.startswith("1600 nulls, ")


@EACH_LINE
def test_the_runtimes_files_while_it_loads_the_function(runs: Runs, line: int) -> None:
    """Until the runtime asks for work, the function's code may use them too; then they are closed."""
    name = "runtimes_counters_while_loading"
    assert {runs(line, way).outcomes[name].ok for way in ("default", UNSHIELDED)} == {"/tmp/hsperfdata_function/1"}


@pytest.mark.promise("runtime.quiet")
@EACH_LINE
def test_the_end_is_quiet(package: Packages, line: int) -> None:
    """The JVM takes its own file away when it ends, long after it is ready."""
    with EmulatedFunction(package(line)) as function:
        assert function.invoke({}).payload == {}
        tmp = function.sandbox.path("/tmp")
        assert [path.name for path in tmp.glob("hsperfdata_sbx_*/*")]
        ended = function.invoke({"attempts": [{"id": "exit", "name": "exit"}]})
        assert ended.failed
        assert [made.get("event") for made in shield_lines([line.message for line in ended.log])] in ([], ["armed"])
        assert not [path.name for path in tmp.glob("hsperfdata_sbx_*/*")]
