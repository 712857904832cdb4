"""ShieldPolicy: its fields, its errors, and that Python, the environment and C agree on every policy."""

from __future__ import annotations

import dataclasses
import doctest
import enum
import ipaddress
import itertools
import pickle
import re
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.policy_texts import CANONICAL, ERRORS, Text
from shielded_function.policy import Decision, Explanation, ShieldPolicy, ShieldPolicyError, shield_policy
from shielded_function_runtime import core

MODES = ["block", "alert", "allow"]
MODE_FIELDS = ["outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler"]
LIST_FIELDS = ["allow_outbound", "allow_buckets", "allow_tmp", "allow_child_process"]


def make(**values: Any) -> ShieldPolicy:
    """Without the types, for values that are wrong on purpose."""
    return ShieldPolicy(**values)


def test_the_default_blocks_all_but_read_handler_and_admits_aws() -> None:
    policy = ShieldPolicy()
    assert policy.to_env() == {
        "SHIELD_OUTBOUND_CONNECTIVITY": "block",
        "SHIELD_READ_WRITE_TMP": "block",
        "SHIELD_CREATE_CHILD_PROCESS": "block",
        "SHIELD_READ_HANDLER": "allow",
    }
    assert policy == ShieldPolicy(
        outbound_connectivity="block",
        allow_outbound=[],
        allow_aws=None,
        allow_buckets=[],
        check_tls_name=True,
        read_write_tmp="block",
        allow_tmp=[],
        clear_tmp=False,
        create_child_process="block",
        allow_child_process=[],
        read_handler="allow",
        executable_memory=None,
        allow_executable_memory=[],
        block_foreign_functions=False,
        on_failure=None,
        log_arguments=False,
    )
    assert policy.decide("connect", "evil.example:443").action == "deny"
    assert policy.decide("connect", "dynamodb.eu-west-1.amazonaws.com:443", region="eu-west-1").reason == "aws"
    assert policy.decide("connect", "dynamodb.eu-west-1.amazonaws.com:443").action == "deny"  # not its region
    assert policy.decide("tmp", "/tmp/x").action == "deny"
    assert policy.decide("exec", "/bin/sh").action == "deny"


def test_alert_stops_nothing_and_reports_everything() -> None:
    policy = ShieldPolicy.report_only()
    assert [getattr(policy, field) for field in MODE_FIELDS] == ["alert", "alert", "alert", "allow"]
    assert policy.executable_memory is None, "a JIT would alert all day"
    event: Any
    for event, target in [("connect", "evil.example:1"), ("tmp", "/tmp/x"), ("exec", "/x"), ("exec-static", "/x")]:
        assert policy.decide(event, target).action == "alert"


def test_every_field_in_its_variable() -> None:
    policy = ShieldPolicy(
        outbound_connectivity="alert",
        allow_outbound=["API.Stripe.com:443", "*.example.com"],
        deny_outbound=["Webhook.Site", "203.0.113.0/24:25"],
        allow_aws=["s3", "dynamodb"],
        allow_buckets=["uploads", "reports"],
        check_tls_name=False,
        read_write_tmp="allow",
        allow_tmp=["/tmp/cache/**"],
        clear_tmp=True,
        create_child_process="alert",
        allow_child_process=["/bin/ls", "unshielded:/opt/static"],
        read_handler="allow",
        executable_memory="block",
        allow_executable_memory=["libffi", "_cffi_backend"],
        block_foreign_functions=True,
        on_failure="run_unshielded",
        log_arguments=True,
    )
    environment = {
        "SHIELD_OUTBOUND_CONNECTIVITY": "alert",
        "SHIELD_ALLOW_OUTBOUND": "api.stripe.com:443,*.example.com",
        "SHIELD_DENY_OUTBOUND": "webhook.site,203.0.113.0/24:25",
        "SHIELD_ALLOW_AWS": "s3,dynamodb",
        "SHIELD_ALLOW_BUCKETS": "uploads,reports",
        "SHIELD_CHECK_TLS_NAME": "off",
        "SHIELD_READ_WRITE_TMP": "allow",
        "SHIELD_ALLOW_TMP": "/tmp/cache/**",
        "SHIELD_CLEAR_TMP": "on",
        "SHIELD_CREATE_CHILD_PROCESS": "alert",
        "SHIELD_ALLOW_CHILD_PROCESS": "/bin/ls,unshielded:/opt/static",
        "SHIELD_READ_HANDLER": "allow",
        "SHIELD_EXECUTABLE_MEMORY": "block",
        "SHIELD_ALLOW_EXECUTABLE_MEMORY": "libffi,_cffi_backend",
        "SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on",
        "SHIELD_ON_FAILURE": "run_unshielded",
        "SHIELD_LOG_ARGUMENTS": "on",
    }
    assert policy.to_env() == environment
    assert list(policy.to_env()) == list(environment)
    assert policy.to_lines() == "".join(f"{name}={value}\n" for name, value in environment.items())
    assert {f"SHIELD_{field.upper()}" for field in ALL_FIELDS if field not in ("presets", "until")} == set(environment)


