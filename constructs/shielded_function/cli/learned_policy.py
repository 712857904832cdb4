"""The policy that a function needs, made of its present one and the learned entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from shielded_function.granted_policy import without_grants
from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.denied_presets import fold_denied
from shielded_function.policy.fields import LISTS
from shielded_function.policy.presets import PRESETS
from shielded_function.policy.texts import without_packages
from shielded_function_monitoring.alert import DENIED
from shielded_function_monitoring.learning import (
    Denied,
    FunctionKey,
    FunctionLog,
    Known,
    Learned,
    Observation,
    learn,
    replay,
)
from shielded_function_monitoring.learning.learner import ANY_TMP
from shielded_function_monitoring.learning.packages import with_packages
from shielded_function_monitoring.learning.questions import Question, place_of, question_of
from shielded_function_monitoring.learning.tmp_names import MAX_TMP
from shielded_function_runtime import core

from .errors import CliError
from .learned_aws import Aws, aws_of
from .learned_presets import propose_presets
from .listed_hosts import EXFILTRATION, matcher, read_list
from .modes import POLICIES as MODES_OF
from .naming_presets import PREFIX, admitting
from .present import Present

_REGION: Final = "us-east-1"
_SOME: Final = 3


@dataclass(frozen=True)
class Result:
    """The entries learned for one function, and the resulting policy.

    Attributes:
        learned: the result of learning.
        present: the policy that it has; None where it is unknown.
        policy: the policy that it needs: the present one, with block in place of alert, plus the entries.
        denied: observed violations that this policy would still deny.
        lacking: those that the present policy would deny; empty where it is unknown.
        undecided: those that the present policy may admit, by entries known only at deployment.
        problem: why the entries make no valid policy (there are too many); `policy` then lacks them.
        accept: values for `--accept` that let through as much as possible.
        then_denied: the violations still denied with these.
        then_unproven: patterns among these of which the log has the names of one start.
    """

    learned: Learned
    present: ShieldPolicy | None
    policy: ShieldPolicy
    denied: list[Denied]
    lacking: list[Denied]
    undecided: list[Denied]
    problem: str = ""
    accept: tuple[str, ...] = ()
    then_denied: tuple[Denied, ...] = ()
    then_unproven: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the policy lets through every observed violation."""
        return not (self.problem or self.learned.incomplete or required_denials(self.denied))

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the policy that a file has to set."""
        return fields_of(self.policy)


TOLERATED: Final = ("read_handler",)
"""Controls whose denial ordinary programs tolerate: tracebacks read the source."""
_NEEDED: Final = ("executable-memory", "unshielded-program")
"""Rules about a library's needs. Other rules may hide an attack, so each is decided separately."""
_ANY_TMP: Final = "=".join(ANY_TMP)
_MOST_CHOICES: Final = 64
_MOST_QUESTIONS: Final = 512


def required_denials(denied: Sequence[Denied]) -> list[Denied]:
    """The denied violations that make a policy incomplete."""
    return [each for each in denied if each.policy not in TOLERATED]


def make_result(
    log: FunctionLog,
    present: Present,
    *,
    granted: bool = False,
    accept: Sequence[str] = (),
    packages: bool = False,
) -> Result:
    """The learned policy of one function, with the `--accept` values that would complete it.

    Args:
        log: its observations.
        present: knows the present policies.
        granted: its `allow_aws` is "granted", regardless of the present policy.
        accept: accepted entries of offers and findings.
        packages: name the packages in the entries of allow_outbound.

    Raises:
        CliError: the present policy cannot be read.
    """
    result = _make_result(log, present, granted, accept, packages)
    if not (required_denials(result.denied) or result.problem):
        return result
    chosen, then = list[str](), result
    while more := [each for each in _choose(then, log) if each not in chosen] or _any_tmp(then):
        left = [each for each in chosen if _ANY_TMP not in more or not each.startswith("/tmp/")]
        chosen = [*left, *more]
        then = _make_result(log, present, granted, (*accept, *chosen), packages)
    return replace(
        result,
        accept=tuple(sorted(set(chosen) & _accepted_in([then]))),
        then_denied=tuple(required_denials(then.denied)),
        then_unproven=tuple(then.learned.unproven),
    )


def _choose(result: Result, log: FunctionLog) -> list[str]:
    """The fewest offers and findings about libraries that allow as much as possible."""
    decide = decider(without_grants(result.policy), result.learned.key)
    asked = ((each, question_of(each)) for each in log.observations if each.policy not in TOLERATED)
    left = [(each, question) for each, question in asked if question is None or decide(question)[0] == "deny"]
    choices: dict[str, set[int]] = {}
    offers = ((each.field, each.value) for each in result.learned.offers)
    for name, value in [
        *(each for each in offers if each != ANY_TMP),
        *((each.field, each.value) for each in result.learned.findings if each.value and each.rule in _NEEDED),
    ][:_MOST_CHOICES]:
        lets_through = _admitting(name, value, result.learned.key)
        found = {at for at, seen in enumerate(left[:_MOST_QUESTIONS]) if lets_through(*seen)}
        choices[accept_argument(name, value)] = found
    chosen: list[str] = []
    while choices:
        best = max(choices, key=lambda each: (len(choices[each]), each.startswith(PREFIX), each))
        covered = choices.pop(best)
        if not covered:
            break
        chosen.append(best)
        choices = {each: rest for each, before in choices.items() if (rest := before - covered)}
    return sorted(chosen)


