"""The blast radius of a malicious package in a function, from the policy and the role's grants in `cdk.out`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from shielded_function.checks.model import Assembly, LambdaFunction
from shielded_function.granted import Grants
from shielded_function.granted.actions import Action, endpoint_of, parse_action, services_of
from shielded_function.granted.arns import Resource, parse_arn, words
from shielded_function.granted.statements import Statement
from shielded_function.granted.template_reader import TemplateGrants
from shielded_function.granted_policy import is_unknown_grant
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.texts import without_packages
from shielded_function_monitoring.cfn.template import Place

from .openings import Opening, of_listed_hosts

_ANY_HOST, _ANYBODYS, _AWS, _LISTED, _NOWHERE = range(5)
WIDTHS: Final = (
    "any host",
    "a listed host where anybody receives data",
    "AWS, with keys of any account",
    "listed hosts",
    "nowhere",
)
"""The reach of a function's data, the widest first."""

# The nouns for resources of a service; other resources are named by their service.
_KINDS: Final[Mapping[str, str]] = {
    "dynamodb": "table",
    "events": "event bus",
    "kinesis": "stream",
    "kms": "key",
    "lambda": "function",
    "s3": "bucket",
    "secretsmanager": "secret",
    "sns": "topic",
    "sqs": "queue",
    "ssm": "parameter",
    "states": "state machine",
}
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html: names of actions at access level
# Read or List begin with these words.
_READING: Final = ("batchget", "conditioncheck", "decrypt", "get", "list", "query", "receive", "scan", "select")
# Actions that read attributes of a resource, not its content.
_DESCRIBING: Final = ("describe", "getbucket", "getqueue", "gettopic", "listqueue", "listsecretversion", "listtags")
_ACCESS: Final = ((_DESCRIBING, "described"), (_READING, "only"), (("*", "?"), "too"))
# Lambda and its daemon do these for each function.
_LOGGING: Final = ("createlogstream", "putlogevents", "puttracesegments", "puttelemetryrecords")
_MODES: Final = {
    "outbound_connectivity": ("allow_outbound", "host"),
    "create_child_process": ("allow_child_process", "program"),
    "read_write_tmp": ("allow_tmp", "file in /tmp"),
}
_REGION: Final = "us-east-1"  # for a stack without a region


class Reached(NamedTuple):
    """A resource on which the function's role has grants.

    Attributes:
        kind: `table`, `bucket`, `secret`, or the service.
        name: its construct path, or the resource as in the statement.
        reads: whether its content may be read. Where it is neither read nor written, its attributes may be.
        writes: whether it may be changed, or data sent to it.
        admitted: whether the policy lets the function's code call the service, or use the bucket.
    """

    kind: str
    name: str
    reads: bool
    writes: bool
    admitted: bool


@dataclass(frozen=True)
class Radius:
    """The blast radius of a malicious package in a function.

    Attributes:
        place: the function.
        shielded: whether it has a shield.
        width: how far data can be sent: an index of `WIDTHS`.
        hosts: the hosts that may be reached, as the policy lists them; `*` for any.
        services: the AWS services that may be reached; `*` for all.
        resources: the resources that its role has grants on.
        programs: the programs that may be started; `*` for any.
        files: the paths under /tmp that may be used; `*` for any.
        receivers: listed hosts where anybody may receive data, with remedies.
        narrower: the targets that a narrower policy would deny.
        untold: why some grants of its role are unknown.
    """

    place: Place
    shielded: bool
    width: int
    hosts: Sequence[str]
    services: Sequence[str]
    resources: Sequence[Reached]
    programs: Sequence[str]
    files: Sequence[str]
    receivers: Sequence[Opening]
    narrower: Sequence[str]
    untold: Sequence[str]

    @property
    def in_reach(self) -> list[Reached]:
        """The resources that the policy admits."""
        return [each for each in self.resources if each.admitted]


def radii_of(assembly: Assembly) -> list[Radius]:
    """The radius of every function in an assembly, the widest first: by reach of data, then by readable resources."""
    grants = TemplateGrants(assembly)
    found = [_radius_of(function, grants) for function in assembly.functions]
    return sorted(
        found, key=lambda r: (r.width, -sum(each.reads for each in r.in_reach), -len(r.in_reach), r.place.path)
    )