def test_it_is_a_value() -> None:
    policy = ShieldPolicy(allow_outbound=["A.example", "a.example."])
    assert policy.allow_outbound == ("a.example",)
    assert policy == ShieldPolicy(allow_outbound=("a.example",))
    assert hash(policy) == hash(ShieldPolicy(allow_outbound=("a.example",)))
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert dataclasses.replace(policy, read_handler="alert").allow_outbound == ("a.example",)
    with pytest.raises(ShieldPolicyError):
        dataclasses.replace(policy, allow_outbound=["*"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.read_handler = "allow"  # pyright: ignore[reportAttributeAccessIssue]


def test_no_aws_in_two_spellings() -> None:
    assert ShieldPolicy(allow_aws=[]) == ShieldPolicy(allow_aws="none")
    assert ShieldPolicy(allow_aws=[]).to_env()["SHIELD_ALLOW_AWS"] == "none"


def test_an_enumeration_counts_as_its_text() -> None:
    class Choice(str, enum.Enum):
        ALERT = "alert"
        HOST = "a.example"

    policy = make(read_handler=Choice.ALERT, allow_outbound=[Choice.HOST])
    assert type(policy.read_handler) is str
    assert policy == ShieldPolicy(read_handler="alert", allow_outbound=["a.example"])


@pytest.mark.parametrize(
    ("given_entry", "kept"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example:443", "xn--bcher-kva.example:443"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("президент.рф:443", "xn--d1abbgf6aiiy.xn--p1ai:443"),
        ("tcp://bücher.example:443", "tcp://xn--bcher-kva.example:443"),
        ("TCP://*.BÜCHER.example", "tcp://*.xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),  # an ideographic full stop
        ("\uff45\uff58ample.com", "example.com"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),  # decomposed
    ],
)
def test_international_names(given_entry: str, kept: str) -> None:
    policy = ShieldPolicy(allow_outbound=[given_entry])
    assert policy.allow_outbound == (kept,)
    name = given_entry.lower().removeprefix("tcp://").removeprefix("*").lstrip(".").partition(":")[0]
    assert policy.decide("connect", f"{'x.' if '*' in given_entry else ''}{name}:443").allowed


ENV = "(environment variable SHIELD_{})"
OF_LISTS = {*LIST_FIELDS, "allow_executable_memory"}


@pytest.mark.parametrize("text", [text for text in CANONICAL if text.field in OF_LISTS], ids=str)
def test_entries_become_what_the_core_makes_of_them(text: Text) -> None:
    assert getattr(make(**{text.field: text.entries}), text.field) == tuple(filter(None, text.becomes.split(",")))


# Entries are apart here, and a name that is not ASCII is written in its other form.
WRONG = [text for text in ERRORS if text.field in OF_LISTS and all(text.entries or [""]) and text.given.isascii()]


@pytest.mark.parametrize("text", [text for text in WRONG if text.given.isprintable()], ids=str)
def test_errors_are_the_cores(text: Text) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        make(**{text.field: text.entries})
    told = text.becomes.replace("set SHIELD_OUTBOUND_CONNECTIVITY to allow", 'write outbound_connectivity="allow"')
    assert str(caught.value) == f"ShieldPolicy.{text.field}: {told} (environment variable {text.setting})"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        *((field, "BLOCK", '"BLOCK" is not a mode; use block, alert or allow ' + ENV) for field in MODE_FIELDS),
        ("executable_memory", "by_runtime", '"by_runtime" is not a mode; use block, alert or allow ' + ENV),
        ("read_handler", True, "True is not text"),
        ("read_handler", None, "None is not text"),
        ("read_handler", "block\nSHIELD_ALLOW_TMP=/tmp/**", "has a control character; take it out"),
        ("log_arguments", "off", "'off' is not a boolean; use True or False"),
        ("clear_tmp", "on", "'on' is not a boolean; use True or False"),
        ("block_foreign_functions", "block", "'block' is not a boolean; use True or False"),
        ("log_arguments", 0, "0 is not a boolean; use True or False"),
        ("allow_aws", "s3", '\'s3\' is not "all", "none" or "granted"; write services as a list: [\'s3\']'),
        ("allow_aws", ["all"], "'all' is not a service; write allow_aws='all', without a list"),
        ("allow_aws", ["s3", "none"], "'none' is not a service; write allow_aws='none', without a list"),
        ("allow_aws", ["s3", "dynamobd"], '"dynamobd" is not an AWS service; use "dynamodb", or another name'),
        ("allow_aws", 3, "3 is not a list of texts"),
        ("check_tls_name", "on", "'on' is not a boolean; use True or False"),
        ("check_tls_name", None, "None is not a boolean; use True or False"),
        ("allow_buckets", "uploads", "'uploads' is one text; write a list: ['uploads']"),
        ("allow_buckets", [""], "an entry is empty; leave it out"),
        ("allow_outbound", ["https://bücher.example/"], 'is a URL; use "bücher.example:443" ' + ENV),
        ("allow_outbound", ["tcp://straße.example"], "has a character that versions of IDNA read differently; write "),
        ("allow_outbound", "a.example", "'a.example' is one text; write a list: ['a.example']"),
        ("allow_outbound", None, "None is not a list of texts"),
        ("allow_outbound", {"a.example"}, "{'a.example'} is not a list of texts"),  # of no fixed order
        ("allow_outbound", [443], "443 is not text"),
        ("allow_outbound", [""], "an entry is empty; leave it out"),
        ("allow_outbound", [" \t"], "an entry is empty; leave it out"),
        ("allow_outbound", ["a.example,b.example"], "has a comma, which separates entries; write one entry for each"),
        ("allow_outbound", ["a.example by b, c"], "has a comma, which separates entries; write or between packages"),
        ("allow_outbound", ["ä\uff0cb.example"], "has a comma, which separates entries; write one entry for each"),
        ("allow_outbound", ["a.example\nb.example"], "has a control character; take it out"),
        ("allow_outbound", ["a\ud800.example"], "is not valid Unicode text; it holds a lone surrogate"),
        (
            "deny_outbound",
            ["*"],
            '"*" would refuse everything; to admit listed hosts alone, write outbound_connectivity="block" ' + ENV,
        ),
        ("deny_outbound", ["::/0"], 'write outbound_connectivity="block" ' + ENV),
        ("deny_outbound", ["a.${Token[TOKEN.12]}"], "is known only at deployment; write hosts and networks as texts"),
        (
            "deny_outbound",
            ["Preset:exfiltraton"],
            "there is no 'Preset:exfiltraton'; did you mean preset:exfiltration? ",
        ),
        (
            "allow_outbound",
            ["straße.example"],
            "has a character that versions of IDNA read differently; write the name ",
        ),
        (
            "allow_outbound",
            ["\u0378.example"],
            "has a character that versions of IDNA read differently; write the name ",
        ),
        ("allow_outbound", ["ä" * 64 + ".example"], "is not an international host name ("),
        ("allow_outbound", ["ä..example"], "is not a host name, an IP address or a network; "),
        ("read_handler", "${Token[TOKEN.12]}", "is a CDK token, which has no value before deployment; "),
        ("allow_aws", ["${Token[TOKEN.12]}"], "is a CDK token, which has no value before deployment; "),
        ("allow_tmp", ["/tmp/a,b"], "has a comma, which separates entries; use ? in its place"),
        ("allow_tmp", [b"/tmp/a"], "b'/tmp/a' is not text"),
    ],
)
def test_errors_name_the_field_and_the_fix(field: str, value: object, reason: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        make(**{field: value})
    message = str(caught.value)
    assert caught.value.field == field
    assert message.startswith(f"ShieldPolicy.{field}: ")
    assert reason.replace("{}", field.upper()) in message
    assert "\n" not in message
    assert "line " not in message
    assert isinstance(caught.value, ValueError)


@pytest.mark.promise("deny.every-mode")
def test_an_entry_that_is_denied_whole_names_both() -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy(allow_outbound=["webhook.site:443"], deny_outbound=["preset:exfiltration"])
    said = '"webhook.site:443" is refused in every mode by "webhook.site" of deny_outbound; take one of the two out'
    assert said in str(caught.value)
    assert caught.value.field == "allow_outbound"


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(ShieldPolicyError, match="there is no 'allow_outbond'; did you mean allow_outbound"):
        make(allow_outbond=["a.example"])


def test_too_many_entries() -> None:
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy\.allow_outbound: more than 512 entries; "):
        ShieldPolicy(allow_outbound=[f"h{number}.example" for number in range(513)])


# The environment


def test_from_env_passes_over_what_is_not_ours() -> None:
    environment = {
        "PATH": "/bin",
        "AWS_REGION": "not one!",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield",
        "SHIELD_NEXT_WRAPPER": "/opt/otel-instrument",
        "SHIELD_STATE": "starting:-1:/usr/bin/python3",
        "SHIELD_ACCOUNT_ID": "whatever",
        "SHIELD_READ_HANDLER": "alert",
    }
    assert ShieldPolicy.from_env(environment) == ShieldPolicy(read_handler="alert", allow_aws="all")


@pytest.mark.parametrize(
    ("environment", "field", "reason"),
    [
        ({}, "", "there is no policy: not one SHIELD_ setting was given"),
        ({"PATH": "/bin"}, "", "there is no policy: not one SHIELD_ setting was given"),
        (
            {"SHIELD_READ_HANDLE": "block"},
            "",
            "SHIELD_READ_HANDLE: there is no such setting; did you mean SHIELD_READ_HA",
        ),
        ({"SHIELD_READ_HANDLER": "deny"}, "read_handler", '"deny" is not a mode; use block, alert or allow'),
        ({"SHIELD_READ_HANDLER": ""}, "read_handler", '"" is not a mode; use block, alert or allow'),
        ({"SHIELD_READ_HANDLER": "block\nSHIELD_ALLOW_TMP=/tmp/**"}, "read_handler", "has a control character"),
        ({"SHIELD_ALLOW_TMP": "/tmp/a,,/tmp/b"}, "allow_tmp", "an empty entry between commas"),
        ({"SHIELD_LOG_ARGUMENTS": "no"}, "log_arguments", '"no" is not a value; use on or off'),
        ({"SHIELD_ALLOW_AWS": ""}, "allow_aws", "the value is empty; use all, none, or services"),
        ({"SHIELD_ALLOW_BUCKETS": ""}, "allow_buckets", "the value is empty; name buckets, or leave the setting out"),
        ({"SHIELD_ACCOUNT_ID": "123456789012"}, "", "there is no policy: not one SHIELD_ setting was given"),
        ({"SHIELD_POLICY_FILE": "/var/task/p"}, "", "SHIELD_POLICY_FILE: the rest of the policy is in that file; "),
    ],
)
def test_a_bad_environment(environment: dict[str, str], field: str, reason: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_env(environment)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"ShieldPolicy{'.' if field else ''}{field}: ")
    assert reason in str(caught.value)
    assert "line " not in str(caught.value)


def test_a_file_names_its_lines() -> None:
    policy = ShieldPolicy(read_handler="alert", allow_aws="all")
    assert ShieldPolicy.from_lines("# why\nSHIELD_READ_HANDLER=alert\r\n") == policy
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_lines("\nSHIELD_READ_HANDLER=deny\n")
    assert str(caught.value) == (
        'ShieldPolicy.read_handler: "deny" is not a mode; use block, alert or allow '
        "(line 2, environment variable SHIELD_READ_HANDLER)"
    )
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy: .*there is no such setting.* \(line 1\)$"):
        ShieldPolicy.from_lines("READ_HANDLER=block")


# What it says and decides


def test_explain_has_the_fields_in_order() -> None:
    explained = ShieldPolicy(allow_tmp=["/tmp/a/**"]).explain()
    fields = [field.name for field in dataclasses.fields(ShieldPolicy)]
    assert [each.field for each in explained if not each.entry] == fields
    assert Explanation("allow_tmp", "/tmp/a/**", "this directory and all that lies below it") in explained
    assert {each.field for each in explained if each.given} == {"allow_tmp"}
    assert str(explained[0]).startswith("outbound_connectivity block: ")


def test_decide() -> None:
    policy = ShieldPolicy(allow_outbound=["bücher.example:443"])
    assert policy.decide("connect", "BÜCHER.example:443") == Decision(
        "allow", "outbound_connectivity", "block", "listed", "xn--bcher-kva.example:443", ""
    )
    assert policy.decide("resolve", "evil.example").allow == "evil.example"
    with pytest.raises(ValueError, match="is not an event; use connect, udp, "):
        policy.decide(cast("Any", "open"), "/tmp/x")
    with pytest.raises(ValueError, match="is not a region; use a name such as us-east-1"):
        policy.decide("tmp", "/tmp/x", region="the moon")
    with pytest.raises(ValueError, match="has a control character"):
        policy.decide("tmp", "/tmp/x", region="us-east-1\nSHIELD_ALLOW_TMP=/tmp/**")


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_decide_what_is_denied_in_every_mode(mode: Any) -> None:
    lists: Any = {"allow_outbound": ["*.example.com"], "deny_outbound": ["uploads.example.com", "B\u00fccher.example"]}
    policy = ShieldPolicy(outbound_connectivity=mode, **lists)
    assert policy.deny_outbound == ("uploads.example.com", "xn--bcher-kva.example")
    assert policy.decide("connect", "api.example.com:443").action == "allow"
    for event, target in (("connect", "uploads.example.com:443"), ("resolve", "UPLOADS.example.com.")):
        decision = policy.decide(event, target)  # pyright: ignore[reportArgumentType]
        assert (decision.action, decision.mode, decision.reason) == ("deny", "block", "deny_outbound")
        assert (decision.entry, decision.allow) == ("uploads.example.com", "")
    (explained,) = [each for each in policy.explain() if each.field == "deny_outbound" and each.entry][:1]
    assert (explained.entry, explained.meaning) == ("uploads.example.com", "the host uploads.example.com, any port")


def test_decide_by_protocol() -> None:
    policy = ShieldPolicy(allow_outbound=["tcp://a.example:443", "udp://b.example", "c.example:1"])
    verdicts = {
        (event, host): policy.decide(event, f"{host}.example:{port}").action
        for host, port in (("a", 443), ("b", 443), ("c", 1))
        for event in ("connect", "udp")
    }
    assert {key for key, action in verdicts.items() if action == "allow"} == {
        ("connect", "a"),
        ("udp", "b"),
        ("connect", "c"),
        ("udp", "c"),
    }
    assert all(policy.decide("resolve", f"{host}.example").allowed for host in "abc")


@pytest.mark.parametrize(("account", "action"), [("", "allow"), ("123456789012", "allow"), ("210987654321", "deny")])
def test_decide_by_account(account: str, action: str) -> None:
    host = "123456789012.ddb.us-east-1.amazonaws.com"
    assert ShieldPolicy().decide("connect", f"{host}:443", account=account).action == action
    assert ShieldPolicy().decide("connect", "dynamodb.us-east-1.amazonaws.com:443", account=account).allowed


def test_decide_refuses_what_is_no_account() -> None:
    with pytest.raises(ValueError, match="is not an account; write its twelve digits"):
        ShieldPolicy().decide("resolve", "a.example", account="me")


# Which of S3's hosts each policy admits.
@pytest.mark.parametrize("allow_aws", ["all", "none", [], ["s3"], ["dynamodb"], ["dynamodb", "s3"]])
def test_a_bucket_narrows_s3(allow_aws: Any) -> None:
    before = make(allow_aws=allow_aws)
    policy = before + ShieldPolicy(allow_buckets=["uploads"]) + ShieldPolicy(allow_buckets=["reports", "uploads"])
    assert policy.allow_buckets == ("uploads", "reports")
    assert before.allow_buckets == ()
    assert dataclasses.replace(policy, allow_buckets=[]) == before

    def admits(host: str) -> bool:
        return policy.decide("connect", f"{host}.us-east-1.amazonaws.com:443").allowed

    assert all(admits(f"{bucket}.{form}") for bucket in policy.allow_buckets for form in ("s3", "s3.dualstack"))
    assert not any(
        map(admits, ["s3", "s3.dualstack", "theirs.s3", "x.uploads.s3", "point-123456789012.s3-accesspoint"])
    )
    assert policy.decide("connect", "uploads.s3.amazonaws.com:443").allowed
    assert admits("dynamodb") is (allow_aws == "all" or "dynamodb" in allow_aws)
    assert admits("sqs") is (allow_aws == "all")


def test_the_examples_in_its_documentation() -> None:
    results = doctest.testmod(shield_policy)
    assert results.attempted >= 3
    assert results.failed == 0


# Round trip: every policy that can be made

ASCII_LABELS = st.from_regex(r"[a-z]([a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True)
# Letters that are in Unicode 3.2, as the standard library's IDNA is.
SCRIPTS = ["äöüéèñçøåłž", "абвгдежз", "אבגד", "ابتث", "あいう漢字", "한글"]  # right-to-left ones do not mix
INTERNATIONAL = st.one_of([st.text(script, min_size=1, max_size=8) for script in SCRIPTS])
SERVICES = ["s3", "dynamodb", "sqs", "sts", "lambda", "kms", "secretsmanager"]
NAMES = st.lists(ASCII_LABELS | INTERNATIONAL, min_size=2, max_size=4).map(".".join)
PORTS = st.just("") | st.integers(1, 65535).map(":{}".format)
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)


def networks(version: int) -> st.SearchStrategy[str]:
    bits = 32 if version == 4 else 128

    def mask(number: int, prefix: int) -> str:
        kept = number >> (bits - prefix) << (bits - prefix)
        return f"{ipaddress.IPv4Address(kept) if version == 4 else ipaddress.IPv6Address(kept)}/{prefix}"

    return st.builds(mask, st.integers(0, 2**bits - 1), st.integers(1, bits))


def has_no_port(text: str) -> bool:
    """Not an address whose end may be a port, as 2001:db8::1:443."""
    head, _, end = text.rpartition(":")
    try:
        ipaddress.IPv6Address(head)
    except ValueError:
        return True
    return not end.isdigit() or int(end) == 0


def is_plain_v6(text: str) -> bool:
    """Not a network that holds mapped addresses and others: these are no IPv4 network and no pure IPv6 one."""
    return not text.startswith("::ffff:")


HOSTS_AND_NETWORKS = st.one_of(
    st.builds("{}{}".format, NAMES, PORTS),
    st.builds("*.{}{}".format, NAMES, PORTS),
    st.builds("{}{}".format, V4, PORTS),
    st.builds("{}{}".format, networks(4), PORTS),
    V6.filter(has_no_port),
    networks(6).filter(is_plain_v6),
    st.builds("[{}]{}".format, V6, PORTS),
    st.builds("[{}]{}".format, networks(6).filter(is_plain_v6), PORTS),
)
OUTBOUND = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "tcp://", "udp://"]),
    HOSTS_AND_NETWORKS,
    st.sampled_from(["", "", " by stripe", " by requests > app or @a/b.c"]),
)
BUCKETS = st.from_regex(r"[a-z0-9]([a-z0-9-]{1,20}|[a-z0-9][.][a-z0-9])[a-z0-9]", fullmatch=True)
COMPONENT_CHARACTERS = st.characters(exclude_characters="/,*?", exclude_categories=["Cs"], min_codepoint=0x20).filter(
    lambda c: c != "\x7f"
)


