"""Entries that are learned from lines, those that are only offered, and what is left to a person."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest

from harness.alert_lines import alert, armed, at, connect, folded, line, lookup, program, refused, tmp
from shielded_function.cli.learned_files import FORMATS, write_python, write_toml
from shielded_function.cli.learned_policy import exfiltration, in_block_mode
from shielded_function.cli.policy_verdicts import Verdicts
from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring import learning
from shielded_function_monitoring.learning import Learned, learn
from shielded_function_monitoring.learning.evidence import PackageCount
from shielded_function_monitoring.learning.never_learned import RULES
from unit.monitoring.learned import URLLIB3, entries, learned_of, log_of, read, rules

pytestmark = pytest.mark.promise("cli.learn")


DENIED: Any = {"mode": "block", "reason": "deny_outbound"}


@pytest.mark.promise("deny.every-mode")
def test_what_is_denied_in_every_mode_is_never_proposed() -> None:
    lines = (
        connect("webhook.site", **DENIED),
        folded("outbound_connectivity", 3, event="repeated", **DENIED, details={"host": "webhook.site", "port": 443}),
        lookup("a.oast.fun", **DENIED),
        connect("sqs.eu-west-1.amazonaws.com", **DENIED),
        connect("uploads.example.com"),  # from before it was denied
        connect("api.example.com"),
    )
    learned = learned_of(*lines, denies=lambda question: question.target == "uploads.example.com:443")
    assert entries(learned) == [("allow_outbound", "api.example.com:443")]
    assert [(rule, value) for rule, _, value in rules(learned)] == [("denied", "")] * 4
    assert "deny_outbound refuses it in every mode" in learned.findings[0].reason
    assert max(each.evidence.count for each in learned.findings) == 4
    log = log_of(*lines)
    left = [each.target for each in Verdicts(ShieldPolicy(), log.key).replay(log)]
    assert sorted(left) == ["api.example.com:443", "uploads.example.com:443"], "the rest is meant to be denied"


NEVER = [
    ("metadata-address", connect(ip="169.254.169.254", port=80), "169.254.169.254:80"),
    ("metadata-address", connect(ip="169.254.170.2", port=80), "169.254.170.2:80"),
    ("metadata-address", connect(ip="fd00:ec2::254", port=80), "[fd00:ec2::254]:80"),
    ("metadata-address", connect(ip="::ffff:169.254.169.254", port=80), "[::ffff:169.254.169.254]:80"),
    ("metadata-address", connect(ip="169.254.1.1", port=80), "169.254.1.1:80"),
    ("metadata-address", connect("rebound.example.com", ip="169.254.169.254", port=80), "rebound.example.com:80"),
    ("metadata-address", lookup("metadata.google.internal"), "metadata.google.internal"),
    ("looks-like-data", lookup("5f4dcc3b5aa765d61d8327deb882cf99b1c2.evil.example"), None),
    ("looks-like-data", connect("5f4dcc3b5aa765d61d8327deb882cf99b1c2.evil.example"), None),
    ("only-looked-up", lookup("quiet.evil.example"), "quiet.evil.example"),
    ("only-looked-up", connect("quiet.evil.example", port=0, protocol="udp"), "quiet.evil.example"),
    ("only-looked-up", connect(ip="203.0.113.9", port=0, protocol="udp"), "203.0.113.9"),
    ("metadata-address", connect("169.254.169.254", port=80), "169.254.169.254:80"),
    ("metadata-address", connect("a.example", sni="169.254.169.254", protocol="tls"), "169.254.169.254:443"),
    ("metadata-address", connect("METADATA.google.internal.", port=80), "METADATA.google.internal.:80"),
    ("address-as-name", connect("203.0.113.9"), "203.0.113.9:443"),
    ("address-as-name", connect("a.example", sni="203.0.113.9", protocol="tls"), "203.0.113.9:443"),
    *(
        ("exfiltration", seen, None)
        for seen in (
            connect("webhook.site"),
            connect("a.example", sni="paste.ee", protocol="tls"),
            lookup("5f4dcc3b5aa765d61d8327deb882cf99b1c2.oast.fun"),
            connect("abcd.ngrok.io", port=80),
        )
    ),
    *(
        ("address-without-name", connect(ip=ip, port=port), None)
        for ip, port in (("198.51.100.77", 4444), ("52.1.2.3", 443), ("2001:db8::9", 443), ("172.32.0.1", 443))
    ),
    ("any-bucket", connect("s3.us-west-2.amazonaws.com"), "s3.us-west-2.amazonaws.com:443"),
    ("any-bucket", connect("s3-accelerate.dualstack.amazonaws.com"), "s3-accelerate.dualstack.amazonaws.com:443"),
    ("cut-off", tmp("/tmp/" + "z" * 1125 + "..."), None),
    ("cut-off", program("/usr/" + "z" * 1125 + "..."), None),
    ("program-in-tmp", program("/tmp/miner"), "/tmp/miner"),
    ("program-in-tmp", program("/dev/shm/miner"), "/dev/shm/miner"),
    ("unshielded-program", program("/opt/static", allow="unshielded:/opt/static"), "/opt/static"),
    ("wildcard-in-name", tmp("/tmp/**"), "/tmp/**"),
    ("wildcard-in-name", tmp("/tmp/a?", allow="/tmp/a?"), "/tmp/a?"),
    ("wildcard-in-name", tmp("/tmp/a,b", allow="/tmp/a?b"), "/tmp/a,b"),
    ("wildcard-in-name", lookup("*.example.com"), "*.example.com"),
    ("no-entry", alert("outbound_connectivity", protocol="raw"), "raw"),
    ("no-entry", connect("\x1b[31mred.example", allow="evil.example:443"), "\x1b[31mred.example:443"),
    ("no-entry", tmp("/tmp/../etc/passwd", allow="/tmp/x"), "/tmp/../etc/passwd"),
    ("no-entry", tmp("/tmp/a\nb"), "/tmp/a\nb"),
    ("no-entry", tmp("/tmp/a\tb"), "/tmp/a\tb"),
    ("no-entry", tmp("/tmp/a "), "/tmp/a "),
    ("no-entry", tmp("/tmp/a\nSHIELD_READ_WRITE_TMP=allow"), "/tmp/a\nSHIELD_READ_WRITE_TMP=allow"),
    ("no-entry", program("/usr/bin/\u202ea"), "/usr/bin/\u202ea"),
    ("wildcard-in-name", connect("*.evil.example", path="/x"), "*.evil.example:443"),
    ("read-handler", alert("read_handler", path="/var/task/app.py"), "/var/task/app.py"),
    ("executable-memory", alert("executable_memory", path="/opt/libffi.so"), "/opt/libffi.so"),
    ("executable-memory", alert("executable_memory", path="--expose-gc", allow="node-flags"), "--expose-gc"),
    ("self-protection", alert("self_protection", path="/proc/self/mem"), "/proc/self/mem"),
]


@pytest.mark.parametrize(("rule", "seen", "target"), NEVER)
def test_what_is_never_learned(rule: str, seen: str, target: str | None) -> None:
    learned = learned_of(seen, find_exfiltration=exfiltration())
    assert (entries(learned), learned.offers) == ([], [])
    (found,) = learned.findings
    assert found.rule == rule
    assert target is None or found.target == target
    assert found.reason


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in NEVER} | {"address-with-name", "find-library"} == set(RULES)


def test_many_files_of_one_directory() -> None:
    few = learned_of(*(tmp(f"/tmp/parts/{name}") for name in ascii_lowercase[:20]))
    assert (len(few.entries), few.offers) == (20, [])
    parts = [tmp(f"/tmp/parts/{name}") for name in ascii_lowercase[:21]]
    many = learned_of(*parts, tmp("/tmp/one", allow="/tmp/**"))
    assert entries(many) == [("allow_tmp", "/tmp/one")]
    assert [(offer.value, offer.covers) for offer in many.offers] == [("/tmp/parts/**", 21), ("allow", 21)]
    right_in_tmp = learned_of(*(tmp(f"/tmp/{name}") for name in ascii_lowercase[:21]))
    assert (right_in_tmp.entries, [each.value for each in right_in_tmp.offers]) == ([], ["allow"]), "and never /tmp/*"
    full = learned_of(*(tmp(f"/tmp/charts/{name}") for name in ("alpha", "beta", "gamma")), tmp("/tmp/one"), room=2)
    assert entries(full) == [("allow_tmp", "/tmp/one")]
    assert [each.value for each in full.offers] == ["/tmp/charts/**", "allow"]
    again = learned_of(armed(at(20)), *parts, armed(at(21)), *parts)
    assert (len(again.entries), again.offers) == (21, []), "each start has them"


HOSTS = [f"host{n}.example.com" for n in range(21)]
BELOW = [f"host{n}.data.example.co.uk" for n in range(21)]
AWS = ("sqs", "dynamodb", "monitoring", "123456789012.ddb", "shop-orders.s3")
OTHERS = "999999999999.ddb.eu-west-1.amazonaws.com"
COMPUTE = "ec2-203-0-113-7.eu-west-1.compute.amazonaws.com"
# Each: lines, the entries, and what is offered. An entry is of allow_outbound, or of a field that is named.
SEEN: list[tuple[list[str], list[str], list[tuple[str, int]]]] = [
    (
        [
            *(connect("api.stripe.com", ip=ip) for ip in ("198.51.100.7", "198.51.100.8")), lookup("api.stripe.com"),
            *(connect(ip=ip, port=5432) for ip in ("10.0.113.9", "fd00:1::9")), program("/usr/bin/convert"),
            connect("ntp.example.com", port=123, protocol="udp"), tmp("/tmp/cache.json"),
        ],
        [
            "10.0.113.9:5432", "[fd00:1::9]:5432", "api.stripe.com:443", "ntp.example.com:123",
            "allow_tmp=/tmp/cache.json", "allow_child_process=/usr/bin/convert",
        ],
        [],
    ),
    (
        [connect(f"{each}.eu-west-1.amazonaws.com") for each in AWS],
        ["allow_aws=cloudwatch", "allow_aws=dynamodb", "allow_aws=sqs", "allow_buckets=shop-orders"],
        [],
    ),
    # Another region's, a machine's, and another account's are hosts like any other.
    ([connect("sqs.us-east-1.amazonaws.com")], ["sqs.us-east-1.amazonaws.com:443"], []),
    ([connect(COMPUTE)], [f"{COMPUTE}:443"], []),
    ([connect(OTHERS)], [f"{OTHERS}:443"], []),
    ([connect(name) for name in [*BELOW, "a.example"]], ["a.example:443"], [("*.data.example.co.uk:443", 21)]),
    # No wildcard covers the domain itself, and it makes none of what is above it.
    ([connect(name) for name in [*HOSTS, "example.com"]], ["example.com:443"], [("*.example.com:443", 21)]),
    # Look-ups of connected names offer no wider one.
    ([call(name) for call in (lookup, connect) for name in HOSTS], [], [("*.example.com:443", 21)]),
    ([connect("printer")], ["printer:443"], []),  # below no registered domain
    # The server's name is the host.
    ([connect("cdn.example.net", protocol="tls", sni="other.example.com")], ["other.example.com:443"], []),
    # Whoever writes to the log can write `allow`: entries come from what was attempted.
    ([connect("api.stripe.com", allow="*.com")], ["api.stripe.com:443"], []),
    ([connect("evil.example", region="eu-west-1\nSHIELD_ALLOW_OUTBOUND=a.example")], ["evil.example:443"], []),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "values", "offered"), SEEN)
def test_hosts_that_are_learned(seen: list[str], values: list[str], offered: list[tuple[str, int]]) -> None:
    learned = learned_of(*seen)
    assert ["=".join(each).removeprefix("allow_outbound=") for each in entries(learned)] == values
    assert [(each.value, each.covers) for each in learned.offers] == offered


@pytest.mark.parametrize("address", ["198.51.100.7", "::ffff:198.51.100.7"])
def test_an_address_that_also_had_a_name(address: str) -> None:
    learned = learned_of(connect("api.stripe.com", ip=address), connect(ip="198.51.100.7"), connect(ip="10.0.0.8"))
    assert entries(learned) == [("allow_outbound", "10.0.0.8:443"), ("allow_outbound", "api.stripe.com:443")]
    assert rules(learned) == [("address-with-name", "198.51.100.7:443", "198.51.100.7:443")]
    assert "api.stripe.com's" in learned.findings[0].reason


def test_what_may_be_missing_is_said() -> None:
    """Counted calls are unknown; a line of repeats tells of each of them, with the target."""
    repeats = folded("outbound_connectivity", 249, event="repeated", details={"ip": "203.0.113.7", "port": 443})
    lines = [folded("read_write_tmp", 1797), folded("read_write_tmp", 3, event="repeated"), repeats]
    lines += [refused("no such mode"), tmp("/tmp/x", mode="block"), line(event="tightened", pid=1)]
    log = log_of(connect("", ip="203.0.113.7"), *lines, alert("read_handler", count=9, path="/x"))
    assert sum(each.evidence.count for each in log.observations) == 250 + 1 + 9
    learned = learn(log)
    assert learned.unknown == {"read_write_tmp": 1800}
    unknown, block, start = learned.incomplete
    assert unknown == "1,800 violations of read_write_tmp were counted and not written: their targets are unknown"
    assert "observed in block mode" in block
    assert (start, len(learned.notes)) == ("1 starts were refused: no such mode", 1)


def test_the_replay() -> None:
    log = log_of(connect("api.stripe.com"), *[tmp("/tmp/x")] * 5, alert("read_handler", path="/var/task/app.py"))
    policy = ShieldPolicy(allow_outbound=["api.stripe.com:443"], read_handler="block")
    denied = Verdicts(policy, log.key).replay(log)
    assert [(each.policy, each.target, each.evidence.count, each.value) for each in denied] == [
        ("read_write_tmp", "/tmp/x", 5, "/tmp/x"),
        ("read_handler", "/var/task/app.py", 1, ""),
    ]
    allowed = Verdicts(replace(policy, read_handler="allow"), log.key).replay(log)
    assert [each.policy for each in allowed] == ["read_write_tmp"]


def test_functions_of_one_name_in_two_regions_stay_apart() -> None:
    found = read([connect("a.example"), connect("b.example", region="us-east-1")]).functions
    assert sorted((key.function, key.region) for key in found) == [("checkout", "eu-west-1"), ("checkout", "us-east-1")]


def test_a_forged_line_hides_nothing() -> None:
    true = connect("evil.example")
    forged: dict[str, list[Any]] = {
        "count": [-1000, 0, "x", 10_000_000], "timestamp": ["!", "zzzz"], "@timestamp": ["x", 5], "day": [[]],
        "lines": [-5], "violations": ["x"], "first_seen": ["x"],
    }  # fmt: skip
    for name, value in ((name, value) for name, values in forged.items() for value in values):
        false = json.dumps({**json.loads(true), name: value})
        for log in ([true, false], [false, true]):
            learned = learned_of(*log)
            assert entries(learned) == [("allow_outbound", "evil.example:443")]
            assert learned.entries[0].evidence.count in (1, 2)
            assert learned.entries[0].evidence.first == at()


def test_more_targets_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each policy's most frequent targets make entries, and every target is replayed."""
    monkeypatch.setattr("shielded_function_monitoring.learning.rows._OFTEN", 1)
    monkeypatch.setattr(learning.Observed.fit, "__defaults__", (9,))
    names = [f"/tmp/{first}{second}" for first in "abcdefgh" for second in "lmnop"]
    lines = [*map(tmp, [*names, names[-1]]), connect("evil.example")]
    found = read(lines)
    (log,) = found.functions.values()
    ((control, (number, _)),) = log.rest.items()
    assert (control, len(log.observations) + number) == (("read_write_tmp", "alert"), len(names) + 1)
    learned = learn(log)
    assert {("allow_outbound", "evil.example:443"), ("allow_tmp", names[-1])} <= set(entries(learned))
    assert f"{number} targets of read_write_tmp, seen least, are in no entry" in " ".join(learned.incomplete)
    denied = {each.target for each in Verdicts(ShieldPolicy(), log.key).replay(log)}
    assert denied == {"evil.example:443", *names}


