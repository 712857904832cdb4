"""One kind of violation of a function's policy."""

from __future__ import annotations

from dataclasses import dataclass

from .evidence import Evidence


@dataclass(frozen=True)
class Observation:
    """One violation of a function's policy, with its evidence. A field that is not known is empty, or 0."""

    policy: str
    mode: str
    evidence: Evidence
    host: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""
    sni: str = ""
    path: str = ""
    allow: str = ""
    denied: bool = False
    """An entry of `deny_outbound` refused it, in every mode: no entry of an allow list would admit it."""

    @property
    def target(self) -> tuple[str, ...]:
        """Its subject, without the caller."""
        return (
            self.policy,
            self.mode,
            self.host,
            self.ip,
            str(self.port),
            self.protocol,
            self.sni,
            self.path,
            self.allow,
            "denied" if self.denied else "",
        )

    def describe(self) -> str:
        """The target in a few words: `api.stripe.com:443`, `/tmp/x`."""
        name = self.sni or self.host or self.path or self.ip
        if not name and self.policy == "executable_memory":
            return self.allow  # the library that asked
        if not name:
            return self.protocol
        if not self.port:
            return name
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"
