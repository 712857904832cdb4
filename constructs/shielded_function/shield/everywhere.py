"""`Shield.everywhere`: one policy for an app, exceptions from it, and a report about each function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn, cast, get_args

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct, Node

from ..errors import ShieldError
from ..names import LEFT_OUT
from ..policy import ShieldPolicy
from ..reading.batching import members_of
from ..reading.functions import FunctionFacts, FunctionHandle, read_properties
from ..reading.kinds import (
    edge_problem,
    find_other_code,
    find_relevant,
    is_cdk_handler,
    is_imported_function,
    is_sam_function,
    is_untyped_function,
    why_not,
)
from ..reading.other_code import other_code
from ..reading.paths import find_constructs, path_of
from .attached import AttachedShield
from .eligibility import ShieldOptions, check_function, make_layer
from .function_policy import FunctionPolicy
from .function_shield import FunctionShield, attached_to
from .selection import Exclusion, Rules, check_policies, exclusions_of, is_general, why_unmatched
from .stage import stage_shields

OnUnsupported = Literal["error", "warn", "skip"]

_ID = "ShieldEverywhere"
_UNSUPPORTED = "shielded-function:unsupported"
_TWICE = "shielded-function:shieldedTwice"
_LEAVE_OUT = 'leave them out by exclude=[...], or say on_unsupported="warn" or "skip"'


class _NoAspect:
    """Stands for the mark of the CDK's classes, which `Aspects.add` reads."""

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError("Shield.everywhere adds its aspects itself: call it without Aspects.add")


@dataclass
class ShieldedApp:
    """The result for the functions of an app.

    Attributes:
        shielded: the applied shields, by construct path.
        left_out: the reasons of functions without one, by construct path: excluded, CDK's own, imported, or skipped.
        already: the existing shields, by construct path: their policies stay.
        unsupported: why functions cannot be shielded, by construct path, where on_unsupported is "warn". Unless that is
            "skip", also resources that run code and are no function, such as a canary, and those with
            functions of an external template.
    """

    __jsii_type__ = _NoAspect()

    shielded: dict[str, AttachedShield] = field(default_factory=dict[str, AttachedShield])
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    already: dict[str, AttachedShield] = field(default_factory=dict[str, AttachedShield])
    unsupported: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, function: IConstruct | str) -> AttachedShield:
        """The shield on a function, which must have one.

            shielded = Shield.everywhere(app, ShieldPolicy(allow_aws="granted"))
            shielded.of("Shop/Checkout").allow_to(database)

        Args:
            function: it, or its construct path.

        Raises:
            ShieldError: it has none (the message has the reason); or there is no function at that path.
        """
        path = function if isinstance(function, str) else function.node.path
        known = {**self.already, **self.shielded}
        attached = known.get(path) if isinstance(function, str) else attached_to(function)
        if attached is not None:
            return attached
        reason = self.left_out.get(path) or self.unsupported.get(path)
        if reason:
            raise ShieldError(path, [f"it has no shield: {reason}"])
        there = ", ".join(self.shielded) or "none"
        raise ShieldError(path, [f"Shield.everywhere has shielded no function of that path; there are: {there}"])


def shield_everywhere(
    scope: IConstruct,
    policy: ShieldPolicy,
    options: ShieldOptions,
    *,
    policies: Mapping[str, ShieldPolicy],
    exclude: Iterable[Exclusion],
    include_cdk_handlers: bool,
    on_unsupported: OnUnsupported,
    allow_unmatched: bool,
) -> ShieldedApp:
    """Implements `Shield.everywhere`, which documents the arguments.

    Raises:
        ShieldError: functions cannot be shielded, or an argument is malformed.
    """
    rules = Rules(
        policies=policies, exclude=exclusions_of(_path(scope), exclude), include_cdk_handlers=include_cdk_handlers
    )
    if on_unsupported not in get_args(OnUnsupported):
        choices = ", ".join(map(repr, get_args(OnUnsupported)))
        raise ShieldError(_path(scope), [f"on_unsupported: {on_unsupported!r} is none of {choices}"])
    check_policies(_path(scope), policies)
    sweep = _Sweep(scope, policy, options, rules, on_unsupported)
    everything = find_relevant(scope)
    refuse_synthesized(scope, everything)
    sweep.shield_functions(everything, in_aspect=False)
    sweep.warn_other_code()
    sweep.register_watchers(everything)
    if rules.patterns:
        stage_shields(scope).late_checks.append(lambda: sweep.unmatched(allow_unmatched))
    return sweep.report


