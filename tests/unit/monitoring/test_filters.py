"""Which lines the filters count: every violation of a policy, and nothing that is excepted or no violation."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from shielded_function_monitoring import filters, parse_line
from shielded_function_monitoring.alert import MODES, POLICIES
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, SEVERITIES, violations, violations_by_policy
from shielded_function_monitoring.pattern import Pattern, PatternError
from shielded_function_monitoring.pattern import parse as parse_pattern

pytestmark = pytest.mark.promise("alarm.filters")

COMMON: Any = {"function_shield": True, "v": 1, "timestamp": "2026-11-24T13:37:00.123456Z", "level": "WARN"}


def line(**fields: Any) -> str:
    path = "" if fields.get("event") == "folded" else fields.get("details", {}).get("path", "")
    policy: Any = fields.get("policy")
    reason = fields.get("reason", "")
    told = {"severity": filters.severity_of(policy, fields.get("mode"), path, reason)} if policy else {}
    text = json.dumps({**COMMON, **told, **fields})
    assert parse_line(text) is not None  # what no shield writes proves nothing
    return text


def alert(policy: str, mode: str = "block", **details: Any) -> str:
    return line(policy=policy, mode=mode, count=1, details=details, pid=17)


def event(name: str, **fields: Any) -> str:
    return line(event=name, **fields)


EACH = tuple(product(POLICIES, MODES))
VIOLATIONS = {
    **{f"{policy} {mode}": alert(policy, mode) for policy, mode in EACH},
    **{f"folded {policy} {mode}": event("folded", policy=policy, mode=mode, count=18, pid=17) for policy, mode in EACH},
    **{
        f"repeated {policy} {mode}": event("repeated", policy=policy, mode=mode, count=2, pid=1)
        for policy, mode in EACH
    },
    "refused": event("refused", policy="start", count=1, reason="SHIELD_ALLOW_TMP: ..."),
    "unshielded": event("unshielded", policy="start", count=1, reason="no site could be patched"),
}
NO_VIOLATIONS = {
    "armed": event("armed", shield_version="0.1.0", engine="process", modes={"read_handler": "block"}, pid=17),
    "tightened": event("tightened", shield_version="0.1.0", engine="process", modes={}, pid=17),
}
NOT_OURS = ("START RequestId: 1", '{"policy":"read_write_tmp","count":1}', '{"function_shield":"true","policy":"x"}')


def counted(pattern: Pattern) -> set[str]:
    """The names of the lines that it counts; it is tried as CloudWatch would read it."""
    pattern = parse_pattern(pattern.render())
    assert not any(pattern.matches(text) for text in NOT_OURS)
    return {name for name, text in {**VIOLATIONS, **NO_VIOLATIONS}.items() if pattern.matches(text)}


def repeated(*policies: str) -> set[str]:
    """What does not count where something is excepted: another line of the same second does, or is excepted."""
    return {f"repeated {policy} {mode}" for policy in policies for mode in MODES}


def test_every_violation_is_counted_and_nothing_else() -> None:
    assert counted(violations()) == counted(violations_by_policy()) == set(VIOLATIONS)
    assert not violations_by_policy().matches(alert("read_handler").replace("read_handler", "made_up"))
    assert counted(violations("start")) == {"refused", "unshielded"}


@pytest.mark.parametrize("policy", POLICIES)
def test_one_policy(policy: Any) -> None:
    of_policy = {f"{prefix}{policy} {mode}" for prefix in ("", "folded ", "repeated ") for mode in MODES}
    assert counted(violations(policy)) == of_policy
    assert counted(violations(without=[policy])) == set(VIOLATIONS) - of_policy
    assert counted(violations(policy, mode="alert")) == {name for name in of_policy if name.endswith("alert")}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", PLATFORM_PROGRAMS)
def test_programs_that_tell_what_the_machine_is(path: str, mode: Any) -> None:
    """A notice, which nothing counts unasked; but a line that stands for others may be about any program.

    Not so where they are repeated: the engine counts these programs apart.
    """
    told = alert("create_child_process", mode, path=path)
    folded = {"policy": "create_child_process", "mode": mode, "details": {"path": path}, "pid": 17}
    others = event("folded", **folded, count=2)
    again = event("repeated", **folded, count=3)
    elsewhere = alert("create_child_process", mode, path=path.replace("/usr/", "/tmp/"))
    quiet = violations(without=["read_handler"], except_programs=PLATFORM_PROGRAMS)
    for pattern in (quiet, violations_by_policy()):
        assert [pattern.matches(text) for text in (told, again, others, elsewhere)] == [False, False, True, True]
    assert violations("create_child_process").matches(told)
    for text, severity in ((told, "notice"), (again, "notice"), (elsewhere, None)):
        expected = severity or filters.severity_of("create_child_process", mode)
        assert [each for each in SEVERITIES if violations(severity=each).matches(text)] == [expected]
    assert filters.severity_of("create_child_process", mode, path) == "notice"


def test_a_call_through_another_package_is_a_notice() -> None:
    of_package: dict[str, Any] = {"policy": "outbound_connectivity", "mode": "alert", "reason": "package", "pid": 17}
    told = line(**of_package, count=1, details={"host": "api.example"}, level="INFO")
    again = event("repeated", **of_package, count=3, level="INFO")
    quiet = [violations(except_packages=True, by_level=each) for each in (True, False)]
    for text in (told, again):
        assert [pattern.matches(text) for pattern in (*quiet, violations_by_policy())] == [False] * 3
        assert violations("outbound_connectivity").matches(text)
        assert [each for each in SEVERITIES if violations(severity=each).matches(text)] == ["notice"]
    assert all(counted(pattern) == set(VIOLATIONS) for pattern in quiet)
    assert filters.severity_of("outbound_connectivity", "alert", reason="package") == "notice"


@pytest.mark.parametrize("without", [[], ["read_handler"], ["outbound_connectivity", "start"], ["self_protection"]])
def test_each_violation_is_of_one_severity(without: Any) -> None:
    found = [counted(violations(severity=severity, without=without)) for severity in SEVERITIES]
    assert sorted(name for names in found for name in names) == sorted(counted(violations(without=without)))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_lines_word_is_its_severity(severity: Any) -> None:
    """What went through is critical where the policy blocks another control, which the line knows."""
    through = alert("outbound_connectivity", "alert").replace('"warning"', f'"{severity}"')
    assert [each for each in SEVERITIES if violations(severity=each).matches(through)] == [severity]
    critical = [policy for policy in POLICIES if filters.severity_of(policy, "alert", blocks=True) == "critical"]
    assert critical == ["outbound_connectivity", "create_child_process", "self_protection"]


def test_the_severity_of_a_policy_is_that_of_its_lines() -> None:
    for policy, mode in product(filters.COUNTED, MODES):
        name = f"{policy} {mode}" if policy != "start" else "refused"
        assert name in counted(violations(severity=filters.severity_of(policy, mode)))
    critical = counted(violations(severity="critical"))
    assert {"refused", "unshielded", "self_protection block", "self_protection alert"} < critical
    assert {"outbound_connectivity block", "folded create_child_process block"} < critical
    assert {"outbound_connectivity alert", "read_write_tmp block"}.isdisjoint(critical)
    assert {"read_write_tmp alert", "executable_memory block"} < counted(violations(severity="warning"))
    assert "read_write_tmp block" in counted(violations(severity="notice"))


@pytest.mark.parametrize(
    ("severity", "every"),
    [
        ("critical", ["start", "self_protection", "outbound_connectivity", "create_child_process"]),
        ("warning", [policy for policy in POLICIES if policy != "self_protection"]),
        ("notice", [policy for policy in POLICIES if policy != "self_protection"]),
    ],
)
def test_no_alarm_is_left_for_a_severity(severity: Any, every: Any) -> None:
    """A pattern that holds for no line would be an alarm that never fires."""
    with pytest.raises(PatternError, match=f"severity: every control that can be {severity} has its own alarm"):
        violations(severity=severity, without=every)


# ---- exceptions: each line, and whether it counts where telemetry.example, its subdomains and one address do not

HOSTS = ["telemetry.example", "*.Telemetry.example.", "192.0.2.7", "2001:DB8::7"]
OUTBOUND = "outbound_connectivity"
CONNECTIONS = [
    (alert(OUTBOUND, host="telemetry.example", ip="192.0.2.1", port=443), False),
    (alert(OUTBOUND, host="eu.telemetry.example"), False),
    (alert(OUTBOUND, host="telemetry.example", sni="telemetry.example"), False),
    (alert(OUTBOUND, ip="192.0.2.7", port=443), False),
    (alert(OUTBOUND, ip="2001:db8::7", port=443), False),
    (alert(OUTBOUND, host="evil.example"), True),
    (alert(OUTBOUND, host="evil-telemetry.example"), True),
    (alert(OUTBOUND, host="telemetry.example.evil.example"), True),
    (alert(OUTBOUND, host="evil.example", ip="192.0.2.7"), True),
    (alert(OUTBOUND, ip="203.0.113.7", port=443), True),
    (alert(OUTBOUND, host="telemetry.example", sni="evil.example"), True),
    (alert(OUTBOUND), True),
    # What was left out before it is not known.
    (event("folded", policy=OUTBOUND, mode="block", count=1, pid=17), True),
    (event("repeated", policy=OUTBOUND, mode="block", count=2, pid=17), False),
]


@pytest.mark.parametrize(("text", "counts"), CONNECTIONS)
def test_excepted_hosts(text: str, counts: bool) -> None:
    own = violations(OUTBOUND, except_hosts=HOSTS)
    assert parse_pattern(own.render()).matches(text) == counts
    assert parse_pattern(violations(except_hosts=HOSTS).render()).matches(text) == counts


def test_one_excepted_host_or_address() -> None:
    """The mission's own: a connection goes to a host other than X."""
    named = violations(OUTBOUND, except_hosts=["telemetry.example"])
    assert [named.matches(text) for text, _ in CONNECTIONS[:4]] == [False, True, False, True]
    address = violations(OUTBOUND, except_hosts=["192.0.2.7"])
    assert [address.matches(text) for text, _ in CONNECTIONS[:4]] == [True, True, True, False]
    assert address.matches(CONNECTIONS[8][0])
    for other in (address, violations(OUTBOUND, except_hosts=HOSTS)):
        assert other.matches(alert(OUTBOUND, ip="192.0.2.7", sni="evil.example"))


