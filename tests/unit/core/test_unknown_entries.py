"""A policy with what is known only at deployment: tokens, constructs, and what a role is granted. Without the CDK."""

from __future__ import annotations

import dataclasses
import re
import sys
import types
from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from unit.core.policies import PORTS, TOKEN, make, refused

pytestmark = pytest.mark.promise("policy.at-deployment")

HOST = TOKEN
OTHER = "${Token[Shop.Db-1.Endpoint.13]}"
LIST = "#{Token[TOKEN.14]}"
LONG = "a" * 62
# By field; T is a token, O another, L a list of them.
MAY_HOLD = {
    "allow_outbound": f"""T L T:5432 T:O *.T *.T:443 tcp://T:443 udp://T api.T T.example.com:443
        T.O.rds.amazonaws.com:5432 a-T.example {LONG}T.example [T]:443 10.0.0.0/T 10.0.0.0/8:T T/16 2001:db8::/T
        2001:db8::1/T [2001:db8::]:T 27.29.example:T T://a.example T.T.T.T.T:T API.T.Example.:0443""",
    "allow_buckets": "T L T-uploads T--use1-az4--x-s3",
    "allow_tmp": "T L /tmp/T /tmp/T/** /tmp/aT*.log T/**",
    "allow_child_process": "T L /opt/T T/bin/x unshielded:T unshielded:/opt/T",
}


def with_tokens(text: str) -> str:
    return re.sub("[TOL]", lambda found: {"T": HOST, "O": OTHER, "L": LIST}[found[0]], text)


class Node:
    path = "Shop/Orders"


class Bucket:
    """As a construct of the CDK's: its class has a node."""

    @property
    def node(self) -> Node:
        return Node()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, str]]:
    """A `hosts` module that takes buckets and says what it was asked."""
    calls: list[tuple[object, str]] = []
    hosts = types.SimpleNamespace(check_construct=lambda construct, field: calls.append((construct, field)))
    monkeypatch.setitem(sys.modules, "shielded_function.hosts", hosts)
    monkeypatch.setattr("shielded_function.hosts", hosts, raising=False)
    return calls


@pytest.mark.parametrize(
    ("field", "entry"), [(field, with_tokens(entry)) for field, told in MAY_HOLD.items() for entry in told.split()]
)
def test_what_may_hold_a_token(field: str, entry: str) -> None:
    policy = make(**{field: [entry]})
    assert getattr(policy, field) == (entry,)
    assert policy.unknown_entries == ((field, entry),)
    assert not policy.is_known
    assert dataclasses.replace(policy, read_handler="alert").unknown_entries == policy.unknown_entries
    if entry != LIST:  # a list is joined by the CDK
        assert policy.to_env()[f"SHIELD_{field.upper()}"] == entry
    with pytest.raises(ShieldPolicyError, match=rf"ShieldPolicy\.{field}: .* is known only at deployment"):
        policy.to_lines()


@pytest.mark.parametrize(
    ("field", "entry", "reason"),
    [
        ("allow_outbound", f"{HOST}:99999", "has no valid port; write a number from 1 to 65535 after the colon"),
        ("allow_outbound", f"[{HOST}]:0", "has no valid port; write a number from 1 to 65535 after the colon"),
        ("allow_outbound", f"{HOST} x", "is not a host name, an IP address or a network; "),
        ("allow_outbound", f"{HOST}/index.html", "has a path; write the host, and the port if you like, alone"),
        ("allow_outbound", f"https://{HOST}/x", 'is a URL; use "<unknown>:443"'),
        ("allow_outbound", f"{HOST}.*.example", "has a wildcard inside; one is taken only as the whole first label"),
        ("allow_outbound", f"{HOST},a.example", "has a comma, which separates entries; write one entry for each"),
        ("allow_outbound", f"{HOST}.bücher.example", "has an international name beside a token; write the name in its"),
        ("allow_outbound", f"{HOST}:4\n43", "has a control character"),
        ("allow_outbound", f"{LIST}:443", "has a token list inside a text; give the list itself, or one text with Fn."),
        ("allow_outbound", "${Token[TOKEN.12]", "is a CDK token"),  # half of one
        ("allow_buckets", f"{HOST}_uploads", "is not the name of a bucket"),
        ("allow_buckets", f"s3://{HOST}", "is a URL; use "),
        ("allow_tmp", f"/var/{HOST}", "is not under /tmp; begin it with /tmp/"),
        ("allow_tmp", f"/tmp/{HOST}/../x", 'has a "." or ".." component'),
        ("allow_child_process", f"/opt/{HOST}/*", "has a wildcard; list each program by its whole path"),
        ("allow_child_process", f"bin/{HOST}", "is not an absolute path; begin it with a slash"),
    ],
)
def test_what_is_known_beside_a_token_is_checked(field: str, entry: str, reason: str) -> None:
    said = str(refused(**{field: [entry]}))
    assert reason in said
    assert "known-at-deployment" not in said