def _any_tmp(result: Result) -> list[str]:
    """The offer of every name in /tmp, where nothing else is left to accept: some names have no pattern."""
    return [_ANY_TMP for each in result.learned.offers if (each.field, each.value) == ANY_TMP]


def _admitting(name: str, value: str, key: FunctionKey) -> Callable[[Observation, Question | None], bool]:
    """Whether an entry, a preset or a mode admits a violation."""
    if name in LISTS or name == "presets":
        fields: dict[str, Any] = {"allow_aws": "none", name: [value.removeprefix(PREFIX)]}
        decide = decider(ShieldPolicy(**fields), key)
        return lambda _, question: question is not None and decide(question)[0] == "allow"
    return lambda seen, question: question is None and seen.policy == name


def _make_result(log: FunctionLog, present: Present, granted: bool, accept: Sequence[str], packages: bool) -> Result:
    """The learned policy of one function, without values for `--accept`; arguments as for `make_result`."""
    now = present.policy_of(log.key.function)
    blocking = in_block_mode(now) if now else None
    decide = decider(blocking, log.key) if blocking else None
    granted = granted or (now is not None and "granted" in (now.allow_aws or ()))
    admits: Callable[[Question], bool] = (lambda q: decide(q)[0] == "allow") if decide else (lambda _: False)
    opens_tmp = _ANY_TMP in accept  # then clear_tmp would keep the entries of a preset
    proposed = propose_presets(
        log, lambda question: admits(question) or (opens_tmp and question.event == "tmp"), accept
    )
    with_presets = ShieldPolicy(presets=proposed.names)
    by_preset = admitting(with_presets)
    denies = denier(now)
    learned = learn(
        log,
        Known(
            services=aws_services(),
            granted=granted,
            admits=lambda question: admits(question) or by_preset(question),
            accept=accept,
            denies=denies,
            find_exfiltration=exfiltration(),
            waits=_varying(each.value.removeprefix(PREFIX) for each in proposed.offered),
            room=MAX_TMP - len({*(blocking.allow_tmp if blocking else ()), *with_presets.allow_tmp}),
        ),
    )
    learned.admitted -= _count_settled(log, admits, by_preset)
    learned.presets += proposed.taken
    learned.offers += proposed.offered
    if packages:
        learned.entries = list(map(with_packages, learned.entries))
    additions = learned.additions()
    base = blocking
    if base is None:
        aws = Aws("granted", "") if granted else aws_of(log, learned, aws_services())
        base = ShieldPolicy(allow_aws=aws.value)
        learned.notes += [aws.note] if aws.note else []
    lists: dict[str, Any] = {name: value for name, value in additions.items() if isinstance(value, list)}
    settings = {name: value for name, value in additions.items() if name not in lists}
    policy, problem = base, ""
    try:
        policy = replace(base, **settings) + ShieldPolicy(**lists) + with_presets
    except ShieldPolicyError as error:
        problem = str(error)
    denied = find_denied(log, without_grants(policy), learned)  # its grants did not admit the reported calls
    if needed := required_denials(denied):
        some = ", ".join(each.target or each.policy for each in needed[:_SOME])
        more = f" and {len(needed) - _SOME:,} more" if len(needed) > _SOME else ""
        learned.incomplete.append(f"in block mode it denies observed targets: {some}{more}")
    lacking, undecided = list[Denied](), list[Denied]()
    if decide and blocking:
        modes = lambda name: _mode_of(blocking, name)  # noqa: E731
        lacking, undecided = (replay(log, decide, modes, each, _meant(denies)) for each in ("deny", "unknown"))
    return Result(learned, now, policy, denied, lacking, undecided, problem)


def _varying(presets: Iterable[str]) -> Callable[[Question], bool]:
    """Whether an offered preset has a glob for a name in /tmp: the varying name is then no entry."""
    entries = [
        entry for name in presets for entry in PRESETS[name].allow_tmp if set("*?") & set(entry.removesuffix("/**"))
    ]
    return admitting(ShieldPolicy(allow_tmp=entries)) if entries else lambda _: False


def find_denied(log: FunctionLog, policy: ShieldPolicy, learned: Learned) -> list[Denied]:
    """The observed violations that a policy denies, without the files of a compiler that it does not start."""
    moot = {each.target for each in learned.findings if each.rule == "find-library" and not each.value}
    modes = lambda name: _mode_of(policy, name)  # noqa: E731
    every = replay(log, decider(policy, log.key), modes, is_meant=_meant(denier(policy)))
    return [each for each in every if each.policy != "read_write_tmp" or each.target not in moot]