def is_component(text: str) -> bool:
    # Blanks around an entry are not its own.
    return text not in (".", "..") and text == text.strip(" \t")


COMPONENTS = st.text(COMPONENT_CHARACTERS, min_size=1, max_size=12).filter(is_component)
GLOBS = st.lists(COMPONENTS | st.sampled_from(["*", "**", "?x", "a*b", "*.log"]), max_size=4).map(
    lambda parts: "/".join(["/tmp", *parts])
)
PATHS = st.lists(COMPONENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
CHILDREN = st.builds("{}{}".format, st.sampled_from(["", "unshielded:"]), PATHS).filter(
    lambda entry: " -" not in entry  # a program with an argument
)
MODE = st.sampled_from(MODES)


def lists(entries: st.SearchStrategy[str]) -> st.SearchStrategy[Sequence[str]]:
    return st.lists(entries, max_size=5) | st.lists(entries, max_size=3).map(tuple)


OBJECTS = st.from_regex(r"[A-Za-z0-9_+]{1,20}", fullmatch=True)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(MODE_FIELDS, MODE),
        "executable_memory": MODE | st.none(),
        "allow_outbound": lists(OUTBOUND),
        "allow_aws": st.sampled_from(["all", "none"]) | lists(st.sampled_from(SERVICES)),
        "deny_outbound": lists(st.sampled_from(["denied.test", "*.denied.test:25"])),
        "allow_buckets": lists(BUCKETS),
        "check_tls_name": st.booleans(),
        "allow_tmp": lists(GLOBS),
        "clear_tmp": st.booleans(),
        "allow_child_process": lists(CHILDREN),
        "allow_executable_memory": lists(OBJECTS),
        "block_foreign_functions": st.booleans(),
        "on_failure": st.sampled_from(["refuse", "run_unshielded"]),
        "log_arguments": st.booleans(),
    },
)


