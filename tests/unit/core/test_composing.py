"""Policies made of others, read from files, split, and compared."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function.policy import Loosening, ShieldPolicy, ShieldPolicyError, Until, check_policy
from shielded_function.policy.aws_names import _MEANT, is_service, service_meant
from shielded_function_runtime import core
from unit.core.test_shield_policy import POLICIES

pytestmark = pytest.mark.promise("policy.compose")

TOKEN = "${Token[TOKEN.12]}"


def make(**values: Any) -> ShieldPolicy:
    """Without the types, for values that are wrong on purpose."""
    return ShieldPolicy(**values)


FULL: dict[str, Any] = {
    "outbound_connectivity": "alert",
    "allow_outbound": ["a.example:443", "*.b.example"],
    "allow_aws": ["s3", "dynamodb"],
    "allow_buckets": ["uploads"],
    "check_tls_name": False,
    "read_write_tmp": "allow",
    "allow_tmp": ["/tmp/a/**"],
    "clear_tmp": True,
    "create_child_process": "block",
    "allow_child_process": ["/bin/ls"],
    "read_handler": "alert",
    "executable_memory": "block",
    "allow_executable_memory": ["libllvmlite"],
    "on_failure": "run_unshielded",
    "log_arguments": True,
}


# All modes at once


def test_alerting_and_blocking_keep_the_rest() -> None:
    policy = make(**FULL)
    modes = ["outbound_connectivity", "create_child_process", "read_handler", "executable_memory"]
    for changed, mode in ((policy.with_mode("alert"), "alert"), (policy.with_mode("block"), "block")):
        assert {field: getattr(changed, field) for field in modes} == dict.fromkeys(modes, mode)
        assert dataclasses.replace(changed, **{f: FULL[f] for f in modes}) == policy
    assert ShieldPolicy().with_mode("alert") == ShieldPolicy.report_only()
    assert ShieldPolicy.report_only().with_mode("block") == ShieldPolicy()


# Days: they are in no variable, and stay through everything else

DATED = make(
    outbound_connectivity="alert",
    allow_outbound=[
        "b.example",
        Until("A.example:443", "2027-01-31", reason="a move"),
        Until(TOKEN, "2027-02-01", reason="t"),
    ],
    allow_aws=["s3", Until("sqs", date(2027, 3, 1), reason="a queue")],
    until="2027-01-31",
)
DAYS = (
    ("allow_outbound", "a.example:443", "2027-01-31", "a move"),
    ("allow_outbound", TOKEN, "2027-02-01", "t"),
    ("allow_aws", "sqs", "2027-03-01", "a queue"),
)


def test_days_are_kept_and_are_in_no_variable() -> None:
    plain = dataclasses.replace(
        DATED, allow_outbound=["b.example", "a.example:443", TOKEN], allow_aws=["s3", "sqs"], until=None
    )
    assert (plain, plain.dates, plain.to_env()) == (DATED, (), DATED.to_env())
    for same in (
        ShieldPolicy.from_dict(json.loads(json.dumps(DATED.to_dict()))),
        pickle.loads(pickle.dumps(DATED)),
        dataclasses.replace(DATED, log_arguments=True),
        DATED + ShieldPolicy(allow_tmp=["/tmp/x"]),
        DATED.with_mode("alert"),
        dataclasses.replace(DATED, until=date(2027, 1, 31)),
    ):
        assert (same.dates, same.until) == (DAYS, "2027-01-31")
    assert (DATED.with_mode("block").dates, DATED.with_mode("block").until) == (DAYS, None)
    assert DATED.with_mode("alert", until="2027-04-01").until == ShieldPolicy.report_only(until="2027-04-01").until
    told = [str(each) for each in DATED.explain()]
    assert any(each.startswith("allow_aws ") and each.endswith("(to go by 2027-03-01: a queue)") for each in told)
    assert any(each.startswith("until ") and "2027-01-31" in each for each in told)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "p.toml",
            'read_handler="alert"\nuntil=2027-01-31\nallow_tmp=[{entry="/tmp/a", until=2027-02-01, reason="r"}]',
        ),
        (
            "p.yaml",
            "read_handler: alert\nuntil: 2027-01-31\nallow_tmp: [{entry: /tmp/a, until: 2027-02-01, reason: r}]",
        ),
    ],
)
def test_files_have_days(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    policy = ShieldPolicy.from_file(tmp_path / name)
    assert (policy.until, policy.dates) == ("2027-01-31", (("allow_tmp", "/tmp/a", "2027-02-01", "r"),))


def test_the_page_of_days(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/guide/deadlines.md").read_text()
    (tmp_path / "p.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    (dated,) = ShieldPolicy.from_file(tmp_path / "p.toml").dates
    assert dated == ("allow_outbound", "old.example:443", "2027-03-31", "the move to Stripe")


@pytest.mark.parametrize(
    ("entries", "day"),
    [
        (["a.example", Until("a.example", "2027-01-31", reason="r")], ()),
        ([Until("a.example", "2027-01-31", reason="r"), Until("A.example", "2027-02-01", reason="s")], ("2027-02-01",)),
    ],
)
def test_of_two_days_the_longer_holds(entries: list[str], day: tuple[str, ...]) -> None:
    assert tuple(each.until for each in ShieldPolicy(allow_outbound=entries).dates) == day


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"until": "2027-01-30"}, []),
        ({"until": "2027-02-01"}, ["until: 2027-02-01, was 2027-01-31"]),
        ({"until": None}, ["until: no day, was 2027-01-31"]),
        ({"until": None, "outbound_connectivity": "block"}, []),
        ({"allow_aws": ["s3", "sqs"]}, ["allow_aws: sqs stays for good, was until 2027-03-01"]),
        ({"allow_aws": ["s3", Until("sqs", "2027-02-01", reason="r")]}, []),
        (
            {"allow_outbound": [Until("a.example:443", "2027-06-01", reason="r")]},
            ["allow_outbound: a.example:443 stays until 2027-06-01, was until 2027-01-31"],
        ),
        ({"allow_outbound": [TOKEN]}, [f"allow_outbound: {TOKEN} stays for good, was until 2027-02-01"]),
    ],
)
def test_a_later_day_is_looser(changed: dict[str, Any], told: list[str]) -> None:
    assert [str(each) for each in dataclasses.replace(DATED, **changed).diff(DATED)] == told


@pytest.mark.parametrize(
    ("make_it", "reason"),
    [
        (lambda: ShieldPolicy(until="2027-01-31"), "ShieldPolicy.until: 2027-01-31: no mode is alert"),
        (lambda: ShieldPolicy().with_mode("block", until="2027-01-31"), "no mode is alert"),
        (lambda: ShieldPolicy.report_only(until="31.1.2027"), "'31.1.2027' is no day; write it as 2027-01-31"),
        (lambda: Until("a.example", "2027-02-29", reason="r"), "Until('a.example'): '2027-02-29' is no day"),
        (lambda: Until("a.example", "2027-02-28", reason=" "), "reason=' ' is no text; say why it is there"),
        (lambda: make(allow_tmp=[{"entry": "/tmp/a", "until": "2027-02-28"}]), "write entry, until, reason"),
        (lambda: make(presets=[Until("numba", "2027-02-28", reason="r")]), "a preset takes no date"),
        (lambda: make(allow_aws=[Until("granted", "2027-02-28", reason="r")]), "'granted' takes no date"),
        (lambda: ShieldPolicy() + ShieldPolicy.report_only(until="2027-02-28"), "cannot be added"),
    ],
)
def test_bad_days(make_it: Any, reason: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        make_it()
    assert reason in str(caught.value)


# Additions


def test_what_is_added_is_lists_alone() -> None:
    base = make(outbound_connectivity="alert", allow_outbound=["a.example"], allow_aws=["s3"], log_arguments=True)
    more = ShieldPolicy(
        allow_outbound=["b.example", "A.example", TOKEN], allow_tmp=["/tmp/x"], allow_aws=["sqs", "granted"]
    )
    assert base + more == dataclasses.replace(
        base,
        allow_outbound=["a.example", "b.example", TOKEN],
        allow_tmp=["/tmp/x"],
        allow_aws=["s3", "sqs", "granted"],
    )


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ("all", ["s3"], "all"),
        ("all", "granted", "all"),
        ("none", ["s3"], ("s3",)),
        ("none", "all", "none"),  # it is what a policy that says nothing of AWS has
        (["s3"], "all", ("s3",)),
        (["s3"], "none", ("s3",)),
        (["s3"], ["sqs", "s3"], ("s3", "sqs")),
        ("granted", ["sqs"], ("sqs", "granted")),
        ("granted", "granted", "granted"),
        ("none", "none", "none"),
    ],
)
def test_added_services(left: Any, right: Any, both: object) -> None:
    assert (make(allow_aws=left) + make(allow_aws=right)).allow_aws == both


@pytest.mark.parametrize("field", sorted(field for field in FULL if not field.startswith("allow_")))
def test_modes_cannot_be_added(field: str) -> None:
    value = "alert" if field == "create_child_process" else FULL[field]
    with pytest.raises(ShieldPolicyError, match="cannot be added: only the lists of the right policy are") as caught:
        _ = ShieldPolicy() + make(**{field: value})
    assert caught.value.field == field


def test_only_a_policy_is_added() -> None:
    with pytest.raises(TypeError):
        _ = ShieldPolicy() + {"allow_outbound": ["a.example"]}  # pyright: ignore[reportOperatorIssue]


# Mappings and files


@given(values=POLICIES)
def test_a_mapping_and_json(values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**values)
    assert ShieldPolicy.from_dict(policy.to_dict()) == policy
    assert ShieldPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert list(policy.to_dict()) == [field.name for field in dataclasses.fields(policy)]


YAML = """
# for the shop
allow_outbound:
  - api.example:443
  - "*.shop.example"