def _count_settled(log: FunctionLog, admits: Callable[[Question], bool], by_preset: Callable[[Question], bool]) -> int:
    """The number of violations that a preset admits and the present policy does not."""
    asked = ((question_of(each), each.evidence.count) for each in log.observations)
    return sum(count for question, count in asked if question and not admits(question) and by_preset(question))


def in_block_mode(policy: ShieldPolicy) -> ShieldPolicy:
    """The same policy with "block" in place of "alert"."""
    alerting = [name for name in MODES_OF if getattr(policy, name) == "alert"]
    changed: dict[str, Any] = dict.fromkeys(alerting, "block")
    return replace(policy, **changed, until=None)


def _mode_of(policy: ShieldPolicy, name: str) -> str:
    """The mode of a control without a list. An unset mode counts as block, as violations were reported."""
    return getattr(policy, name, None) or "block"


def decider(policy: ShieldPolicy, key: FunctionKey) -> Callable[[Question], tuple[str, str]]:
    """A function that asks the policy about an event: it returns the action, and the entry that would permit it.

    It parses the policy once, unlike `ShieldPolicy.decide`, where all of the policy is known at synthesis.
    """
    policy = replace(policy, allow_aws="granted") if policy.allow_aws is None else policy
    place = place_of(key.region, key.account)
    region = key.region if "AWS_REGION" in place else _REGION
    account = key.account if "SHIELD_ACCOUNT_ID" in place else ""
    known = core.parse(place_of(region, account) + policy.to_lines()) if policy.is_known else None

    @lru_cache(maxsize=65536)
    def decide(question: Question) -> tuple[str, str]:
        event: Any
        event, target = question
        try:
            decision = (
                known.decide(event, target) if known else policy.decide(event, target, region=region, account=account)
            )
        except ValueError:  # neither a host nor a path: the core refuses it too
            return "deny", ""
        return decision.action, decision.allow

    return decide


def denier(policy: ShieldPolicy | None) -> Callable[[Question], bool]:
    """A function that tells whether `deny_outbound` of the policy denies a host."""
    if policy is None or not policy.deny_outbound:
        return lambda _: False
    known = core.parse(ShieldPolicy(allow_aws="none", deny_outbound=policy.deny_outbound).to_lines())

    @lru_cache(maxsize=65536)
    def denies(question: Question) -> bool:
        event: Any
        event, target = question
        try:
            return known.decide(event, target).reason == DENIED
        except ValueError:  # not a host
            return False

    return denies


def _meant(denies: Callable[[Question], bool]) -> Callable[[Observation, Question | None], bool]:
    return lambda seen, question: seen.denied or (question is not None and denies(question))


@lru_cache(maxsize=1)
def exfiltration() -> Callable[[Question], str]:
    """A function that finds the entry of `preset:exfiltration` that a question is about; empty for none."""
    return matcher(read_list([EXFILTRATION]))


@lru_cache(maxsize=1)
def aws_services() -> tuple[str, ...]:
    """The names of AWS services, from botocore."""
    import botocore.session

    return tuple(botocore.session.Session().get_available_services())


def check_accepted(accept: Sequence[str], results: Sequence[Result]) -> None:
    """Refuses `--accept` values that were not offered: no observation needs them.

    Raises:
        CliError: a value was not offered.
    """
    taken = _accepted_in(results)
    for entry in accept:
        if entry not in taken:
            offered = sorted(
                {accept_argument(each.field, each.value) for result in results for each in result.learned.offers}
                | {
                    accept_argument(each.field, each.value)
                    for result in results
                    for each in result.learned.findings
                    if each.value
                }
            )
            choice = ", ".join(offered[:10]) if offered else "nothing"
            raise CliError(f"--accept {entry}: this entry is not offered; the offered entries are: {choice}")


def _accepted_in(results: Sequence[Result]) -> set[str]:
    """The `--accept` values that results have."""
    taken = {without_packages(each.value) for result in results for each in result.learned.entries}
    taken |= {PREFIX + name for result in results for name in result.policy.presets}
    return taken | {f"{name}={value}" for result in results for name, value in result.learned.settings.items()}


def accept_argument(field: str, value: str) -> str:
    """The `--accept` value of an entry or a mode."""
    return value if field.startswith("allow_") or field == "presets" else f"{field}={value}"


def fields_of(policy: ShieldPolicy) -> dict[str, Any]:
    """The fields of a policy that a file has to set, without the entries that its presets add."""
    defaults = ShieldPolicy().to_dict()
    added = {**ShieldPolicy(presets=policy.presets).to_dict(), "presets": []}
    fields = policy.to_dict()
    fields["deny_outbound"] = fold_denied(fields["deny_outbound"])
    return {
        name: [each for each in value if each not in added[name]] if name in LISTS else value
        for name, value in fields.items()
        if value not in (defaults[name], added[name])
    }