def test_literals_come_first_and_each_once() -> None:
    assert ShieldPolicy(allow_outbound=["a.example"], allow_aws=["s3"]).is_known
    policy = ShieldPolicy(allow_outbound=[HOST, "B.example", f" {OTHER}:1 ", "b.example", HOST, "a.example"])
    assert policy.allow_outbound == ("b.example", "a.example", HOST, f"{OTHER}:1")
    assert policy.to_env()["SHIELD_ALLOW_OUTBOUND"] == f"b.example,a.example,{HOST},{OTHER}:1"
    assert policy == ShieldPolicy(allow_outbound=policy.allow_outbound)
    assert hash(policy) == hash(ShieldPolicy(allow_outbound=policy.allow_outbound))


@pytest.mark.promise("deny.every-mode")
def test_no_unknown_entry_admits_what_is_denied() -> None:
    policy = ShieldPolicy(allow_outbound=[HOST], deny_outbound=["a.example"], allow_aws="granted")
    assert policy.decide("connect", "a.example:443").action == "deny"
    assert policy.decide("connect", "b.example:443").action == "unknown"


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        ("granted", "granted"),
        (["granted"], "granted"),
        (["granted", "bedrock", "granted", "s3"], ("bedrock", "s3", "granted")),
    ],
)
def test_granted(given_value: Any, kept: object) -> None:
    policy = make(allow_aws=given_value)
    assert policy.allow_aws == kept
    assert policy == make(allow_aws=kept)
    assert policy.unknown_entries == (("allow_aws", "granted"),)
    with pytest.raises(
        ShieldPolicyError, match=r'^ShieldPolicy\.allow_aws: "granted" is resolved for each function by '
    ):
        policy.to_env()
    decision = policy.decide("connect", "dynamodb.us-east-1.amazonaws.com:443")
    assert (decision.action, decision.reason, decision.entry) == ("unknown", "known_at_deployment", "granted")
    assert not decision.allowed
    assert policy.decide("resolve", "orders.s3.us-east-1.amazonaws.com").action == (
        "unknown" if kept == "granted" else "allow"
    )
    assert policy.decide("connect", "evil.example:443").action == "deny"
    assert policy.decide("tmp", "/tmp/x").action == "deny"


@pytest.mark.parametrize("value", [["granted", "all"], ["granted", "none"], "Granted", ["granted", "dynamo"]])
def test_what_is_not_granted(value: Any) -> None:
    assert refused(allow_aws=value)


def test_a_construct_is_kept_as_it_is(asked: list[tuple[object, str]]) -> None:
    orders, other = Bucket(), Bucket()
    policy = make(allow_outbound=["a.example", orders], allow_buckets=[orders, other, orders, "uploads"])
    assert policy.allow_buckets == ("uploads", orders, other)
    assert asked[:2] == [(orders, "allow_outbound"), (orders, "allow_buckets")]
    assert policy.unknown_entries == (("allow_outbound", orders), ("allow_buckets", orders), ("allow_buckets", other))
    assert policy == make(allow_outbound=["a.example", orders], allow_buckets=["uploads", orders, other])
    assert policy != make(allow_outbound=["a.example", other], allow_buckets=["uploads", orders, other])
    assert len({policy, dataclasses.replace(policy), dataclasses.replace(policy, allow_outbound=[other])}) == 2
    assert "Bucket object" in repr(policy)
    with pytest.raises(ShieldPolicyError, match=r"\.allow_outbound: the construct Shop/Orders is resolved for each "):
        policy.to_env()
    asked.clear()
    assert policy.decide("connect", "a.example:443").allowed
    assert policy.explain()
    assert not policy.is_known
    assert asked == [], "each costs a round trip to the CDK"
    assert (policy + ShieldPolicy(allow_buckets=["more"])).allow_buckets == ("uploads", "more", orders, other)
    for field in ("allow_tmp", "allow_child_process", "allow_aws"):
        refused(**{field: [orders]})


