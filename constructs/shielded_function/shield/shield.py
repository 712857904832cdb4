"""`Shield`: applies a policy, its layer, its log group, its metric and its alarms to Lambda functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from ..alarms.alarm_options import AlarmOptions, wrong_type
from ..errors import ShieldError, shown
from ..keywords import by_name
from ..layer.versions import check_layer
from ..policy import ShieldPolicy, check_policy
from ..reading.functions import FunctionHandle
from ..reading.kinds import holds_no_function, is_alias_or_import, is_cdk_handler, is_of_cdk, owner_of, why_not
from ..reading.paths import path_of
from .attached import AttachedShield
from .eligibility import ShieldOptions, check_function
from .everywhere import OnUnsupported, ShieldedApp, shield_everywhere
from .function_policy import FunctionPolicy
from .function_shield import FunctionShield, attached_to
from .log_group import LogOptions
from .stage import stack_shields

__all__ = ["AttachedShield", "Shield"]

_APPLY: Final = "shield your own function behind it, or that one by Shield(...).apply()"


@jsii.implements(cdk.IAspect)
class Shield(cdk.Mixin):
    """A policy that can be applied to any Lambda function; a CDK mixin and an aspect.

    One function, any class of function, or every function of an app:

        checkout.with_(Shield(ShieldPolicy(allow_outbound=("api.stripe.com:443",))))
        attached = Shield(ShieldPolicy.report_only()).apply(resize_images)
        Shield.everywhere(app, ShieldPolicy(allow_aws=["dynamodb"]))

    `with_`, `Mixins` and `Aspects` skip other constructs, the functions of the CDK's custom resources, and functions
    with a shield, so the first policy stays. `apply` accepts only a function without a shield. `with_` is an error for
    an alias, a version, an imported function, or a construct of the CDK without a function (a table), or with only the
    CDK's functions (a `Provider`), as it would shield nothing.
    """

    @by_name("Shield")
    def __init__(
        self,
        policy: ShieldPolicy | None = None,
        *,
        alarms: AlarmOptions | None = None,
        logs: LogOptions | None = None,
        shield_layer: lambda_.ILayerVersion | str | None = None,
        in_image: bool = False,
    ) -> None:
        """
        Args:
            policy: the policy of the function's code; by default it admits only the AWS services of its role's grants
                (`ShieldPolicy()`).
            alarms: options of its alarms; by default they take no action (`AlarmOptions()`).
            logs: options of the log group that is created for a function without one (`LogOptions()`).
            shield_layer: a layer with the shield that you published, or its ARN with the version; by default one is
                created from the installed package.
            in_image: whether the function is a container image with the shield's files, which needs no layer.

        Raises:
            ShieldError: an option is of another type, or `shield_layer` is neither a layer nor the ARN of a layer
                version.
            ShieldPolicyError: `policy` is no `ShieldPolicy`.
        """
        super().__init__()
        self.policy = policy_or_default(policy)
        self._options = shield_options(alarms, logs, shield_layer, in_image)
        self.alarms = self._options.alarms
        self.logs = self._options.logs
        self._asked: dict[
            str, IConstruct
        ] = {}  # by path: jsii may give a construct of the CDK another object each time

    def supports(self, construct: IConstruct) -> bool:
        """Whether it is a Lambda function without a shield, and not of the CDK: only `apply` shields those.

        Raises:
            ShieldError: it was named directly, and it contains no function to shield.
        """
        self._asked[path_of(construct)[0]] = construct
        owner = owner_of(construct)
        if owner is None:
            if self._named(construct) is construct and (is_alias_or_import(construct) or holds_no_function(construct)):
                raise ShieldError(construct.node.path, [why_not(construct)])
            return False
        if not _is_cdk_own(owner):
            return attached_to(owner) is None
        named = self._named(construct)
        if owner_of(named) is None and is_of_cdk(named):
            raise ShieldError(named.node.path, [f"the function in it, {owner.node.path}, is the CDK's own: {_APPLY}"])
        return False

    def _named(self, construct: IConstruct) -> IConstruct:
        """The outermost named construct: `with_` and `Mixins` visit a construct before its children."""
        above, _, _ = path_of(construct)[0].rpartition("/")
        return self._named(self._asked[above]) if above and above in self._asked else construct

    def apply_to(self, construct: IConstruct) -> None:
        """Called by the CDK for the mixin."""
        self.apply(construct)

    def apply(self, function: IConstruct) -> AttachedShield:
        """Shields a function: any kind of `aws_lambda.Function`, a `SingletonFunction`, or a `CfnFunction`.

        Raises:
            ShieldError: it cannot be shielded (the message has the reason, and nothing was changed), or it is no
                construct.
        """
        if not isinstance(function, Construct):
            raise ShieldError(f"Shield.apply: {shown(function)} is no construct; give it a function")
        owner = owner_of(function)
        if owner is None:
            raise ShieldError(function.node.path, [why_not(function)])
        if attached_to(owner) is not None:
            raise ShieldError(owner.node.path, ["it has a shield already: give it one policy"])
        return attach(owner, self.policy, self._options)

    def visit(self, node: IConstruct) -> None:
        """The aspect: shields each function, and sets its environment last.

        The CDK visits the function before its resource, so settings of other aspects on the function are seen.
        """
        owner = owner_of(node)
        if owner is None or isinstance(node, lambda_.SingletonFunction):
            return  # the function behind a singleton is visited separately
        attached = attached_to(owner)
        if attached is None:
            if not _is_cdk_own(owner):
                attach(owner, self.policy, self._options, in_aspect=True)
        elif isinstance(node, lambda_.CfnFunction):
            attached.settle()

    @staticmethod
    def of(function: IConstruct) -> AttachedShield:
        """The shield on a function, which must have one. For a `SingletonFunction`, that of the function behind it.

        Raises:
            ShieldError: it has none.
        """
        attached = attached_to(function)
        if attached is None:
            raise ShieldError(function.node.path, ["it has no shield: give it one by Shield(policy).apply(function)"])
        return attached

    @staticmethod
    @by_name("Shield.everywhere")
    def everywhere(
        scope: IConstruct,
        policy: ShieldPolicy,
        *,
        policies: Mapping[str, ShieldPolicy] | None = None,
        exclude: Iterable[IConstruct | str | Callable[[IConstruct], bool]] = (),
        include_cdk_handlers: bool = False,
        on_unsupported: OnUnsupported = "error",
        allow_unmatched: bool = False,
        alarms: AlarmOptions | None = None,
        logs: LogOptions | None = None,
        shield_layer: lambda_.ILayerVersion | str | None = None,
    ) -> ShieldedApp:
        """Shields every function of an app, a stage or a stack: existing ones, and those created later.

            Shield.everywhere(
                app,
                ShieldPolicy(allow_aws="granted"),
                policies={"Shop/Checkout": ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_aws="granted")},
                exclude=["Shop/Legacy*"],
            )

        Call it at the end of the app, before `app.synth()`. It does not cover a `cdk.Stage` that is created after the
        call: call it again. A function's policy is the first of these: an existing one (`ShieldedFunction`,
        `Shield.apply`); in `policies`, that of the exact path, then of the glob with the most literal text, then of a
        tag; `policy`.

        Args:
            scope: the app, a stage, a stack, or any construct.
            policy: the policy of all other functions. `ShieldPolicy.report_only()` blocks nothing, for a first
                roll-out.
            policies: policies by construct path or glob, or by tag (`tag:team=payments`). A path or glob also covers
                the constructs in its matches; `*` matches within a component, `**` across.
            exclude: functions without a shield: constructs with everything in them, paths or globs, construct ids, or
                predicates that are called with each Lambda function.
            include_cdk_handlers: also shields the functions of the CDK's custom resources. They call AWS, and may need
                a separate policy.
            on_unsupported: the action on functions that cannot be shielded: "error" raises one error that names all of
                them, "warn" adds a warning to each, "skip" leaves them out. Imported functions are always left out.
                Code outside functions (canaries, web functions, external templates) is never an error here: it gets a
                warning, unless this is "skip".
            allow_unmatched: whether a glob or a tag in `policies` or `exclude` may match nothing, as where several apps
                share them. By default that is an error at synthesis, as it always is for an exact path or id.
            alarms: options of the alarms.
            logs: options of the log groups that are created for functions without one.
            shield_layer: a layer with the shield, or its ARN, instead of the package's layer.

        Returns:
            The result for each function.

        Raises:
            ShieldError: functions cannot be shielded (with on_unsupported="error"); none was changed.
            ShieldPolicyError: `policy` is no `ShieldPolicy`.
        """
        shield = Shield(check_policy(policy), alarms=alarms, logs=logs, shield_layer=shield_layer)
        return shield_everywhere(
            scope,
            shield.policy,
            shield._options,
            policies=policies or {},
            exclude=exclude,
            include_cdk_handlers=include_cdk_handlers,
            on_unsupported=on_unsupported,
            allow_unmatched=allow_unmatched,
        )


def attach(
    function: lambda_.Function | lambda_.CfnFunction,
    policy: ShieldPolicy,
    options: ShieldOptions,
    *,
    in_aspect: bool = False,
) -> AttachedShield:
    """Shields one function.

    Args:
        function: the function.
        policy: its policy.
        options: its alarms, log group and layer.
        in_aspect: whether aspects run already.

    Raises:
        ShieldError: it cannot be shielded.
    """
    handle = FunctionHandle(function)
    facts = handle.read_facts()
    log_group = check_function(handle, options, facts)
    policies = FunctionPolicy(function, policy, mode=stack_shields(handle.stack).shared.switch)
    return FunctionShield(handle, facts, policies, options, log_group, in_aspect=in_aspect)


def policy_or_default(policy: ShieldPolicy | None) -> ShieldPolicy:
    """Raises ShieldPolicyError: it is no `ShieldPolicy`."""
    return ShieldPolicy() if policy is None else check_policy(policy)


def shield_options(
    alarms: AlarmOptions | None,
    logs: LogOptions | None,
    layer: lambda_.ILayerVersion | str | None,
    in_image: bool = False,
) -> ShieldOptions:
    """Checks the options of `Shield` and `ShieldedFunction` beside the policy; `Shield` documents them."""
    defaults = _defaults()
    check_layer(layer)
    return ShieldOptions(
        defaults.alarms if alarms is None else _of_type(alarms, AlarmOptions, "alarms"),
        defaults.logs if logs is None else _of_type(logs, LogOptions, "logs"),
        layer,
        in_image,
    )


@cache
def _defaults() -> ShieldOptions:
    """The default options, shared by functions, so that derived values are computed once."""
    return ShieldOptions()


def _is_cdk_own(function: lambda_.Function | lambda_.CfnFunction) -> bool:
    node = function.node
    return is_cdk_handler([entry.type for entry in node.metadata], node.path, node.scope)


def _of_type(value: Any, kind: type[Any], name: str) -> Any:
    if not isinstance(value, kind):
        raise ShieldError(name, [wrong_type(value, kind)])
    return value
