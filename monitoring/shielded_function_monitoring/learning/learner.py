"""The decision about each thing that was observed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .evidence import Evidence
from .function_log import FunctionLog
from .hosts import MANY_NAMES, AwsHosts, common_domain, crowded, domain_of
from .learned import ACCEPT_ANY_TMP, ANY_TMP, ANY_TMP_MEANS, LISTS, Addition, Finding, Learned, unknown_targets
from .never_learned import Facts, judge
from .questions import FIELDS, Observation, Question, entry_for, question_of
from .tmp_names import MAX_TMP, has_two_starts, plan

_MODES: Final = ("read_handler", "executable_memory")
_ORDER: Final = (*LISTS, ANY_TMP[0])
_EXAMPLES: Final = 3
_DENIED: Final = (
    "deny_outbound refuses it in every mode, so no entry is proposed: if the function needs it, take it off that list"
)


@dataclass(frozen=True)
class Known:
    """The present policy of a function, and the user's choices.

    Attributes:
        services: the names that AWS services may have, as botocore knows them. Without them AWS's hosts are hosts.
        granted: the policy's `allow_aws` is "granted": then a service is admitted by a grant, and not by an entry.
        admits: whether the present policy admits something: that needs no entry.
        settles: the same of the presets that are added to it.
        accept: accepted entries of offers and findings; for a mode, `executable_memory=allow`.
        waits: whether an offer elsewhere, such as a preset, decides about an observation: it is no entry.
        denies: the entry of the present policy's `deny_outbound` that refuses something: no entry is proposed for it.
        find_exfiltration: finds the entry of `preset:exfiltration` that a question is about; empty for none.
        room: how many entries the policy still takes in allow_tmp.
    """

    services: Sequence[str] = ()
    granted: bool = False
    admits: Callable[[Question], bool] = lambda _: False
    settles: Callable[[Question], bool] = lambda _: False
    accept: Collection[str] = ()
    waits: Callable[[Question], bool] = lambda _: False
    denies: Callable[[Question], object] = lambda _: False
    find_exfiltration: Callable[[Question], str] = lambda _: ""
    room: int = MAX_TMP


# By field and value, the evidence of an entry or offer, its reason, and the target where the value is a pattern.
_Additions = dict[tuple[str, str], list[tuple[Evidence, str, str]]]


def learn(log: FunctionLog, known: Known | None = None) -> Learned:
    """The narrowest additions to a policy that admit all observations."""
    return _Learner(log, known or Known()).learn()


class _Learner:
    def __init__(self, log: FunctionLog, known: Known) -> None:
        self._log, self._known = log, known
        self._aws = AwsHosts(log.key.region, log.key.account, known.services)
        self._learned = Learned(log.key, log.cold_starts, log.evidence.days, log.folded)
        self._takes_any_tmp = ACCEPT_ANY_TMP in known.accept
        self._entries: _Additions = {}
        self._offers: _Additions = {}
        self._findings: dict[tuple[str, str, str], tuple[Finding, list[Evidence]]] = {}

    def learn(self) -> Learned:
        seen = [(each, question_of(each)) for each in self._log.observations]
        facts = Facts.of(self._log.observations, self._known.find_exfiltration)
        left = [
            (each, question, entry_for(question))
            for each, question in seen
            if self._is_open(each, question, facts) and question and not self._known.waits(question)
        ]
        names = {each.name for each, _, _ in left if each.name}
        self._domains = crowded(((domain, name) for name in names if (domain := domain_of(name)) != name), MANY_NAMES)
        files: dict[str, list[Evidence]] = {}
        for each, _, entry in left:
            if each.policy == "read_write_tmp" and entry:
                files.setdefault(each.path, []).append(each.evidence)
        in_tmp = {path: Evidence.of(found) for path, found in files.items()}
        self._tmp = plan(in_tmp, self._known.accept, self._known.room)
        for each, question, entry in left:
            if question.event == "resolve" and each.name in facts.connected:
                continue  # the entry of the connection admits the look-up
            if self._offer_domain(each) or (each.policy == "read_write_tmp" and self._place_tmp(each)):
                continue
            if entry:
                self._add(FIELDS[each.policy], entry, each)
            else:
                self._find("no-entry", each, "no entry can name it: it is malformed, or a list would read it otherwise")
        self._finish()
        return self._learned

    def _add(
        self, name: str, value: str, seen: Observation, why: str = "", target: str = "", *, offer: bool = False
    ) -> None:
        into = self._offers if offer else self._entries
        into.setdefault((name, value), []).append((seen.evidence, why, target))

    def _is_open(self, seen: Observation, question: Question | None, facts: Facts) -> bool:
        """Whether anything is left to decide; a target that becomes no entry is recorded as a finding."""
        if question is not None and self._known.admits(question):
            self._learned.admitted += seen.evidence.count
            return False
        if question is not None and self._known.settles(question):
            return False
        if seen.denied or (question is not None and self._known.denies(question)):
            self._find("denied", seen, _DENIED)
            return False
        if self._take_aws(seen):
            return False
        judged = judge(seen, facts)
        if judged is None and question is not None:
            return True
        rule, reason = judged or ("no-entry", "no entry permits it")
        name, value = FIELDS.get(seen.policy, ""), entry_for(question) if question else ""
        if seen.policy in _MODES and not value:
            name, value = seen.policy, "allow"
        if rule in ("wildcard-in-name", "cut-off") or (rule == "find-library" and name == "allow_tmp"):
            value = ""
        self._find(rule, seen, reason, name, value)
        return False

    def _find(self, rule: str, seen: Observation, reason: str, name: str = "", value: str = "") -> None:
        finding = Finding(name if value else "", value, seen.evidence, seen.policy, seen.describe(), rule, reason)
        if not value or finding.accept not in self._known.accept:
            key = (rule, finding.target, seen.policy)
            self._findings.setdefault(key, (finding, []))[1].append(seen.evidence)
        elif name in _MODES:
            self._learned.settings[name] = value
        else:
            self._add(name, value, seen, f"accepted: {rule}")

    def _take_aws(self, seen: Observation) -> bool:
        """A host of AWS is a service or a bucket."""
        if seen.policy != "outbound_connectivity" or not seen.name or not self._aws.is_aws(seen.name):
            return False
        self._learned.uses_aws = True
        bucket = self._aws.bucket(seen.name)
        service = "s3" if bucket else self._aws.service(seen.name)
        name, value = ("allow_buckets", bucket) if bucket else ("allow_aws", service)
        if self._known.granted:
            named = f"the bucket {bucket}" if bucket else f"the service {service or seen.name}"
            remedy = f'allow_buckets=["{bucket}"]' if bucket else f'allow_aws=["granted", "{service}"]'
            reason = f"the role is granted nothing on {named}: grant it, or list it, as in {remedy}"
            self._find("missing-grant", seen, reason, name, value)
        elif value == "s3" and not bucket:
            reason = "the bucket is not in the host's name (path-style), and the service admits any customer's bucket"
            self._find("any-bucket", seen, reason, name, value)
        elif value:
            self._add(name, value, seen)
        return bool(self._known.granted or value)

    def _offer_domain(self, seen: Observation) -> bool:
        """Whether the name is one of many below a domain."""
        names = self._domains.get(domain_of(seen.name), ()) if seen.name else ()
        if seen.name not in names:
            return False
        glob = f"*.{common_domain(names)}" + (f":{seen.port}" if seen.port else "")
        why = f"{len(names)} different names below it: list those that are known, or all with the wildcard"
        if glob in self._known.accept:
            self._add("allow_outbound", glob, seen, f"accepted: {why}")
        else:
            self._add("allow_outbound", glob, seen, why, seen.name, offer=True)
        return True

    def _place_tmp(self, seen: Observation) -> bool:
        """Whether a pattern stands for a file in /tmp, or a person decides about it."""
        taken, offered = self._tmp.taken.get(seen.path), self._tmp.offered.get(seen.path)
        if offered or (taken and self._takes_any_tmp):  # clear_tmp keeps each entry
            self._add(*ANY_TMP, seen, f"any name: {ANY_TMP_MEANS}", seen.path, offer=True)
            if offered and offered.glob and not self._takes_any_tmp:
                self._add("allow_tmp", offered.glob, seen, offered.why, seen.path, offer=True)
        elif taken:
            self._add("allow_tmp", taken.glob, seen, taken.why, seen.path)
        return bool(taken or offered)

    def _finish(self) -> None:
        if self._takes_any_tmp and self._offers.pop(ANY_TMP, None):
            self._learned.settings |= dict([ANY_TMP]) | {"clear_tmp": True}
        self._learned.entries, self._learned.offers = _additions(self._entries), _additions(self._offers)
        found = [replace(finding, evidence=Evidence.of(every)) for finding, every in self._findings.values()]
        self._learned.findings = sorted(found, key=lambda each: (each.rule, -each.evidence.count, each.target))
        accepted = {form.glob for form in self._tmp.taken.values() if not form.is_certain} & {*self._known.accept}
        self._learned.unproven = [
            each.value
            for each in self._learned.entries
            if each.field == "allow_tmp" and each.value in accepted and not has_two_starts(each.evidence)
        ]
        self._tell_what_may_be_missing()

    def _tell_what_may_be_missing(self) -> None:
        log, missing = self._log, self._learned.incomplete
        if self._learned.unproven:
            missing.append(
                f"the log has the names of one start for {', '.join(self._learned.unproven)}: another start may use "
                "other names; learn from the log of two"
            )
        missing += unknown_targets(log.folded)
        for (policy, _), (number, _) in sorted(log.rest.items()):
            missing.append(f"{number:,} targets of {policy}, seen least, are in no entry: the replay lists denied ones")
        if "block" in {each.mode for each in log.observations} | {mode for _, mode in log.rest}:
            missing.append(
                "some of it was observed in block mode: a denied call may hide the calls that would have followed it: "
                "observe in alert mode, which denies nothing"
            )
        for event in ("refused", "unshielded"):
            if event in log.events:
                reason = f": {log.reasons[event]}" if log.reasons.get(event) else ""
                missing.append(f"{log.events[event].count} starts were {event}{reason}")
        if "tightened" in log.events:
            self._learned.notes.append("the function's own code tightened its policy: some of it may be denied by that")


def _additions(found: _Additions) -> list[Addition]:
    """Sorted by field, and by value."""
    made: list[Addition] = []
    for (name, value), every in sorted(found.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0])):
        evidence, reasons, targets = zip(*every, strict=True)
        different = sorted({*targets} - {""})
        why, examples = next(filter(None, reasons), ""), tuple(different[:_EXAMPLES])
        made.append(Addition(name, value, Evidence.of(evidence), why, len(different), examples))
    return made
