"""Derives the services, buckets and hosts that a function may reach from its role's statements. Pure.

Values of the CDK (a bucket's name, a construct's hosts) come through `Emitter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from .actions import Action, endpoint_of, parse_action, services_of
from .entries import BUCKET_LENGTH, Entry, Finding, Grants, Kind, LeftOut, Source
from .managed import LAMBDAS_OWN, STATEMENTS
from .origins import LambdaUse, reason_of_use
from .planes import Plane, only_of_planes, planes_of
from .resources import Resource, Target, l2_path, literal, parse_arn
from .s3 import PREFIXES, Place, bucket_name_problem, place_of

__all__ = ["LAMBDAS_ALONE", "Caller", "Emitter", "Statement", "decide", "managed_statements"]

_ID: Final = "shielded-function:granted"

_BUCKET_HOST: Final = "<bucket>.s3.{region}.amazonaws.com"
_POINT_HOST: Final = "<name>-<account>.s3-accesspoint.{region}.amazonaws.com"
"""The hosts of SDKs (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html)."""

MAX_SERVICES: Final = 64
"""native/core/policy.h"""

# Lambda writes logs and traces, mounts file systems and creates network interfaces. Code that does the same is rare,
# and all accounts share the hosts of logs and traces. These conditions permit no call of the service's API by the code.
LAMBDAS_ALONE: Final = frozenset({"ec2", "elasticfilesystem", "iam", "logs", "s3files", "xray"})
_NO_CALL: Final = frozenset({"kms:viaservice", "lambda:invokedviafunctionurl"})

# Their endpoints contain the account, and the core admits only the function's account.
_BY_ACCOUNT: Final = ("dynamodb", "dynamodbstreams", "kinesis", "s3control")


@dataclass(frozen=True)
class Statement:
    """An Allow statement.

    Attributes:
        policy: construct path of its holder.
        label: its Sid, or `#2`.
        actions: texts; None for one known only at deployment.
        resources: empty where the statement has none.
        not_action: it has NotAction.
        not_resource: it has NotResource.
        conditions: its condition keys, in lower case.
        role: construct path of the assumed role; empty for the function's own role.
    """

    policy: str
    label: str
    actions: tuple[str | None, ...]
    resources: tuple[Resource, ...]
    not_action: bool = False
    not_resource: bool = False
    conditions: frozenset[str] = frozenset()
    role: str = ""


@dataclass(frozen=True)
class Caller:
    """A function, with the grants of its role.

    Attributes:
        region: its stack's, where known.
        account: its stack's, where known.
        statements: every Allow statement of its role, and of the roles in the app that it may assume.
        lambda_use: Lambda's work on its behalf.
        findings: findings of the read: an imported role, a policy outside the app.
        left_out: grants of AWS managed policies that Lambda uses.
        several_regions: whether the app has stacks in other regions.
        role: the construct path of its role, or the ARN of an imported one in words.
    """

    region: str
    account: str
    statements: Sequence[Statement]
    lambda_use: LambdaUse = field(default_factory=LambdaUse)
    findings: Sequence[Finding] = ()
    left_out: Sequence[LeftOut] = ()
    several_regions: bool = False
    role: str = ""


class Emitter(Protocol):
    """The CDK's values for one function's stack."""

    def bucket(self, place: Place) -> str:
        """A bucket's name, possibly a token."""
        ...

    def point(self, place: Place) -> Sequence[tuple[Kind, str, int | None]]:
        """An access point: its host, and the alias that lists it as a bucket."""
        ...

    def hosts(self, target: Target) -> Sequence[tuple[str, int | None]]:
        """The hosts of a construct, each with its longest length; none where they are unknown."""
        ...

    def regional(self, host: str) -> str:
        """A host with `{region}` and `{suffix}` filled in."""
        ...


def managed_statements(names: Iterable[str]) -> tuple[list[Statement], list[LeftOut]]:
    """The grants of AWS managed policies with known content, by name."""
    statements: list[Statement] = []
    left_out: list[LeftOut] = []
    for name in names:
        source = Source(name, "all", "*")
        if name in LAMBDAS_OWN:
            left_out.append(LeftOut(source, LAMBDAS_OWN[name]))
        elif name in STATEMENTS:
            statements.append(Statement(name, "all", STATEMENTS[name], (Resource(("*",)),)))
    return statements, left_out


def decide(caller: Caller, emitter: Emitter) -> Grants:
    """The hosts that the role's grants admit."""
    return _Decision(caller, emitter).make()


_EVERY: Final = Resource(("*",))