CHAIN = "app > requests > urllib3"


def test_which_packages_need_an_entry() -> None:
    learned = learned_of(
        *(connect("api.stripe.com", caller=caller, through=URLLIB3) for caller in ("_socket.so", "_ssl.so")),
        connect("api.stripe.com", through=("urllib3", "botocore"), caller="_socket.so"),
        connect("api.stripe.com", caller="libcurl.so"),
        connect(ip="169.254.169.254", port=80, through=URLLIB3, caller="_socket.so"),
    )
    (entry,), (finding,) = learned.entries, learned.findings
    others = (PackageCount(1), PackageCount(1, ("urllib3", "botocore")))
    assert entry.evidence.packages == (PackageCount(2, URLLIB3), *others)
    assert (entry.evidence.who, finding.evidence.who) == (f"{CHAIN}, botocore > urllib3", CHAIN)
    assert learned_of(connect(ip="169.254.169.254", caller="_socket.so")).findings[0].evidence.who == "_socket.so"
    text = write_toml({"allow_outbound": ["api.stripe.com:443"]}, learned)
    assert f", by _socket.so, _ssl.so, libcurl.so, for {CHAIN}, botocore > urllib3\n" in text
    seen = f"1 time on 1 day, 2026-11-20, by _socket.so, for {CHAIN}"
    assert f"# Not learned (metadata-address): 169.254.169.254:80, {seen}.\n" in text


