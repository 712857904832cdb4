"""Of any log: the learned policy admits what it says, needs every entry of it, and has wildcards in /tmp alone."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.alert_lines import FUNCTION, armed, at, connect, program, tmp
from shielded_function.cli.learned_files import FORMATS
from shielded_function.cli.learned_policy import make_result
from shielded_function.cli.policy_verdicts import Verdicts
from shielded_function.granted import Grants
from shielded_function.granted.entries import Entry
from shielded_function.granted.in_policy import wants_grants, with_grants
from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.learning import Evidence, FunctionLog, Learned, learn
from shielded_function_monitoring.learning.questions import question_of
from shielded_function_monitoring.learning.tmp_names import MOST_OFFERS, admits, is_narrow, plan
from shielded_function_monitoring.learning.tmp_patterns import is_fixed
from unit.monitoring.learned import read

pytestmark = pytest.mark.promise("cli.learn")

_NASTY = st.text(alphabet=" ,*?\n\t\r\0\"'\\#=:;/[]{}.-_\u202e\ud800\u00e9aA0~$", max_size=8)
_LABELS = st.sampled_from(["api", "www", "s3", "x" * 63, "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6", "*", ""])
_HOSTS = st.one_of(
    st.builds("{}.{}".format, _LABELS, st.sampled_from(["example.com", "example.co.uk", "eu-west-1.amazonaws.com"])),
    st.sampled_from(["example.com", "localhost", "169.254.169.254", "0x7f000001", "*", "10.0.0.0/8", "::1", "com"]),
    _NASTY,
)
_IPS = st.sampled_from(["198.51.100.7", "2001:db8::9", "169.254.169.254", "::ffff:198.51.100.7", "0.0.0.0/0", "x", ""])
_PORTS = st.sampled_from([0, 1, 53, 443, 65535, 65536, -1, 443.5, "443", True])
_PATHS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["/tmp/", "/tmp", "/usr/bin/", "/dev/shm/", "", "unshielded:/a"]), _NASTY),
    st.sampled_from(["/tmp/tmpabcdefgh", "/tmp/tmpk3j_x9a2", "/tmp/up-a1b2c3", "/tmp/up-d4e5f6", "/tmp/up-x"]),
    st.sampled_from(["/tmp/a.json", "/usr/bin/id", "/tmp/" + "z" * 1125 + "..."]),
)
_CONNECTION = st.fixed_dictionaries(
    {"policy": st.just("outbound_connectivity"), "protocol": st.sampled_from(["tcp", "udp", "dns", "tls", "raw"])},
    optional={"host": _HOSTS, "ip": _IPS, "port": _PORTS, "sni": _HOSTS, "path": _PATHS},
)
_FILE = st.fixed_dictionaries(
    {"policy": st.sampled_from(["read_write_tmp", "create_child_process", "read_handler"]), "path": _PATHS}
)


def _line(fields: dict[str, Any]) -> str:
    details = {name: value for name, value in fields.items() if name != "policy"}
    head = {"function_shield": True, "v": 1, **FUNCTION, "timestamp": at(), "level": "WARN"}
    body = {"policy": fields["policy"], "mode": "alert", "count": 1, "details": details, "pid": 1}
    return json.dumps({**head, **body}, separators=(",", ":"))


def _admitted(log: FunctionLog, entries: list[tuple[str, str]]) -> set[tuple[str, ...]]:
    """What a policy of these entries, and nothing else, admits of a log."""
    lists: dict[str, Any] = {name: [value for field, value in entries if field == name] for name, _ in entries}
    verdicts = Verdicts(ShieldPolicy(**{"allow_aws": "none", **lists}), log.key)
    asked = ((seen, question_of(seen)) for seen in log.observations)
    return {seen.target for seen, question in asked if question and verdicts.admits(question)}


@given(st.lists(st.one_of(_CONNECTION, _FILE), min_size=1, max_size=12))
def test_the_least_policy(lines: list[dict[str, Any]]) -> None:
    (log,) = read(map(_line, lines)).functions.values()
    learned: Learned = learn(log)
    entries = [(each.field, each.value) for each in learned.entries]
    assert not any(set("*?,\n") & set(value) for name, value in entries if name != "allow_tmp")
    assert all(is_narrow(value) for name, value in entries if name == "allow_tmp" and set("*?") & set(value))
    assert not any("169.254" in value for _, value in entries)
    admitted = _admitted(log, entries)
    for each in entries:
        assert _admitted(log, [other for other in entries if other != each]) < admitted, f"{each} is not needed"
    told = {each.target for each in learned.findings} | {name for offer in learned.offers for name in offer.examples}
    decided = sum(each.covers for each in learned.offers if each.field == "read_write_tmp")
    in_tmp = {each.path for each in log.observations if each.policy == "read_write_tmp" and each.target not in admitted}
    if decided > 3:  # as many as an offer names
        told |= in_tmp
    for seen in log.observations:
        if seen.target not in admitted:
            # A look-up is told by the connection that it was for.
            name = seen.sni or seen.host or seen.path
            same = (each in (seen.describe(), name) or each.startswith((f"{name}:", f"[{name}]:")) for each in told)
            assert any(same), f"{seen} is neither learned, nor offered, nor told"


_WORD = st.text(alphabet="abcdefgzXYZ", min_size=0, max_size=6)
_RANDOM = st.text(alphabet="abcdefgXYZ0123456789", min_size=4, max_size=12)
_COMPONENT = st.one_of(
    st.builds("{}{}{}{}".format, _WORD, st.sampled_from(["-", "_", ".", ""]), _RANDOM, st.sampled_from(["", ".tmp"])),
    st.builds("{}-{}-{}".format, _WORD, _RANDOM, _WORD),
    st.text(alphabet="ab1-_.~ é*?,\n", min_size=1, max_size=6),
    st.sampled_from(["tmpk3j_x9a2", "tmp.Ab3dEf9hIj", "0f8fad5b-d9cb-469f-a165-70867728950e", "cache", "v1.2.3"]),
    _WORD,
)
_TMP_PATHS = st.dictionaries(
    st.builds("/tmp/{}".format, st.lists(_COMPONENT, min_size=1, max_size=3).map("/".join)),
    st.sampled_from([Evidence(1, at(), at(), starts=starts) for starts in ((), ("a",), ("a", "b"))]),
    min_size=1,
    max_size=14,
)


@given(_TMP_PATHS, st.integers(min_value=0, max_value=14))
@example({"/tmp/jna1234567890123.tmp": Evidence(1, at(), at()), "/tmp/jna.tmp": Evidence(1, at(), at())}, 14)
def test_each_path_is_decided_once(seen: dict[str, Evidence], room: int) -> None:
    made = plan(seen, room=room)
    assert not set(made.taken) & set(made.offered)
    entries = set(seen) - {*made.taken, *made.offered}
    globs = {form.glob for form in made.taken.values()}
    assert len(entries) + len(globs) <= room or not entries
    for path, form in made.taken.items():
        assert is_narrow(form.glob)
        assert admits(form.glob, path)
    for path in entries:
        assert not any(admits(glob, path) for glob in globs), "a pattern takes all that it covers"
        fixed = all(map(is_fixed, path.split("/")[2:]))
        assert fixed or len(seen[path].starts) > 1, "a name that may not come again is no entry"


@given(_TMP_PATHS)
def test_an_accepted_pattern_covers_what_it_is_for(found: dict[str, Evidence]) -> None:
    seen = {path: each for path, each in found.items() if admits(path, path) and not set("*?") & set(path)}
    made = plan(seen)
    offers = {form.glob for form in made.offered.values()} - {""}
    assert len(offers) <= MOST_OFFERS
    assert not offers & {"/tmp/*", "/tmp/**", "/tmp/*/**"}
    assert all(admits(form.glob, path) for path, form in made.offered.items() if form.glob)
    accepted = plan(seen, accepted=offers)
    assert set(accepted.offered) <= {path for path, form in made.offered.items() if not form.glob}
    assert all(admits(form.glob, path) for path, form in accepted.taken.items())


_SERVICES = ("dynamodb", "sqs", "kinesis", "secretsmanager", "s3")
_BUCKETS = ("shop-invoices", "shop-orders")
_ENDPOINTS = {
    **{f"{name}.eu-west-1.amazonaws.com": ("allow_aws", name) for name in _SERVICES},
    **{f"{name}.s3.eu-west-1.amazonaws.com": ("allow_buckets", name) for name in (*_BUCKETS, "attackers")},
}
_CALLS = st.one_of(
    st.builds(connect, st.sampled_from([*_ENDPOINTS, "api.example.com", "rds.example.com", "webhook.site"])),
    st.builds(lambda ip: connect(ip=ip), st.sampled_from(["10.0.0.7", "52.1.2.3"])),
    st.builds(tmp, st.sampled_from(["/tmp/cache.json", "/tmp/data.json"])),
    st.builds(program, st.just("/usr/bin/id")),
)
_SOME_SERVICES = st.sets(st.sampled_from(_SERVICES))
# Of the function's policy: unset, "granted", all, none, or a list with or without the grants.
_ALLOW_AWS = st.one_of(
    st.sampled_from([None, None, "granted", "all", "none"]),
    st.builds(lambda found, rest: [*sorted(found), *rest], _SOME_SERVICES, st.sampled_from([["sts"], ["granted"]])),
)


def _admits(policy: ShieldPolicy, line: str) -> bool:
    (log,) = read([line]).functions.values()
    (question,) = map(question_of, log.observations)
    return question is not None and Verdicts(policy, log.key).admits(question)


@given(
    allow_aws=_ALLOW_AWS,
    services=_SOME_SERVICES,
    buckets=st.sets(st.sampled_from(_BUCKETS)),
    hosts=st.sets(st.just("rds.example.com:443")),
    calls=st.lists(_CALLS, max_size=8),
    form=st.sampled_from(["toml", "python"]),
    is_known=st.booleans(),
    fakes=st.lists(st.sampled_from(["all", "none", "secretsmanager,sqs", "x", ""]), max_size=1),
)
@example(None, {"dynamodb"}, set(), set(), [], "python", False, [])
@example(None, {"dynamodb"}, set(), set(), [], "toml", False, ["all"])
@example(None, {"dynamodb"}, set(), set(), [], "toml", False, ["secretsmanager,sqs"])
@example(None, {"dynamodb"}, {"shop-orders"}, {"rds.example.com:443"}, [], "toml", False, [])
@pytest.mark.promise("cli.tightens")
def test_learning_never_loosens(
    allow_aws: Any,
    services: set[str],
    buckets: set[str],
    hosts: set[str],
    calls: list[str],
    form: str,
    is_known: bool,
    fakes: list[str],
) -> None:
    """From a policy in alert mode, and any grants of its role, by a log to the policy that is written, in block mode.

    Of AWS it admits what the first one did, and what was reported and learned; at most what the default does where the
    log cannot tell. Code that fakes a start gains nothing, but may lose services.
    """
    of_role = {"service": services - ({"s3"} if buckets else set()), "bucket": buckets, "host": hosts}
    grants = Grants(tuple(Entry(kind, text, text) for kind, texts in of_role.items() for text in sorted(texts)))  # type: ignore[arg-type]

    def resolve(policy: ShieldPolicy) -> ShieldPolicy:
        return with_grants(policy, grants) if wants_grants(policy) else policy

    present = ShieldPolicy(allow_aws=allow_aws).with_mode("alert")
    default, before = resolve(ShieldPolicy()), resolve(present).with_mode("block")
    told: dict[str, Any] = {"buckets": len(before.allow_buckets), "hosts": len(before.allow_outbound)}
    told = {"aws": before.to_env().get("SHIELD_ALLOW_AWS", "all"), **{name: told[name] for name in told if told[name]}}
    starts = [armed(**told), *(armed(**({"aws": fake} if fake else {})) for fake in fakes)]
    reported = [line for line in calls if not _admits(before, line)]
    (log,) = read([*starts, *reported]).functions.values()

    known: Any = SimpleNamespace(policy_of=lambda _: present if is_known else None)
    result = make_result(log, known)
    written = FORMATS[form].read(FORMATS[form].write(result.fields, result.learned))
    after, added = resolve(written), {(each.field, each.value) for each in result.learned.entries}
    assert not any("52.1.2.3" in value or "webhook" in value for _, value in added)
    assert result.denied or all(_admits(after, line) for line in reported)
    can_tell = is_known or not (fakes or len(told) > 1)
    for line, entry in [
        *((connect(host), entry) for host, entry in _ENDPOINTS.items()),
        *((line, None) for line in calls),
    ]:
        if _admits(before, line):
            assert (fakes and not is_known) or _admits(after, line), "it was admitted, so the log has no line of it"
        elif entry and _admits(after, line):
            assert entry in added or (not can_tell and _admits(default, line)), "it was not admitted"
