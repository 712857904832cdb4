"""What is pure: entries taken apart, domains, DNS Firewall's order, egress rules. Held against the engine's core."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.thinning import long_but
from shielded_function import ShieldPolicy
from shielded_function.perimeter import egress, firewall
from shielded_function.perimeter.rule_names import RESOLVER_OWN, Place, domains_of
from shielded_function.perimeter.simulated import Rule, admits, decide, matches
from shielded_function.policy.targets import BOTH, EntryError, Kind, Target, read_entry
from shielded_function_monitoring.cfn.parts import as_template
from shielded_function_runtime import core

REGION, ACCOUNT = "eu-west-1", "111122223333"
PLACE = Place(REGION, ACCOUNT)


def targets_of(policy: ShieldPolicy) -> list[Target]:
    return [read_entry(str(entry)) for entry in policy.allow_outbound]


def rules_for(*policies: ShieldPolicy) -> list[Rule]:
    domains = [*RESOLVER_OWN]
    for policy in policies:
        domains += domains_of(policy, targets_of(policy), PLACE)
    lists = firewall.split(domains)
    allowed = [Rule(firewall.FIRST_LIST + at, "ALLOW", each) for at, each in enumerate(lists)]
    return [*allowed, Rule(firewall.LAST_RULE, "BLOCK", ["*"])]


def lets_out(policy: ShieldPolicy, address: str, port: int, protocol: str = "tcp", *, ipv6: bool = True) -> bool:
    """Whether its egress rules, as in a template, let a connection or datagram out."""
    rules = as_template([rule.as_property() for rule in egress.egress_of(policy, targets_of(policy), ipv6=ipv6)])
    return any(admits(rule, address, port, protocol) for rule in rules)


@pytest.mark.parametrize(
    ("entry", "target"),
    [
        ("api.stripe.com", ("name", "api.stripe.com", None, BOTH)),
        ("tcp://api.stripe.com:443", ("name", "api.stripe.com", 443, ("tcp",))),
        ("*.example.com:443", ("name", "*.example.com", 443, BOTH)),
        ("10.0.0.0/16:5432", ("ipv4", "10.0.0.0/16", 5432, BOTH)),
        ("203.0.113.7", ("ipv4", "203.0.113.7/32", None, BOTH)),
        ("udp://203.0.113.123:123", ("ipv4", "203.0.113.123/32", 123, ("udp",))),
        ("2001:db8::7", ("ipv6", "2001:db8::7/128", None, BOTH)),
        ("[2001:db8::7]:443", ("ipv6", "2001:db8::7/128", 443, BOTH)),
        ("[2001:db8::/32]:443", ("ipv6", "2001:db8::/32", 443, BOTH)),
        ("2001:db8::/32", ("ipv6", "2001:db8::/32", None, BOTH)),
        ("${Token[TOKEN.1]}:${Token[Db:5.2]}", ("name", "${Token[TOKEN.1]}", "${Token[Db:5.2]}", BOTH)),
        ("10.0.0.5:${Token[Db:5.2]}", ("ipv4", "10.0.0.5/32", "${Token[Db:5.2]}", BOTH)),
        ("10.0.0.0/16:${Token[Db:5.2]}", ("ipv4", "10.0.0.0/16", "${Token[Db:5.2]}", BOTH)),
        ("[fd00::7]:${Token[Db:5.2]}", ("ipv6", "fd00::7/128", "${Token[Db:5.2]}", BOTH)),
        ("API.example:${Token[Db:5.2]}", ("name", "api.example", "${Token[Db:5.2]}", BOTH)),
        ("[fd00::7]:443 by x>y or z", ("ipv6", "fd00::7/128", 443, BOTH)),
        ("${Token[TOKEN.1]}:443 by x", ("name", "${Token[TOKEN.1]}", 443, BOTH)),
        ("tcp://*.${Token[TOKEN.1]}:6379", ("name", "*.${Token[TOKEN.1]}", 6379, ("tcp",))),
    ],
)
def test_entries_are_taken_apart(entry: str, target: tuple[Kind, str, object, object]) -> None:
    found = read_entry(entry)
    assert (found.kind, found.host, found.port, found.protocols) == target


def test_domains_match_as_aws_says() -> None:
    """And rules are tried in their order."""
    rules = [Rule(20, "BLOCK", ["*"]), Rule(10, "ALLOW", ["*.example.com"])]
    assert [decide(rules, name) for name in ("a.example.com", "example.com")] == ["ALLOW", "BLOCK"]
    assert decide([], "example.com") == "ALLOW"
    assert matches("*.example.com", "a.b.Example.com.")
    assert not matches("*.example.com", "example.com")
    assert not matches("*.example.com", "badexample.com")
    assert matches("example.com", "EXAMPLE.com.")
    assert matches("*", "anything")


def test_domains_of_a_policy() -> None:
    """A list holds a thousand; mode allow lets every name through; an underscore is refused."""
    assert [len(each) for each in firewall.split(["a.example"] * 2001)] == [1000, 1000, 1]
    assert firewall.split([]) == [[]]
    assert domains_of(ShieldPolicy(outbound_connectivity="allow"), [], PLACE) == ["*"]
    with pytest.raises(EntryError, match=r"_dmarc.example.com: a domain list of DNS Firewall .* with \*\."):
        domains_of(ShieldPolicy(allow_aws="none"), [Target("_dmarc.example.com", "name", "_dmarc.example.com")], PLACE)


LABEL = st.text("abz09-", min_size=1, max_size=6).filter(lambda t: t.strip("-") == t and not t.isdigit())
HOSTS = st.lists(LABEL, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))
SERVICES = st.lists(st.sampled_from(["s3", "dynamodb", "sqs", "iot-data", "timestream-write", "kinesis"]), max_size=3)
BUCKETS = st.lists(st.sampled_from(["orders", "my-uploads", "dir--euw1-az1--x-s3"]), max_size=2, unique=True)


@st.composite
def policies(draw: st.DrawFn) -> ShieldPolicy:
    entries = draw(st.lists(st.tuples(st.sampled_from(["", "*."]), HOSTS, st.sampled_from(["", ":443"])), max_size=4))
    scope = draw(st.one_of(st.sampled_from(["all", "none"]), SERVICES.map(lambda found: found or "none")))
    return ShieldPolicy(
        allow_outbound=["".join(each) for each in entries], allow_aws=scope, allow_buckets=draw(BUCKETS)
    )


OF_AWS = """
    s3.eu-west-1.amazonaws.com orders.s3.eu-west-1.amazonaws.com theirs.s3.dualstack.eu-west-1.amazonaws.com
    dir--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com sqs.eu-west-1.amazonaws.com sts.amazonaws.com
    point-111122223333.s3-accesspoint.eu-west-1.amazonaws.com bucket.s3-website.eu-west-1.amazonaws.com
    111122223333.ddb.eu-west-1.amazonaws.com 999999999999.ddb.eu-west-1.amazonaws.com iam.amazonaws.com
    ingest-cell2.timestream.eu-west-1.amazonaws.com abc.execute-api.eu-west-1.amazonaws.com
    abc.lambda-url.eu-west-1.on.aws ec2-203-0-113-7.eu-west-1.compute.amazonaws.com sqs.us-east-1.amazonaws.com
