"""A network in which every name resolves and no host answers, for functions that are tried on a laptop.

Each name gets its own documentation address (RFC 5737), all of them on the sandbox's loopback. A connection there
is refused at once, so the shield sees host and port, as it would in Lambda, and nothing leaves the machine.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Sequence

from shielded_function_emulator.dns_server import Address, DnsServer
from shielded_function_emulator.sandbox import Sandbox

# The sandbox's own networks (`sandbox.ADDRESSES`), except their first addresses.
_ADDRESSES = [
    address
    for network in ("203.0.113.0/24", "198.51.100.0/24")
    for address in list(ipaddress.IPv4Network(network).hosts())[1:]
]


class ClosedNetwork(DnsServer):
    """The name server, without other servers. Names after the five hundredth do not exist.

    `found`: called with each new name and its address, before the name is answered.
    """

    def __init__(self, sandbox: Sandbox, found: Callable[[str, str], None] = lambda name, address: None) -> None:
        super().__init__(sandbox, {})
        self._found = found
        self._lock = threading.Lock()
        self._given: dict[str, Address] = {}

    def find(self, name: str) -> Sequence[Address] | None:
        """One address for each name."""
        with self._lock:
            if name not in self._given and len(self._given) < len(_ADDRESSES):
                self._given[name] = _ADDRESSES[len(self._given)]
                self._found(name, str(self._given[name]))
            return [self._given[name]] if name in self._given else None