def _radius_of(function: LambdaFunction, reader: TemplateGrants) -> Radius:
    caller = reader.caller_of(function)
    grants = reader.grants_of(caller)
    policy = _known_modes(function)
    notes = (*grants.problems, *grants.warnings)
    unseen = ["the file that SHIELD_POLICY_FILE names is not in the assembly: its policy may list more"]
    untold = (
        *dict.fromkeys(finding.message for finding in notes if is_unknown_grant(finding)),
        *(unseen if function.policy_file in ("unseen", "missing") else ()),
    )
    if policy is None:
        return Radius(
            function.place,
            False,
            _ANY_HOST,
            ("*",),
            ("*",),
            _resources(caller.statements, None, function, reader),
            ("*",),
            ("*",),
            (Opening("no shield", "any host receives data", "a shield"),),
            ("a shield: every host, program and file that its policy does not list",),
            untold,
        )
    show = _entry_formatter(function, reader)
    receivers = tuple(Opening(show(each.what), each.why, each.remedy) for each in of_listed_hosts(policy))
    is_open = policy.outbound_connectivity != "block"
    hosts = ("*",) if is_open else tuple(dict.fromkeys(without_packages(show(each)) for each in policy.allow_outbound))
    late = function.policy.late.get("SHIELD_ALLOW_AWS", ())
    services = ("*",) if is_open else (*_services(policy), *late)
    of_any_account = [each for each in services if each != "s3" or not policy.allow_buckets]
    width = (
        _ANY_HOST
        if is_open
        else _ANYBODYS
        if receivers
        else _AWS
        if of_any_account
        else _LISTED
        if hosts or services
        else _NOWHERE
    )
    return Radius(
        function.place,
        True,
        width,
        hosts,
        services,
        _resources(caller.statements, policy, function, reader),
        _listed(policy.create_child_process, policy.allow_child_process, show),
        _listed(policy.read_write_tmp, policy.allow_tmp, show),
        receivers,
        tuple(_narrower(policy, grants, receivers)) if not untold else tuple(_modes_to_block(policy)),
        untold,
    )


def _known_modes(function: LambdaFunction) -> ShieldPolicy | None:
    """A shielded function's policy; a mode known only at deployment counts as alert."""
    policy = function.policy.policy if function.is_shielded else None
    if policy is None:
        return None
    late: dict[str, Any] = {mode: "alert" for mode in _MODES if f"SHIELD_{mode.upper()}" in function.policy.late}
    return replace(policy, **late)


def _services(policy: ShieldPolicy) -> tuple[str, ...]:
    """The services that a policy admits, with S3 where it admits buckets."""
    scope = policy.allow_aws or "all"
    if scope == "all":
        return ("*",)
    named = () if isinstance(scope, str) else tuple(map(str, scope))
    return (*named, *(("s3",) if policy.allow_buckets and "s3" not in named else ()))


def _listed(mode: str, entries: Iterable[object], show: Callable[[object], str]) -> tuple[str, ...]:
    return tuple(map(show, entries)) if mode == "block" else ("*",)


def _entry_formatter(function: LambdaFunction, reader: TemplateGrants) -> Callable[[object], str]:
    """A function that shows an entry of a policy, with construct paths in place of references."""

    def show(entry: object) -> str:
        pieces = function.policy.parts(str(entry))
        return "".join(
            each if isinstance(each, str) else words(reader.pieces_in(function.template, each)) for each in pieces
        )

    return show


# The grants of the role


def _resources(
    statements: Iterable[Statement], policy: ShieldPolicy | None, function: LambdaFunction, reader: TemplateGrants
) -> tuple[Reached, ...]:
    found: dict[tuple[str, str], Reached] = {}
    for statement in statements:
        for kind, name, reads, admitted in _granted(statement, policy, function, reader):
            known = found.get((kind, name), Reached(kind, name, False, False, False))
            found[kind, name] = Reached(
                kind,
                name,
                known.reads or reads in ("only", "too"),
                known.writes or reads in ("too", "no"),
                known.admitted or admitted,
            )
    return tuple(sorted(found.values()))


