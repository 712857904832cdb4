"""machine_names.h: the machine's own name, and the names of addresses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.core.native import Native

pytestmark = pytest.mark.promise("outbound.self-lookups")

HOST, DOMAINS = "ip-10-0-0-7", "eu-west-1.compute.internal\tcorp.example. "
OWN = ["ip-10-0-0-7", "localhost", "ip-10-0-0-7.eu-west-1.compute.internal", "ip-10-0-0-7.corp.example"]
OTHERS = """
    ip-10-0-0-7. ip-10-0-0-77 ip-10-0-0-7.evil.example data.ip-10-0-0-7 data.ip-10-0-0-7.corp.example corp.example
    ip-10-0-0-7.data.corp.example ip-10-0-0-7.corp localhost.evil.example"""
NOT_REVERSE = [
    *("in-addr.arpa", ".in-addr.arpa", "3.2.1.in-addr.arpa", "5.4.3.2.1.in-addr.arpa", "256.3.2.1.in-addr.arpa"),
    *("04.3.2.1.in-addr.arpa", "a.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa.evil.example", "4.3.2.1.in-addr.example"),
    *(".".join(digit * count) + ".ip6.arpa" for digit, count in (("0", 31), ("0", 33), ("g", 32))),
    "0" * 63 + ".ip6.arpa",
]


def is_own(native: Native, name: str, host: str = HOST, domains: str = DOMAINS) -> bool:
    return native.lib.is_machine_name(native.text(name), native.text(host), native.text(domains))


def reverse(native: Native, name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    found = native.ffi.new("struct address *")
    if not native.lib.read_reverse_name(native.text(name), found):
        return None
    return ipaddress.ip_address(bytes(found.bytes)[: 4 if found.family == native.lib.FAMILY_V4 else 16])


def test_machine_names_are_its_own(native: Native) -> None:
    assert [name for name in OWN if not is_own(native, name)] == []
    assert [name for name in ("", *OTHERS.split()) if is_own(native, name)] == []
    assert is_own(native, "web-1.corp.example", "Web-1", "CORP.example"), "it compares without case"
    assert not is_own(native, "corp.example", "", "corp.example example"), "there has to be a host"


@given(address=st.ip_addresses())
def test_reverse_names_give_their_address(
    native: Native, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    assert reverse(native, address.reverse_pointer) == address


def test_reverse_names_are_whole(native: Native) -> None:
    assert {name: reverse(native, name) for name in NOT_REVERSE} == dict.fromkeys(NOT_REVERSE)