def test_of_unknown_buckets_alone_s3_is_not_any_bucket(asked: list[tuple[object, str]]) -> None:
    for entry in (HOST, Bucket()):
        policy = make(allow_buckets=[entry])
        assert policy.decide("connect", "theirs.s3.us-east-1.amazonaws.com:443").action == "unknown"
        assert policy.decide("connect", "s3.us-east-1.amazonaws.com:443").action == "deny"
        assert policy.decide("connect", "dynamodb.us-east-1.amazonaws.com:443").action == "allow"
    policy = make(allow_buckets=[f"{HOST}-uploads"])
    assert policy.decide("connect", "my-uploads.s3.us-east-1.amazonaws.com:443").action == "unknown"
    assert policy.decide("connect", "theirs.s3.us-east-1.amazonaws.com:443").action == "deny"


# Entry, event, targets that only deployment decides, and those that are denied whatever the token is.
THIRD_ANSWERS = {
    "allow_outbound": """
        T                    | connect | db.example:5432 10.0.0.1:1 [2001:db8::1]:443 localhost.example:1 |
        T:5432               | connect | db.example:5432 [2001:db8::1]:5432 | db.example:5433 10.0.0.1:5433
        db.example:T         | connect | db.example:5432 | eb.example:5432
        db.example:T         | resolve | db.example | eb.example
        27.example:T         | connect | 27.example:27 | 28.example:27
        API.T.Example.:0443  | connect | api.x.example:443 | api.x.example:444
        *.x.T                | connect | a.x.example:443 b.a.x.example:1 | a.y.example:443
        T.example            | connect | a.example:1 a.b.example:1 | a.exemple:1
        tcp://T:443          | connect | a.example:443 | a.example:444
        tcp://T:443          | udp     | | a.example:443
        tcp://T:443          | resolve | a.example |
        T:443                | tmp     | | /tmp/a
        10.0.0.0/T           | connect | 10.0.3.1:443 11.0.0.1:443 | 12.0.0.1:443 [::1:1]:443
        10.0.0.0/8:T         | connect | 10.9.3.1:443 | 11.0.0.1:443
        [T]:443              | connect | [2001:db8::1]:443 | 10.0.0.1:443 a.example:443
        [Te80::1]:1          | connect | [fe80::1]:1 | [fe80::1]:2
        [Ta00::5]:443        | connect | [2a00::5]:443 | [2a00::5]:444
        [2001:db8::1]:T      | connect | [2001:db8::1]:443 |
        2001:db8::1/T        | connect | [2001:db8::1]:1 |""",
    "allow_tmp": """
        T            | tmp | /tmp/a /tmp /tmp/a/b,c |
        L            | tmp-at-start | java21:/tmp/a |
        /tmp/T/**    | tmp | /tmp/a /tmp/a/b /tmp/a,b/c |
        /tmp/x-T/**  | tmp | /tmp/x-a /tmp/x-a/b | /tmp/a /tmp/y-a/b
        /tmp/T.log   | tmp | /tmp/a.log /tmp/a/b.log | /tmp/a.txt
        T/x          | tmp | /tmp/x /tmp/a/x | /tmp/y
        Tx           | tmp | /tmp/x /tmp/a/yx | /tmp/xy
        /tmp/*T*/a   | tmp | /tmp/b/a | /tmp/b/b""",
    "allow_child_process": """
        T                  | exec        | /bin/sh |
        T                  | exec-static | /bin/sh |
        /opt/T             | exec        | /opt/x /opt/x/y | /bin/sh
        /opt/T             | exec-static | | /opt/x
        unshielded:/opt/T  | exec-static | /opt/x | /bin/x
        unshielded:/opt/T  | exec        | /opt/x | /bin/x""",
}