class _Decision:
    """Collects the entries and findings of one function."""

    def __init__(self, caller: Caller, emitter: Emitter) -> None:
        self._caller = caller
        self._emit = emitter
        self._entries: dict[tuple[Kind, str], Entry] = {}
        self._any_bucket: list[Source] = []
        self._problems: dict[Finding, None] = {}
        # rule, text -> the grants that it is about
        self._told: dict[tuple[str, str], list[Source]] = {}
        self._left_out: list[LeftOut] = list(caller.left_out)
        self._on_behalf: list[LeftOut] = []
        self._granted = tuple(dict.fromkeys(r for statement in caller.statements for r in statement.resources))

    def make(self) -> Grants:
        for statement in self._caller.statements:
            for action in self._actions(statement):
                resources = (_EVERY,) if statement.not_resource or not statement.resources else statement.resources
                for resource in resources:
                    self._judge(statement, action, resource)
        self._settle_buckets()
        services = sum(entry.kind == "service" for entry in self._entries.values())
        if services > MAX_SERVICES:
            self._problem(
                "Everything",
                f"its role is granted {services} services, of which a policy takes {MAX_SERVICES}: write "
                'allow_aws="all"',
            )
        return Grants(
            tuple(replace(entry, sources=_merge(entry.sources)) for entry in self._entries.values()),
            tuple(self._problems),
            (*dict.fromkeys(self._caller.findings), *self._warnings()),
            _merge_left_out(self._left_out),
            _merge_left_out(self._on_behalf),
        )

    def _actions(self, statement: Statement) -> Iterator[Action]:
        where = f"{l2_path(statement.policy)}, statement {statement.label}"
        if statement.not_action:
            self._problem(
                "Everything",
                f'{where}: NotAction grants every action but a few, which "granted" cannot narrow: write Action, '
                'or allow_aws="all"',
            )
            return
        for text in statement.actions:
            action = parse_action(text) if text is not None else None
            if action is None:
                self._problem(
                    "UnknownAction",
                    f"{where}: {'an action' if text is None else repr(text)} is no action that is known when the app "
                    "is synthesized: write it as service:Name",
                )
            elif action.everything:
                self._problem(
                    "Everything",
                    f'{where}: Action {text} grants every service, which "granted" cannot narrow: name the services, '
                    'as in "s3:*", or write allow_aws="all"',
                )
            else:
                yield action

    def _judge(self, statement: Statement, action: Action, resource: Resource) -> None:
        resources = statement.resources if statement.not_resource else (resource,)
        source = Source(
            l2_path(statement.policy),
            statement.label,
            action.text,
            resources,
            l2_path(statement.role),
            statement.not_resource,
        )
        lambda_use = LambdaUse() if statement.role else self._caller.lambda_use
        reason = reason_of_use(action, resource, statement.conditions, lambda_use, self._granted)
        if reason and (action.prefix in LAMBDAS_ALONE or statement.conditions & _NO_CALL):
            self._left_out.append(LeftOut(source, reason))
            return
        if reason:
            self._on_behalf.append(LeftOut(source, reason))
        if action.prefix in PREFIXES:
            self._judge_s3(action, resource, source)
            return
        if reason:
            for service in services_of(action.prefix, action.name):  # no host of a data plane: the code names it
                self._add("service", service, service, source, on_behalf=True)
            return
        planes = planes_of(action)
        for plane in planes:
            self._add_plane(plane, action, resource, source)
        if planes and only_of_planes(action):
            return
        self._add_services(action, resource, source)

    def _add_services(self, action: Action, resource: Resource, source: Source) -> None:
        services = services_of(action.prefix, action.name)
        if not services:
            self._warn(
                "UnknownService",
                source,
                f"no endpoint is known for {action.prefix}: if the code calls it, list its host in allow_outbound",
            )
            return
        fit = [s for s in services if s != "dynamodbstreams" or _may_be_stream(resource)]
        if not fit:
            self._left_out.append(LeftOut(source, "it names no stream"))
        for service in fit:
            if self._is_near(service, resource, source):
                self._add("service", service, service, source)

    def _is_near(self, service: str, resource: Resource, source: Source, host: str = "") -> bool:
        """Whether the grant is for the function's own region; warns of other regions, with their host."""
        arn = parse_arn(resource.pieces)
        regions = {t.region for t in resource.targets if t.region} if self._caller.several_regions else set[str]()
        region = (literal(arn.region) if arn else "") or (regions.pop() if len(regions) == 1 else "")
        if region and "*" not in region and region != self._caller.region:
            self._warn(
                "OtherRegion",
                source,
                f"it is in {region}, and allow_aws admits the endpoints of the function's own region: list "
                f"{host.replace('{region}', region) or endpoint_of(service, region)}:443 in allow_outbound",
            )
            if self._caller.region:
                return False
        account = literal(arn.account) if arn else ""
        own = self._caller.account
        if account and own and account not in (own, "*") and service in _BY_ACCOUNT:
            self._warn(
                "OtherAccount",
                source,
                f"it is of account {account}, and of host names with an account in them only the function's "
                f"own are admitted: turn account-based endpoints off in the SDK "
                f"(AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled), or list the host in allow_outbound",
            )
        return True

    def _add_plane(self, plane: Plane, action: Action, resource: Resource, source: Source) -> None:
        if plane.host:
            self._add("host", self._emit.regional(plane.host), plane.host, source)
            return
        found = False
        for target in resource.targets:
            if target.type in plane.types:
                for number, (text, longest) in enumerate(self._emit.hosts(target), start=1):
                    found = True
                    nth = f" ({number})" if number > 1 else ""  # tokens look alike: a writer's and a reader's host
                    self._add("host", text, f"{target.name}: {_shape(text)}{nth}", source, longest)
        if not found and (plane.in_wildcards or only_of_planes(action)):
            self._warn(
                "DataPlane",
                source,
                f"the grant does not contain its host: list in allow_outbound {plane.write}",
            )

    def _judge_s3(self, action: Action, resource: Resource, source: Source) -> None:
        services = services_of(action.prefix, action.name)
        place = place_of(resource)
        if place.kind == "none":
            self._left_out.append(LeftOut(source, "its resource is not of S3"))
            return
        if place.kind == "control" or (place.kind == "point" and "accesspoint" in action.name):
            self._add("service", "s3control", "s3control", source)
            return
        if place.kind in ("any", "control"):
            for service in services:
                if service != "s3":
                    self._add("service", service, service, source)
            if "s3" in services:
                self._any_bucket.append(source)
            return
        if place.kind == "point":
            if place.target and not self._is_near("s3", resource, source, _POINT_HOST):
                return
            for kind, text, longest in self._emit.point(place):
                self._add(kind, text, f"{place.name} ({kind})", source, longest)
            return
        name = self._emit.bucket(place)
        known = place.name if "${Token[" in name and "{{resolve:" in place.name else name
        is_known = "${Token[" not in known
        problem = bucket_name_problem(known) if is_known else ""
        host = "" if problem else _BUCKET_HOST.replace("<bucket>", known if is_known else "<bucket>")
        if not self._is_near("s3", resource, source, host):
            return
        if problem:
            self._warn("BucketName", source, f"{known} {problem}")
            return
        self._add("bucket", name, known if is_known else place.name, source, BUCKET_LENGTH)

    def _settle_buckets(self) -> None:
        """Narrows S3 to buckets where every S3 grant names one."""
        if not self._any_bucket:
            return
        for key, entry in list(self._entries.items()):
            if entry.kind == "bucket":
                del self._entries[key]
                for source in entry.sources:
                    self._add("service", "s3", "s3", source)
        for source in self._any_bucket:
            self._add("service", "s3", "s3", source)
            self._warn(
                "AllBuckets",
                source,
                "it names no one bucket, so every bucket is admitted, an attacker's too: name the buckets "
                "as resources, or list them in allow_buckets",
            )

    def _add(
        self, kind: Kind, text: str, name: str, source: Source, longest: int | None = None, *, on_behalf: bool = False
    ) -> None:
        key = (kind, name)
        known = self._entries.get(key) or Entry(kind, text, name, longest, on_behalf=on_behalf)
        sources = tuple(dict.fromkeys((*known.sources, source)))
        self._entries[key] = replace(known, sources=sources, on_behalf=known.on_behalf and on_behalf)

    def _problem(self, rule: str, message: str) -> None:
        self._problems[Finding(_ID + rule, message)] = None

    def _warn(self, rule: str, source: Source, text: str) -> None:
        self._told.setdefault((rule, text), []).append(source)

    def _warnings(self) -> Iterator[Finding]:
        for (rule, text), sources in self._told.items():
            for source in _merge(sources):
                yield Finding(_ID + rule, f"{source}: {text}")


