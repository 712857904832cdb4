"""dns.h: queries, stand-ins and answers. Messages lie at the end of a page: a read beyond one is a crash."""

from __future__ import annotations

import ipaddress
import itertools
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from dnslib import DNSRecord

from unit.core.native import Native

pytestmark = pytest.mark.promise("outbound.denied-names")

A, NS, CNAME, TXT, AAAA, ANY, HTTPS = 1, 2, 5, 16, 28, 255, 65
IN, CHAOS = 1, 3
QUERY, RESPONSE, TRUNCATED = 0x0100, 0x8180, 0x0200
ID = 0x1234


def wire(name: str | bytes) -> bytes:
    """A name, uncompressed."""
    raw = name.encode() if isinstance(name, str) else name
    return b"".join(bytes([len(label)]) + label for label in raw.split(b".") if label) + b"\0"


def question(name: str | bytes, kind: int = A, dns_class: int = IN) -> bytes:
    return wire(name) + struct.pack(">HH", kind, dns_class)


def header(flags: int, questions: int = 1, answers: int = 0, authority: int = 0, additional: int = 0) -> bytes:
    return struct.pack(">HHHHHH", ID, flags, questions, answers, authority, additional)


def query(name: str | bytes, kind: int = A) -> bytes:
    return header(QUERY) + question(name, kind)


def record(owner: bytes, kind: int, data: bytes, dns_class: int = IN) -> bytes:
    return owner + struct.pack(">HHIH", kind, dns_class, 60, len(data)) + data


def address(owner: str | bytes, ip: str) -> bytes:
    packed = ipaddress.ip_address(ip).packed
    where = owner if isinstance(owner, bytes) else wire(owner)
    return record(where, A if len(packed) == 4 else AAAA, packed)


def alias(owner: str | bytes, target: str | bytes) -> bytes:
    where = owner if isinstance(owner, bytes) else wire(owner)
    return record(where, CNAME, target if isinstance(target, bytes) else wire(target))


def pointer(offset: int) -> bytes:
    return struct.pack(">H", 0xC000 | offset)


def answer(asked: str, *records: bytes, flags: int = RESPONSE, count: int | None = None, kind: int = A) -> bytes:
    answers = len(records) if count is None else count
    return header(flags, answers=answers) + question(asked, kind) + b"".join(records)


def read_query(native: Native, message: bytes, any_direction: bool = False) -> Any:
    """The `struct dns_question *`, or None."""
    asked = native.ffi.new("struct dns_question *")
    read = native.lib.dns_read_question if any_direction else native.lib.dns_read_query
    return asked if read(native.message.place(message), len(message), asked) else None


def asked_for(native: Native, name: str | bytes, kind: int = A) -> Any:
    asked = read_query(native, query(name, kind))
    assert asked is not None
    return asked


def learn(native: Native, message: bytes, asked: Any) -> list[str]:
    """The addresses that an answer teaches."""
    taught: list[str] = []

    @native.ffi.callback("void(void *, struct address *)")
    def each(_context: object, ip: Any) -> None:
        taught.append(native.show(ip))

    given_number = native.lib.dns_read_answer(native.message.place(message), len(message), asked, each, native.ffi.NULL)
    assert given_number == len(taught)
    return taught


# Queries


LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])
SHOWN = {
    **{name: name for name in ("example.com", "_x._tcp.a-b", "", "a" * 63 + ".b", LONGEST, ".".join(["a"] * 127))},
    "eXaMple.COM": "example.com",
    "a b.example": "a?b.example",
    "a\0b.example": "a?b.example",
    "*.example": "?.example",
    "a/b:1@c": "a?b?1?c",
    "\xff\xfe": "??",
}


@pytest.mark.parametrize(("name", "shown"), [(name.encode("latin-1"), shown) for name, shown in SHOWN.items()])
def test_names_in_queries(native: Native, name: bytes, shown: str) -> None:
    """What a host name cannot hold matches no pattern, and no other name either."""
    asked = asked_for(native, name, AAAA)
    assert native.ffi.string(asked.name, asked.name_len + 1).decode() == shown
    assert (asked.id, asked.type, asked.name_len) == (ID, AAAA, len(shown))
    assert bytes(asked.wire)[: asked.wire_len] == question(name, AAAA)


