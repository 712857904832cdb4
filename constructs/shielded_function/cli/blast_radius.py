"""The blast radius of a malicious package in a function, from the policy and the role's grants in `cdk.out`.

`audit` shows it as a table and as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import or_
from typing import Any, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from shielded_function.checks.template_grants import TemplateGrants
from shielded_function.checks.templates import Assembly, LambdaFunction
from shielded_function.granted import Grants
from shielded_function.granted.actions import Action, endpoint_of, parse_action, services_of
from shielded_function.granted.in_policy import is_unknown_grant
from shielded_function.granted.resources import Field, Resource, parse_arn, words
from shielded_function.granted.statements import Statement
from shielded_function.perimeter.residents import INSIDE
from shielded_function.perimeter.walls import Wall, wall_of
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.texts import without_packages
from shielded_function_monitoring.cfn.template import Place

from .openings import Opening, of_listed_hosts
from .terminal import Cells, cell, flat, stacked, table

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
# Whether such actions read, and whether they write; others write only.
_ACCESS: Final = ((_DESCRIBING, (False, False)), (_READING, (True, False)), (("*", "?"), (True, True)))
# Lambda and its daemon do these for each function.
_LOGGING: Final = ("createlogstream", "putlogevents", "puttracesegments", "puttelemetryrecords")
_MODES: Final = {
    "outbound_connectivity": ("allow_outbound", "host"),
    "create_child_process": ("allow_child_process", "program"),
    "read_write_tmp": ("allow_tmp", "file in /tmp"),
}


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
    """The blast radius of a malicious package in a function, as its JSON has it.

    Attributes:
        place: the function.
        shielded: whether it has a shield.
        data_can_go_to: how far data can be sent: one of `WIDTHS`.
        hosts: the hosts that may be reached, as the policy lists them; `*` for any.
        services: the AWS services that may be reached; `*` for all.
        resources: the resources that its role has grants on.
        programs: the programs that may be started; `*` for any.
        files: the paths under /tmp that may be used; `*` for any.
        receivers: listed hosts where anybody may receive data, with remedies.
        narrower: the targets that a narrower policy would deny.
        untold_grants: why some grants of its role are unknown.
        wall: the cheapest wall outside of its process.
    """

    place: Place
    shielded: bool
    data_can_go_to: str
    hosts: Sequence[str]
    services: Sequence[str]
    resources: Sequence[Reached]
    programs: Sequence[str]
    files: Sequence[str]
    receivers: Sequence[Opening]
    narrower: Sequence[str]
    untold_grants: Sequence[str]
    wall: Wall

    def of_role(self, *, admitted: bool = True, **access: bool) -> list[str]:
        """The resources with such access, as `table Shop/Orders`."""
        wanted = {"admitted": admitted, **access}.items()
        return [f"{each.kind} {each.name}" for each in self.resources if wanted <= each._asdict().items()]


def radii_of(assembly: Assembly) -> list[Radius]:
    """The radius of every function in an assembly, the widest first: by reach of data, then by readable resources."""
    grants = TemplateGrants(assembly)

    def width(each: Radius) -> tuple[object, ...]:
        return WIDTHS.index(each.data_can_go_to), -len(each.of_role(reads=True)), -len(each.of_role()), each.place.path

    return sorted((_radius_of(function, grants) for function in assembly.functions), key=width)


def _radius_of(function: LambdaFunction, reader: TemplateGrants) -> Radius:
    caller = reader.caller_of(function)
    grants = reader.grants_of(caller)
    policy, pieces = _known_modes(function), partial(_pieces_of, function, reader)

    def show(entry: object) -> str:
        return words(pieces(entry))

    notes = (*grants.problems, *grants.warnings)
    untold = list(dict.fromkeys(finding.message for finding in notes if is_unknown_grant(finding)))
    if function.policy_file in ("unseen", "missing"):
        untold.append("the file that SHIELD_POLICY_FILE names is not in the assembly: its policy may list more")
    receivers = [Opening(show(each.what), each.why, each.remedy) for each in of_listed_hosts(policy)]
    narrower = list(_modes_to_block(policy) if untold else _narrower(policy, grants, receivers))
    if not function.is_shielded:
        receivers = [Opening("no shield", "any host receives data", "a shield")]
        narrower = ["a shield: every host, program and file that its policy does not list"]
    is_open = policy.outbound_connectivity != "block"
    hosts = ["*"] if is_open else list(dict.fromkeys(without_packages(show(each)) for each in policy.allow_outbound))
    services = ["*"] if is_open else [*_services(policy), *function.policy.late.get("SHIELD_ALLOW_AWS", ())]
    of_any_account = [each for each in services if each != "s3" or not policy.allow_buckets]
    reached = is_open, receivers, of_any_account, hosts or services, True
    return Radius(
        function.place,
        function.is_shielded,
        next(width for width, applies in zip(WIDTHS, reached, strict=True) if applies),
        hosts,
        services,
        list(_resources(caller.statements, policy, function, reader)),
        _listed(policy.create_child_process, policy.allow_child_process, show),
        _listed(policy.read_write_tmp, policy.allow_tmp, show),
        receivers,
        narrower,
        untold,
        _wall_of(policy, grants, function, pieces),
    )


def _wall_of(policy: ShieldPolicy, grants: Grants, function: LambdaFunction, pieces: Callable[[object], Field]) -> Wall:
    def is_inside(entry: str) -> bool:
        """Whether an entry of `allow_outbound` refers to a resource whose hosts are in a VPC."""
        targets = [each.target for each in pieces(entry) if not isinstance(each, str)]
        return any(target is not None and target.type.startswith(INSIDE) for target in targets)

    found = wall_of(
        policy,
        is_inside,
        on_behalf={each.text for each in grants.entries if each.on_behalf},
        besides=("logs", "xray") if "CapacityProviderConfig" in function.properties else (),
        late=function.policy.late.get("SHIELD_ALLOW_AWS", ()),
    )
    return replace(found, needs=tuple(words(pieces(each)) for each in found.needs))


def _known_modes(function: LambdaFunction) -> ShieldPolicy:
    """A shielded function's policy; a mode known only at deployment counts as alert."""
    policy = function.policy.policy if function.is_shielded else None
    if policy is None:
        return ShieldPolicy(outbound_connectivity="allow", read_write_tmp="allow", create_child_process="allow")
    late: dict[str, Any] = {mode: "alert" for mode in _MODES if f"SHIELD_{mode.upper()}" in function.policy.late}
    return replace(policy, **late)