@given(values=POLICIES)
@example(values={"allow_outbound": ["::ffff:1.2.3.4", "[::ffff:1.2.3.4]:1", "1.2.3.4:1"]})
@example(values={"allow_tmp": ["/tmp/\u2028\u0085", "/tmp/=#"], "allow_child_process": ["/a=b", "unshielded:/a=b"]})
def test_python_env_c_python(values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**{"allow_aws": "all", **values})
    environment = policy.to_env()
    assert ShieldPolicy.from_env(environment) == policy
    assert ShieldPolicy.from_lines(policy.to_lines()) == policy
    # C reads the environment as it is, and writes it back the same.
    assert core.parse(policy.to_lines()).lines() == "".join(
        f"{name}={environment[name]}\n" for name in _core_order() if name in environment
    )
    # Canonical values are their own canonical form, and each is an environment's text.
    assert ShieldPolicy(**{field.name: getattr(policy, field.name) for field in dataclasses.fields(policy)}) == policy
    assert all(value.isprintable() or not value.isascii() for value in environment.values())
    assert {each.field for each in policy.explain()} == {field.name for field in dataclasses.fields(policy)}
    for field in MODE_FIELDS:
        assert getattr(policy, field) == values.get(field, "allow" if field == "read_handler" else "block")


def _core_order() -> list[str]:
    explained = core.parse("SHIELD_READ_HANDLER=block").explain()
    return [row["setting"] for row in explained.values()]


