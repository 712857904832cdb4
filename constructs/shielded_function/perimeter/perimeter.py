"""`ShieldPerimeter`: DNS Firewall, security groups and endpoint policies for the shielded functions of a VPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from shielded_function_monitoring.pattern import PatternError

from ..alarms.alarm_options import ControlAlarm
from ..errors import ShieldError
from ..keywords import by_name
from ..names import PERIMETER
from ..policy.targets import EntryError
from ..reading.late import check_late, late_any
from ..reading.paths import path_of
from ..shield.function_shield import attached_in
from ..shield.log_group import LogOptions, protect_retained
from ..shield.scope import is_within, stages_in
from ..shield.stage import known_stages, stage_shields
from . import egress, query_logs
from .app_resources import App
from .arguments import EndpointPolicy, Mode, Tier, check_options, chosen_functions, others_policy
from .covered import Covered, Grants, is_resolved
from .credentials import CredentialLock
from .dns import AllowedNames
from .egress import NO_TRAFFIC, EgressRule, Group, remove_covered
from .endpoints import EndpointPolicies
from .granted_actions import Trust, service_in
from .residents import FUNCTION, GROUP, Resource, is_database
from .tiers import FreeWall

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..shield.function_shield import FunctionShield
    from ..shield.props import MetricProps

_ID: Final = "ShieldPerimeter"
_PRIORITY: Final = 900
"""The priority of its aspect: after `Shield.everywhere`, which has 500."""
_WARNING: Final = "shielded-function:perimeter"
# For a listed name, and for a granted one: the warning's id and text.
_ANY_PORT: Final = (
    (
        "AnyPort",
        "{0} may use any port of {1}, so its security group lets every port out to every address: write the port "
        "after the name (:443).",
    ),
    (
        "GrantedPort",
        "{0} is granted {1}, whose port is not known, so its security group lets every port out to every address: list "
        "it with its port, by shield.allow_to(...) or in allow_outbound.",
    ),
)

_OF_VPC: WeakKeyDictionary[Any, ShieldPerimeter] = WeakKeyDictionary()


@jsii.implements(cdk.IAspect)
class ShieldPerimeter(Construct):
    """Network rules around the shielded functions of a VPC, derived from their policies and enforced by AWS.

        vpc = ec2.Vpc(stack, "Vpc")
        ShieldedFunction(stack, "Checkout", vpc=vpc, policy=ShieldPolicy(allow_outbound=["api.stripe.com:443"]), ...)
        ShieldPerimeter(stack, "Perimeter", vpc=vpc)

    Code that runs machine instructions of its choice in a function can undo the rules of its process. AWS enforces
    these rules outside the process:

    - DNS Firewall on the VPC: names in the policies, their `allow_aws` and grants can be looked up; other names do not
      exist (NXDOMAIN). A listed name's CNAMEs are trusted, as in the engine.
    - The egress of each function's security groups: the ports of its policy, to the listed networks, and to any address
      for entries by name.
    - The policies of the VPC's endpoints in the app: the grants of the functions' roles, on resources of your accounts.
    - The VPC's query log, a metric filter and an alarm on look-ups that DNS Firewall blocked.

    Create it in the stack of the functions, or in a separate stack that can refer to the policies' resources.
    docs/guide/perimeter.md describes the effect, the limits and the costs of each layer.

    Attributes:
        vpc: the VPC.
        mode: "block" or "alert". The context `shield=alert` sets "alert"; with `shield=off` the perimeter has no
            effect.
        log_group: the log group of the VPC's queries; None without query logs.
        metric_filter: counts look-ups that DNS Firewall blocked, or would block; None without query logs.
        alarm: on that count; None without query logs.
    """

    @by_name("ShieldPerimeter")
    def __init__(
        self,
        scope: Construct,
        id: str = _ID,
        *,
        vpc: ec2.IVpc,
        functions: Sequence[IConstruct] | None = None,
        also_allow: Sequence[str | IConstruct] | None = None,
        also_allow_aws: Literal["all", "none"] | Sequence[str] = "none",
        mode: Mode = "block",
        priority: int = 101,
        security_groups: bool = True,
        threats: bool = False,
        endpoint_policies: EndpointPolicy | None = None,
        organization: str | None = None,
        accounts: Sequence[str] = (),
        query_logs: bool | None = None,
        log_group: logs.ILogGroup | None = None,
        logs: LogOptions | None = None,
        alarm: ControlAlarm | None = None,
        lock_credentials: bool | Sequence[str] = False,
        tier: Tier | None = None,
        prefix_lists: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            scope: the parent: a stack, or a construct in one.
            id: the construct id.
            vpc: the VPC of the functions, of this app or imported.
            functions: functions, or constructs such as stacks with functions in them. Each named function must be
                shielded and in the VPC. By default all shielded functions of the app, or of the stage, in the VPC.
            also_allow: names that other resources in the VPC look up (ECS tasks, machines, databases, other functions),
                in the form of `ShieldPolicy.allow_outbound`; ports have no effect. DNS Firewall applies to the whole
                VPC, so the others can look up only these names and the functions'. Other resources in the VPC are an
                error unless this is set: `[]` means that they need no more names. With it, a VPC may have no shielded
                function: only programs without a shield, MicroVMs and web functions behind an
                `AWS::Lambda::NetworkConnector`.
            also_allow_aws: the AWS services that they reach, in the form of `ShieldPolicy.allow_aws`.
            mode: "block", or "alert" for a roll-out: DNS Firewall only reports, and security groups and endpoint
                policies stay as they are.
            priority: the order of this rule group among those of the VPC, 101 to 9900.
            threats: DNS Firewall Advanced checks every name first, also listed ones: for data in names (tunneling) and
                for names that an algorithm generated. Use it with `*.domain` in a list, which admits any label. AWS
                charges extra for it.
            security_groups: replaces the egress of the functions' security groups.
            endpoint_policies: the policies of the VPC's endpoints of the app that have none: "granted" admits the
                grants of the functions' roles, on resources of your accounts; "account" admits any resource of your
                accounts; "none" changes nothing. By default "granted" where functions and databases are alone in the
                VPC, and "none" where other resources are in it, as images of ECR and packages come from buckets of AWS.
            organization: the id of your organization (`o-...`): endpoints let its accounts through, instead of
                `accounts`.
            accounts: further accounts, twelve digits each, whose resources and roles the endpoints let through.
            query_logs: logs the VPC's queries, with an alarm on blocked ones. False, the default with tier="free": no
                log and no alarm.
            log_group: an existing log group of the VPC's queries; by default one is created.
            logs: options of the created log group; by default it keeps a month.
            alarm: options of the alarm: threshold, periods, actions, runbook, and `except_hosts`.
            lock_credentials: denies the actions that the functions' code is granted to requests from outside of the
                VPC, so that stolen keys are of no use elsewhere. True: where the VPC has an endpoint of the service. A
                list: also from these addresses, those of the VPC's NAT gateways, and for every service.
            tier: "free" makes the wall that costs nothing, for functions that need only S3, DynamoDB and hosts of their
                VPC: gateway endpoints with policies, security groups that lead only to these, and no DNS Firewall.
                "closed" adds DNS Firewall and the query log, which are priced by use. A function in a subnet with a way
                out, or with an entry that needs more, is an error at synthesis. None: the VPC's ways out stay.
            prefix_lists: with a tier, the ids of the gateways' prefix lists in the Region: `{"s3": "pl-..."}`. By
                default the CDK looks them up in the account, once.

        Raises:
            ShieldError: an argument is malformed, or the VPC already has a perimeter. Problems of the functions, their
                security groups, or other resources in the VPC are errors at synthesis.
        """
        super().__init__(scope, id)
        self.vpc = vpc
        path = self.node.path
        query_logs = tier != "free" if query_logs is None else query_logs
        check_options(
            path,
            tier=tier,
            prefix_lists=prefix_lists,
            also_allow=also_allow,
            mode=mode,
            priority=priority,
            security_groups=security_groups,
            threats=threats,
            endpoint_policies=endpoint_policies,
            organization=organization,
            accounts=accounts,
            query_logs=query_logs,
            log_group=log_group,
            logs=logs,
            alarm=alarm,
            lock_credentials=lock_credentials,
        )
        self._functions = chosen_functions(path, functions)
        self._also = others_policy(path, also_allow, also_allow_aws)
        self._also_given = also_allow is not None or also_allow_aws != "none"
        shields = stage_shields(self)
        switch = shields.switch
        self._is_off = switch == "off"
        if self._is_off:
            shields.importing.append(cdk.Stack.of(self))
        self.mode: Mode = "alert" if switch != "on" else mode
        self.log_group: logs.ILogGroup | None = None
        self._made_log_groups: list[logs.ILogGroup] = []
        self.metric_filter: logs.MetricFilter | None = None
        self.alarm: cloudwatch.Alarm | None = None
        self._problems: dict[str, None] = {}
        self._covered: dict[str, Covered] = {}
        self._groups: dict[str, Group] = {}
        self._seen: App | None = None
        other = _OF_VPC.get(vpc)
        if other is not None and other.node.root is self.node.root:
            raise ShieldError(
                path, [f"vpc: it has a perimeter already, {other.node.path}: give that one all functions"]
            )
        _OF_VPC[vpc] = self
        blocks, grants = self.mode == "block", Grants(self._covered)
        self._endpoints: EndpointPolicies | None = None
        self._endpoint_policy: EndpointPolicy | None = endpoint_policies
        if endpoint_policies != "none" and blocks:
            trust = Trust((cdk.Stack.of(self).account, *accounts), organization)
            self._endpoints = EndpointPolicies(self._covered, grants, trust, self._narrowing)
        self._lock: CredentialLock | None = None
        if lock_credentials and blocks:
            addresses = () if isinstance(lock_credentials, bool) else tuple(lock_credentials)
            self._lock = CredentialLock(vpc.vpc_id, addresses, grants, self._services)
        self._narrows_groups = security_groups and blocks
        self._tier = tier
        self._wall = None if tier is None else FreeWall(self, vpc, prefix_lists)
        self._allowed = (
            None
            if tier == "free"
            else AllowedNames(
                self,
                self._covered,
                self._also,
                self._problem,
                vpc_id=vpc.vpc_id,
                priority=priority,
                mode=self.mode,
                threats=threats,
                is_off=self._is_off,
            )
        )
        if query_logs:
            self._log(log_group, logs, alarm or ControlAlarm())
        cdk.Aspects.of(self).add(self, priority=_PRIORITY)
        check_late(self, self.problems)
        for stage in stages_in(self):
            stage.observers.append(self._observe)

    # Resources created at once

    def metric_violations(self, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        """The number of look-ups that DNS Firewall blocked, or would block: a sum by minute, unless `props` differ.

        Raises:
            ShieldError: there are no query logs.
        """
        if self.metric_filter is None:
            raise ShieldError(
                self.node.path, ["metric_violations: there are no query logs: leave query_logs=False out"]
            )
        return query_logs.metric_of(None if self._is_off else self.vpc.vpc_id, **props)

    def _log(self, given: logs.ILogGroup | None, options: LogOptions | None, alarm: ControlAlarm) -> None:
        group = given
        vpc_id = None if self._is_off else self.vpc.vpc_id  # off, nothing of another stack is imported
        if group is None:
            group = query_logs.make_log_group(self, options or LogOptions(retention=logs.RetentionDays.ONE_MONTH))
            query_logs.log_queries(self, vpc_id, group)
            self._made_log_groups.append(group)
        self.log_group = group
        try:
            self.metric_filter = query_logs.make_filter(self, group, alarm)
        except PatternError as error:
            raise ShieldError(self.node.path, [f"alarm: ControlAlarm.except_hosts: {error}: except fewer"]) from None
        self.alarm = query_logs.make_alarm(self, vpc_id, alarm, self.node.path, self.mode)

    # Configured while aspects run

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK when it invokes aspects."""
        if path_of(node)[0] != path_of(self)[0] or self._seen is not None:
            return
        stage = cdk.Stage.of(self)
        assert stage is not None, "a construct always has a stage: at least its app"
        self._seen = App(stage, self.vpc)
        for shields in known_stages(self):
            for attached in attached_in(shields):
                self._cover(attached)
        self._make_lists()
        if self._wall is not None:
            self._wall.make(self._app, self._endpoints.narrow if self._endpoints else lambda *_: None)
            if self._narrows_groups:
                self._wall.look_up()
        if self._endpoints is not None:
            for endpoint in self._app.endpoints:
                self._endpoints.narrow(endpoint, self._app.constructs[endpoint.path])

    @property
    def _app(self) -> App:
        assert self._seen is not None, "visit comes first"
        return self._seen

    def _observe(self, attached: FunctionShield) -> None:
        """Observes a function that is shielded later while aspects run."""
        if self._seen is not None:
            self._cover(attached)
            self._make_lists()

    def _make_lists(self) -> None:
        if self._allowed:
            self._allowed.make_lists()

    def _others(self) -> list[Resource]:
        """The other resources in the VPC. Call it after the aspects."""
        return self._app.others([each.resource.path for each in self._covered.values()])

    def _cover(self, attached: FunctionShield) -> None:
        resource = self._app.resources.get(path_of(attached.handle.resource)[0])
        if resource is None or not self._wants(attached) or not self._app.network.subnets.are_in(resource):
            return
        covered = Covered(attached, resource)
        self._covered[covered.path] = covered
        if not self._is_off:
            attached.function.node.add_metadata(PERIMETER, self.node.path)
        if self._narrows_groups:
            self._replace_egress(covered)
        if self._lock is not None:
            self._lock.lock(covered)

    def _services(self) -> set[str]:
        """The services that have an endpoint of the app in the VPC."""
        found = {service_in(endpoint.properties.get("ServiceName")) for endpoint in self._app.endpoints}
        return found | (self._wall.services if self._wall else set())

    def _wants(self, attached: FunctionShield) -> bool:
        if self._functions is None:
            return True
        return any(is_within(attached.handle.path, chosen) for chosen in self._functions)

    def _replace_egress(self, covered: Covered) -> None:
        """Replaces the egress of a function's security groups."""
        found = [each for each in self._app.of_type(GROUP) if each.path in covered.resource.references]
        for name in egress.imported_in(covered.resource, found):
            self._problem(
                f"{covered.path}: its security group {name} is not of this app, so its egress stays as it is: give "
                "the function a group of this app, or say security_groups=False and narrow that one where it is made"
            )
        for each in found:
            if each.path not in self._groups:
                construct: Any = self._app.constructs[each.path]
                self._groups[each.path] = Group(each, before=each.properties.get("SecurityGroupEgress") or ())
                construct.security_group_egress = late_any(lambda path=each.path: self._egress(path))
            self._groups[each.path].functions.append(covered.path)

    def _narrowing(self) -> EndpointPolicy:
        """The requests that endpoints admit. The grants and anonymous requests of other residents are unknown."""
        if self._endpoint_policy is not None:
            return self._endpoint_policy
        alone = self.vpc.node.default_child is not None and all(map(is_database, self._others()))
        return "granted" if alone else "account" if self._wall else "none"

    # Known last: read while templates are written

    def _egress(self, path: str) -> list[dict[str, Any]]:
        """The rules of a security group, in the CDK's form."""
        return [rule.as_property() for rule in self._rules(path)] or [dict(NO_TRAFFIC)]

    def _rules(self, path: str) -> list[EgressRule]:
        rules: list[EgressRule] = []
        for name in self._groups[path].functions:
            covered = self._covered[name]
            if not is_resolved(covered.attached.policy):
                continue
            try:
                rules += self._wall.egress(covered, self._cidr) if self._wall else covered.egress(self._cidr)
            except EntryError as error:
                self._problem(f"{name}: {error}")
        return remove_covered(rules)

    def _cidr(self) -> str:
        try:
            return self.vpc.vpc_cidr_block
        except RuntimeError:  # of the CDK: it was imported without
            raise EntryError(
                "its file systems are in a VPC of unknown networks: give its import vpc_cidr_block"
            ) from None

    # Problems

    def _problem(self, text: str) -> None:
        self._problems[text] = None

    def problems(self) -> list[str]:
        """Called by the CDK at validation; it also adds warnings."""
        protect_retained(self._made_log_groups)
        if self._is_off:
            return []
        if self._seen is None:
            return [f"{self.node.path}: the CDK did not invoke its aspect, so no rule was created"]
        self._check_functions()
        if self._allowed:
            self._check_others()
        self._check_groups()
        if self._wall is not None:
            resolved = {path: each for path, each in self._covered.items() if is_resolved(each.attached.policy)}
            for text in self._wall.problems(self._app, resolved, str(self._tier)):
                self._problem(text)
        if self._lock is not None:
            ours = [each.resource.path for each in self._covered.values()]
            for text in (*self._lock.sharing(self._app.of_type(FUNCTION), ours), *self._lock.problems):
                self._problem(text)
        for name, text in self._warnings():
            cdk.Annotations.of(self).add_warning_v2(f"{_WARNING}{name}", text)
        return [text if text.startswith(self.node.path) else f"{self.node.path}: {text}" for text in self._problems]

    def _check_functions(self) -> None:
        for chosen in self._functions or ():
            path = chosen.node.path
            if not any(is_within(name, chosen) for name in self._covered):
                reason = "it is no shielded function in the VPC, and has none in it"
                self._problem(f"functions: {path}: {reason}: shield it, and give it vpc=, or take it out")
        if not self._covered and not self._functions and not self._also_given:
            self._problem(
                "there is no shielded function in the VPC: give functions vpc=, list in also_allow the names that "
                "other resources look up, or take the perimeter out"
            )
        for covered in self._covered.values():
            given = covered.attached.policy.outbound_connectivity
            if given == "allow":
                self._problem(
                    f"{covered.path}: its outbound_connectivity is allow, so every name would be let through: block, "
                    "or leave the function out and list its names in also_allow"
                )
            elif given == "alert" and self.mode == "block":
                self._problem(
                    f"{covered.path}: its outbound_connectivity only alerts, and the perimeter would block: say "
                    'mode="alert" here, or block there'
                )

    def _check_others(self) -> None:
        found = self._others()
        if not found or self._also_given:
            return
        names = [f"{each.name} ({each.type})" for each in found]
        listed = ", ".join(names[:5]) + (f", and {len(names) - 5} others" if len(names) > 5 else "")
        self._problem(
            f"the VPC is not the functions' alone: {listed}. DNS Firewall applies to the whole VPC, and leaves them "
            "only the names of the functions' policies: list their names in also_allow (also_allow=[] if they need "
            "none), or move the functions to a separate VPC"
        )

    def _check_groups(self) -> None:
        for path, group in self._groups.items():
            rules = self._rules(path)
            if problem := egress.too_many(group.resource.name, rules):
                self._problem(problem)
            users = [each for each in self._others() if path in each.references]
            if users:
                self._problem(
                    f"{users[0].name} has the security group {group.resource.name} of {group.functions[0]} too, whose "
                    "egress is the function's policy: give the function its own group"
                )
            for each in self._app.everybody():
                if text := egress.beside(each, group.resource, rules):
                    self._problem(
                        f"{text}, which no policy of {', '.join(group.functions)} lists: list it in allow_outbound, or "
                        "take the rule out"
                    )

    def _warnings(self) -> Iterator[tuple[str, str]]:
        """Warnings, with the ends of their ids."""
        for name, texts in self._lock.warnings.items() if self._lock else ():
            yield f"Lock-{name}", f"Keys of {name} stay usable outside of the VPC for: {'; '.join(texts)}."
        for path, group in self._groups.items():
            for text in () if egress.is_everything(group.before) else egress.lost(group, self._rules(path)):
                yield (
                    f"Egress-{path}-{text}",
                    f"{group.resource.name} loses the egress {text}, which no policy of its functions lists: list it "
                    "in allow_outbound if it is needed.",
                )
        for covered in self._covered.values() if self._narrows_groups and not self._wall else ():
            for granted, (kind, text) in enumerate(_ANY_PORT):
                if names := self._any_port(covered, bool(granted)):
                    yield f"{kind}-{covered.path}", text.format(covered.path, names)
        for name, text in self._endpoints.warnings.items() if self._endpoints else ():
            yield f"Endpoint-{name}", f"The endpoint {name} is left wider: {text}."
        if self._endpoints is not None and self.vpc.node.default_child is None:
            yield (
                "ImportedVpc",
                "The VPC is imported. The policies of its endpoints from another app stay unchanged: narrow them "
                "there. Its other residents are unknown too: also_allow is for all of them.",
            )

    def _any_port(self, covered: Covered, granted: bool) -> str:
        """Names without a port: granted ones, or listed ones."""
        policy = covered.attached.policy
        if policy.outbound_connectivity == "allow" or not is_resolved(policy):
            return ""
        try:
            targets = [t for t in covered.targets() if t.port is None and not t.is_network]
        except EntryError:
            return ""
        found = [covered.attached.policies.name_of(t.entry) for t in targets if covered.is_granted(t) == granted]
        return ", ".join(dict.fromkeys(found))
