"""Brings `lo` up in a new network namespace and gives it more addresses, by ioctl (netdevice(7), ipv6(7)).

A whole IPv4 network on `lo` is local: a server bound to any of its addresses can be reached, and nothing ever
leaves the namespace.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import socket
import struct
import time

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCSIFADDR, _SIOCSIFNETMASK = 0x8916, 0x891C
_SIOCGIFINDEX = 0x8933
_IFF_UP = 0x1
_IFREQ = "16s24s"
_PATIENCE = 5.0  # seconds


def _request(name: str, payload: bytes) -> bytes:
    return struct.pack(_IFREQ, name.encode(), payload)


def _ipv4(address: ipaddress.IPv4Address) -> bytes:
    return struct.pack("=HH4s", socket.AF_INET, 0, address.packed)


def bring_up(addresses: list[str]) -> None:
    """Sets `lo` up and adds `addresses` (`address/prefix`, either family). IPv6 is left out where it is off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        reply = fcntl.ioctl(control, _SIOCGIFFLAGS, _request("lo", b""))
        flags = struct.unpack_from("=H", reply, 16)[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, _request("lo", struct.pack("=H", flags | _IFF_UP)))
        index = struct.unpack_from("=i", fcntl.ioctl(control, _SIOCGIFINDEX, _request("lo", b"")), 16)[0]
        interfaces = [ipaddress.ip_interface(a) for a in addresses]
        for number, interface in enumerate(i for i in interfaces if isinstance(i, ipaddress.IPv4Interface)):
            alias = f"lo:{number}"
            fcntl.ioctl(control, _SIOCSIFADDR, _request(alias, _ipv4(interface.ip)))
            fcntl.ioctl(control, _SIOCSIFNETMASK, _request(alias, _ipv4(interface.netmask)))
    _add_ipv6([i for i in interfaces if isinstance(i, ipaddress.IPv6Interface)], index)


def _add_ipv6(interfaces: list[ipaddress.IPv6Interface], index: int) -> None:
    try:
        control = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    except OSError:  # the kernel has no IPv6: tests ask for the address and skip
        return
    with control:
        for interface in interfaces:
            request = struct.pack("=16sIi", interface.ip.packed, interface.network.prefixlen, index)
            fcntl.ioctl(control, _SIOCSIFADDR, request)
        for interface in interfaces:
            _await_ipv6(interface.ip)


def _await_ipv6(address: ipaddress.IPv6Address) -> None:
    """The kernel lets an address be used once it has looked for duplicates, which it does in the background."""
    until = time.monotonic() + _PATIENCE
    while True:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trial:
            try:
                trial.bind((str(address), 0))
                return
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > until:
                    raise
        time.sleep(0.002)