def _may_be_stream(resource: Resource) -> bool:
    """Whether a resource can be a table's stream, whose ARN continues that of the table."""
    whole = resource.whole
    if whole and whole.target and whole.target.type in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        return whole.target.attribute.endswith("StreamArn") or _covers_stream(resource.tail)
    arn = parse_arn(resource.pieces)
    if arn is None:
        return True
    parts = "".join(piece if isinstance(piece, str) else "x" for piece in arn.resource)
    _, _, tail = parts.partition("/")
    head, slash, tail = tail.partition("/")
    return "*" in head or _covers_stream(slash + tail)


def _covers_stream(tail: str) -> bool:
    return tail.startswith(("/stream", "/*", "*", "/s*"))


def _shape(text: str) -> str:
    """A host without its tokens, as their numbers differ between reads."""
    pieces = text.split("${Token[")
    return "*".join([pieces[0], *(piece.partition("]}")[2] for piece in pieces[1:])])


def _merge(sources: Iterable[Source]) -> tuple[Source, ...]:
    """One source for each statement, with all its actions and resources."""
    groups: dict[tuple[str, str, str], list[Source]] = {}
    for source in sources:
        groups.setdefault((source.policy, source.statement, source.role), []).append(source)
    return tuple(
        replace(
            group[0],
            action=", ".join(dict.fromkeys(source.action for source in group)),
            resources=tuple(dict.fromkeys(resource for source in group for resource in source.resources)),
        )
        for group in groups.values()
    )


def _merge_left_out(grants: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    reasons = dict.fromkeys(grant.reason for grant in grants)
    return tuple(
        LeftOut(source, reason)
        for reason in reasons
        for source in _merge(grant.source for grant in grants if grant.reason == reason)
    )
