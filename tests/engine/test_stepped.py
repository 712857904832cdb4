"""What becomes of a socket between two instructions of a call on it: the trap flag of x86_64 stops it there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.compiling import SOURCES, compile_c
from engine.recorder import Recorder
from engine.running import SHIELD, policy, whole_sandbox
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import RESOLVER, Completed, Sandbox

SERVER, TARGET = "203.0.113.9", "198.51.100.9"
RESETS = 5432
FOREIGN = "secret.evil.example"
CHECKED = policy(outbound_connectivity="block") | {
    "SHIELD_ALLOW_OUTBOUND": "allowed.example",
    "SHIELD_ALLOW_AWS": "none",
}
PROGRAMS = {
    "stepped_sockets": (
        *("reset", "copied", "settled", "born", "listening", "laid", "written", "told", "turned"),
        *("overlaid", "duplicated", "closed", "reused"),
    ),
    "stepped_questions": ("asked", "laid_under", "fast_opened", "answered"),
    "stepped_kin": ("orphan", "orphan_by_turn", "heir"),
}
OF_THEIR_OWN = ("listening", "laid", "closed", "reused")
pytestmark = pytest.mark.skipif(architecture() != "x86_64", reason="the trap flag is x86_64's")


class Box(NamedTuple):
    sandbox: Sandbox
    names: DnsServer
    server: Recorder

    def run(self, kind: str, further: object, settings: dict[str, str]) -> Completed:
        program = next(program for program, kinds in PROGRAMS.items() if kind in kinds)
        command = [SHIELD, f"/var/task/{program}", kind, "443", RESOLVER, str(further)]
        done = self.sandbox.run_command(command, environment=settings)
        assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
        return done


@pytest.fixture(scope="module")
def shared(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task")
    for program in PROGRAMS:
        compile_c([SOURCES / f"{program}.c"], task / program, "-lpthread")
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


@pytest.fixture
def box(shared: Sandbox) -> Iterator[Box]:
    names = {"allowed.example": [SERVER], FOREIGN: [SERVER]}
    with contextlib.ExitStack() as stack:
        recorders = [Recorder(shared, SERVER), Recorder(shared, SERVER, RESETS, resets=True), Recorder(shared, TARGET)]
        for recorder in recorders:
            stack.callback(recorder.close)
        yield Box(shared, stack.enter_context(DnsServer(shared, names, patience=0.5)), recorders[0])


@pytest.mark.parametrize(
    "kind",
    [kind for kind in (*PROGRAMS["stepped_sockets"], *PROGRAMS["stepped_kin"]) if kind not in OF_THEIR_OWN],
)
def test_a_foreign_name_does_not_arrive(box: Box, kind: str) -> None:
    real = box.run(kind, RESETS, policy())
    assert real.stdout == "1\n", real.stderr
    assert box.server.hears(b"evil.example")
    box.server.forget()
    done = box.run(kind, RESETS, CHECKED)
    assert done.stdout == "0\n", done.stderr
    assert b"evil.example" not in box.server.received


def test_what_is_to_listen_has_no_connection_that_is_not_looked_at(box: Box) -> None:
    """It is connected in the midst of listen: what is written down of it then must not be what that of others says."""
    done = box.run("listening", RESETS, CHECKED)
    assert done.stdout == "0\n", done.stderr
    assert b"evil.example" not in box.server.received
    asked_for = [line["details"].get("sni") for line in done.shield_lines if "policy" in line]
    assert asked_for == ["evil.example"]  # it was connected, and tried


def test_a_handler_lays_a_used_socket_under_a_connect_of_the_only_thread(box: Box) -> None:
    done = box.run("laid", RESETS, CHECKED)
    assert done.stdout == "1\n", done.stderr
    assert box.server.hears(b"evil.example")


@pytest.mark.parametrize("kind", ["closed", "reused"])
def test_who_does_not_run_for_a_while_is_waited_for(box: Box, kind: str) -> None:
    """Where processors are few that may be in the midst of a call."""
    for settings in (policy(), CHECKED):
        done = box.run(kind, RESETS, settings)
        assert done.stdout == "1\n", done.stderr


# Behind a connection that became another, and by sockets that are laid under a call; and what is reported.
ASKED = {"asked": ["reconnect"], "laid_under": [], "fast_opened": ["reconnect"]}


@pytest.mark.parametrize("kind", ASKED)
def test_nothing_is_asked_unseen(box: Box, kind: str) -> None:
    box.run(kind, FOREIGN, policy())
    assert box.names.was_asked(FOREIGN)
    box.names.questions.clear()
    done = box.run(kind, FOREIGN, CHECKED)
    assert not box.names.asked(FOREIGN), done.stderr
    assert [line["details"]["protocol"] for line in done.shield_lines if "policy" in line] == ASKED[kind]


def test_an_answer_teaches_where_it_was_asked(box: Box) -> None:
    """Forged bytes are received, by a connection that is the name server's before that and behind it."""
    done = box.run("answered", TARGET, CHECKED)
    assert done.stdout == "forged refused\n", done.stderr
