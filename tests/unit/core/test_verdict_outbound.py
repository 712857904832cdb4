"""verdict.h: what outbound_connectivity decides of addresses, names, and AWS's hosts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from unit.core.native import Native
from unit.core.verdicts import ALWAYS, AWS, NOT_LISTED, OTHER, PUBLIC, TCP, UDP, Engine, Verdict, listed, read

pytestmark = pytest.mark.promise("outbound.allow-list")


INTERNAL = Verdict("deny", "internal")
MAPPED = f"::ffff:{PUBLIC}"
UNLISTED = {
    **dict.fromkeys([PUBLIC, MAPPED, "2001:db8::1", "10.0.0.1"], NOT_LISTED),
    **dict.fromkeys(["127.0.0.1", "127.8.9.10", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"], ALWAYS),
    **dict.fromkeys(["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"], INTERNAL),
    "255.255.255.255": INTERNAL,
}


@pytest.mark.parametrize("empty_list", [[], ["SHIELD_ALLOW_OUTBOUND="]])
def test_an_empty_list_denies_all_but_loopback(native: Native, empty_list: list[str]) -> None:
    engine = Engine(native, *empty_list)
    for protocol, port in itertools.product((TCP, UDP), (0, 1, 53, 443, 65535)):
        assert {ip: engine.connect(ip, port, protocol) for ip in UNLISTED} == UNLISTED, (protocol, port)


@pytest.mark.parametrize(
    ("entry", "yes", "no"),
    [
        (PUBLIC, [(PUBLIC, 1), (MAPPED, 443)], [("203.0.113.8", 1), ("2001:db8::1", 1)]),
        (f"{PUBLIC}:443", [(PUBLIC, 443)], [(PUBLIC, 80), (PUBLIC, 0)]),
        ("10.0.0.0/8", [("10.255.1.2", 5), ("10.0.0.0", 0)], [("11.0.0.0", 5), ("9.255.255.255", 5)]),
        ("10.0.0.0/8:5432", [("10.1.2.3", 5432)], [("10.1.2.3", 5433)]),
        ("128.0.0.0/1", [(PUBLIC, 1), ("169.254.169.254", 80)], [("2001:db8::1", 1), ("1.2.3.4", 1)]),
        ("::/1", [("2001:db8::1", 1), ("7e80::1", 1)], [(PUBLIC, 1), (MAPPED, 1), ("fe80::1", 1)]),
        ("[2001:db8::/32]:443", [("2001:db8:ffff::1", 443)], [("2001:db8::1", 80), ("2001:db9::1", 443)]),
        ("[2001:db8::1]:443", [("2001:db8::1", 443)], [("2001:db8::2", 443)]),
        (MAPPED, [(PUBLIC, 1)], [("203.0.113.8", 1)]),
        ("169.254.169.254:80", [("169.254.169.254", 80)], [("169.254.170.2", 80)]),
        (f"db.example,{PUBLIC}", [], [("203.0.113.8", 1)]),
    ],
)
def test_listed_addresses(native: Native, entry: str, yes: list[tuple[str, int]], no: list[tuple[str, int]]) -> None:
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND={entry}")
    for ip, port in yes:
        assert engine.connect(ip, port) == listed(), (ip, port)
    for ip, port in no:
        assert engine.connect(ip, port).action == "deny", (ip, port)


# Which of the protocols each prefix admits.
PROTOCOLS = [("", {TCP, UDP, OTHER}), ("tcp://", {TCP}), ("udp://", {UDP})]


@pytest.mark.parametrize(("prefix", "admitted"), PROTOCOLS)
@pytest.mark.parametrize("port", ["", ":443"])
@pytest.mark.parametrize("entry", [PUBLIC, "203.0.113.0/24", "a.zone.example", "*.zone.example"])
def test_entries_for_one_protocol(native: Native, prefix: str, admitted: set[int], port: str, entry: str) -> None:
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND={prefix}{entry}{port}")
    if "example" in entry:
        assert engine.answer("a.zone.example", PUBLIC), "a name may be asked for, whatever it is for"
    assert engine.connect(PUBLIC, 0, UDP) == listed(), (
        "glibc's getaddrinfo sorts addresses by it (RFC 6724): no traffic"
    )
    assert engine.connect(PUBLIC, 0, TCP) == (listed() if TCP in admitted and not port else NOT_LISTED)
    for protocol in (TCP, UDP, OTHER):
        assert engine.connect(PUBLIC, 443, protocol) == (listed() if protocol in admitted else NOT_LISTED)
        assert engine.connect(PUBLIC, 80, protocol) == (listed() if protocol in admitted and not port else NOT_LISTED)
        if entry == "a.zone.example":
            assert (engine.host("a.zone.example", 443, protocol).action == "allow") is (protocol in admitted)


@pytest.mark.parametrize(("mode", "action"), [("block", "deny"), ("alert", "alert"), ("allow", "allow")])
def test_modes(native: Native, mode: str, action: str) -> None:
    engine = Engine(native, f"SHIELD_OUTBOUND_CONNECTIVITY={mode}", f"SHIELD_ALLOW_OUTBOUND={PUBLIC}")
    not_listed, internal = ("mode_allow",) * 2 if mode == "allow" else ("not_listed", "internal")
    assert engine.connect(PUBLIC, 1) == (listed() if mode != "allow" else Verdict("allow", "mode_allow"))
    assert engine.connect("203.0.113.8", 1) == engine.name("evil.example") == Verdict(action, not_listed)
    assert engine.connect("169.254.169.254", 80) == Verdict(action, internal)


def test_always(native: Native) -> None:
    """The Runtime API and the X-Ray daemon, whatever the lists say, and nothing beside them."""
    engine = Engine(native)
    engine.always_allow("169.254.100.1", 9001)
    engine.always_allow("203.0.113.53", 0)
    assert engine.connect("169.254.100.1", 9001) == ALWAYS
    assert engine.connect("::ffff:169.254.100.1", 9001) == ALWAYS
    assert engine.connect("169.254.100.1", 9002) == INTERNAL
    assert engine.connect("203.0.113.53", 53, UDP) == ALWAYS


def test_no_address_is_not_listed(native: Native) -> None:
    engine = Engine(native, "SHIELD_ALLOW_OUTBOUND=0.0.0.0/1,::/1")
    engine.always.count = 1  # an endpoint that was never filled
    to = native.ffi.new("struct endpoint *", {"port": 1})
    lib = native.lib
    for always in (engine.always, native.ffi.NULL):
        verdict = lib.verdict_endpoint(engine.policy, always, native.ffi.NULL, to, TCP)
        assert read(native, verdict) == NOT_LISTED


@pytest.mark.parametrize(
    ("entries", "yes", "no"),
    [
        ("a.com", "a.com", "x.a.com xa.com a.com.evil a.co com ?.com a?com"),
        ("*.a.com", "x.a.com y.x.a.com _x.a.com ?.a.com", "a.com xa.com x.a.com.evil .a.com x.a.co"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "bcher.example xn--bcher-kva.exampl b?cher.example"),
        ("localhost", "localhost", "x.localhost localhos"),
        (PUBLIC, "", "203.0.113.7 x.example"),
        ("a.com:443,*.b.com:80", "a.com x.b.com", "b.com x.a.com"),
    ],
)
def test_names(native: Native, entries: str, yes: str, no: str) -> None:
    """A name whose port is restricted may still be resolved: it is not known yet which port it is for."""
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND={entries}", "SHIELD_ALLOW_AWS=none")
    assert [name for name in yes.split() if engine.name(name).action != "allow"] == []
    assert [name for name in ("", *no.split()) if engine.name(name) != NOT_LISTED] == []


def test_a_long_name_matches_and_is_learned_by_its_end(native: Native) -> None:
    name = ".".join(["a" * 63] * 3 + ["b" * 53, "a.com"])
    assert len(name) == 251
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND=*.a.com:443,{name}:80,{name[-96:]}:22")
    assert engine.answer(name, PUBLIC)
    assert engine.connect(PUBLIC, 443) == listed(0)
    # The table keeps 96 bytes, and they are compared with no whole name.
    assert engine.connect(PUBLIC, 80) == engine.connect(PUBLIC, 22) == NOT_LISTED


BY_SEVERAL = "*.a.example:80,x.a.example:444,udp://x.a.example:8443"
DYNAMODB = "dynamodb.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("entries", "names", "admitted", "denied"),
    [
        # At the port of the rule that the name was learned by, and of the others that admit the name.
        ("a.example:443,b.example", ["a.example"], {443: 0}, [80]),
        ("a.example:443,b.example", ["a.example", "b.example"], {443: 1, 80: 1}, []),
        (BY_SEVERAL, ["x.a.example"], {80: 0, 444: 1, (8443, UDP): 2, (80, UDP): 0}, [8443, 22, (8443, OTHER)]),
        # An address of AWS at any port, also where its name is listed.
        ("", [DYNAMODB], {443: -1, 8883: -1}, []),
        (f"{DYNAMODB}:443", [DYNAMODB], {443: 0, 80: -1}, []),
        ("", [f"{'x' * 63}.s3.dualstack.eu-west-1.amazonaws.com"], {443: -1}, []),  # the table keeps only its end
    ],
)
def test_a_learned_address_is_admitted_at_the_port_of_its_rule(
    native: Native, entries: str, names: list[str], admitted: dict[Any, int], denied: list[Any]
) -> None:
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND={entries}")
    assert engine.connect(PUBLIC, 443) == NOT_LISTED
    assert all(engine.answer(name, PUBLIC) for name in names)

    def connect(ip: str, to: Any) -> Verdict:
        return engine.connect(ip, *(to if isinstance(to, tuple) else (to,)))

    for to, rule in admitted.items():
        assert connect(PUBLIC, to) == connect(MAPPED, to) == (AWS if rule < 0 else listed(rule)), to
        assert connect("203.0.113.8", to) == NOT_LISTED
    for to in denied:
        assert connect(PUBLIC, to) == NOT_LISTED, to


def test_what_was_learned_by_no_rule_admits_nothing(native: Native) -> None:
    """In alert mode a denied name is resolved too; its address is learned for the alert line."""
    for mode, rule, action in (("alert", native.lib.RULE_NONE, "alert"), ("block", 7, "deny")):
        engine = Engine(native, f"SHIELD_OUTBOUND_CONNECTIVITY={mode}", "SHIELD_ALLOW_OUTBOUND=a.example")
        native.lib.names_learn(engine.names, native.address(PUBLIC), rule, native.text("evil.example"))
        assert engine.connect(PUBLIC, 443) == Verdict(action, "not_listed")


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "0.0.0.0", "::1", "::", "169.254.169.254", "169.254.100.1", "224.0.0.1", "255.255.255.255"),
        *("fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    ],
)
def test_rebinding(native: Native, ip: str) -> None:
    """An allowed name must not lead to an internal address, unless that is listed."""
    engine = Engine(native, "SHIELD_ALLOW_OUTBOUND=a.example,169.254.0.0/16:81")
    is_listed = "169.254" in ip
    assert engine.answer("a.example", ip) is is_listed
    assert engine.connect(ip, 80) in (ALWAYS, INTERNAL)
    assert (engine.connect(ip, 81) == listed(1)) is is_listed


@pytest.mark.parametrize("ip", ["10.0.0.7", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"])
def test_private_addresses_are_where_vpc_endpoints_live(native: Native, ip: str) -> None:
    engine = Engine(native, "SHIELD_ALLOW_OUTBOUND=a.example")
    assert engine.connect(ip, 443) == NOT_LISTED
    assert engine.answer("a.example", ip)
    assert engine.connect(ip, 443) == listed(0)


def test_what_an_attacker_can_create_is_not_aws(native: Native) -> None:
    names = f"""ec2-203-0-113-7.eu-west-1.compute.amazonaws.com evil-123.eu-west-1.elb.amazonaws.com amazonaws.com
        abc123.execute-api.eu-west-1.amazonaws.com abc123.lambda-url.eu-west-1.on.aws d111111abcdef8.cloudfront.net
        evil.s3-website-eu-west-1.amazonaws.com evil.s3-website.eu-west-1.amazonaws.com {DYNAMODB}.evil.example
        dynamodb.us-east-1.amazonaws.com"""  # another region
    assert [name for name in names.split() if Engine(native).name(name) != NOT_LISTED] == []


def test_aws_in_an_unknown_region_is_nothing(native: Native) -> None:
    policy = native.policy("SHIELD_ALLOW_AWS=all")
    for name in (DYNAMODB, "dynamodb..amazonaws.com", "iam.amazonaws.com"):
        assert read(native, native.lib.verdict_name(policy, native.text(name))) == NOT_LISTED


@pytest.mark.promise("alert.packages")
def test_which_calls_are_by_others(native: Native) -> None:
    entries = ("a.example:443 by x>y or z", "*.b.example by x", "10.0.0.0/8 by x", "udp://10.0.0.1", "c.example")
    engine = Engine(native, f"SHIELD_ALLOW_OUTBOUND={','.join(entries)}", "SHIELD_ALLOW_AWS=all")
    for name, ip in (("a.example", PUBLIC), ("one.b.example", "203.0.113.8"), ("a.example", "203.0.113.9")):
        assert engine.answer(name, ip)
    for packages in ("x y", "w x y app", "z"):
        assert not engine.is_by_others(PUBLIC, 443, *packages.split()), packages
    for packages in ("x w y", "y x", "x", "X y", "xx y"):
        assert engine.is_by_others(PUBLIC, 443, *packages.split()), packages
    assert engine.is_by_others("203.0.113.8", 443, "z")
    assert not engine.is_by_others("203.0.113.8", 80, "x")
    # An entry without packages, a name of AWS, and one for another protocol.
    assert engine.answer("c.example", "203.0.113.9")
    assert not engine.is_by_others("203.0.113.9", 443, "w")
    assert engine.answer("sqs.eu-west-1.amazonaws.com", PUBLIC)
    assert not engine.is_by_others(PUBLIC, 443, "w")
    assert engine.is_by_others("10.0.0.1", 53, "w")
    assert not engine.is_by_others("10.0.0.1", 53, "w", protocol=UDP)
    # Of a name that is kept by its end alone, the entry that it was learned by.
    long = f"{'l' * 60}.{'m' * 60}.b.example"
    assert engine.answer(long, "203.0.113.10")
    assert engine.is_by_others("203.0.113.10", 1, "w")
    assert not engine.is_by_others("203.0.113.10", 1, "x")


def denied(rule: int | None = 0) -> Verdict:
    return Verdict("deny", "deny_outbound", rule)


DENY = (
    "SHIELD_DENY_OUTBOUND=webhook.site,*.oast.fun,203.0.113.0/24,[2001:db8::/32]:443,udp://192.0.2.7,"
    "ssh.example:22,sts.amazonaws.com"
)


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_what_is_denied_in_every_mode(native: Native, mode: str) -> None:
    engine = Engine(native, f"SHIELD_OUTBOUND_CONNECTIVITY={mode}", DENY, "SHIELD_ALLOW_OUTBOUND=0.0.0.0/1,128.0.0.0/1")
    engine.always_allow("203.0.113.53", 53)
    for name, rule in (("webhook.site", 0), ("a.b.oast.fun", 1), ("sts.amazonaws.com", 6)):
        assert engine.name(name) == engine.host(name, 443, TCP) == engine.host(name, 0, UDP) == denied(rule)
    for name in ("oast.fun", "xwebhook.site", "a.webhook.site", "ssh.example", ""):
        assert engine.name(name).reason != "deny_outbound", name
    assert engine.host("ssh.example", 22, TCP) == denied(5)
    for ip, port, protocol, rule in (
        *((PUBLIC, 443, TCP, 2), (PUBLIC, 0, UDP, 2), (MAPPED, 1, OTHER, 2), ("64:ff9b::cb00:7107", 1, TCP, 2)),
        *(("2001:db8::9", 443, TCP, 3), ("192.0.2.7", 9, UDP, 4)),
    ):
        assert engine.connect(ip, port, protocol) == denied(rule), (ip, port)
    for ip, port, protocol in (("2001:db8::9", 80, TCP), ("192.0.2.7", 9, TCP), ("198.51.100.1", 443, TCP)):
        assert engine.connect(ip, port, protocol).reason != "deny_outbound", (ip, port)
    assert engine.connect("203.0.113.53", 53, UDP) == ALWAYS, "the function's own name server stays"
    assert engine.connect("127.0.0.1", 9001) == ALWAYS


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize("mode", ["alert", "allow"])
def test_a_port_is_denied_by_the_name_of_an_address(native: Native, mode: str) -> None:
    engine = Engine(native, f"SHIELD_OUTBOUND_CONNECTIVITY={mode}", DENY)
    address, rule = native.address("198.51.100.9"), native.lib.RULE_NONE
    native.lib.names_learn(engine.names, address, rule, native.text("ssh.example"))
    assert engine.connect("198.51.100.9", 22) == denied(5)
    assert engine.connect("198.51.100.9", 443).action == mode
    # Another host of the same address may be meant: where TLS is spoken, it says so.
    native.lib.names_learn(engine.names, address, rule, native.text("cdn.example"))
    assert engine.connect("198.51.100.9", 22).action == mode


@pytest.mark.promise("deny.every-mode")
def test_bytes_that_hide_the_name_are_denied_with_the_names(native: Native) -> None:
    def unread(*settings: str) -> Verdict:
        engine = Engine(native, "SHIELD_OUTBOUND_CONNECTIVITY=alert", *settings)
        return read(native, native.lib.verdict_unread(engine.policy))

    assert unread(DENY) == denied(None)
    assert unread("SHIELD_DENY_OUTBOUND=203.0.113.0/24") == unread() == Verdict("alert", "not_listed")
