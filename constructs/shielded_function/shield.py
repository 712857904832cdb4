"""`Shield`: puts a policy, its layer, its log group, its metric and its alarms on Lambda functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from .alarms import AlarmOptions, wrong_type
from .attached import AttachedShield
from .candidate import ShieldOptions, check_function
from .errors import ShieldError, shown
from .everywhere import OnUnsupported, ShieldedApp, shield_everywhere
from .function_facts import FunctionHandle
from .function_shield import FunctionShield, attached_to
from .kinds import is_alias_or_import, is_cdk_handler, is_of_cdk, owner_of, why_not
from .layer import check_layer
from .log_group import LogOptions
from .policy import ShieldPolicy, check_policy
from .renamed import by_name

__all__ = ["AttachedShield", "Shield"]

_APPLY: Final = "shield your own function behind it, or that one by Shield(...).apply()"


@jsii.implements(cdk.IAspect)
class Shield(cdk.Mixin):
    """A policy that can be put on any Lambda function; a CDK mixin and an aspect.

    One function, any class of function, or every function of an app:

        checkout.with_(Shield(ShieldPolicy(allow_outbound=("api.stripe.com:443",))))
        attached = Shield(ShieldPolicy.report_only()).apply(resize_images)
        Shield.everywhere(app, ShieldPolicy(allow_aws=["dynamodb"]))

    `with_`, `Mixins` and `Aspects` pass over other constructs, the functions of CDK's own custom resources, and what
    has a shield already, so the policy that was given first stays. `apply` takes nothing but a function without one.
    `with_` of an alias, a version, an imported function, or a construct of the CDK's that has none but the CDK's own
    functions (a `Provider`) is an error, as it would shield nothing.
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
            policy: what the function's code may do; by default nothing but the AWS services that its role is
                granted (`ShieldPolicy()`).
            alarms: options of its alarms; by default they take no action (`AlarmOptions()`).
            logs: options of the log group that is made for a function without one (`LogOptions()`).
            shield_layer: a layer with the shield that you published, and perhaps signed, yourself, or its ARN with the
                version; by default one is made from the installed package.
            in_image: the function is a container image that holds the shield's files, so it gets no layer.

        Raises:
            ShieldError: an option is of another type, or `shield_layer` is no layer, and no ARN of a layer's version.
            ShieldPolicyError: `policy` is no `ShieldPolicy`.
        """
        super().__init__()
        self._options = shield_options(policy, alarms, logs, shield_layer, in_image)
        self.policy = self._options.policy
        self.alarms = self._options.alarms
        self.logs = self._options.logs
        self._asked: set[IConstruct] = set()

    def supports(self, construct: IConstruct) -> bool:
        """Whether it is a Lambda function without a shield, and not of the CDK's own: those only `apply` shields.

        Raises:
            ShieldError: it was named itself, and nothing in it is shielded by that.
        """
        self._asked.add(construct)
        owner = owner_of(construct)
        if owner is None:
            if is_alias_or_import(construct) and self._named(construct) is construct:
                raise ShieldError(construct.node.path, [why_not(construct)])
            return False
        if not _is_cdk_own(owner):
            return attached_to(owner) is None
        named = self._named(construct)
        if owner_of(named) is None and is_of_cdk(named):
            raise ShieldError(named.node.path, [f"the function in it, {owner.node.path}, is the CDK's own: {_APPLY}"])
        return False

    def _named(self, construct: IConstruct) -> IConstruct:
        """The outermost that was asked about: `with_` and `Mixins` ask about a construct before what is in it."""
        above = construct.node.scope
        return construct if above is None or above not in self._asked else self._named(above)

    def apply_to(self, construct: IConstruct) -> None:
        """The mixin's side of `apply`."""
        self.apply(construct)

    def apply(self, function: IConstruct) -> AttachedShield:
        """Shields a function: any kind of `aws_lambda.Function`, a `SingletonFunction`, or a `CfnFunction`.

        Raises:
            ShieldError: it cannot be shielded; the message says why, and nothing was changed. Or it is no construct.
        """
        if not isinstance(function, Construct):
            raise ShieldError(f"Shield.apply: {shown(function)} is no construct; give it a function")
        owner = owner_of(function)
        if owner is None:
            raise ShieldError(function.node.path, [why_not(function)])
        if attached_to(owner) is not None:
            raise ShieldError(owner.node.path, ["it has a shield already: give it one policy"])
        return attach(owner, self._options)

    def visit(self, node: IConstruct) -> None:
        """The aspect's side: shields each function, and has the last word about its environment.

        The CDK visits the function before its resource, so what other aspects set on the function is seen.
        """
        owner = owner_of(node)
        if owner is None or isinstance(node, lambda_.SingletonFunction):
            return  # the function behind a singleton is visited by itself
        attached = attached_to(owner)
        if attached is None:
            if not _is_cdk_own(owner):
                attach(owner, self._options, in_aspect=True)
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
        """Shields every function of an app, a stage or a stack: those that are there, and those that are made later.

            Shield.everywhere(
                app,
                ShieldPolicy(allow_aws="granted"),
                policies={"Shop/Checkout": ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_aws="granted")},
                exclude=["Shop/Legacy*"],
            )

        Call it at the end of the app, before `app.synth()`. A `cdk.Stage` that is made after the call is not covered:
        call it again. A function's policy is, in this order: the one that it has already (`ShieldedFunction`,
        `Shield.apply`); in `policies`, that of the exact path, then of the glob with the most literal text, then of a
        tag; `policy`.

        Args:
            scope: the app, a stage, a stack, or any construct.
            policy: what functions may do, where nothing says otherwise. `ShieldPolicy.report_only()` stops nothing, for
                a first roll-out.
            policies: policies by construct path or glob, or by tag (`tag:team=payments`). A path or glob covers all
                that is in the constructs it matches; `*` stays within a component, `**` does not.
            exclude: what stays without a shield: constructs with all that is in them, paths or globs, construct ids,
                or functions that are asked about each Lambda function. A path, glob or id has a day and a reason by
                `Until("Shop/Legacy", "2027-01-31", reason="...")`.
            include_cdk_handlers: shields the functions of CDK's own custom resources too. They call AWS, and may need
                a policy of their own.
            on_unsupported: what to do about functions that cannot be shielded: "error" raises one error that names
                all of them, "warn" adds a warning to each, "skip" leaves them out. Imported functions are left out in
                any case. Code that is in no function (canaries, web functions, templates elsewhere) is never an error
                here: it is warned of, unless this is "skip".
            allow_unmatched: a glob or a tag in `policies` or `exclude` may match nothing, where several apps share
                them. Otherwise that is an error of the synthesis, as it always is for an exact path or id.
            alarms: options of the alarms.
            logs: options of the log groups that are made for functions without one.
            shield_layer: a layer with the shield, or its ARN, instead of the package's own.

        Returns:
            The result for each function.

        Raises:
            ShieldError: functions cannot be shielded (with on_unsupported="error"); none was changed.
            ShieldPolicyError: `policy` is no `ShieldPolicy`.
        """
        shield = Shield(check_policy(policy), alarms=alarms, logs=logs, shield_layer=shield_layer)
        return shield_everywhere(
            scope,
            shield._options,
            policies=policies or {},
            exclude=exclude,
            include_cdk_handlers=include_cdk_handlers,
            on_unsupported=on_unsupported,
            allow_unmatched=allow_unmatched,
        )