allow_aws: [dynamodb]
read_handler: alert
check_tls_name: off
"""
TOML = """
# for the shop
allow_outbound = ["api.example:443", "*.shop.example"]
allow_aws = ["dynamodb"]
read_handler = "alert"
check_tls_name = false
"""
LINES = """
# for the shop
SHIELD_ALLOW_OUTBOUND=api.example:443,*.shop.example
SHIELD_ALLOW_AWS=dynamodb
SHIELD_READ_HANDLER=alert
SHIELD_CHECK_TLS_NAME=off
"""
SHOP = ShieldPolicy(
    allow_outbound=["api.example:443", "*.shop.example"],
    allow_aws=["dynamodb"],
    read_handler="alert",
    check_tls_name=False,
)
FILES = {
    "policy.yaml": YAML,
    "policy.yml": YAML,
    "policy.toml": TOML,
    "policy.JSON": json.dumps(SHOP.to_dict()),
    "shield.policy": LINES,
    "policy": LINES,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(FILES[name])
    assert ShieldPolicy.from_file(file) == ShieldPolicy.from_file(str(file)) == SHOP


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("p.yaml", "allow_outbond: [a.example]", "'allow_outbond' is not a field; did you mean allow_outbound? ("),
        (
            "p.toml",
            "SHIELD_READ_HANDLER = 'alert'",
            "'SHIELD_READ_HANDLER' is not a field; did you mean read_handler? (",
        ),
        ("p.json", '{"allow-tmp": []}', "'allow-tmp' is not a field; did you mean allow_tmp? ("),
        ("p.json", '{"zzz": 1}', "'zzz' is not a field; use outbound_connectivity, allow_outbound, "),
        ("p.json", '{"read_handler": "alert", "read_handler": "block"}', "'read_handler' is given twice"),
        ("p.yaml", "read_handler: alert\nread_handler: block", "'read_handler' is given twice"),
        ("p.toml", "read_handler = 'alert'\nread_handler = 'block'", "p.toml cannot be read: "),
        ("p.json", "[1]", "[1] is not a mapping of a policy's fields ("),
        ("p.yaml", "", "None is not a mapping of a policy's fields ("),
        ("p.yaml", "a: [", "p.yaml cannot be read: "),
        ("p.yaml", "!!python/object/apply:os.system [true]", "p.yaml cannot be read: "),
        ("p.json", "{", "p.json cannot be read: "),
        ("p.json", f'{{"allow_outbound": ["{TOKEN}"]}}', "p.json holds a CDK token, which means nothing in a file"),
        ("p.yaml", "read_handler: deny", '"deny" is not a mode; use block, alert or allow'),
        ("p.yaml", "allow_outbound: a.example", "'a.example' is one text; write a list: ['a.example']"),
        ("p.env", "SHIELD_READ_HANDLER=deny", "(line 1, environment variable SHIELD_READ_HANDLER)"),
    ],
)
def test_a_bad_file(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_file(tmp_path / name)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ShieldPolicyError, match=r"p\.toml is not UTF-8 text"):
        ShieldPolicy.from_file(tmp_path / "p.toml")
    with pytest.raises(FileNotFoundError):
        ShieldPolicy.from_file(tmp_path / "missing.toml")


def test_yaml_without_pyyaml(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(YAML)
    code = """