def refuse_synthesized(scope: IConstruct, everything: Sequence[IConstruct]) -> None:
    """Refuses stages that a pipeline already synthesized, as it does when they are added, as they can no longer change.

    Args:
        scope: the construct to search.
        everything: the result of `find_relevant` for it.

    Raises:
        ShieldError: there are stages, and a pipeline that contains some.
    """
    if not any(isinstance(c, cdk.Stage) and c.node.scope is not None for c in everything):
        return
    for pipeline in find_constructs(scope, ["pipelines.PipelineBase"]):
        if pipeline.waves:
            raise ShieldError(
                pipeline.node.path,
                [
                    "Shield.everywhere comes too late: the pipeline synthesized its stages when they were added; "
                    "call Shield.everywhere(stage, ...) before add_stage, or in the Stage's __init__"
                ],
            )


@dataclass(frozen=True)
class _Found:
    """A construct that may be a function.

    Attributes:
        construct: the construct.
        path: its construct path.
        node: its place in the construct tree.
        marks: the types of its metadata, from the CDK and others.
        stack: its stack.
        children: its direct children.
        name: the name, a token, of a `Function`.
        resource: its `CfnFunction`.
    """

    construct: Any
    path: str
    node: Node
    marks: Sequence[str]
    stack: cdk.Stack
    children: Sequence[IConstruct]
    name: str | None
    resource: lambda_.CfnFunction | None = None


