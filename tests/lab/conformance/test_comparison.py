"""The comparison finds what differs: in outcomes that were made up, and in those of a run that must differ."""

from __future__ import annotations

import json
import platform

import pytest

from lab.conformance import java_suite, node_suite, python_suite
from lab.conformance.comparing import ModuleResult, run_module
from lab.conformance.outcomes import DID_NOT_RUN, Difference, Run, compare, read_record
from lab.conformance.suites import Conditions, Runner, Suite, SuiteError
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_runtime.build.native import BINARIES, build


def _record(*said: tuple[str, str]) -> Run:
    return read_record(json.dumps({"id": test, "outcome": outcome, "text": outcome}) for test, outcome in said)


def test_a_test_counts_as_the_worst_that_was_said_of_it() -> None:
    run = _record(("t.a", "did not end"), ("t.a", "failed"), ("t.a", "passed"), ("t.b", "did not end"))
    assert run.outcomes == {"t.a": "failed", "t.b": "did not end"}
    assert run.failures == ["t.a", "t.b"]


def test_what_differs_is_found_and_what_is_alike_is_not() -> None:
    plain = _record(("t.same", "passed"), ("t.broken", "passed"), ("t.skipped", "skipped"), ("t.gone", "passed"))
    shielded = _record(("t.same", "passed"), ("t.broken", "error"), ("t.skipped", "passed"), ("t.new", "passed"))
    found = {d.test: d.kind for d in compare(plain, shielded)}
    assert found == {
        "t.broken": "fails only shielded",
        "t.gone": "ends differently",
        "t.new": "ends differently",
        "t.skipped": "skipped differently",
    }
    assert shielded.of("t.gone") == DID_NOT_RUN


def test_a_difference_goes_away_when_both_end_the_same_once() -> None:
    assert Difference("t", ["passed"] * 3, ["failed"] * 3).stands
    flaky = Difference("t", ["passed", "passed", "failed"], ["failed"] * 3)
    assert not flaky.stands
    assert str(flaky) == "t: passed 2, failed 1 unshielded, failed shielded"


def test_what_is_meant_does_not_make_a_run_fail() -> None:
    name = "io.netty.channel.epoll.EpollDatagramUnicastTest.testSendSegmentedDatagramPacket()"
    meant, not_meant = (Difference(name, ["passed"] * 3, ["skipped"] * 3) for _ in range(2))
    worse = Difference(name, ["passed"] * 3, ["failed"] * 3)
    result = ModuleResult("epoll", {}, {"alert": [meant, worse], "allow": [not_meant]})
    assert [id(difference) for difference in result.meant] == [id(meant)]
    assert [id(difference) for difference in result.standing] == [id(worse), id(not_meant)]


@pytest.fixture(scope="module")
def conditions() -> Conditions:
    layer = f"layer/{platform.machine()}"
    build([layer])
    with Sandbox():
        pass  # skips where this machine gives no namespaces
    return Conditions(BINARIES / layer, filtered=False, seconds=60)


@pytest.fixture(scope="module")
def runner(conditions: Conditions) -> Runner:
    return _prepared(python_suite.SUITE, conditions)


def _prepared(suite: Suite, conditions: Conditions) -> Runner:
    try:
        return suite.prepare(conditions)
    except SuiteError as error:
        pytest.skip(str(error))


def test_a_shield_that_blocks_is_a_difference_that_stands(runner: Runner) -> None:
    result = run_module(runner, "test_glob", ["block"])
    assert result.runs["unshielded"].outcomes
    assert result.standing
    assert not result.runs["unshielded"].failures


@pytest.mark.long
def test_a_shield_that_allows_is_none(runner: Runner) -> None:
    result = run_module(runner, "test_glob", ["allow", "alert"])
    assert len(result.runs["alert"].outcomes) > 10
    assert result.runs["alert"].events["read_write_tmp"]
    assert not result.runs["allow"].events["read_write_tmp"]
    assert not result.standing


# Few tests of the suites that have to be fetched: they say whether the runners work, not whether the shield is neutral.
FETCHED = {
    "node": (
        node_suite.SUITE,
        "fs",
        ["parallel/test-fs-append-file-sync", "parallel/test-fs-access", "parallel/test-fs-no-such-file"],
        {"parallel/test-fs-append-file-sync": "passed", "parallel/test-fs-access": "passed"},
    ),
    "java": (
        java_suite.SUITE,
        "io-file",
        ["org.apache.commons.io.file.DeletingPathVisitorTest.testIO850DirectoriesAndFiles"],
        {"org.apache.commons.io.file.DeletingPathVisitorTest.testIO850DirectoriesAndFiles": "passed"},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FETCHED)
def test_other_runtimes_suites(name: str, conditions: Conditions) -> None:
    suite, module, tests, expected = FETCHED[name]
    runner = _prepared(suite, conditions)
    plain, alert, block = (runner.run(module, mode, tests) for mode in ("unshielded", "alert", "block"))
    assert {test: plain.of(test) for test in expected} == expected
    assert not compare(plain, alert)
    assert alert.events["read_write_tmp"]
    assert compare(plain, block)