FIELDS: dict[str, Any] = {
    "allow_outbound": ["api.stripe.com:443", "a.example"],
    "allow_aws": "none",
    "allow_tmp": ['/tmp/a "b"\\c\u202e', "/tmp/é"],
}
HOSTILE = "x\n[evil]\nallow_outbound = ['*']\u2028*/ '''"


def hostile() -> Learned:
    seen = connect("api.stripe.com", caller=HOSTILE, through=(HOSTILE, "\x1b[2J"))
    log = log_of(seen, tmp(f"/tmp/{HOSTILE}\x1b[2J*"), armed())
    return learn(log)


@pytest.mark.parametrize("fields", [FIELDS, {}])
def test_toml_and_python_say_the_same(tmp_path: Path, fields: dict[str, Any]) -> None:
    for form in FORMATS.values():
        assert form.read(form.write(fields, hostile())) == ShieldPolicy(**fields)
    (tmp_path / "p.toml").write_text(write_toml(fields, hostile()))
    assert ShieldPolicy.from_file(tmp_path / "p.toml") == ShieldPolicy(**fields)
    module = ast.parse(write_python(fields, hostile()))
    assert len(module.body) == 2
    names: dict[str, object] = {}
    exec(compile(module, "policy", "exec"), names)
    assert names["policy"] == ShieldPolicy(**fields)
    assert in_block_mode(ShieldPolicy.report_only(until="2027-01-31")).until is None


def test_comments_cannot_be_left() -> None:
    text = write_toml(FIELDS, hostile())
    comments = [each for each in text.splitlines() if each.startswith("#")]
    assert any("\\x0a[evil]" in each for each in comments)
    assert all(each.isprintable() for each in text.splitlines())


def test_the_page_shows_what_is_written(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "guide" / "roll-out.md").read_text(encoding="utf-8")
    (shown,) = re.findall("```toml\n(.*?)```", text, re.DOTALL)
    log = log_of(
        *(armed(at(10)) for _ in range(53)),
        *(connect("api.stripe.com", time=at(day), caller="_socket.so", through=URLLIB3) for day in range(11, 24)),
        *(connect("api.stripe.com", time=at(24), caller="_socket.so", through=URLLIB3) for _ in range(1488)),
    )
    written = write_toml({"allow_outbound": ["api.stripe.com:443"]}, learn(log))
    assert written == shown
    (tmp_path / "p.toml").write_text(shown)
    assert ShieldPolicy.from_file(tmp_path / "p.toml") == ShieldPolicy(allow_outbound=["api.stripe.com:443"])
