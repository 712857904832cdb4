"""ShieldPolicy: its fields, its errors, and that Python, the environment and C agree on every policy."""

from __future__ import annotations

import dataclasses
import doctest
import enum
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.policy_texts import CANONICAL, ERRORS, Text
from shielded_function.policy import Decision, Explanation, ShieldPolicy, ShieldPolicyError, shield_policy
from shielded_function.policy.fields import KINDS, setting_of
from shielded_function.policy.presets import PRESETS
from shielded_function_runtime import core
from unit.core.policies import MODE_FIELDS, POLICIES, TOKEN, make, refused

OF_LISTS = {"allow_outbound", "allow_buckets", "allow_tmp", "allow_child_process", "allow_executable_memory"}
ALL_FIELDS = [field.name for field in dataclasses.fields(ShieldPolicy)]


def test_the_default_blocks_all_but_read_handler_and_admits_aws() -> None:
    policy = ShieldPolicy()
    assert policy.to_env() == {
        "SHIELD_OUTBOUND_CONNECTIVITY": "block",
        "SHIELD_READ_WRITE_TMP": "block",
        "SHIELD_CREATE_CHILD_PROCESS": "block",
        "SHIELD_READ_HANDLER": "allow",
    }
    unset = dict.fromkeys(["allow_aws", "executable_memory", "on_failure"])
    off = dict.fromkeys(["clear_tmp", "block_foreign_functions", "log_arguments"], False)
    modes = {**dict.fromkeys(MODE_FIELDS[:3], "block"), "read_handler": "allow", "check_tls_name": True}
    modes["kernel_limits"] = True
    assert policy == make(**{field: [] for field in OF_LISTS}, **unset, **off, **modes)
    assert policy.decide("connect", "evil.example:443").action == "deny"
    assert policy.decide("connect", "dynamodb.eu-west-1.amazonaws.com:443", region="eu-west-1").reason == "aws"
    assert policy.decide("connect", "dynamodb.eu-west-1.amazonaws.com:443").action == "deny"  # not its region


def test_alert_stops_nothing_and_reports_everything() -> None:
    policy = ShieldPolicy.report_only()
    assert [getattr(policy, field) for field in MODE_FIELDS] == ["alert", "alert", "alert", "allow"]
    assert policy.executable_memory is None, "a JIT would alert all day"
    event: Any
    for event, target in [("connect", "evil.example:1"), ("tmp", "/tmp/x"), ("exec", "/x"), ("exec-static", "/x")]:
        assert policy.decide(event, target).action == "alert"