@pytest.mark.parametrize(
    ("policy", "exceptions", "path", "counts"),
    [
        ("read_write_tmp", {"except_paths": ["/tmp/cache/**"]}, "/tmp/cache/a/b", False),
        ("read_write_tmp", {"except_paths": ["/tmp/cache/**"]}, "/tmp/cached", True),
        ("read_write_tmp", {"except_paths": ["/tmp/x", "/tmp/y"]}, "/tmp/y", False),
        ("read_write_tmp", {"except_paths": ["/tmp/x", "/tmp/y"]}, "/tmp/z", True),
        ("create_child_process", {"except_programs": ["/usr/bin/*"]}, "/usr/bin/true", False),
        ("create_child_process", {"except_programs": ["/usr/bin/*"]}, "/bin/true", True),
    ],
)
def test_excepted_files_and_programs(policy: Any, exceptions: Any, path: str, counts: bool) -> None:
    for pattern in (violations(policy, **exceptions), violations(**exceptions)):
        tried = parse_pattern(pattern.render())
        assert tried.matches(alert(policy, path=path)) == counts
        assert tried.matches(event("folded", policy=policy, mode="block", details={"path": path}, count=7, pid=17))
        assert tried.matches(alert(policy))


def test_an_exception_is_not_asked_of_other_policies() -> None:
    pattern = parse_pattern(violations(except_hosts=["a.example"], except_programs=["/usr/bin/*"]).render())
    assert counted(pattern) == set(VIOLATIONS) - repeated(OUTBOUND, "create_child_process")
    assert pattern.matches(alert("read_write_tmp", path="/usr/bin/true"))
    assert not pattern.matches(alert("create_child_process", path="/usr/bin/true"))


EXCEPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"hosts": "a.example"}, r"except_hosts: 'a.example' is not a list; write \['a.example'\]"),
    ({"hosts": ["a.example:443"]}, "except_hosts: 'a.example:443' is no host: write a name"),
    ({"hosts": ["https://a.example"]}, "except_hosts: 'https://a.example' is no host"),
    ({"hosts": ["10.0.0.0/8"]}, "except_hosts: '10.0.0.0/8' is no host"),
    ({"hosts": [""]}, "except_hosts: '' is no host"),
    ({"hosts": ["*"]}, r"except_hosts: '\*' excepts every host: leave the alarm out instead"),
    ({"hosts": [7]}, "except_hosts: 7 is not a text"),
    ({"paths": ["tmp"]}, "except_paths: 'tmp' is no absolute path"),
    ({"paths": ["/**"]}, r"except_paths: '/\*\*' is no absolute path of less than everything"),
    ({"paths": ["/tmp/?"]}, r"except_paths: '/tmp/\?': a filter pattern has no \?"),
    ({"programs": ["ls"]}, "except_programs: 'ls' is no absolute path"),
]
FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"policy": "outbound"}, "policy: 'outbound' is not one of outbound_connectivity"),
    ({"without": ["outbound"]}, "policy: 'outbound' is not one of"),
    ({"mode": "allow"}, "mode: 'allow' is not one of block, alert"),
    ({"policy": "start", "except_hosts": ["a.example"]}, "except_hosts: it means nothing for start, only for outb"),
    ({"policy": "read_write_tmp", "except_programs": ["/bin/sh"]}, "except_programs: it means nothing for read"),
]


@pytest.mark.parametrize(
    ("make", "wrong", "says"),
    [(make, *row) for make, rows in ((filters.Exceptions, EXCEPTIONS), (violations, FILTERS)) for row in rows],
)
def test_malformed(make: Any, wrong: Any, says: str) -> None:
    with pytest.raises(PatternError, match=says):
        make(**wrong)