"""
AWS_HOSTS = st.sampled_from(OF_AWS.split())


@given(st.lists(policies(), min_size=1, max_size=3), st.one_of(HOSTS, AWS_HOSTS), st.data())
def test_an_allowed_name_is_never_blocked(several: list[ShieldPolicy], host: str, data: st.DataObject) -> None:
    """And one that no policy allows is, but for names below a part of AWS's that the policy leaves open."""
    below = data.draw(st.sampled_from(several)).allow_outbound
    if below and data.draw(st.booleans()):
        host = str(data.draw(st.sampled_from(below))).partition(":")[0].replace("*", "x")
    rules = rules_for(*several)
    allowed = any(each.decide("resolve", host, region=REGION, account=ACCOUNT).allowed for each in several)
    found = decide(rules, host)
    if allowed:
        assert found == "ALLOW"
    elif found == "ALLOW":
        assert host in LEFT_OPEN


LEFT_OPEN = {
    # `ingest-cell2` is one of a cell's names, and so would `other` be: all of timestream.eu-west-1 is AWS's.
    "ingest-cell2.timestream.eu-west-1.amazonaws.com",
    # Buckets and access points of any name are S3's.
    "point-111122223333.s3-accesspoint.eu-west-1.amazonaws.com",
}


@pytest.mark.parametrize(
    "region", long_but({"eu-west-1", "cn-north-1"}, ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"])
)
def test_every_endpoint_of_aws_passes(region: str) -> None:
    """Each pattern of the core's table, with samples where it is open, and none of a tenant's."""
    policy = ShieldPolicy()
    domains = domains_of(policy, [], Place(region, ACCOUNT))
    exact = {domain for domain in domains if "*" not in domain}
    wild = [domain for domain in domains if "*" in domain]
    patterns = core.parse(f"SHIELD_ALLOW_AWS=all\nSHIELD_ACCOUNT_ID={ACCOUNT}\nAWS_REGION={region}\n").aws_endpoints()
    assert len(patterns) > 900
    zone = next((w.split(".")[1] for w in wild if "s3express" in w), "s3express-none-az1")
    samples = {"B": "bucket", "L": "label", "C": "7", "Z": zone, "A": ACCOUNT}
    for pattern in patterns:
        host = re.sub("[A-Z]", lambda found: samples[found[0]], pattern)
        assert policy.decide("resolve", host, region=region, account=ACCOUNT).allowed, host
        assert host in exact or any(matches(each, host) for each in wild), host
    for tenant in ("abc.execute-api", "x.elb", "b.s3-website", "i.rds" if not region.startswith("cn-") else "x.elb"):
        host = f"{tenant}.{region}.amazonaws.com"
        assert not any(matches(each, host) for each in domains), host
    assert len(domains) == len(set(domains)) <= firewall.LISTS * firewall.DOMAINS_A_LIST


def test_open_parts_of_aws_names_are_few() -> None:
    """What DNS Firewall cannot say as exactly as the engine: all below these is let through."""
    domains = domains_of(ShieldPolicy(), [], PLACE)
    open_ones = {d.removesuffix(".eu-west-1.amazonaws.com") for d in domains if d.startswith("*.")}
    others = {d for d in open_ones if "s3express" not in d}
    assert others == {
        *(f"*.s3{fips}{stack}" for fips in ("", "-fips") for stack in ("", ".dualstack")),
        "*.s3-eu-west-1.amazonaws.com",
        *(f"*.s3-accesspoint{fips}{stack}" for fips in ("", "-fips") for stack in ("", ".dualstack")),
        *(f"*.s3-object-lambda{fips}" for fips in ("", "-fips")),
        "*.s3-outposts",
        "*.timestream",
    }


def test_buckets_narrow_s3() -> None:
    domains = domains_of(ShieldPolicy(allow_buckets=["orders", "d--use1-az4--x-s3"]), [], Place("us-east-1", ACCOUNT))
    s3 = {domain for domain in domains if ".s3" in domain or domain.startswith("s3.")}
    assert "orders.s3.us-east-1.amazonaws.com" in s3
    assert "d--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com" in s3
    assert not any(domain.startswith(("*", "s3.")) for domain in s3)


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
NETWORKS = st.sampled_from(["203.0.113.0/24", "10.0.0.0/8", "198.51.100.7", "2001:db8::/32", "fd00::7"])
PROTOCOLS = st.sampled_from(["tcp", "udp"])
PORTS = st.sampled_from([22, 80, 443, 5432])


@st.composite
def listed_networks(draw: st.DrawFn) -> list[str]:
    entries: list[str] = []
    for network, protocol, port in draw(
        st.lists(st.tuples(NETWORKS, st.one_of(st.none(), PROTOCOLS), st.one_of(st.none(), PORTS)), max_size=4)
    ):
        host = f"[{network}]" if ":" in network and port else network
        entries.append((f"{protocol}://" if protocol else "") + host + (f":{port}" if port else ""))
    return entries


@pytest.mark.promise("perimeter.ports")
@given(
    listed_networks(),
    st.one_of(ADDRESSES, st.sampled_from(["203.0.113.9", "10.9.9.9", "2001:db8::9"])),
    PORTS,
    PROTOCOLS,
)
@example(["2001:db8::/32"], "2001:db8::1", 22, "tcp")
def test_egress_to_addresses_is_the_policys(entries: list[str], address: str, port: int, protocol: str) -> None:
    """Without names in the list, the two agree on every address."""
    policy = ShieldPolicy(allow_outbound=entries, allow_aws="none")
    ip = ipaddress.ip_address(address)
    target = f"[{address}]:{port}" if ip.version == 6 else f"{address}:{port}"
    decision = policy.decide("connect" if protocol == "tcp" else "udp", target)
    if decision.reason == "always" or getattr(ip, "ipv4_mapped", None) is not None:
        return  # loopback never leaves the function
    assert lets_out(policy, address, port, protocol) == decision.allowed


@pytest.mark.promise("perimeter.ports")
@given(policies(), st.one_of(HOSTS, AWS_HOSTS), st.sampled_from([443, 80]))
def test_an_allowed_connection_is_let_out(policy: ShieldPolicy, host: str, port: int) -> None:
    if policy.decide("connect", f"{host}:{port}", region=REGION, account=ACCOUNT).reason == "listed":
        assert lets_out(policy, "203.0.113.7", port, ipv6=False)
    if policy.decide("connect", f"{host}:443", region=REGION, account=ACCOUNT).reason == "aws":
        assert lets_out(policy, "203.0.113.7", 443, ipv6=False)