def _granted(
    statement: Statement, policy: ShieldPolicy | None, function: LambdaFunction, reader: TemplateGrants
) -> Iterator[tuple[str, str, str, bool]]:
    """Kind, name, whether it is read ("only", "too", "no", or only "described"), and whether the policy admits it."""
    if statement.not_action:
        yield "every service", "all but some actions", "too", True
        return
    everything = (Resource(("*",)),)
    for text in statement.actions:
        action = parse_action(text) if text else None
        if action is None or action.everything:
            yield "every service", text or "an action known at deployment", "too", True
            continue
        if action.name in _LOGGING:
            continue
        reads = next((how for starts, how in _ACCESS if action.name.startswith(starts)), "no")
        resources = everything if statement.not_resource else statement.resources or everything
        for resource in resources:
            name = _name_of(resource)
            bucket = None if statement.not_resource or action.prefix != "s3" else reader.bucket_of(resource)
            yield (
                _KINDS.get(action.prefix, action.prefix),
                f"all but {name}" if statement.not_resource else name,
                reads,
                policy is None or _admits(policy, action, bucket, function),
            )


def _name_of(resource: Resource) -> str:
    """A resource of the app by its construct path, another by the end of its ARN."""
    if resource.targets:
        return resource.targets[0].name
    arn = parse_arn(resource.pieces)
    return words(arn.resource).removesuffix("/*") if arn else resource.name


def _admits(policy: ShieldPolicy, action: Action, bucket: str | None, function: LambdaFunction) -> bool:
    """Whether the function's code may call the service of an action; a value known only at deployment may admit it.

    Without `bucket`, an action of S3 may use any listed bucket.
    """
    if policy.outbound_connectivity != "block" or "SHIELD_ALLOW_AWS" in function.policy.late:
        return True
    region = function.template.region or _REGION
    if action.prefix == "s3" and policy.allow_buckets:
        late = bool(function.policy.late.get("SHIELD_ALLOW_BUCKETS"))
        return late or bucket is None or bucket in policy.allow_buckets
    hosts = [f"{endpoint_of(service, region)}:443" for service in services_of(action.prefix, action.name)]
    return any(policy.decide("connect", host, region=region).action != "deny" for host in hosts)


# Targets that a narrower policy would deny


def _modes_to_block(policy: ShieldPolicy) -> Iterator[str]:
    for mode, (lists, what) in _MODES.items():
        if getattr(policy, mode) != "block":
            yield f'{mode}="block": every {what} but {len(getattr(policy, lists))} listed'


def _narrower(policy: ShieldPolicy, grants: Grants, receivers: Sequence[Opening]) -> Iterator[str]:
    yield from _modes_to_block(policy)
    if policy.outbound_connectivity == "allow":
        return
    admitted = _services(policy)
    if admitted == ("*",):
        kept = ", ".join([*grants.services, *(["its buckets"] if grants.buckets else [])]) or "those without grants"
        yield f'allow_aws="granted": every service but {kept}'
    elif spare := [each for each in admitted if each not in grants.services and not (each == "s3" and grants.buckets)]:
        yield f"allow_aws without {', '.join(spare)}: its role has no grant there"
    if grants.buckets and not policy.allow_buckets and {"*", "s3"} & set(admitted):
        names = (entry.name for entry in grants.entries if entry.kind == "bucket")
        yield f"allow_buckets: every bucket but {', '.join(names)}"
    for each in receivers:
        yield f"{each.what}: {each.remedy} ({each.why})"


def as_json(radius: Radius) -> dict[str, object]:
    """A radius as JSON values."""
    return {
        **vars(radius.place),
        "shielded": radius.shielded,
        "data_can_go_to": WIDTHS[radius.width],
        "hosts": list(radius.hosts),
        "services": list(radius.services),
        "resources": [each._asdict() for each in radius.resources],
        "programs": list(radius.programs),
        "files": list(radius.files),
        "receivers": [each._asdict() for each in radius.receivers],
        "narrower": list(radius.narrower),
        "untold_grants": list(radius.untold),
    }
