"""learned_addresses.h: the bounded table of learned addresses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import compile_c
from unit.core.native import CORE, FLAGS, Native, core_sources

pytestmark = pytest.mark.promise("outbound.denied-names")

NAME_KEPT = 96
IP = "203.0.113.7"


class Names:
    def __init__(self, native: Native) -> None:
        self.native = native
        self.table: Any = native.ffi.new("struct names *")

    def learn(self, ip: str, rule: int, name: str | bytes) -> None:
        self.native.lib.names_learn(self.table, self.native.address(ip), rule, self.native.text(name))

    def find(self, ip: str, stop: bool = False) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []

        @self.native.ffi.callback("bool(void *, uint16_t, struct text)")
        def each(_context: object, rule: int, name: Any) -> bool:
            found.append((rule, self.native.string(name)))
            return stop

        stopped = self.native.lib.names_find(self.table, self.native.address(ip), each, self.native.ffi.NULL)
        assert stopped == (stop and bool(found))
        return found


@pytest.fixture
def names(native: Native) -> Names:
    return Names(native)


def test_learns_and_finds(names: Names) -> None:
    assert names.find(IP) == names.find("::") == []
    names.learn(IP, 3, "api.example")
    names.learn("2001:db8::7", 4, "v6.example")
    assert names.find(IP) == names.find(f"::ffff:{IP}") == [(3, "api.example")]
    assert names.find("2001:db8::7") == [(4, "v6.example")]
    assert names.find("203.0.113.8") == []
    # Names of several rules may share an address (a CDN's); each rule's port must go on being asked.
    names.learn(IP, 2, "two.example")
    assert sorted(names.find(IP)) == [(2, "two.example"), (3, "api.example")]
    assert len(names.find(IP, stop=True)) == 1


def test_no_address_is_not_learned(names: Names, native: Native) -> None:
    none = native.ffi.new("struct address *")
    native.lib.names_learn(names.table, none, 1, native.text("a"))
    assert bytes(native.ffi.buffer(names.table)) == bytes(native.ffi.sizeof("struct names"))


def test_of_the_names_of_one_rule_two_are_kept(names: Names) -> None:
    for name in ("a", "b", "c", "b", "d"):
        names.learn(IP, 1, name)
    assert names.find(IP) == [(1, "d"), (1, "b")]  # the newest first
    names.learn(IP, 1, "b")
    assert names.find(IP) == [(1, "b"), (1, "d")]


def test_while_a_name_is_written_another_of_its_rule_can_be_read(names: Names) -> None:
    for name in ("a", "b"):
        names.learn(IP, 1, name)
    (older,) = [slot for ways in names.table.slots for slot in ways if slot.age == 1]
    older.sequence |= 1
    names.learn(IP, 1, "c")
    assert sorted(names.find(IP)) == [(1, "b"), (1, "c")]


@pytest.mark.parametrize("length", [0, 1, NAME_KEPT - 1, NAME_KEPT, NAME_KEPT + 1, 253])
def test_a_long_name_keeps_its_end(names: Names, length: int) -> None:
    name = "".join(chr(ord("a") + number % 26) for number in range(length))
    names.learn(IP, 1, name)
    assert names.find(IP) == [(1, name[-NAME_KEPT:] if name else "")]


@pytest.mark.parametrize(
    ("clock", "rules", "back", "kept"),
    [
        (0, [*range(8), 0], 0, [0, 2, 3, 4, 5, 6, 7, 8]),  # 0 is no longer the oldest
        (2**32 - 5, range(8), 0, [1, 2, 3, 4, 5, 6, 7, 8]),  # it goes round
        # Another thread has just learned: its age may be newer than that of the next.
        (0, range(8), 2, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_a_ninth_rule_evicts_the_oldest(
    names: Names, clock: int, rules: Sequence[int], back: int, kept: list[int]
) -> None:
    names.table.clock = clock
    for rule in rules:
        names.learn(IP, rule, f"{rule}.example")
    names.table.clock -= back
    names.learn(IP, 8, "8.example")
    assert sorted(rule for rule, _ in names.find(IP)) == kept


def test_neighbouring_addresses_spread_over_the_sets(names: Names) -> None:
    """A service behind a run of addresses must not push itself out."""
    ips = [
        f"{start}{number:{base}}" for start, base in (("203.0.113.", "d"), ("2001:db8::", "x")) for number in range(256)
    ]
    for ip in ips:
        names.learn(ip, 1, "api.example")
    assert sum(bool(names.find(ip)) for ip in ips) > 480


def test_a_slot_that_is_being_written_is_passed_over(names: Names, native: Native) -> None:
    """A writer that was killed, or copied half way by fork, costs its one slot."""
    names.learn(IP, 1, "one.example")
    (slot,) = [slot for ways in names.table.slots for slot in ways if slot.age]
    slot.sequence |= 1
    assert names.find(IP) == []
    names.learn(IP, 1, "one.example")
    assert names.find(IP) == [(1, "one.example")]
    stuck = [slot for ways in names.table.slots for slot in ways if slot.age]
    for slot in stuck:
        slot.sequence |= 1
    for rule in range(2, 19):
        names.learn(IP, rule, "other.example")
    assert len(names.find(IP)) == 6
    # A set with every slot stuck learns nothing, and returns.
    for ways in names.table.slots:
        for slot in ways:
            slot.sequence |= 1
    names.learn(IP, 9, "y")
    assert names.find(IP) == []


RACES = {
    "names_race.c": ("core/learned_addresses.c", "core/endpoint.c", "core/text.c"),
    "engine_race.c": (
        *(f"core/{source.name}" for source in core_sources() if source.name != "api.c"),
        *(f"engine/report/{name}.c" for name in ("left_out", "node_notes", "place_texts")),
        *(f"engine/{name}.c" for name in ("base/protected_ranges", "base/user_memory", "state/sealed_state")),
    ),
}


@pytest.mark.parametrize("race", RACES)
def test_writers_and_readers_at_once(tmp_path: Path, race: str) -> None:
    sources = [Path(__file__).with_name(race), *(CORE.parent / name for name in RACES[race])]
    # ThreadSanitizer sees more, but zig compiles its runtime first: SHIELD_TSAN=1 asks for it.
    sanitizer = ["-fsanitize=thread", "-DROUNDS=3000"] if os.environ.get("SHIELD_TSAN") else []
    program = compile_c(sources, tmp_path / "race", *FLAGS, "-std=gnu11", *sanitizer, "-pthread")
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ThreadSanitizer" not in done.stderr, done.stderr


def rewritten(names: Names, native: Native) -> tuple[str, Names]:
    """What a program is told, and the table that it makes of it."""
    writer = native.writer()
    native.lib.names_write_recent(names.table, writer)
    written = native.written(writer).decode()
    told = Names(native)
    native.lib.names_learn_written(told.table, native.text(written), 10)
    return written, told


def test_a_program_is_told_what_was_learned_last(names: Names, native: Native) -> None:
    for name in (b"a,1", b"a/b", b"a b", b"a\n", b"\xff", b""):  # these would end an entry
        names.learn(IP, 5, name)
    names.learn(IP, 3, "api.example")
    names.learn("2001:db8::7", 4, "v6.example")
    written, told = rewritten(names, native)
    assert sorted(written.split(",")) == ["3/203.0.113.7/api.example", "4/2001:db8::7/v6.example"]
    assert told.find(IP) == [(3, "api.example")]
    assert told.find("2001:db8::7") == [(4, "v6.example")]


def test_more_is_learned_than_a_program_is_told(names: Names, native: Native) -> None:
    for number in range(40):
        names.learn(f"203.0.113.{number}", 1, f"host{number}.example")
    for _ in range(20):
        names.learn("203.0.113.2", 1, "host2.example")  # takes one place, however often
    names.learn("203.0.113.50", 0xFFFF, "of.no.rule.example")
    written, told = rewritten(names, native)
    assert len(written.split(",")) == 16
    found = {number for number in range(40) if told.find(f"203.0.113.{number}")}
    assert found == {2, *range(25, 40)}


@pytest.mark.parametrize(
    "written", ["", ",", "3", f"3/{IP}", f"3/{IP}/", f"x/{IP}/a", f"10/{IP}/a", "3/203.0.113/a", "3//a"]
)
def test_what_is_not_well_formed_is_passed_over(native: Native, written: str) -> None:
    told = Names(native)
    native.lib.names_learn_written(told.table, native.text(f"{written},1/203.0.113.9/b.example"), 10)
    assert told.find(IP) == []
    assert told.find("203.0.113.9") == [(1, "b.example")]
