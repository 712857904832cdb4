"""One kind of violation of a function's policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from .evidence import NOT_SEEN, Evidence


class Observation(NamedTuple):
    """One violation of a function's policy, with its evidence. A field that is not known is empty, or 0.

    `denied`: an entry of `deny_outbound` refused it, in every mode: no entry of an allow list would admit it.
    """

    policy: str
    mode: str
    host: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""
    sni: str = ""
    path: str = ""
    allow: str = ""
    denied: bool = False
    evidence: Evidence = NOT_SEEN

    @property
    def target(self) -> tuple[Any, ...]:
        """Its subject, without the caller."""
        return self[:-1]

    @property
    def name(self) -> str:
        """The host's name: a server name that is not allowed stands beside the name that led to the address."""
        return self.sni or self.host

    def describe(self) -> str:
        """The target in a few words: `api.stripe.com:443`, `/tmp/x`."""
        target = self.name or self.path or self.ip
        if not target and self.policy == "executable_memory":
            return self.allow  # the library that asked
        if not target:
            return self.protocol
        return with_port(target, self.port) if self.port else target


def with_port(host: str, port: int) -> str:
    """`host:port`, or `[address]:port`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
