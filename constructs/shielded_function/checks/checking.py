"""Applies the rules: from an assembly to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from difflib import get_close_matches
from posixpath import commonpath
from typing import Final, NamedTuple

from shielded_function_monitoring.cfn.template import Place

from ..globs import covers
from ..names import OFF
from .expiry import Temporary, find_expired, read_exceptions
from .finding import Finding, Severity
from .rules import NOT_SEEN, NOT_SHIELDED, PRODUCTION, RULES, Context, Rule
from .templates import Assembly, LambdaFunction


class _Together(NamedTuple):
    """One finding of a rule about an app's setup for many functions.

    Attributes:
        problem: the text, with the number of functions.
        within: the common place of the functions: their template, or the folder of their stage's templates.
        least: fewer functions are reported one by one.
    """

    problem: str
    within: Callable[[str], str]
    least: int


_TOGETHER: Final = {
    "alarm-without-action": _Together(
        "no action runs on the violations of {} functions: their alarms have none", str, 3
    ),
    "runtime-updates": _Together(
        "it is production, and AWS replaces libc and interpreter of {} of its functions without a deployment; where "
        "the shield cannot be armed then, they do not start (on_failure is refuse)",
        lambda template: template.rpartition("/")[0],
        1,
    ),
}


@dataclass(frozen=True)
class Report:
    """The result of the checks on an assembly.

    Attributes:
        assembly: the checked one.
        findings: the open ones.
        acknowledged: findings that were accepted, with the reason.
        unmatched: the globs of production that match nothing.
        temporary: settings with an end date, and alert mode without one.
        today: the day of the check.
    """

    assembly: Assembly
    findings: Sequence[Finding]
    acknowledged: Sequence[Finding]
    unmatched: Sequence[str] = ()
    temporary: Sequence[Temporary] = ()
    today: str = ""

    @property
    def note(self) -> str:
        """A note about globs of production without a match; empty where all match."""
        if not self.unmatched:
            return ""
        globs = ", ".join(map(repr, self.unmatched))
        return f"production: nothing in this synthesis is under {globs}, so nothing was checked as production"

    @property
    def errors(self) -> list[Finding]:
        """The findings that fail an audit."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def shielded(self) -> list[LambdaFunction]:
        """The functions with a shield."""
        return [function for function in self.assembly.functions if function.is_shielded]

    @property
    def excused(self) -> list[LambdaFunction]:
        """The functions that were left out on purpose, and those of the CDK."""
        return [function for function in self.assembly.functions if function.is_excused]


def check(
    assembly: Assembly,
    production: Sequence[str] = (),
    perimeter: Sequence[str] = (),
    *,
    expired: Severity = "warning",
    today: str = "",
) -> Report:
    """Applies the rules to an assembly.

    Args:
        assembly: the synthesized app.
        production: path globs (`Prod`, `*/Prod-*`) of production; each also covers the constructs below.
        perimeter: path globs of functions that a `ShieldPerimeter` must cover, likewise.
        expired: the severity of settings whose end date is reached.
        today: the day, `2027-01-31`; by default the clock's, in UTC.
    """
    today = today or datetime.now(timezone.utc).date().isoformat()
    temporary = read_exceptions(assembly)
    context = Context(assembly, production, perimeter)
    found: list[Finding] = []
    for function in assembly.functions:
        found.extend(find_in(function, context, RULES))
    found.extend(_others(assembly))
    unmatched = [glob for glob in production if not any(covers(glob, path) for path in _paths(assembly))]
    found.extend(_misspelt(assembly, unmatched))
    found.extend(_uncovered(assembly, perimeter))
    found.extend(find_expired(temporary, today, expired))
    judged = [replace(each, acknowledged=assembly.acknowledgement(each.rule, each.place.path)) for each in found]
    judged.sort(key=lambda each: (each.severity, each.place.path))
    return Report(
        assembly,
        _merge_findings([each for each in judged if each.acknowledged is None], assembly),
        [each for each in judged if each.acknowledged is not None],
        unmatched,
        temporary,
        today,
    )


def _merge_findings(findings: Sequence[Finding], assembly: Assembly) -> list[Finding]:
    """Merges equal findings of a stack's or a stage's functions, which would hide other findings."""
    stacks = {template.file: template.stack for template in assembly.templates}
    groups: dict[object, list[Finding]] = {}
    for number, each in enumerate(findings):
        together = _TOGETHER.get(each.rule)
        groups.setdefault((each.rule, together.within(each.place.template)) if together else number, []).append(each)
    kept: list[Finding] = []
    for alike in groups.values():
        together = _TOGETHER.get(alike[0].rule)
        if together is None or len(alike) < together.least:
            kept += alike
            continue
        templates = {each.place.template for each in alike}
        path = commonpath([stacks.get(template, "") for template in templates])
        place = Place(path, "", templates.pop() if len(templates) == 1 else "")
        kept.append(replace(alike[0], place=place, problem=together.problem.format(len(alike)), locations=()))
    return kept


def find_in(function: LambdaFunction, context: Context, rules: Iterable[Rule]) -> Iterator[Finding]:
    """The findings of some rules in one function."""
    for rule in rules:
        for problem in () if rule.shielded_only and not function.is_shielded else rule.check(function, context):
            severity, locations = problem.severity or rule.severity, (problem.location,) if problem.location else ()
            yield Finding(rule.id, severity, function.place, problem.text, problem.fix, locations)


def _others(assembly: Assembly) -> list[Finding]:
    """Code outside functions: a resource that runs it is an error, like a function without a shield."""
    return [
        Finding(
            NOT_SHIELDED if other.kind.runs_code else NOT_SEEN,
            "error" if other.kind.runs_code else "warning",
            other.place,
            f"no shield: {other.kind.why}" if other.kind.runs_code else other.kind.why,
            other.kind.fix,
        )
        for other in assembly.others
        if not other.left_out
    ]


def _paths(assembly: Assembly) -> list[str]:
    return [*(template.stack for template in assembly.templates), *(each.place.path for each in assembly.functions)]


def _misspelt(assembly: Assembly, unmatched: Sequence[str]) -> list[Finding]:
    """Finds misspelt globs, which would check nothing. A glob unlike any path may be of another synthesis."""
    known = {part.casefold(): part for path in _paths(assembly) for part in (path, *path.split("/"))}
    near = {glob: get_close_matches(glob.strip("*/").casefold(), known, n=1, cutoff=0.75) for glob in unmatched}
    return [
        Finding(
            PRODUCTION,
            "warning",
            Place(""),
            f"production: {glob!r} matches no stack and no function",
            f"did you mean {known[found[0]]!r}? Write a path as in the construct tree, such as Prod or Prod/*",
        )
        for glob, found in near.items()
        if found
    ]


def _uncovered(assembly: Assembly, perimeter: Sequence[str]) -> list[Finding]:
    """Finds globs of a perimeter without a match, which would check nothing."""
    return [
        Finding(
            "outside-perimeter",
            "error",
            Place(""),
            f"perimeter: {glob!r} matches no shielded function",
            "write a path as in the construct tree, such as Prod or Prod/*",
        )
        for glob in perimeter
        if not any(
            (function.is_shielded or function.left_out == OFF) and covers(glob, function.place.path)
            for function in assembly.functions
        )
    ]