@given(values=POLICIES)
def test_what_is_listed_is_allowed(values: dict[str, Any]) -> None:
    """Not only does a policy survive the trip: each host, address and program that it lists is let through."""
    policy = ShieldPolicy(**values)
    for listed in map(str, policy.allow_outbound):
        event = "udp" if listed.startswith("udp://") else "connect"
        entry = listed.partition(" by ")[0].removeprefix("tcp://").removeprefix("udp://")
        matched = re.fullmatch(r"(\[.+\]|[^:]+)(?::(\d+))?", entry)  # no match: an IPv6 address alone
        host, port = matched.groups() if matched else (f"[{entry}]", None)
        if "/" in entry or "*" in host:
            continue
        assert policy.decide(event, f"{host}:{port or 9}").allowed, listed
    for bucket in policy.allow_buckets:
        assert policy.decide("connect", f"{bucket}.s3.us-east-1.amazonaws.com:443").allowed
    for entry in policy.allow_child_process:
        kind = "exec-static" if entry.startswith("unshielded:") else "exec"
        assert policy.decide(kind, entry.removeprefix("unshielded:")).allowed
    for entry in policy.allow_tmp:
        if "*" not in entry and "?" not in entry:
            assert policy.decide("tmp", entry).allowed


ANYTHING = st.one_of(st.text(max_size=30), st.none(), st.integers(), st.lists(st.text(max_size=30), max_size=3))
ALL_FIELDS = [field.name for field in dataclasses.fields(ShieldPolicy)]


@given(values=st.dictionaries(st.sampled_from(ALL_FIELDS), ANYTHING, max_size=3))
def test_anything_is_a_policy_or_an_error_that_names_a_field(values: dict[str, Any]) -> None:
    try:
        policy = ShieldPolicy(**values)
    except ShieldPolicyError as refused:
        error = refused
    else:
        assert ShieldPolicy.from_env(policy.to_env()) == dataclasses.replace(
            policy, allow_aws=policy.allow_aws or "all"
        )
        return
    assert error.field in values
    assert "\n" not in str(error)


def test_every_combination_of_modes() -> None:
    for modes in itertools.product(MODES, repeat=len(MODE_FIELDS)):
        policy = make(**dict(zip(MODE_FIELDS, modes, strict=True)), allow_aws="all")
        assert ShieldPolicy.from_env(policy.to_env()) == policy
        assert [policy.to_env()[f"SHIELD_{field.upper()}"] for field in MODE_FIELDS] == list(modes)