def test_it_is_a_value() -> None:
    policy = ShieldPolicy(allow_outbound=["A.example", "a.example."])
    assert policy.allow_outbound == ("a.example",)
    assert policy == ShieldPolicy(allow_outbound=("a.example",))
    assert ShieldPolicy(allow_aws=[]) == ShieldPolicy(allow_aws="none")
    assert hash(policy) == hash(ShieldPolicy(allow_outbound=("a.example",)))
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert dataclasses.replace(policy, read_handler="alert").allow_outbound == ("a.example",)
    with pytest.raises(ShieldPolicyError):
        dataclasses.replace(policy, allow_outbound=["*"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.read_handler = "allow"  # pyright: ignore[reportAttributeAccessIssue]


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
        ("BÜCHER.Example:443", "xn--bcher-kva.example:443"),
        ("президент.рф:443", "xn--d1abbgf6aiiy.xn--p1ai:443"),
        ("tcp://bücher.example:443", "tcp://xn--bcher-kva.example:443"),
        ("TCP://*.BÜCHER.example", "tcp://*.xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),  # an ideographic full stop
        ("\uff45\uff58ample.com", "example.com"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),  # decomposed
        ("bücher.рф", "xn--bcher-kva.xn--p1ai"),  # a script a label
        ("президент-24.example", "xn---24-mddebmi1col4a.example"),
        ("日本語ニュースnews.example", "xn--news-un4c3d2h2go208bpxc355l.example"),
        ("한글漢字.example", "xn--p8s937bq39bs56a.example"),
        ("xn--pypal-4ve.com", "xn--pypal-4ve.com"),  # mixed, as an alert shows it
    ],
)
def test_international_names(given_entry: str, kept: str) -> None:
    policy = ShieldPolicy(allow_outbound=[given_entry])
    assert policy.allow_outbound == (kept,)
    name = given_entry.lower().removeprefix("tcp://").removeprefix("*").lstrip(".").partition(":")[0]
    assert policy.decide("connect", f"{'x.' if '*' in given_entry else ''}{name}:443").allowed


@pytest.mark.parametrize("text", [text for text in CANONICAL if text.field in OF_LISTS], ids=str)
def test_entries_become_what_the_core_makes_of_them(text: Text) -> None:
    assert getattr(make(**{text.field: text.entries}), text.field) == tuple(filter(None, text.becomes.split(",")))


# Entries are apart here, and a name that is not ASCII is written in its other form.
WRONG = [text for text in ERRORS if text.field in OF_LISTS and all(text.entries or [""]) and text.given.isascii()]


@pytest.mark.parametrize("text", [text for text in WRONG if text.given.isprintable()], ids=str)
def test_errors_are_the_cores(text: Text) -> None:
    told = text.becomes.replace("set SHIELD_OUTBOUND_CONNECTIVITY to allow", 'write outbound_connectivity="allow"')
    error = refused(**{text.field: text.entries})
    assert str(error) == f"ShieldPolicy.{text.field}: {told} (environment variable {text.setting})"


ENV = "(environment variable SHIELD_{})"
NO_MODE = "is not a mode; use block, alert or allow"
WHOLE = 'would refuse everything; to admit listed hosts alone, write outbound_connectivity="block"'
COMMA = "has a comma, which separates entries; "
UNKNOWN_YET = "is a CDK token, which has no value before deployment; "
MIXED = ["p\u0430ypal.com", "tcp://*.\u0440aypal.com", "www.p\u03b1ypal.com:443", "\u4e2d\u0430.example"]
NO_SERVICE = "is not an AWS service as botocore calls them"
MEANT = {"EventBridge": "events", "S3": "s3", "Step Functions": "stepfunctions", "CloudWatch Logs": "logs"} | {
    "monitoring": "cloudwatch",
    "secrets-manager": "secretsmanager",
}
ARGUMENTS = "which are not judged; write the program's path alone"
IDNA = "has a character that versions of IDNA read differently; write the name "


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        *((field, "BLOCK", f'"BLOCK" {NO_MODE} {ENV}') for field in MODE_FIELDS),
        ("executable_memory", "by_runtime", f'"by_runtime" {NO_MODE} {ENV}'),
        ("read_handler", True, "True is not text"),
        ("read_handler", None, "None is not text"),
        ("read_handler", "block\nSHIELD_ALLOW_TMP=/tmp/**", "has a control character; take it out"),
        ("read_handler", TOKEN, UNKNOWN_YET),
        ("log_arguments", "off", "'off' is not a boolean; use True or False"),
        ("check_tls_name", None, "None is not a boolean; use True or False"),
        ("clear_tmp", 0, "0 is not a boolean; use True or False"),
        ("block_foreign_functions", "block", "'block' is not a boolean; use True or False"),
        ("allow_aws", "s3", '\'s3\' is not "all", "none" or "granted"; write services as a list: [\'s3\']'),
        ("allow_aws", ["all"], "'all' is not a service; write allow_aws='all', without a list"),
        ("allow_aws", ["s3", "none"], "'none' is not a service; write allow_aws='none', without a list"),
        ("allow_aws", ["s3", "dynamobd"], '"dynamobd" is not an AWS service; use "dynamodb", or another name'),
        ("allow_aws", 3, "3 is not a list of texts"),
        ("allow_aws", [TOKEN], UNKNOWN_YET),
        ("allow_buckets", "uploads", "'uploads' is one text; write a list: ['uploads']"),
        ("allow_buckets", [""], "an entry is empty; leave it out"),
        ("allow_outbound", ["https://bücher.example/"], f'is a URL; use "bücher.example:443" {ENV}'),
        ("allow_outbound", None, "None is not a list of texts"),
        ("allow_outbound", {"a.example"}, "{'a.example'} is not a list of texts"),  # of no fixed order
        ("allow_outbound", [443], "443 is not text"),
        ("allow_outbound", [" \t"], "an entry is empty; leave it out"),
        ("allow_outbound", ["a.example,b.example"], f"{COMMA}write one entry for each"),
        ("allow_outbound", ["a.example by b, c"], f"{COMMA}write or between packages"),
        ("allow_outbound", ["ä\uff0cb.example"], f"{COMMA}write one entry for each"),
        ("allow_outbound", ["a.example\nb.example"], "has a control character; take it out"),
        ("allow_outbound", ["a\ud800.example"], "is not valid Unicode text; it holds a lone surrogate"),
        ("allow_outbound", [f"h{number}.example" for number in range(513)], "more than 512 entries; "),
        ("allow_outbound", ["tcp://straße.example"], IDNA),
        ("allow_outbound", ["\u0378.example"], IDNA),
        ("allow_outbound", ["ä" * 64 + ".example"], "is not an international host name ("),
        ("allow_outbound", ["ä..example"], "is not a host name, an IP address or a network; "),
        ("deny_outbound", ["*"], f'"*" {WHOLE} {ENV}'),
        ("deny_outbound", [f"a.{TOKEN}"], "is known only at deployment; write hosts and networks as texts"),
        ("deny_outbound", ["Preset:exfiltraton"], "no 'Preset:exfiltraton'; use preset:exfiltration, "),
        *(("allow_outbound", [entry], f"{entry!r} mixes scripts in ") for entry in MIXED),
        ("allow_outbound", [MIXED[0]], "or in its xn-- form if it is intended"),
        ("allow_outbound", [f"a.example by {TOKEN}"], "has a token among its packages; write the packages themselves"),
        *(("allow_aws", [written], f'{written!r} {NO_SERVICE}; use "{meant}"') for written, meant in MEANT.items()),
        ("allow_aws", ["execute-api"], "list them in allow_outbound"),
        ("allow_child_process", ["/bin/sh -c"], f"{ARGUMENTS}: '/bin/sh'"),
        ("allow_child_process", ["unshielded:/opt/tool --all=1 /tmp"], f"{ARGUMENTS}: 'unshielded:/opt/tool'"),
        ("presets", ["numbba"], "there is no 'numbba'; did you mean numba?"),
        ("presets", ["sybase"], f"there is no 'sybase'; use {', '.join(PRESETS)}"),
        ("presets", "numba", "'numba' is one text; write a list: ['numba']"),
        ("presets", [1], "1 is not text"),
        ("presets", None, "None is not a list of names"),
        ("allow_tmp", ["/tmp/a,b"], f"{COMMA}use ? in its place"),
        ("allow_tmp", [b"/tmp/a"], "b'/tmp/a' is not text"),
    ],
)
def test_errors_name_the_field_and_the_fix(field: str, value: object, reason: str) -> None:
    error = refused(**{field: value})
    assert reason.replace("{}", field.upper()) in str(error)
    assert "\n" not in str(error)
    assert "line " not in str(error)
    assert isinstance(error, ValueError)


