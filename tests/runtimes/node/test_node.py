"""Node.js under AWS's runtime client in the emulated sandbox: every way in, unshielded and in every mode."""

from __future__ import annotations

import pytest

from harness.thinning import long_but
from runtimes.attempts import ALERT, ALLOW, BLOCK, MODES, TOLD_ONCE, UNSHIELDED, Attempt, complaints, problems
from runtimes.functions import in_thread
from runtimes.node.conftest import COMMONJS, LAYOUTS, LINES, MAIN, NEWEST, Runs, attempts_of
from runtimes.node.table import ATTEMPTS

OTHER_LAYOUTS = [*((layout, ("source",)) for layout in LAYOUTS if layout != MAIN), (COMMONJS, ())]
EACH_LINE = pytest.mark.parametrize("line", long_but({NEWEST}, LINES), ids=lambda line: f"node{line}")
ROWS = [
    pytest.param(line, attempt, id, id=f"node{line}-{id}", marks=() if line == NEWEST else pytest.mark.long)
    for line in LINES
    for attempt in ATTEMPTS
    for id in (attempt.id, in_thread(attempt.id))[: 2 if attempt.threads else 1]
    if attempt in attempts_of(line, MAIN)
]


@pytest.mark.promise("runtime.node-quiet")
@pytest.mark.parametrize(
    ("mode", "line"),
    long_but({(BLOCK, NEWEST), (ALERT, NEWEST)}, [(mode, line) for line in LINES for mode in MODES]),
    ids=lambda value: f"node{value}" if isinstance(value, int) else value,
)
def test_a_function_that_does_nothing_is_quiet(runs: Runs, line: int, mode: str) -> None:
    """Cold and warm: the line that says that the shield is there, and the one of the function's own add-on."""
    alerts, events = runs(line, mode).first
    assert alerts == []
    told = {UNSHIELDED: [], BLOCK: ["armed", "native"], ALERT: ["armed", "native"]}
    assert [event.event for event in events] == told.get(mode, ["armed"])


@pytest.mark.parametrize(("line", "attempt", "id"), ROWS)
def test_what_a_program_may_do(runs: Runs, line: int, attempt: Attempt, id: str) -> None:
    outcomes = {mode: runs(line, mode).outcomes[id] for mode in (UNSHIELDED, BLOCK, ALERT)}
    assert problems(attempt, id, outcomes) == []


@pytest.mark.long
@pytest.mark.parametrize("line", LINES)
def test_what_is_allowed(runs: Runs, line: int) -> None:
    plain, made = (runs(line, mode).outcomes for mode in (UNSHIELDED, ALLOW))
    assert complaints(attempts_of(line, MAIN), plain, made, ALLOW) == {}


@EACH_LINE
@pytest.mark.parametrize("mode", [BLOCK, ALERT])
def test_that_the_handler_is_read_is_told(runs: Runs, line: int, mode: str) -> None:
    alerts = [alert for outcome in runs(line, mode).outcomes.values() for alert in outcome.alerts]
    assert {alert.mode for alert in alerts if alert.policy == TOLD_ONCE} == {mode}


@EACH_LINE
def test_with_rings_asked_for(runs: Runs, line: int) -> None:
    """libuv is told to use io_uring: what it then does must be seen all the same."""
    sections = ("files", "network")
    ring = runs(line, BLOCK, MAIN, sections, (("UV_USE_IO_URING", "1"),)).outcomes
    assert complaints(attempts_of(line, MAIN, sections), runs(line, UNSHIELDED).outcomes, ring, BLOCK) == {}


@EACH_LINE
@pytest.mark.parametrize(("layout", "sections"), long_but(OTHER_LAYOUTS[:1], OTHER_LAYOUTS))
def test_other_layouts_of_the_handler(runs: Runs, line: int, layout: str, sections: tuple[str, ...]) -> None:
    """An ES module in a folder, and CommonJS, where all else is tried too: the file that was loaded is closed."""
    plain, made = (runs(line, mode, layout, sections) for mode in (UNSHIELDED, BLOCK))
    assert made.first[0] == []
    assert complaints(attempts_of(line, layout, sections), plain.outcomes, made.outcomes, BLOCK) == {}
