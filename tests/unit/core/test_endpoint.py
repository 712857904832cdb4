"""endpoint.h: the many spellings of an address, and what a host name is."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unit.core.native import Native

pytestmark = pytest.mark.promise("outbound.judged")

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6) | st.integers(0, 2**32 - 1).map(lambda n: ipaddress.IPv6Address((0xFFFF << 32) | n))
IPS = V4 | V6

INET, INET6, UNSPEC, UNIX, NETLINK = 2, 10, 0, 1, 16


IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def canonical(ip: IP) -> str:
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return str(mapped or ip)


@given(ip=IPS)
@example(ip=ipaddress.ip_address("2001:db8:0:1:1:1:1:1"))  # RFC 5952 4.2.2: one group of zeros is written out
@example(ip=ipaddress.ip_address("2001:0:0:1:0:0:0:1"))  # 4.2.3: the longest run
@example(ip=ipaddress.ip_address("2001:db8:0:0:1:0:0:1"))  # 4.2.3: the first of two alike
@example(ip=ipaddress.ip_address("::"))
@example(ip=ipaddress.ip_address("1::"))
def test_addresses_round_trip(native: Native, ip: IP) -> None:
    for spelt in (str(ip), ip.exploded, ip.exploded.upper()):
        written = native.show(native.address(spelt))
        assert written == canonical(ip)
        assert native.lib.address_equal(native.address(written), native.address(str(ip)))


ODD = """1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:2:3:4:5:6:1.2.3.4 1:2:3:4::5:6:7:8 1:2:3:4:5:6:7:8:: ::1:2:3:4:5:6:7:8
    ::1.2.3.4 1.2.3.4:: 1:2:3:4:5:6:7:1.2.3.4 1::2::3 ::: :1:2:3:4:5:6:7:8 01.2.3.4 1.2.3.4. fe80::1%eth0"""


@pytest.mark.parametrize("text", ODD.split())
def test_odd_texts_are_read_as_python_does(native: Native, text: str) -> None:
    assert_parsed_as_python(native, text)


@given(text=st.text("0123456789abcdefABCDEF:./%x[]", max_size=24))
def test_parsing_agrees_with_python(native: Native, text: str) -> None:
    assert_parsed_as_python(native, text)


def assert_parsed_as_python(native: Native, text: str) -> None:
    out = native.ffi.new("struct address *")
    taken = native.lib.address_parse(native.text(text), out)
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        assert not taken
        assert out.family == native.lib.FAMILY_NONE
        return
    if getattr(ip, "scope_id", None):
        assert not taken
    else:
        assert taken
        assert native.show(out) == canonical(ip)


def raw(family: int, size: int) -> bytes:
    return struct.pack("<H", family) + bytes(size)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        *((content, "INVALID") for content in (b"", b"\x02", raw(INET, 13), raw(INET6, 21))),
        (raw(INET6, 22), "INET"),  # RFC 2133's, without a scope
        *((content, "LOCAL") for content in (raw(UNIX, 0) + b"/tmp/x", raw(UNIX, 0), raw(NETLINK, 10))),
        (raw(UNSPEC, 0), "UNSPEC"),
        # VSOCK, PACKET, ALG, and AF_INET in the wrong byte order.
        *((content, "OTHER") for content in (raw(40, 14), raw(17, 18), raw(38, 86), raw(0x0200, 14))),
    ],
)
def test_kinds_of_sockaddr(native: Native, content: bytes, kind: str) -> None:
    """lab/fuzz/sockaddr.c compares what is read of them."""
    to = native.ffi.new("struct endpoint *")
    read = native.lib.endpoint_from_sockaddr(native.message.place(content), len(content), to)
    assert read == getattr(native.lib, f"SOCKADDR_{kind}")


@given(ip=IPS, network=IPS, prefix=st.integers(0, 255))
@example(ip=ipaddress.ip_address("10.1.2.3"), network=ipaddress.ip_address("10.0.0.0"), prefix=8)
@example(ip=ipaddress.ip_address("10.1.2.3"), network=ipaddress.ip_address("10.1.2.2"), prefix=31)
@example(ip=ipaddress.ip_address("2001:db8::1"), network=ipaddress.ip_address("2001:db8::"), prefix=33)
@example(ip=ipaddress.ip_address("::"), network=ipaddress.ip_address("0.0.0.0"), prefix=0)
def test_within(native: Native, ip: IP, network: IP, prefix: int) -> None:
    a, b = ipaddress.ip_address(canonical(ip)), ipaddress.ip_address(canonical(network))
    fits = a.version == b.version and prefix <= a.max_prefixlen
    expected = fits and a in ipaddress.ip_network(f"{b}/{prefix}", strict=False)
    assert native.lib.address_within(native.address(str(ip)), native.address(str(network)), prefix) == expected


LOOPBACK = ["127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"]
INTERNAL = [
    *("169.254.0.1", "169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "224.0.0.1", "239.255.255.255"),
    *("255.255.255.255", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254", "fd00:ec2::23"),
    *("64:ff9b::169.254.169.254", "64:ff9b::127.0.0.1"),  # through a NAT64 gateway
]
OUTSIDE = [
    *("203.0.113.7", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.1", "128.0.0.1", "126.255.255.255"),
    *("169.253.255.255", "169.255.0.0", "223.255.255.255", "240.0.0.1", "255.255.255.254"),
    *("2001:db8::1", "fd00::1", "fec0::1", "fe7f::1", "fd00:ec3::1", "::2", "64:ff9b::203.0.113.7", "::127.0.0.1"),
]


def test_classes(native: Native) -> None:
    addresses = {ip: native.address(ip) for ip in LOOPBACK + INTERNAL + OUTSIDE}
    assert [ip for ip, address in addresses.items() if native.lib.address_is_loopback(address)] == LOOPBACK
    assert [ip for ip, address in addresses.items() if native.lib.address_is_internal(address)] == INTERNAL
    none = native.ffi.new("struct address *")
    assert not native.lib.address_is_loopback(none)
    assert not native.lib.address_is_internal(none)
    assert not native.lib.address_within(none, none, 0)
    assert native.show(none) == ""


LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])
TAKEN = {
    name: name
    for name in (*["xn--bcher-kva.example", "_dmarc.a-b.c1", "localhost", "1.2.3.4.example", "example.0xg"], LONGEST)
}
# The last line has what inet_aton would take for an address.
NO_NAMES = """. .. a..b .a a.. a/b a:1 a@b *.a bücher.example
    1.2.3.4 127.1 2130706433 0x7f.1 0x7f000001 example.0x1f 0x"""


@pytest.mark.parametrize(
    ("name", "canonical_name"),
    [
        *(TAKEN | {"Example.COM.": "example.com", f"{LONGEST}.": LONGEST}).items(),
        *((name, None) for name in (*NO_NAMES.split(), "", "a b", "a\0b", "a" * 64 + ".b", LONGEST + "a")),
    ],
)
def test_host_names(native: Native, name: str, canonical_name: str | None) -> None:
    writer = native.writer(254)
    taken = native.lib.hostname_canonical(native.text(name), writer)
    assert taken == (canonical_name is not None)
    assert canonical_name is None or native.written(writer).decode() == canonical_name
    assert not native.lib.hostname_canonical(native.text("example.com"), native.writer(10))