@pytest.mark.promise("deny.every-mode")
def test_an_entry_that_is_denied_whole_names_both() -> None:
    error = refused(allow_outbound=["webhook.site:443"], deny_outbound=["preset:exfiltration"])
    said = '"webhook.site:443" is refused in every mode by "webhook.site" of deny_outbound; take one of the two out'
    assert said in str(error)
    assert error.field == "allow_outbound"


def test_from_env_passes_over_what_is_not_ours() -> None:
    environment = {
        "PATH": "/bin",
        "AWS_REGION": "not one!",
        "SHIELD_NEXT_WRAPPER": "/opt/otel-instrument",
        "SHIELD_STATE": "starting:-1:/usr/bin/python3",
        "SHIELD_ACCOUNT_ID": "whatever",
        "SHIELD_READ_HANDLER": "alert",
    }
    assert ShieldPolicy.from_env(environment) == ShieldPolicy(read_handler="alert", allow_aws="all")


NO_POLICY = "there is no policy: not one SHIELD_ setting was given"


@pytest.mark.parametrize(
    ("environment", "field", "reason"),
    [
        ({"PATH": "/bin", "SHIELD_ACCOUNT_ID": "123456789012"}, "", NO_POLICY),
        ({"SHIELD_READ_HANDLE": "block"}, "", "HANDLE: there is no such setting; did you mean SHIELD_READ_HANDLER"),
        ({"SHIELD_READ_HANDLER": ""}, "read_handler", f'"" {NO_MODE}'),
        ({"SHIELD_READ_HANDLER": "block\nSHIELD_ALLOW_TMP=/tmp/**"}, "read_handler", "has a control character"),
        ({"SHIELD_ALLOW_TMP": "/tmp/a,,/tmp/b"}, "allow_tmp", "an empty entry between commas"),
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
        f'ShieldPolicy.read_handler: "deny" {NO_MODE} (line 2, environment variable SHIELD_READ_HANDLER)'
    )
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy: .*there is no such setting.* \(line 1\)$"):
        ShieldPolicy.from_lines("READ_HANDLER=block")


def test_explain_has_the_fields_in_order() -> None:
    explained = ShieldPolicy(allow_tmp=["/tmp/a/**"]).explain()
    assert [each.field for each in explained if not each.entry] == ALL_FIELDS
    assert Explanation("allow_tmp", "/tmp/a/**", "this directory and all that lies below it") in explained
    assert {each.field for each in explained if each.given} == {"allow_tmp"}
    assert str(explained[0]).startswith("outbound_connectivity block: ")


def test_decide() -> None:
    policy = ShieldPolicy(allow_outbound=["bücher.example:443"])
    assert policy.decide("connect", "BÜCHER.example:443") == Decision(
        "allow", "outbound_connectivity", "block", "listed", "xn--bcher-kva.example:443", ""
    )
    assert policy.decide("resolve", "evil.example").allow == "evil.example"
    wrong: Any
    for wrong, reason in (
        ({"event": "open"}, "is not an event; use connect, udp, "),
        ({"region": "the moon"}, "is not a region; use a name such as us-east-1"),
        ({"region": "us-east-1\nSHIELD_ALLOW_TMP=/tmp/**"}, "has a control character"),
        ({"account": "me"}, "is not an account; write its twelve digits"),
    ):
        with pytest.raises(ValueError, match=reason):
            policy.decide(**{"event": "tmp", "target": "/tmp/x", **wrong})


@pytest.mark.parametrize(("account", "action"), [("", "allow"), ("123456789012", "allow"), ("210987654321", "deny")])
def test_decide_by_account(account: str, action: str) -> None:
    host = "123456789012.ddb.us-east-1.amazonaws.com"
    assert ShieldPolicy().decide("connect", f"{host}:443", account=account).action == action
    assert ShieldPolicy().decide("connect", "dynamodb.us-east-1.amazonaws.com:443", account=account).allowed


# Which of S3's hosts each policy admits.
@pytest.mark.parametrize("allow_aws", ["all", "none", [], ["s3"], ["dynamodb"]])
def test_a_bucket_narrows_s3(allow_aws: Any) -> None:
    before = make(allow_aws=allow_aws)
    policy = before + ShieldPolicy(allow_buckets=["uploads"]) + ShieldPolicy(allow_buckets=["reports", "uploads"])
    assert policy.allow_buckets == ("uploads", "reports")
    assert before.allow_buckets == ()
    assert dataclasses.replace(policy, allow_buckets=[]) == before

    def admits(host: str) -> bool:
        return policy.decide("connect", f"{host}.us-east-1.amazonaws.com:443").allowed

    assert all(admits(f"{bucket}.{form}") for bucket in policy.allow_buckets for form in ("s3", "s3.dualstack"))
    others = ["s3", "s3.dualstack", "theirs.s3", "upload.s3", "x.uploads.s3", "point-123456789012.s3-accesspoint"]
    assert not any(map(admits, others))
    assert policy.decide("connect", "uploads.s3.amazonaws.com:443").allowed
    assert admits("dynamodb") is (allow_aws == "all" or "dynamodb" in allow_aws)
    assert admits("sqs") is (allow_aws == "all")


def test_the_examples_in_its_documentation() -> None:
    results = doctest.testmod(shield_policy)
    assert results.attempted >= 3
    assert results.failed == 0


# Round trip: every policy that can be made


@given(values=POLICIES)
@example(values={"allow_outbound": ["::ffff:1.2.3.4", "[::ffff:1.2.3.4]:1", "1.2.3.4:1"]})
@example(values={"allow_tmp": ["/tmp/\u2028\u0085", "/tmp/=#"], "allow_child_process": ["/a=b", "unshielded:/a=b"]})
def test_python_env_c_python(values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**{"allow_aws": "all", **values})
    environment = policy.to_env()
    assert ShieldPolicy.from_env(environment) == policy
    assert ShieldPolicy.from_lines(policy.to_lines()) == policy
    # C reads the environment as it is, and writes it back the same, in its own order.
    order = map(setting_of, KINDS)
    lines = [f"{name}={environment[name]}\n" for name in order if name in environment]
    assert core.parse(policy.to_lines()).lines() == "".join(lines)
    # Canonical values are their own canonical form, and each is an environment's text.
    assert ShieldPolicy(**{field: getattr(policy, field) for field in ALL_FIELDS}) == policy
    assert all(value.isprintable() or not value.isascii() for value in environment.values())
    assert {each.field for each in policy.explain()} == set(ALL_FIELDS)
    for field in MODE_FIELDS:
        assert getattr(policy, field) == values.get(field, "allow" if field == "read_handler" else "block")


ANYTHING = st.one_of(st.text(max_size=30), st.none(), st.integers(), st.lists(st.text(max_size=30), max_size=3))


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