def _services(policy: ShieldPolicy) -> tuple[str, ...]:
    """The services that a policy admits, with S3 where it admits buckets."""
    scope = policy.allow_aws or "all"
    if scope == "all":
        return ("*",)
    named = () if isinstance(scope, str) else tuple(map(str, scope))
    return (*named, *(("s3",) if policy.allow_buckets and "s3" not in named else ()))


def _listed(mode: str, entries: Iterable[object], show: Callable[[object], str]) -> list[str]:
    return list(map(show, entries)) if mode == "block" else ["*"]


def _pieces_of(function: LambdaFunction, reader: TemplateGrants, entry: object) -> Field:
    """An entry of a policy, with resources in place of references; `words` shows their construct paths."""
    parts = function.policy.parts(str(entry))
    return tuple(chain.from_iterable(reader.pieces_in(function.template, each) for each in parts))


def _resources(
    statements: Iterable[Statement], policy: ShieldPolicy, function: LambdaFunction, reader: TemplateGrants
) -> Iterator[Reached]:
    found: dict[tuple[str, str], tuple[bool, ...]] = {}
    for statement in statements:
        for kind, name, *flags in _granted(statement, policy, function, reader):
            found[kind, name] = tuple(map(or_, found.get((kind, name), (False,) * 3), flags))
    return (Reached(*each, *found[each]) for each in sorted(found))


def _granted(
    statement: Statement, policy: ShieldPolicy, function: LambdaFunction, reader: TemplateGrants
) -> Iterator[tuple[str, str, bool, bool, bool]]:
    """The fields of `Reached`, once for each action and resource."""
    if statement.not_action:
        yield "every service", "all but some actions", True, True, True
        return
    everything = (Resource(("*",)),)
    for text in statement.actions:
        action = parse_action(text) if text else None
        if action is None or action.everything:
            yield "every service", text or "an action known at deployment", True, True, True
            continue
        if action.name in _LOGGING:
            continue
        reads, writes = next((access for starts, access in _ACCESS if action.name.startswith(starts)), (False, True))
        resources = everything if statement.not_resource else statement.resources or everything
        for resource in resources:
            name = _name_of(resource)
            bucket = None if statement.not_resource or action.prefix != "s3" else reader.bucket_of(resource)
            kind = _KINDS.get(action.prefix, action.prefix)
            admitted = _admits(policy, action, bucket, function)
            yield kind, f"all but {name}" if statement.not_resource else name, reads, writes, admitted


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
    region = function.template.region or "us-east-1"
    if action.prefix == "s3" and policy.allow_buckets:
        is_late = bool(function.policy.late.get("SHIELD_ALLOW_BUCKETS"))
        return is_late or bucket is None or bucket in policy.allow_buckets
    hosts = [f"{endpoint_of(service, region)}:443" for service in services_of(action.prefix, action.name)]
    return any(policy.decide("connect", host, region=region).action != "deny" for host in hosts)


def _modes_to_block(policy: ShieldPolicy) -> Iterator[str]:
    """Targets that a narrower policy would deny."""
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
    resources, receivers = ([each._asdict() for each in found] for found in (radius.resources, radius.receivers))
    return flat(radius, wall=vars(radius.wall), resources=resources, receivers=receivers)


def table_of(radii: Sequence[Radius]) -> Table:
    """A row for each function, with its rank."""
    title, headings = "Blast radius, the widest first", ("", "blast radius of a malicious package")
    rows: list[Cells] = []
    for rank, radius in enumerate(radii, start=1):
        lines = (Text.assemble((f"{what}: ", "dim"), cell(text)) for what, text in _lines(radius) if text)
        rows.append((str(rank), stacked([Text(radius.place.path, "bold"), *lines])))
    return table(title, headings, rows, lines=True)


def _lines(radius: Radius) -> Iterator[tuple[str, str]]:
    yield "data can go to", radius.data_can_go_to
    if radius.shielded:
        yield "hosts", _shown(radius.hosts)
        yield "AWS", _shown(radius.services)
    yield "reads", ", ".join(radius.of_role(reads=True))
    yield "writes", ", ".join(radius.of_role(writes=True))
    yield "describes", ", ".join(radius.of_role(reads=False, writes=False))
    yield "granted, and not admitted", ", ".join(radius.of_role(admitted=False))
    yield from (("unknown grants", why) for why in radius.untold_grants)
    yield "programs", _shown(radius.programs)
    yield "files in /tmp", _shown(radius.files)
    yield from (("anybody's data", f"{each.what}: {each.why}") for each in radius.receivers if radius.shielded)
    yield from (("narrower", text) for text in radius.narrower)
    yield "wall", str(radius.wall)
    yield "wall admits", "; ".join(radius.wall.admits)


def _shown(entries: Sequence[str]) -> str:
    return "any" if "*" in entries else ", ".join(entries) or "none"
