"""The decision about each thing that was observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .aws_hosts import AwsHosts
from .domains import MANY_NAMES, common_domain, crowded, domain_of
from .entries import entry_for
from .evidence import Evidence
from .observation import Observation
from .observed import FunctionKey, FunctionLog
from .outcomes import Finding, LearnedEntry, LearnedPreset, Offer
from .questions import FIELDS, Question, address_of, question_of
from .suspects import Context, is_search, judge
from .tmp_names import MAX_TMP, has_two_starts, plan

LISTS: Final = (
    "allow_outbound",
    "allow_aws",
    "allow_buckets",
    "allow_tmp",
    "allow_child_process",
    "allow_executable_memory",
)
_MODES: Final = ("read_handler", "executable_memory")
_EXAMPLES: Final = 3
ANY_TMP: Final = ("read_write_tmp", "allow")
"""The offer that covers every name in /tmp."""
ANY_TMP_MEANS: Final = (
    'read_write_tmp="allow" opens every file in /tmp to the function, and clear_tmp, which comes with it, deletes the '
    "files of an invocation there before the next one, except for the entries of allow_tmp"
)
_DENIED: Final = (
    "deny_outbound refuses it in every mode, so no entry is proposed: if the function needs it, take it off that list"
)
_UNSEEN: Final = (
    "a denied call may hide the calls that would have followed it: observe in alert mode, which denies nothing"
)


@dataclass
class Learned:
    """The result of learning for one function.

    Attributes:
        key: which function.
        entries: the entries that its policy needs, sorted by field and value.
        presets: presets that replace entries; the caller adds them.
        offers: wildcards that the user has to choose.
        findings: targets that a person decides on.
        settings: modes that were accepted, by field; `clear_tmp` with that of /tmp.
        unproven: accepted patterns for names in /tmp of which only one start is in the log.
        uses_aws: whether a host of AWS was reported: then its policy did not admit all of them.
        unknown: by control, violations that were counted and not written: their targets are unknown.
        admitted: how many of the observations the present policy admits already.
        incomplete: the reasons why observations may be missing; empty without one.
        notes: further remarks.
        cold_starts: how often the shield armed in the time.
        days: on how many days at least there was a line.
    """

    key: FunctionKey
    entries: list[LearnedEntry] = field(default_factory=list[LearnedEntry])
    presets: list[LearnedPreset] = field(default_factory=list[LearnedPreset])
    offers: list[Offer] = field(default_factory=list[Offer])
    findings: list[Finding] = field(default_factory=list[Finding])
    settings: dict[str, str | bool] = field(default_factory=dict[str, "str | bool"])
    unproven: list[str] = field(default_factory=list[str])
    uses_aws: bool = False
    unknown: dict[str, int] = field(default_factory=dict[str, int])
    admitted: int = 0
    incomplete: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    cold_starts: int = 0
    days: int = 0

    def additions(self) -> dict[str, Any]:
        """The entries by field, as ShieldPolicy takes them, and the modes that were accepted."""
        lists = {name: [each.value for each in self.entries if each.field == name] for name in LISTS}
        return {**{name: values for name, values in lists.items() if values}, **self.settings}


def learn(
    log: FunctionLog,
    *,
    services: Sequence[str] = (),
    granted: bool = False,
    admits: Callable[[Question], bool] = lambda _: False,
    accept: Iterable[str] = (),
    waits: Callable[[Question], bool] = lambda _: False,
    denies: Callable[[Question], bool] = lambda _: False,
    find_exfiltration: Callable[[Question], str] = lambda _: "",
    room: int = MAX_TMP,
) -> Learned:
    """The narrowest additions to a policy that admit all observations.

    Args:
        log: the observations.
        services: the names that AWS services may have, as botocore knows them. Without them AWS's hosts are hosts.
        granted: the policy's `allow_aws` is "granted": then a service is admitted by a grant, and not by an entry.
        admits: whether the present policy admits something: that needs no entry.
        accept: accepted entries of offers and findings; for a mode, `executable_memory=allow`.
        waits: whether an offer elsewhere, such as a preset, decides about an observation: it is no entry.
        denies: whether the present policy's `deny_outbound` refuses something: no entry is proposed for it.
        find_exfiltration: finds the entry of `preset:exfiltration` that a question is about; empty for none.
        room: how many entries the policy still takes in allow_tmp.
    """
    return _Learner(log, services, granted, admits, frozenset(accept), waits, denies, find_exfiltration, room).learn()


class _Learner:
    def __init__(
        self,
        log: FunctionLog,
        services: Sequence[str],
        granted: bool,
        admits: Callable[[Question], bool],
        accepted: frozenset[str],
        waits: Callable[[Question], bool],
        denies: Callable[[Question], bool],
        find_exfiltration: Callable[[Question], str],
        room: int,
    ) -> None:
        self._log, self._granted, self._admits, self._accepted = log, granted, admits, accepted
        self._aws = AwsHosts(log.key.region, log.key.account, services)
        self._learned = Learned(log.key, cold_starts=log.cold_starts, days=log.days)
        self._waits, self._denies, self._room = waits, denies, room
        self._find_exfiltration = find_exfiltration
        self._globs: dict[str, dict[str, str]] = {}
        """Of an entry that is a pattern: the paths that it covers, and why."""
        self._unproven: set[str] = set()
        """Accepted patterns for names in /tmp that another start may not use."""
        self._any_tmp: dict[str, Evidence] = {}
        """The paths in /tmp that are no entries."""
        self._entries: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
        self._offers: dict[tuple[str, str], tuple[str, list[tuple[str, Evidence]]]] = {}
        self._findings: dict[tuple[str, str, str], tuple[Finding, list[Evidence]]] = {}

    def learn(self) -> Learned:
        seen = list(self._log.observations)
        connected = {each.sni or each.host for each in seen if each.port and each.protocol != "dns"} - {""}
        named: dict[str, set[str]] = {}
        for each in seen:
            if each.host and each.ip and each.protocol != "dns":
                named.setdefault(str(address_of(each.ip)), set()).add(each.host)
        context = Context(named, connected, any(map(is_search, seen)), self._find_exfiltration)
        open_ones = [each for each in seen if self._is_open(each, context)]
        left = [each for each in open_ones if not ((question := question_of(each)) and self._waits(question))]
        names = {name for each in left if (name := _name_of(each))}
        below = [(domain, name) for name in names if (domain := domain_of(name)) != name]
        self._domains = crowded(below, MANY_NAMES)
        files: dict[str, list[Evidence]] = {}
        for each in left:
            if each.policy == "read_write_tmp" and (question := question_of(each)) and entry_for(question):
                files.setdefault(each.path, []).append(each.evidence)
        self._tmp = plan({path: Evidence.of(found) for path, found in files.items()}, self._accepted, self._room)
        for each in left:
            self._place(each, connected)
        self._finish()
        return self._learned

    def _is_open(self, seen: Observation, context: Context) -> bool:
        """Whether anything is left to decide; a target that becomes no entry is recorded as a finding."""
        question = question_of(seen)
        if question is not None and self._admits(question):
            self._learned.admitted += seen.evidence.count
            return False
        if seen.denied or (question is not None and self._denies(question)):
            self._find("denied", seen, _DENIED)
            return False
        if self._take_aws(seen):
            return False
        judged = judge(seen, context)
        if judged is None and question is None:
            judged = ("no-entry", "no entry permits it")
        if judged is None:
            return True
        rule, reason = judged
        name, value = FIELDS.get(seen.policy, ""), entry_for(question) if question else ""
        if seen.policy in _MODES and not value:
            name, value = seen.policy, "allow"
        if rule in ("wildcard-in-name", "cut-off") or (rule == "find-library" and name == "allow_tmp"):
            value = ""
        self._find(rule, seen, reason, name if value else "", value)
        return False

    def _find(self, rule: str, seen: Observation, reason: str, name: str = "", value: str = "") -> None:
        accepted = f"{name}={value}" if name in _MODES else value
        if value and accepted in self._accepted:
            if name in _MODES:
                self._learned.settings[name] = value
            else:
                self._add(name, value, seen.evidence, f"accepted: {rule}")
            return
        finding = Finding(rule, seen.describe(), seen.policy, seen.evidence, reason, name, value)
        key = (rule, finding.target, seen.policy)
        self._findings.setdefault(key, (finding, []))[1].append(seen.evidence)

    def _take_aws(self, seen: Observation) -> bool:
        """A host of AWS is a service or a bucket."""
        host = seen.sni or seen.host
        if seen.policy != "outbound_connectivity" or not host or not self._aws.is_aws(host):
            return False
        self._learned.uses_aws = True
        bucket = self._aws.bucket(host)
        service = "s3" if bucket else self._aws.service(host)
        if self._granted:
            named = f"the bucket {bucket}" if bucket else f"the service {service or host}"
            name, value = ("allow_buckets", bucket) if bucket else ("allow_aws", service)
            remedy = f'allow_buckets=["{bucket}"]' if bucket else f'allow_aws=["granted", "{service}"]'
            reason = f"the role is granted nothing on {named}: grant it, or list it, as in {remedy}"
            self._find("missing-grant", seen, reason, name if value else "", value)
        elif bucket:
            self._add("allow_buckets", bucket, seen.evidence)
        elif service == "s3":
            reason = "the bucket is not in the host's name (path-style), and the service admits any customer's bucket"
            self._find("any-bucket", seen, reason, "allow_aws", "s3")
        elif service:
            self._add("allow_aws", service, seen.evidence)
        else:
            return False
        return True

    def _place(self, seen: Observation, connected: set[str]) -> None:
        question = question_of(seen)
        assert question is not None, "_is_open keeps only observations that an entry can permit"
        name = _name_of(seen)
        if question.event == "resolve" and name in connected:
            return  # the entry of the connection admits the look-up
        names = self._domains.get(domain_of(name), ()) if name else ()
        if name in names:
            glob = f"*.{common_domain(names)}" + (f":{seen.port}" if seen.port else "")
            why = f"{len(names)} different names below it: list those that are known, or all with the wildcard"
            self._offer("allow_outbound", glob, why, name, seen)
            return
        if seen.policy == "read_write_tmp" and self._place_tmp(seen):
            return
        entry = entry_for(question)
        if not entry:
            self._find("no-entry", seen, "no entry can name it: it is malformed, or a list would read it otherwise")
            return
        self._add(FIELDS[seen.policy], entry, seen.evidence)

    def _place_tmp(self, seen: Observation) -> bool:
        """Whether a pattern stands for a file in /tmp, or a person decides about it."""
        taken, offered = self._tmp.taken.get(seen.path), self._tmp.offered.get(seen.path)
        if offered or (taken and self._takes_any_tmp):  # clear_tmp keeps each entry
            self._any_tmp[seen.path] = Evidence.of([seen.evidence, *filter(None, [self._any_tmp.get(seen.path)])])
            if offered and offered.glob and not self._takes_any_tmp:
                self._offer("allow_tmp", offered.glob, offered.why, seen.path, seen)
        elif taken:
            self._globs.setdefault(taken.glob, {})[seen.path] = taken.why
            self._add("allow_tmp", taken.glob, seen.evidence)
            if taken.glob in self._accepted and not taken.is_certain:
                self._unproven.add(taken.glob)
        return bool(taken or offered)

    @property
    def _takes_any_tmp(self) -> bool:
        return "=".join(ANY_TMP) in self._accepted

    def _offer(self, name: str, value: str, why: str, example: str, seen: Observation) -> None:
        if value in self._accepted:
            self._add(name, value, seen.evidence, f"accepted: {why}")
            return
        self._offers.setdefault((name, value), (why, []))[1].append((example, seen.evidence))

    def _add(self, name: str, value: str, evidence: Evidence, note: str = "") -> None:
        self._entries.setdefault((name, value), []).append((evidence, note))

    def _decide_tmp(self) -> None:
        """One decision about the names in /tmp that are no entries; and patterns that no second start has shown."""
        if self._any_tmp and self._takes_any_tmp:
            self._learned.settings |= dict([ANY_TMP]) | {"clear_tmp": True}
        elif self._any_tmp:
            found = [(path, evidence) for path, evidence in self._any_tmp.items()]
            self._offers[ANY_TMP] = (f"any name: {ANY_TMP_MEANS}", found)
        for glob in sorted(self._unproven):
            if not has_two_starts(Evidence.of(each for each, _ in self._entries["allow_tmp", glob])):
                self._learned.unproven.append(glob)
        if self._learned.unproven:
            self._learned.incomplete.append(
                f"the log has the names of one start for {', '.join(self._learned.unproven)}: another start may use "
                "other names; learn from the log of two"
            )

    def _note_of(self, name: str, value: str, notes: Iterable[str]) -> str:
        stands_for = self._globs.get(value, {}) if name == "allow_tmp" else {}
        if not stands_for:
            return next(filter(None, notes), "")
        some = ", ".join(sorted(stands_for)[:_EXAMPLES])
        count = f"{len(stands_for)} names" if len(stands_for) > 1 else "1 name"
        return f"for {count}, such as {some}: {next(iter(stands_for.values()))}"

    def _finish(self) -> None:
        self._decide_tmp()
        learned = self._learned
        for (name, value), found in sorted(self._entries.items(), key=lambda item: (LISTS.index(item[0][0]), item[0])):
            note = self._note_of(name, value, (note for _, note in found))
            learned.entries.append(LearnedEntry(name, value, Evidence.of(each for each, _ in found), note))
        for (name, value), (why, found) in sorted(self._offers.items()):  # ANY_TMP after the patterns
            examples = sorted({example for example, _ in found})
            evidence = Evidence.of(each for _, each in found)
            learned.offers.append(Offer(name, value, evidence, len(examples), tuple(examples[:_EXAMPLES]), why))
        for finding, found in self._findings.values():
            learned.findings.append(replace(finding, evidence=Evidence.of(found)))
        learned.findings.sort(key=lambda each: (each.rule, -each.evidence.count, each.target))
        learned.unknown = self._log.folded
        for policy, count in sorted(learned.unknown.items()):
            learned.incomplete.append(
                f"{count:,} violations of {policy} were counted and not written: their targets are unknown"
            )
        for (policy, _), share in sorted(self._log.rest.shares.items() if self._log.rest else ()):
            learned.incomplete.append(
                f"{share.targets:,} targets of {policy}, seen least, are in no entry: the replay lists denied ones"
            )
        if "block" in self._log.modes:
            learned.incomplete.append(f"some of it was observed in block mode: {_UNSEEN}")
        for event in ("refused", "unshielded"):
            if event in self._log.events:
                reason = self._log.reasons.get(event, "")
                times = self._log.events[event].count
                learned.incomplete.append(f"{times} starts were {event}" + (f": {reason}" if reason else ""))
        if "tightened" in self._log.events:
            learned.notes.append("the function's own code tightened its policy: some of it may be denied by that")


def _name_of(seen: Observation) -> str:
    return (seen.sni or seen.host) if seen.policy == "outbound_connectivity" else ""