import sys
sys.modules["yaml"] = None
from shielded_function.policy import ShieldPolicy
ShieldPolicy.from_file(sys.argv[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.yaml")], capture_output=True, text=True, check=False
    )
    assert "ShieldPolicy: YAML needs PyYAML: pip install 'shielded-function[yaml]', or write" in done.stderr


# In two parts


def to_text(environment: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in environment.items())


@given(values=POLICIES)
def test_an_environment_and_a_file(values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**{"allow_aws": "all", **values})
    environment, lines = policy.to_env_and_lines()
    assert ShieldPolicy.from_env(environment, file=lines) == policy
    assert ShieldPolicy.from_env({**environment, "SHIELD_POLICY_FILE": "/opt/p", "PATH": "/bin"}, file=lines) == policy
    assert core.parse(to_text(environment), lines).lines() == core.parse(policy.to_lines()).lines()
    assert sum(map(len, environment.values())) < 120


def test_tokens_stay_in_the_environment() -> None:
    policy = ShieldPolicy(
        read_handler="alert", allow_outbound=["a.example", TOKEN], allow_tmp=[f"/tmp/{TOKEN}"], allow_aws=["s3"]
    )
    environment, lines = policy.to_env_and_lines()
    assert environment == {
        "SHIELD_OUTBOUND_CONNECTIVITY": "block",
        "SHIELD_ALLOW_OUTBOUND": TOKEN,
        "SHIELD_READ_WRITE_TMP": "block",
        "SHIELD_ALLOW_TMP": f"/tmp/{TOKEN}",
        "SHIELD_CREATE_CHILD_PROCESS": "block",
        "SHIELD_READ_HANDLER": "alert",
    }
    assert lines == "SHIELD_ALLOW_OUTBOUND=a.example\nSHIELD_ALLOW_AWS=s3\n"
    with pytest.raises(ShieldPolicyError, match="is resolved for each function by the shield"):
        ShieldPolicy(allow_aws="granted").to_env_and_lines()


def test_from_env_names_the_line_of_the_file_only() -> None:
    environment = {"SHIELD_READ_HANDLER": "alert", "SHIELD_POLICY_FILE": "/opt/p"}
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy\.read_handler: given twice; .*\(line 2, "):
        ShieldPolicy.from_env(environment, file="\nSHIELD_READ_HANDLER=block\n")
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_env({"SHIELD_READ_HANDLER": "deny"}, file="SHIELD_ALLOW_TMP=/tmp/a")
    assert "line" not in str(caught.value)
    with pytest.raises(ShieldPolicyError, match="there is no policy"):
        ShieldPolicy.from_env({"SHIELD_POLICY_FILE": "/opt/p"}, file="")


# Comparing


@pytest.mark.parametrize(
    ("field", "stricter", "looser"),
    [
        *((field, "block", "alert") for field in ("outbound_connectivity", "read_write_tmp", "read_handler")),
        ("create_child_process", "alert", "allow"),
        ("check_tls_name", True, False),
        ("on_failure", "refuse", "run_unshielded"),
        ("on_failure", None, "run_unshielded"),
        ("executable_memory", "block", None),
        ("executable_memory", "alert", "allow"),
        ("executable_memory", None, "alert"),
    ],
)
def test_settings_are_compared(field: str, stricter: Any, looser: Any) -> None:
    strict, loose = make(**{field: stricter}), make(**{field: looser})
    assert [each.field for each in loose.diff(strict)] == [field]
    assert not loose.is_at_least_as_strict_as(strict)
    if field != "executable_memory":
        assert strict.is_at_least_as_strict_as(loose)
    assert strict.is_at_least_as_strict_as(strict)
    assert loose.is_at_least_as_strict_as(loose)


def test_a_loosening_says_what_it_is() -> None:
    old = ShieldPolicy(read_handler="block")
    new = ShieldPolicy(read_handler="alert", executable_memory="allow", allow_outbound=["a.example"])
    assert list(map(str, new.diff(old))) == [
        "allow_outbound: a.example was not admitted",
        "read_handler: alert, was block",
        "executable_memory: allow, was left to the runtime",
    ]
    assert new.diff(old)[0] == Loosening("allow_outbound", "a.example", "", "a.example")
    assert new.diff(old)[1] == Loosening("read_handler", "", "block", "alert")


def test_clear_tmp_and_what_it_keeps() -> None:
    kept, cleared = ShieldPolicy(read_write_tmp="allow"), ShieldPolicy(read_write_tmp="allow", clear_tmp=True)
    assert [str(each) for each in kept.diff(cleared)] == ["clear_tmp: off, was on"]
    assert cleared.is_at_least_as_strict_as(kept)
    keeps_more = ShieldPolicy(read_write_tmp="allow", clear_tmp=True, allow_tmp=["/tmp/cache/**"])
    assert [each.entry for each in keeps_more.diff(cleared)] == ["/tmp/cache/**"]
    assert keeps_more.is_at_least_as_strict_as(kept)


def test_on_failure_where_it_is_unset() -> None:
    """It follows the modes, which are compared by themselves."""
    watches, refuses = ShieldPolicy.report_only(), dataclasses.replace(ShieldPolicy.report_only(), on_failure="refuse")
    assert [str(each) for each in watches.diff(refuses)] == ["on_failure: run_unshielded, was refuse"]
    assert refuses.is_at_least_as_strict_as(watches)
    assert "on_failure" not in {each.field for each in watches.diff(ShieldPolicy())}


def test_log_arguments_may_not_change() -> None:
    shown, hidden = ShieldPolicy(log_arguments=True), ShieldPolicy()
    assert [each.field for each in shown.diff(hidden)] == ["log_arguments"]
    assert [each.field for each in hidden.diff(shown)] == ["log_arguments"]


@pytest.mark.parametrize(
    ("field", "entry", "covered_by", "not_by"),
    [
        ("allow_outbound", "a.example:443", ["a.example:443", "a.example"], ["b.example", "tcp://a.example:443"]),
        ("allow_outbound", "a.b.example", ["*.b.example"], ["a.b.example:443", "*.a.b.example", "tcp://a.b.example"]),
        ("allow_outbound", "tcp://a.b.example:1", ["a.b.example", "tcp://*.b.example"], ["udp://a.b.example"]),
        ("allow_outbound", "*.a.b.example", ["*.b.example", "*.a.b.example"], ["a.b.example", "*.c.example"]),
        ("allow_outbound", "10.1.0.0/16:1", ["10.0.0.0/8", "10.1.0.0/16:1"], ["10.1.0.0/17", "10.0.0.0/8:2", "::/1"]),
        ("allow_outbound", "10.1.2.3", ["10.1.2.3", "10.1.2.3/32", "10.1.0.0/16"], ["10.1.2.4", "a.example"]),
        (
            "allow_outbound",
            "[2001:db8::1]:443",
            ["2001:db8::/32", "2001:db8::1"],
            ["2001:db9::1"],
        ),
        ("allow_outbound", "[2001:db8::1:443]", ["[2001:db8::1:443]", "2001:db8::/32"], ["[2001:db8::1]:443"]),
        ("allow_outbound", TOKEN, [TOKEN], ["a.example", f"{TOKEN}:1"]),
        ("allow_tmp", "/tmp/a/b", ["/tmp/a/b", "/tmp/a/*", "/tmp/**", "/tmp/?/b"], ["/tmp/a", "/tmp/b/**"]),
        ("allow_tmp", "/tmp/a/*.log", ["/tmp/a/*.log", "/tmp/a/**", "/tmp/**"], ["/tmp/a/x.log", "/tmp/a/*"]),
        ("allow_tmp", "/tmp/a/**", ["/tmp/a/**", "/tmp/**"], ["/tmp/a", "/tmp/a/b/**", "/tmp/*"]),
        ("allow_child_process", "/bin/ls", ["/bin/ls", "unshielded:/bin/ls"], ["/bin/l", "/bin/lsx"]),
        ("allow_child_process", "unshielded:/bin/ls", ["unshielded:/bin/ls"], ["/bin/ls"]),
    ],
)
def test_entries_are_compared(field: str, entry: str, covered_by: list[str], not_by: list[str]) -> None:
    new = make(**{field: [entry]})
    for listed in covered_by:
        assert new.diff(make(**{field: [listed]})) == (), listed
    for listed in [None, *not_by]:
        old = make(**{field: [listed] if listed else []})
        assert [(each.field, each.entry) for each in new.diff(old)] == [(field, getattr(new, field)[0])], listed


def test_lists_beside_mode_allow_mean_nothing() -> None:
    allows = ShieldPolicy(read_write_tmp="allow")
    assert ShieldPolicy(allow_tmp=["/tmp/x"]).is_at_least_as_strict_as(allows)
    looser = ShieldPolicy(read_write_tmp="allow", allow_tmp=["/tmp/x"]).diff(ShieldPolicy())
    assert [str(each) for each in looser] == ["read_write_tmp: allow, was block"]


@pytest.mark.parametrize(
    ("new", "old", "looser"),
    [
        ({"allow_aws": ["s3"]}, {}, []),
        ({}, {"allow_aws": ["s3"]}, ["allow_aws: all was not admitted"]),
        ({"allow_aws": ["s3", "sqs"]}, {"allow_aws": ["s3"]}, ["allow_aws: sqs was not admitted"]),
        ({"allow_aws": "none"}, {"allow_aws": ["s3"]}, []),
        ({"allow_aws": ["s3"]}, {"allow_aws": "none"}, ["allow_aws: s3 was not admitted"]),
        ({"allow_aws": "granted"}, {"allow_aws": "granted"}, []),
        ({"allow_aws": "granted"}, {"allow_aws": ["s3"]}, ["allow_aws: granted was not admitted"]),
        ({"allow_buckets": ["one"]}, {}, []),
        ({"allow_buckets": ["one"]}, {"allow_aws": ["s3"]}, ["allow_aws: all was not admitted"]),
        ({"allow_aws": "none", "allow_buckets": ["one"]}, {"allow_aws": ["s3"]}, []),
        ({"allow_buckets": ["one", "two"]}, {"allow_buckets": ["one"]}, ["allow_buckets: two was not admitted"]),
        ({"allow_buckets": [TOKEN]}, {"allow_buckets": [TOKEN, "one"]}, []),
        ({}, {"allow_buckets": ["one", "two"]}, ["allow_buckets: any bucket, was one,two"]),
        ({"allow_aws": ["sqs"]}, {"allow_buckets": ["one"]}, []),
        ({"allow_aws": ["s3"], "allow_buckets": ["one"]}, {"allow_aws": "none", "allow_buckets": ["one"]}, []),
        (
            {"allow_aws": ["s3"], "allow_buckets": ["one"]},
            {"allow_aws": "none"},
            ["allow_buckets: one was not admitted"],
        ),
    ],
)
def test_aws_is_compared(new: dict[str, Any], old: dict[str, Any], looser: list[str]) -> None:
    assert [str(each) for each in make(**new).diff(make(**old))] == looser


HOSTS = ["a.b.example", "b.example", "c.example", "10.0.0.1", "[2001:db8::1]"]
TARGETS = [
    *((event, f"{host}:{port}") for event in ("connect", "udp") for host in HOSTS for port in (1, 443)),
    *(("connect", f"{name}.us-east-1.amazonaws.com:443") for name in ("s3", "one.s3", "two.s3", "sqs")),
    *(("tmp", path) for path in ("/tmp", "/tmp/a", "/tmp/a/b", "/tmp/b.log")),
    *((event, path) for event in ("exec", "exec-static") for path in ("/bin/a", "/bin/b")),
]
HOST_ENTRIES = [
    f"{protocol}{host}{port}"
    for protocol in ("", "tcp://", "udp://")
    for host in ("a.b.example", "*.b.example", "10.0.0.1", "10.0.0.0/8", "[2001:db8::/32]", "[2001:db8::1]")
    for port in ("", ":443")
]


def some(entries: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(entries), max_size=2)


RELATED = st.fixed_dictionaries(
    {},
    optional={
        "outbound_connectivity": st.sampled_from(["block", "alert", "allow"]),
        "allow_outbound": some(HOST_ENTRIES),
        "allow_aws": st.sampled_from(["all", "none", ["s3"], ["sqs"], ["s3", "sqs"]]),
        "allow_buckets": some(["one", "two"]),
        "read_write_tmp": st.sampled_from(["block", "alert", "allow"]),
        "allow_tmp": some(["/tmp", "/tmp/a", "/tmp/*", "/tmp/**", "/tmp/a/**", "/tmp/*.log"]),
        "create_child_process": st.sampled_from(["block", "alert", "allow"]),
        "allow_child_process": some(["/bin/a", "unshielded:/bin/a", "/bin/b"]),
    },
)


@given(new=RELATED, old=RELATED)
def test_what_is_called_stricter_admits_nothing_more(new: dict[str, Any], old: dict[str, Any]) -> None:
    now, before = ShieldPolicy(**new), ShieldPolicy(**old)
    ranks = {"deny": 0, "alert": 1, "allow": 2}
    target: Any
    for target in TARGETS if now.is_at_least_as_strict_as(before) else ():
        assert ranks[now.decide(*target).action] <= ranks[before.decide(*target).action], target
    assert now.is_at_least_as_strict_as(now)
    assert now.with_mode("block").is_at_least_as_strict_as(now)


# What is refused with the fix


@pytest.mark.parametrize(
    "entry",
    [
        "p\u0430ypal.com",
        "\u0440aypal.com:443",
        "tcp://*.\u0440aypal.com",
        "www.p\u03b1ypal.com",
        "\u0430\u03b1.example",
        "b\u00fccher-\u0430.example",
        "\u4e2d\u0430.example",
    ],
)
def test_mixed_scripts_are_refused(entry: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy(allow_outbound=[entry])
    assert str(caught.value).startswith(f"ShieldPolicy.allow_outbound: {entry!r} mixes scripts in ")
    assert "or in its xn-- form if it is what you mean" in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "президент.рф",
        "bücher.рф",  # a script a label
        "例え.テスト",
        "日本語ニュースnews.example",
        "한글漢字.example",
        "bu\u0308cher.example",
        "\uff45\uff58ample.com",
        "президент-24.example",
        "xn--pypal-4ve.com",  # as an alert shows it
    ],
)
def test_names_of_one_script_are_taken(entry: str) -> None:
    assert ShieldPolicy(allow_outbound=[entry]).decide("connect", f"{entry}:443").allowed


@pytest.mark.parametrize(
    ("entry", "program"),
    [
        ("/bin/sh -c", "/bin/sh"),
        ("/bin/sh  -c 'ls /'", "/bin/sh"),
        ("unshielded:/opt/tool --all=1 /tmp", "unshielded:/opt/tool"),
        ("/usr/bin/python3 -m x", "/usr/bin/python3"),
    ],
)
def test_arguments_are_refused(entry: str, program: str) -> None:
    with pytest.raises(ShieldPolicyError, match="which are not judged; write the program's path alone") as caught:
        ShieldPolicy(allow_child_process=[entry])
    assert str(caught.value).endswith(f": {program!r}")


@pytest.mark.parametrize("entry", ["/opt/my tool", "/opt/App - new/bin/x", "/opt/App -beta/bin/x"])
def test_a_blank_in_a_path_is_taken(entry: str) -> None:
    assert ShieldPolicy(allow_child_process=[entry]).decide("exec", entry).allowed


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ("2001:db8::1:443", "write [2001:db8::1]:443 or [2001:db8::1:443]"),
        ("tcp://2001:db8::1:443", "write [2001:db8::1]:443 or [2001:db8::1:443]"),
        ("2001:db8::1:44300", "write [2001:db8::1]:44300"),
        ("2001:db8:1:2:3:4:5:6:443", "write [2001:db8:1:2:3:4:5:6]:443"),
        ("::1:80", "write [::1]:80 or [::1:80]"),
    ],
)
def test_an_address_that_may_have_a_port(entry: str, fix: str) -> None:
    with pytest.raises(ShieldPolicyError, match="may be an address with a port; ") as caught:
        ShieldPolicy(allow_outbound=[entry])
    assert f"{fix} (environment" in str(caught.value)