def attach(
    function: lambda_.Function | lambda_.CfnFunction, options: ShieldOptions, *, in_aspect: bool = False
) -> AttachedShield:
    """Shields one function.

    Args:
        function: it.
        options: its policy, alarms, log group and layer.
        in_aspect: the CDK is invoking aspects already.

    Raises:
        ShieldError: it cannot be shielded.
    """
    handle = FunctionHandle(function)
    return FunctionShield(check_function(handle, options, handle.read_facts()), in_aspect=in_aspect)


def shield_options(
    policy: ShieldPolicy | None,
    alarms: AlarmOptions | None,
    logs: LogOptions | None,
    layer: lambda_.ILayerVersion | str | None,
    in_image: bool = False,
) -> ShieldOptions:
    """The options that `Shield` and `ShieldedFunction` take, checked; `Shield` documents them."""
    defaults = _defaults()
    check_layer(layer)
    return ShieldOptions(
        defaults.policy if policy is None else check_policy(policy),
        defaults.alarms if alarms is None else _of_type(alarms, AlarmOptions, "alarms"),
        defaults.logs if logs is None else _of_type(logs, LogOptions, "logs"),
        layer,
        in_image,
    )


@cache
def _defaults() -> ShieldOptions:
    """Shared by the functions that name nothing else: what follows from them is worked out once."""
    return ShieldOptions()


def _is_cdk_own(function: lambda_.Function | lambda_.CfnFunction) -> bool:
    node = function.node
    return is_cdk_handler([entry.type for entry in node.metadata], node.path, node.scope)


def _of_type(value: Any, kind: type[Any], name: str) -> Any:
    if not isinstance(value, kind):
        raise ShieldError(name, [wrong_type(value, kind)])
    return value
