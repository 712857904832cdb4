"""What tests ask for a verdict: an engine's policy and memory, and the core's answers as Python values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unit.core.native import Native

PUBLIC = "203.0.113.7"
TCP, UDP, OTHER = 0, 1, 2


@dataclass(frozen=True)
class Verdict:
    action: str
    reason: str
    rule: int | None = None  # None: no entry; -1: AWS


def read(native: Native, verdict: Any) -> Verdict:
    lib = native.lib
    action = {lib.ACTION_DENY: "deny", lib.ACTION_ALERT: "alert", lib.ACTION_ALLOW: "allow"}[verdict.action]
    rule = {lib.RULE_NONE: None, lib.RULE_AWS: -1}.get(verdict.rule, verdict.rule)
    return Verdict(action, native.string(lib.reason_name(verdict.reason)), rule)


NOT_LISTED = Verdict("deny", "not_listed")
ALWAYS = Verdict("allow", "always")
AWS = Verdict("allow", "aws", -1)


def listed(rule: int = 0) -> Verdict:
    return Verdict("allow", "listed", rule)


class Engine:
    """What an engine keeps: the policy, what is always allowed, and what the resolver has answered."""

    def __init__(self, native: Native, *settings: str) -> None:
        self.native = native
        modes = [] if any("CONNECTIVITY" in line for line in settings) else ["SHIELD_OUTBOUND_CONNECTIVITY=block"]
        self.policy = native.policy("AWS_REGION=eu-west-1", *modes, *settings)
        self.always = native.ffi.new("struct always *")
        self.names = native.ffi.new("struct names *")

    def always_allow(self, ip: str, port: int) -> None:
        self.always.endpoints[self.always.count] = {"ip": self.native.address(ip)[0], "port": port}
        self.always.count += 1

    def name(self, name: str) -> Verdict:
        return read(self.native, self.native.lib.verdict_name(self.policy, self.native.text(name)))

    def host(self, name: str, port: int, protocol: int) -> Verdict:
        verdict = self.native.lib.verdict_host(self.policy, self.native.text(name), True, port, protocol)
        return read(self.native, verdict)

    def answer(self, name: str, ip: str) -> bool:
        """The resolver answers an allowed name. Was it learned?"""
        verdict = self.native.lib.verdict_name(self.policy, self.native.text(name))
        assert verdict.action == self.native.lib.ACTION_ALLOW, name
        address = self.native.address(ip)
        learn = self.native.lib.verdict_may_learn(self.policy, address)
        if learn:
            self.native.lib.names_learn(self.names, address, verdict.rule, self.native.text(name))
        return bool(learn)

    def connect(self, ip: str, port: int, protocol: int = TCP) -> Verdict:
        to = self.native.ffi.new("struct endpoint *", {"ip": self.native.address(ip)[0], "port": port})
        verdict = self.native.lib.verdict_endpoint(self.policy, self.always, self.names, to, protocol)
        assert verdict.policy == self.native.lib.OUTBOUND_CONNECTIVITY
        return read(self.native, verdict)

    def is_by_others(self, ip: str, port: int, *packages: str, protocol: int = TCP) -> bool:
        """For a call through these packages: does no entry that admits the address name one, or none at all?"""
        to = self.native.ffi.new("struct endpoint *", {"ip": self.native.address(ip)[0], "port": port})
        place = self.native.ffi.new("struct source_place *", {"package_count": len(packages)})
        kept = [self.native.ffi.new("char[]", package.encode()) for package in packages]
        for at, package in enumerate(packages):
            place.packages[at] = {"at": kept[at], "len": len(package)}
        return bool(self.native.lib.verdict_is_by_others(self.policy, self.names, to, protocol, place))

    def tmp(self, path: str, runtime: str = "", use: str = "AT_WORK") -> Verdict:
        lib, text = self.native.lib, self.native.text
        language, when = lib.language_from(text(runtime)), getattr(lib, f"TMP_{use}")
        return read(self.native, lib.verdict_tmp(self.policy, text(path), language, when))

    def program(self, path: str, at: int = -1, static: bool = False) -> Verdict:
        kind = self.native.lib.PROGRAM_STATIC if static else self.native.lib.PROGRAM_DYNAMIC
        verdict = self.native.lib.verdict_program(self.policy, self.native.text(path), at, kind)
        assert verdict.policy == self.native.lib.CREATE_CHILD_PROCESS
        return read(self.native, verdict)