def test_a_dot_inside_a_label_does_not_make_two(native: Native) -> None:
    asked = read_query(native, header(QUERY) + b"\x09a.example\0" + struct.pack(">HH", A, IN))
    assert native.ffi.string(asked.name) == b"a?example"


def test_any_type_is_a_query(native: Native) -> None:
    """TXT, NULL and ANY are judged by their name too; EDNS is part of a query."""
    for kind in (A, AAAA, TXT, ANY, HTTPS, 10, 0, 65535):
        assert asked_for(native, "example.com", kind).type == kind
    option = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    assert read_query(native, header(QUERY, additional=1) + question("example.com") + option) is not None


GOOD = query("example.com")
ENDS = struct.pack(">HH", A, IN)
MALFORMED_QUERIES = {
    "header only": GOOD[:12],
    "name cut": GOOD[:18],
    "no root label": GOOD[:24],
    "type cut": GOOD[:-3],
    "class cut": GOOD[:-1],
    "a response": header(RESPONSE) + question("example.com"),
    "opcode": header(QUERY | 0x2800) + question("example.com"),
    **{f"{n} questions": header(QUERY, questions=n) + question("example.com") * min(n, 2) for n in (0, 2, 65535)},
    "an answer": header(QUERY, answers=1) + question("example.com") + address("example.com", "203.0.113.7"),
    "an authority": header(QUERY, authority=1) + question("example.com") + address("example.com", "203.0.113.7"),
    "compressed": header(QUERY) + b"\x01a" + pointer(12) + ENDS,
    "compressed to itself": header(QUERY) + pointer(12) + ENDS,
    "compressed into the header": header(QUERY) + b"\x01a" + pointer(4) + ENDS,
    "label of 64": header(QUERY) + b"\x40" + b"a" * 64 + b"\0" + ENDS,
    "label of type 2": header(QUERY) + b"\x80" + b"a" * 64 + b"\0" + ENDS,
    "name of 256": header(QUERY) + (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0" + ENDS,
    "128 labels": header(QUERY) + b"\x01a" * 128 + b"\0" + ENDS,
}


@pytest.mark.parametrize("message", MALFORMED_QUERIES.values(), ids=list(MALFORMED_QUERIES))
def test_malformed_queries(native: Native, message: bytes) -> None:
    assert read_query(native, message) is None


def test_the_question_of_an_answer(native: Native) -> None:
    message = answer("example.com", address("example.com", "203.0.113.7"))
    asked = read_query(native, message, any_direction=True)
    assert native.ffi.string(asked.name) == b"example.com"
    assert read_query(native, header(RESPONSE, questions=2) + question("a") * 2, any_direction=True) is None


# Stand-ins


@pytest.mark.parametrize(("kind", "sent"), [(A, A), (AAAA, AAAA), (TXT, A), (ANY, A), (0xBEEF, A)])
def test_a_stand_in_holds_nothing_of_what_was_asked(native: Native, kind: int, sent: int) -> None:
    """Neither the name nor the type leaves."""
    asked = asked_for(native, "c2VjcmV0.evil.example", kind)
    out = native.room.place(bytes(64))
    message = bytes(native.ffi.buffer(out, native.lib.dns_write_stand_in(asked, out)))
    parsed = DNSRecord.parse(message)
    assert (parsed.header.id, parsed.header.qr, parsed.header.rd) == (ID, 0, 1)
    assert str(parsed.q.qname) == "name-not-allowed.shielded-function.invalid."
    assert (parsed.q.qtype, parsed.q.qclass) == (sent, IN)
    assert read_query(native, message) is not None


def is_stand_in(native: Native, message: bytes) -> bool:
    return bool(native.lib.dns_is_stand_in(native.message.place(message), len(message)))


def test_the_answer_to_a_stand_in_is_known(native: Native) -> None:
    out = native.room.place(bytes(64))
    sent = bytes(native.ffi.buffer(out, native.lib.dns_write_stand_in(asked_for(native, "evil.example"), out)))
    answered = header(0x8183) + sent[12:]
    assert is_stand_in(native, answered)
    assert is_stand_in(native, header(0x8183) + sent[12:].upper())
    assert not is_stand_in(native, sent)  # a query is no answer
    assert not is_stand_in(native, header(0x8183, questions=0) + sent[12:])
    assert not is_stand_in(native, header(0x8183) + question("evil.example"))
    assert not is_stand_in(native, header(0x8183) + b"\x01a" + sent[12:])
    for length in range(len(answered) - 4):
        assert not is_stand_in(native, answered[:length])


@pytest.mark.parametrize("name", [b"evil.example", b"EVIL.example", b"", b"a" * 63 + b".b", b".".join([b"a"] * 127)])
def test_nxdomain_for_what_was_asked(native: Native, name: bytes) -> None:
    asked = asked_for(native, name, AAAA)
    size = 12 + asked.wire_len
    out = native.room.place(bytes(size))
    assert native.lib.dns_write_nxdomain(asked, out, size) == size
    message = bytes(native.ffi.buffer(out, size))
    assert message[12:] == question(name, AAAA)  # the case is kept: some resolvers check it
    parsed = DNSRecord.parse(message)
    assert (parsed.header.id, parsed.header.qr, parsed.header.rcode, parsed.header.tc) == (ID, 1, 3, 0)
    assert not parsed.rr
    assert native.lib.dns_write_nxdomain(asked, out, size - 1) == 0


# Answers

NAME = "api.example"
FIRST = 12 + len(question(NAME))  # where the first record is
IP, OTHER = "203.0.113.7", "198.51.100.9"


Case = tuple[list[bytes], list[str], dict[str, Any]]


def taught(records: list[bytes], ips: Sequence[str] = (), **options: Any) -> Case:
    return records, list(ips), options


CASES = {
    "one": taught([address(NAME, IP)], [IP]),
    "compressed owner": taught([address(pointer(12), IP)], [IP]),
    "other case": taught([address("API.Example", IP)], [IP]),
    "truncated, but whole so far": taught([address(NAME, IP)], [IP], flags=RESPONSE | TRUNCATED),
    "another name": taught([address("evil.example", IP)]),
    "a longer name": taught([address("x.api.example", IP)]),
    "the wrong type": taught([address(NAME, "2001:db8::1")]),
    "the wrong class": taught([record(wire(NAME), A, bytes(4), CHAOS)]),
    "5 bytes": taught([record(wire(NAME), A, bytes(5))]),
    "a chain": taught([alias(NAME, "b.example"), alias("b.example", "c.example"), address("c.example", IP)], [IP]),
    "a compressed chain": taught(
        [alias(pointer(12), b"\x01b" + pointer(16)), address(b"\x01b" + pointer(16), IP)], [IP]
    ),
    "a chain out of order": taught([address("b.example", IP), alias(NAME, "b.example")], [IP]),
    "a chain with a stranger": taught([alias(NAME, "b.example"), address("c.example", IP)]),
    "an address beside its chain": taught([alias(NAME, "b.example"), address(NAME, IP)]),
    "a chain to itself": taught([alias(NAME, NAME), address(NAME, IP)]),
    "a circle": taught([alias(NAME, "b.example"), alias("b.example", NAME), address(NAME, IP)]),
    "two chains": taught(
        [alias(NAME, "b.example"), alias(NAME, "c.example"), address("b.example", IP), address("c.example", OTHER)],
        [IP],
    ),
    "a chain in another class": taught([record(wire(NAME), CNAME, wire("b.example"), CHAOS), address("b.example", IP)]),
    "a CNAME with a tail": taught([record(wire(NAME), CNAME, wire("b.example") + b"x"), address("b.example", IP)]),
    "a CNAME cut": taught([record(wire(NAME), CNAME, wire("b.example")[:-1]), address("b.example", IP)]),
    "others between": taught(
        [record(wire(NAME), TXT, b"\x01x"), address(NAME, IP), record(wire(NAME), NS, b"\0")], [IP]
    ),
    "count 0": taught([address(NAME, IP)], count=0),
    "count 65535": taught([address(NAME, IP)], [IP], count=65535),
    "cut data": taught([address(NAME, IP), address(NAME, OTHER)[:-1]], [IP]),
    "cut fixed part": taught([address(NAME, IP), wire(NAME) + b"\0\1"], [IP]),
    "a fault before": taught([b"\xc0\xff" + bytes(14), address(NAME, IP)]),
    "a forward pointer": taught([address(pointer(FIRST + 16), IP), address(NAME, OTHER)]),  # to the second's owner
    "a pointer to itself": taught([address(pointer(FIRST), IP), address(NAME, OTHER)]),
    "a pointer into the header": taught([address(pointer(0), IP)]),
    "nxdomain": taught([address(NAME, IP)], flags=RESPONSE | 3),
    "a query": taught([address(NAME, IP)], flags=QUERY),
    "opcode": taught([address(NAME, IP)], flags=RESPONSE | 0x2800),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_answers(native: Native, case: Case) -> None:
    records, ips, options = case
    assert learn(native, answer(NAME, *records, **options), asked_for(native, NAME)) == ips
    in_other_sections = header(RESPONSE, authority=1, additional=1) + question(NAME) + b"".join(records)
    assert learn(native, in_other_sections, asked_for(native, NAME)) == []


@pytest.mark.parametrize("kind", [AAAA, ANY])
def test_answers_of_other_kinds(native: Native, kind: int) -> None:
    """Of AAAA, addresses of IPv6; of ANY, both."""
    records = [address(NAME, "2001:db8::7"), address(NAME, f"::ffff:{IP}"), address(NAME, OTHER)]
    said = learn(native, answer(NAME, *records, kind=kind), asked_for(native, NAME, kind))
    assert said == (["2001:db8::7", IP] if kind == AAAA else ["2001:db8::7", IP, OTHER])


def test_another_question_teaches_nothing(native: Native) -> None:
    good = answer(NAME, address(NAME, IP))
    assert learn(native, good, asked_for(native, NAME)) == [IP]
    assert learn(native, good, asked_for(native, "API.example")) == [IP]
    assert learn(native, good, asked_for(native, "bpi.example")) == []
    assert learn(native, good, asked_for(native, NAME, AAAA)) == []
    assert learn(native, b"\0\0" + good[2:], asked_for(native, NAME)) == []
    chaos = read_query(native, header(QUERY) + question(NAME, A, CHAOS))
    assert learn(native, good, chaos) == []
    assert learn(native, header(RESPONSE, answers=1) + question(NAME, A, CHAOS) + address(NAME, IP), chaos) == [IP]
    assert learn(native, good, native.ffi.new("struct dns_question *")) == []


def test_a_chain_of_sixteen_is_followed_and_no_longer_one(native: Native) -> None:
    def chain(length: int) -> bytes:
        names = [NAME, *(f"n{hop}.example" for hop in range(length))]
        links = [alias(a, b) for a, b in itertools.pairwise(names)]
        return answer(NAME, *links, address(names[-1], IP))

    assert learn(native, chain(15), asked_for(native, NAME)) == [IP]
    assert learn(native, chain(17), asked_for(native, NAME)) == []


def test_a_hostile_message_takes_no_long_time(native: Native) -> None:
    """64 KB of pointers to pointers and names that lead through all of them."""
    asked = asked_for(native, NAME)
    chain, at = b"", FIRST + 11
    for offset in range(at, 0x3FF0, 2):
        chain += pointer(offset - 2 if offset > at else 12)
    first = record(b"\0", TXT, chain)
    owner = pointer(FIRST + 11 + len(chain) - 2)
    rest = [address(owner, IP)] * ((65_000 - len(first)) // 16)
    assert learn(native, answer(NAME, first, *rest, count=65535), asked) == []  # more pointers than any name has
    short = pointer(FIRST + 11 + 200)
    rest = [address(short, IP)] * 3000
    assert len(learn(native, answer(NAME, first, *rest, count=65535), asked)) == 3000