@pytest.mark.parametrize(
    ("field", "row"), [(field, row) for field, rows in THIRD_ANSWERS.items() for row in rows.strip().splitlines()]
)
@pytest.mark.parametrize("mode", ["block", "alert"])
def test_the_third_answer(field: str, row: str, mode: Any) -> None:
    given_entry, given_event, *targets = map(str.strip, row.split("|"))
    entry, event = with_tokens(given_entry), cast("Any", given_event)
    unknown, denied = map(str.split, targets)
    modes = dict.fromkeys(["outbound_connectivity", "read_write_tmp", "create_child_process"], mode)
    # An executable that the shield cannot be put into is judged by the strictest policy of all.
    policy = make(**{field: [entry]}, **modes, read_handler=mode)
    known = make(**modes, read_handler=mode)
    for target in unknown:
        decision = policy.decide(event, target)
        assert (decision.action, decision.reason, decision.entry) == ("unknown", "known_at_deployment", entry), target
        assert decision.mode == mode
        assert not decision.allowed
        assert decision.allow == known.decide(event, target).allow
        assert make(**{field: [entry, decision.allow]}, **modes).decide(event, target).allowed, "the literals allow it"
    for target in denied:
        assert policy.decide(event, target) == known.decide(event, target), target
    for target in unknown:
        modes = dict.fromkeys(modes, "allow")
        assert make(**{field: [entry]}, **modes, read_handler="allow").decide(event, target).allowed, "the mode does"


NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=2, max_size=4).map(".".join)


@given(
    value=NAMES | NAMES.map("*.{}".format),
    cut=st.integers(0, 20),
    end=st.integers(0, 20),
    port=PORTS,
    protocol=st.sampled_from(["", "tcp://"]),
    asked_port=st.integers(1, 65535),
)
def test_whatever_deployment_allows_was_not_denied(
    value: str, cut: int, end: int, port: str, protocol: str, asked_port: int
) -> None:
    """Cut a token into an entry: what the whole entry admits, the policy with the token did not call denied."""
    cut, end = sorted((min(cut, len(value)), min(end, len(value))))
    assume(cut < end and value[cut - 1 : cut] != "*")  # no token begins with the dot
    entry = f"{protocol}{value[:cut]}{HOST}{value[end:]}{port}"
    target = f"{value.replace('*', 'a')}:{port[1:] or asked_port}"
    assume(not ShieldPolicy().decide("connect", target).allowed)  # loopback
    assert ShieldPolicy(allow_outbound=[f"{protocol}{value}{port}"]).decide("connect", target).allowed
    decision = ShieldPolicy(allow_outbound=[entry]).decide("connect", target)
    assert decision.action == "unknown"
    assert decision.entry == entry


def test_explain(asked: list[tuple[object, str]]) -> None:
    outbound: list[Any] = ["a.example", HOST, f"{HOST}:5432", f"*.{HOST}", Bucket()]
    others = {"allow_buckets": [HOST], "allow_tmp": [f"/tmp/{HOST}/**"], "allow_child_process": [LIST]}
    policy = make(allow_outbound=outbound, allow_aws=["bedrock", "granted"], **others)
    fields = {each.field: each for each in policy.explain() if not each.entry}
    assert list(fields) == [field.name for field in dataclasses.fields(policy)]

    told = {each.entry: each.meaning for each in policy.explain() if each.field == "allow_outbound" and each.entry}
    assert told == {
        "a.example": "the host a.example, any port",
        HOST: "known at deployment",
        f"{HOST}:5432": "known at deployment: the host <unknown>, port 5432",
        f"*.{HOST}": "known at deployment: every host below <unknown>, any port",
        "Shop/Orders": "known at deployment: where clients reach the Bucket Shop/Orders",
    }
    assert [each.meaning for each in policy.explain() if each.entry and each.field != "allow_outbound"] == [
        "the endpoints of bedrock",
        "known at deployment: the grants of the function's role",
        "known at deployment",
        "known at deployment: this directory and all that lies below it",
        "known at deployment",
    ]
    assert fields["allow_outbound"].meaning == "these hosts, addresses and networks may be reached"
    assert fields["allow_outbound"].value == f"a.example,{HOST},{HOST}:5432,*.{HOST},Shop/Orders"
    assert fields["allow_buckets"].meaning.startswith("of S3, these buckets may be reached")
    assert fields["allow_child_process"].value == LIST

    [alone, _] = [each for each in ShieldPolicy(allow_aws="granted").explain() if each.field == "allow_aws"]
    assert alone.value == "granted"
    assert "may be reached" in alone.meaning