@given(address=st.ip_addresses(v=6).map(str), port=st.integers(0, 65535))
def test_what_an_alert_suggests_of_an_address_is_taken(address: str, port: int) -> None:
    decision = ShieldPolicy(allow_aws="none").decide("connect", f"[{address}]:{port}")
    if decision.allow:
        policy = ShieldPolicy(allow_outbound=[decision.allow])
        assert policy.allow_outbound == (decision.allow,)
        assert policy.decide("connect", f"[{address}]:{port}").allowed


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ({"allow_outbound": []}, "write ShieldPolicy(...) with its fields, or ShieldPolicy.from_dict(...)"),
        ("alert", "write ShieldPolicy.report_only()"),
        ("block", "write ShieldPolicy(), which blocks"),
        ("policy.yaml", "write ShieldPolicy.from_file(...) for a file"),
        (Path("policy.yaml"), "write ShieldPolicy.from_file(...) for a file"),
        (ShieldPolicy, "call it: ShieldPolicy(...)"),
        (ShieldPolicy.report_only, "call it: ShieldPolicy(...)"),
        (None, "write ShieldPolicy(...)"),
        (3, "write ShieldPolicy(...)"),
    ],
)
def test_what_is_no_policy(value: object, fix: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        check_policy(value)
    assert "not a ShieldPolicy; " in str(caught.value)
    assert str(caught.value).endswith(fix)


def test_what_is_a_policy() -> None:
    policy = ShieldPolicy()
    assert check_policy(policy) is policy


# Services


def test_the_table_of_services_names_services() -> None:
    assert {name for name in _MEANT.values() if not is_service(name)} == set()
    assert {name for name in _MEANT if is_service(name)} == set(), "these need no row"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eventbridge", "events"),
        ("EventBridge", "events"),
        ("DynamoDB", "dynamodb"),
        ("S3", "s3"),
        ("states", "stepfunctions"),
        ("Step Functions", "stepfunctions"),
        ("monitoring", "cloudwatch"),
        ("CloudWatch Logs", "logs"),
        ("AWS Lambda", "lambda"),
        ("Amazon S3", "s3"),
        ("secrets-manager", "secretsmanager"),
        ("SecretsManager", "secretsmanager"),
    ],
)
def test_the_service_that_is_meant(written: str, meant: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy(allow_aws=[written])
    assert str(caught.value) == (
        f'ShieldPolicy.allow_aws: {written!r} is not an AWS service as botocore calls them; use "{meant}"'
    )
    assert ShieldPolicy(allow_aws=[meant]).allow_aws == (meant,)


def test_services_that_are_hosts_of_ones_own() -> None:
    with pytest.raises(ShieldPolicyError, match="list them in allow_outbound"):
        ShieldPolicy(allow_aws=["execute-api"])
    assert service_meant("no such thing") == ""