class _Sweep:
    """Finds functions below a construct, and shields them: once at the call, again at synthesis."""

    def __init__(
        self,
        scope: IConstruct,
        policy: ShieldPolicy,
        options: ShieldOptions,
        rules: Rules,
        on_unsupported: OnUnsupported,
    ) -> None:
        self._scope = scope
        self._policy = policy
        self._options = options
        self._rules = rules
        self._on_unsupported: OnUnsupported = on_unsupported
        self._seen: set[str] = set()
        self._functions: set[str] = set()  # paths of each `Function`, which contains a `CfnFunction`
        self._stacks: dict[str, cdk.Stack] = {}
        self._watched: set[str] = set()  # paths of the stages that existed at the call
        self.report = ShieldedApp()

    def shield_functions(self, everything: Sequence[IConstruct], *, in_aspect: bool) -> None:
        """Shields new functions. All are checked before any is changed.

        Args:
            everything: the result of `find_relevant` for the scope.
            in_aspect: whether aspects run already.

        Raises:
            ShieldError: functions cannot be shielded (on_unsupported="error").
        """
        handles: list[FunctionHandle] = []
        checked: list[tuple[FunctionHandle, FunctionFacts, FunctionPolicy, logs.ILogGroup | None]] = []
        problems: dict[str, tuple[IConstruct, str]] = {}
        for found in self._find_new(everything):
            try:
                handle = self._to_shield(found)
            except ShieldError as error:
                problems[found.path] = found.construct, error.reasons
            else:
                if handle is not None:
                    handles.append(handle)
        for handle, properties in zip(handles, read_properties(handles), strict=True):
            try:
                facts = handle.facts_of(properties)
                log_group = check_function(handle, self._options, facts)
                checked.append((handle, facts, self._policy_of(handle), log_group))
            except ShieldError as error:
                problems[handle.path] = handle.construct, error.reasons
        for handle, facts, *_ in () if problems and self._on_unsupported == "error" else checked:
            try:
                make_layer(handle, self._options, facts)
            except ShieldError as error:
                problems[handle.path] = handle.construct, error.reasons
        if problems and self._on_unsupported == "error":
            raise ShieldError.of_many({path: text for path, (_, text) in problems.items()}, _LEAVE_OUT)
        for path, (function, text) in problems.items():
            self._warn_unsupported(function, path, text)
        for handle, facts, policies, log_group in checked:
            path = handle.path
            if path in problems:
                continue
            self._seen.add(path)
            if in_aspect and (missed := self._missed_stage(handle.stack)):
                stage_shields(self._scope).problems.append(
                    f"{path}: its stage {missed} was made after Shield.everywhere, which is too late: call it after "
                    "the stage, or for the stage"
                )
                continue
            shield = FunctionShield(handle, facts, policies, self._options, log_group, in_aspect=in_aspect)
            shield.from_sweep = self
            self.report.shielded[path] = shield

    def _find_new(self, everything: Sequence[IConstruct]) -> list[_Found]:
        """Candidates for functions, by Python type, with their places, as each call to the CDK takes time."""
        stacks = [construct for construct in everything if isinstance(construct, cdk.Stack)]
        candidates = [
            construct
            for construct in everything
            if self._may_be_function(construct) and path_of(construct)[0] not in self._seen
        ]
        self._stacks.update((path_of(stack)[0], stack) for stack in stacks)
        asked = members_of(candidates, "node", "node.metadata", "stack", "node.children", "functionName")
        new = [
            _Found(construct, path_of(construct)[0], node, [_type_of(each) for each in metadata], stack, children, name)
            for construct, (node, metadata, stack, children, name) in zip(candidates, asked, strict=True)
        ]
        self._functions.update(found.path for found in new if isinstance(found.construct, lambda_.Function))
        resources = {f.path: f.construct for f in new if isinstance(f.construct, lambda_.CfnFunction)}
        return [replace(found, resource=resources.get(f"{found.path}/Resource")) for found in new]

    def _may_be_function(self, construct: IConstruct) -> bool:
        if isinstance(construct, (lambda_.FunctionBase, lambda_.CfnFunction)):
            return True
        return type(construct) is cdk.CfnResource or is_sam_function(construct)

    def register_watchers(self, everything: Sequence[IConstruct]) -> None:
        """Registers another search at synthesis, in the scope and in each stage within it."""
        below = [c for c in everything if isinstance(c, cdk.Stage) and c.node.path != self._scope.node.path]
        own = cdk.Stage.of(self._scope)
        self._watched.update(stage.node.path for stage in (own, *below) if stage is not None)
        for scope in [self._scope, *below]:
            watcher = scope.node.try_find_child(_ID)
            if not isinstance(watcher, _Watcher):
                watcher = _Watcher(scope, _ID)
            watcher.sweeps.insert(0, self)  # the latest call is first, as it is meant for new functions

    def sweep_again(self) -> None:
        """The aspect: shields functions that were created after the call."""
        try:
            self.shield_functions(find_relevant(self._scope), in_aspect=True)
            self.warn_other_code()
        except ShieldError as error:
            stage_shields(self._scope).problems.append(str(error))

    def _missed_stage(self, stack: cdk.Stack) -> str:
        """The path of a stage that was made after the call: the CDK synthesizes it before its parents' aspects."""
        stage = cdk.Stage.of(stack)
        watched = stage is None or stage.node.path in self._watched
        return "" if stage is None or watched else stage.node.path

    def unmatched(self, allow_globs: bool) -> list[str]:
        """The paths, globs, tags and ids that have no effect, each with the fix; called when all functions exist.

        Args:
            allow_globs: whether a glob or a tag may match nothing.
        """
        seen = dict.fromkeys([*self.report.shielded, *self.report.already], "it has a shield already")
        seen |= {**self.report.left_out, **self.report.unsupported}
        return [
            f"{_path(self._scope)}: Shield.everywhere: {argument}: {pattern!r} {problem}"
            for argument, pattern in self._rules.patterns
            if (argument, pattern) not in self._rules.used
            if not (allow_globs and is_general(pattern))
            if (problem := why_unmatched(pattern, seen, self._is_stack))
        ]

    def _is_stack(self, path: str) -> bool:
        """Whether there is a stack or a stage at this path; it may contain no function yet."""
        found: IConstruct | None = self._scope.node.root
        for part in path.split("/"):
            found = found and found.node.try_find_child(part)
        return isinstance(found, (cdk.Stack, cdk.Stage))

    def _to_shield(self, found: _Found) -> FunctionHandle | None:
        """A function to shield; None for other constructs, and for shielded ones.

        Raises:
            ShieldError: it should be shielded, but its kind cannot be.
        """
        construct, path = found.construct, found.path
        function = construct if isinstance(construct, (lambda_.Function, lambda_.CfnFunction)) else None
        if function is None and not any(
            looks_like(construct) for looks_like in (is_untyped_function, is_imported_function, is_sam_function)
        ):
            return None
        above, _, construct_id = path.rpartition("/")
        if isinstance(function, lambda_.CfnFunction) and above in self._functions:
            self._seen.add(path)  # checked as that
            return None
        node = found.node
        shield = next((child for child in found.children if isinstance(child, FunctionShield)), None)
        if shield is not None:
            self._keep_shield(function, path, shield)
            return None
        parent = self._stacks.get(above) or node.scope
        if isinstance(function, lambda_.CfnFunction) and isinstance(parent, lambda_.Function):
            return None  # the scope is the resource of a function
        reason = self._rules.excluded_by(construct, path, construct_id)
        if reason is None and not self._rules.include_cdk_handlers and is_cdk_handler(found.marks, path, parent):
            reason = "a function of the CDK's own"
        if reason is None and is_imported_function(construct):
            reason = why_not(construct)
        if reason is not None:
            self._leave_out(construct, path, reason)
            return None
        if function is None:
            raise ShieldError(path, [why_not(construct)])
        if problem := edge_problem(path, parent):
            raise ShieldError(path, [problem])
        return FunctionHandle(
            function,
            node=node,
            path=path,
            stack=found.stack,
            resource=found.resource,
            children=found.children,
            name=found.name,
        )

    def warn_other_code(self) -> None:
        """Warns about code outside functions, unless it is excluded."""
        for construct in find_other_code(self._scope):
            path, kind = path_of(construct)
            path = path.removesuffix("/Resource")
            other = other_code(kind)
            if path in self._seen or other is None:
                continue
            reason = self._rules.excluded_by(construct, path, path.rpartition("/")[2])
            if reason is not None:
                self._leave_out(construct, path, reason)
            else:
                self._warn_unsupported(construct, path, f"{other.why}: {other.fix}")

    def _keep_shield(self, function: IConstruct | None, path: str, shield: FunctionShield) -> None:
        """Keeps an existing shield, with a warning if an earlier call of `Shield.everywhere` created it."""
        self._seen.add(path)
        if function is None:
            return
        self.report.already[path] = shield
        wanted = self._rules.policy_for(path) or self._policy
        if shield.from_sweep is not None and shield.from_sweep is not self and shield.policies.original != wanted:
            cdk.Annotations.of(function).add_warning_v2(
                _TWICE,
                "Two calls of Shield.everywhere have a policy for it, and the first stays: give it one policy, "
                "by `policies` of the first call.",
            )

    def _policy_of(self, handle: FunctionHandle) -> FunctionPolicy:
        """Its policy by path or glob; or by tag, as soon as its tags are known."""
        policy = self._rules.policy_for(handle.path)
        by_tag = policy is None and self._rules.by_tag
        return FunctionPolicy(
            handle.construct,
            policy or self._policy,
            (lambda: self._rules.policy_by_tag(handle.resource.tags.tag_values())) if by_tag else None,
            mode=stage_shields(handle.stack).switch,
        )

    def _leave_out(self, function: IConstruct, path: str, reason: str) -> None:
        self._seen.add(path)
        self.report.left_out[path] = reason
        function.node.add_metadata(LEFT_OUT, reason)

    def _warn_unsupported(self, function: IConstruct, path: str, problem: str) -> None:
        self._seen.add(path)
        if self._on_unsupported == "skip":
            self._leave_out(function, path, problem)
        else:
            self.report.unsupported[path] = problem
            cdk.Annotations.of(function).add_warning_v2(_UNSUPPORTED, f"It has no shield: {problem}")


@jsii.implements(cdk.IAspect)
class _Watcher(Construct):
    """One visit for each stage: an aspect on the app would be called for every construct in it.

    Attributes:
        sweeps: the sweeps to repeat, in order.
    """

    def __init__(self, scope: IConstruct, construct_id: str) -> None:
        super().__init__(cast("Construct", scope), construct_id)
        self.sweeps: list[_Sweep] = []
        cdk.Aspects.of(self).add(self, priority=500)

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK."""
        del node
        for sweep in self.sweeps:
            sweep.sweep_again()


def _type_of(entry: Any) -> str:
    """The type of an entry of metadata: jsii passes a known one by reference, and a new one by value."""
    return entry["type"] if isinstance(entry, Mapping) else entry.type


def _path(scope: IConstruct) -> str:
    return scope.node.path or "App"
