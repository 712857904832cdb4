"""The policy that a function needs, made of its present one and the learned entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shielded_function.granted.in_policy import without_grants
from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.aws_names import is_service
from shielded_function.policy.denied_presets import fold_denied
from shielded_function.policy.fields import LISTS
from shielded_function.policy.presets import PRESETS
from shielded_function.policy.texts import without_packages
from shielded_function_monitoring.learning import FunctionLog, Known, Learned, learn
from shielded_function_monitoring.learning.learned import ACCEPT_ANY_TMP, Addition, Finding
from shielded_function_monitoring.learning.questions import Question, entry_by, question_of
from shielded_function_monitoring.learning.tmp_names import MAX_TMP

from .failures import CliError
from .learned_presets import PREFIX, admitting, propose_presets
from .listed_hosts import EXFILTRATION, matcher, read_list
from .modes import POLICIES as MODES_OF
from .policy_verdicts import Verdicts
from .present import Present

_SOME: Final = 3
TOLERATED: Final = ("read_handler",)
"""Controls whose denial ordinary programs tolerate: tracebacks read the source."""
_NEEDED: Final = ("executable-memory", "unshielded-program")
"""Rules about a library's needs. Other rules may hide an attack, so each is decided separately."""
_MOST_CHOICES: Final = 64
_MOST_QUESTIONS: Final = 512
_ALL: Final = 'allow_aws is "all", as every start in the log had it; list the services that the function needs'
_LISTED: Final = (
    "allow_aws has the services that every start in the log had; in a CDK app, leave it out for the grants of the role"
)
_GRANTED: Final = 'in allow_aws, "granted" means the grants of the role, which only a CDK app knows'
_OTHERS: Final = (
    "; the policy of the starts has hosts or buckets that the log does not name: --policy or --assembly keeps them"
)
_UNSET: Final = (
    "allow_aws is left out: in a CDK app that means the grants of the role, elsewhere every service; give --policy or "
    "--assembly to keep the present one"
)


class Choices(NamedTuple):
    """The user's choices.

    Attributes:
        granted: `allow_aws` is "granted", regardless of the present policy.
        accept: accepted entries of offers and findings.
        packages: name the packages in the entries of allow_outbound.
    """

    granted: bool = False
    accept: Sequence[str] = ()
    packages: bool = False


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
        then: the result with these.
    """

    learned: Learned
    present: ShieldPolicy | None
    policy: ShieldPolicy
    denied: list[Finding]
    lacking: list[Finding]
    undecided: list[Finding]
    problem: str = ""
    accept: tuple[str, ...] = ()
    then: Result | None = None

    @property
    def name(self) -> str:
        """The function's name, as people read it."""
        return str(self.learned.key)

    @property
    def is_complete(self) -> bool:
        """Whether the policy lets through every observed violation."""
        return not (self.problem or self.learned.incomplete or required_denials(self.denied))

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the policy that a file has to set."""
        return fields_of(self.policy)


def required_denials(denied: Sequence[Finding]) -> list[Finding]:
    """The denied violations that make a policy incomplete."""
    return [each for each in denied if each.policy not in TOLERATED]


def make_result(log: FunctionLog, present: Present, choices: Choices | None = None) -> Result:
    """The learned policy of one function, with the `--accept` values that would complete it.

    Raises:
        CliError: the present policy cannot be read.
    """
    choices = choices or Choices()
    result = _make_result(log, present, choices)
    if not (required_denials(result.denied) or result.problem):
        return result
    chosen, then = list[str](), result
    while more := _choose(then, log, chosen):
        left = [each for each in chosen if ACCEPT_ANY_TMP not in more or not each.startswith("/tmp/")]
        chosen = [*left, *more]
        then = _make_result(log, present, choices._replace(accept=(*choices.accept, *chosen)))
    return replace(result, accept=tuple(sorted(set(chosen) & _accepted_in([then]))), then=then)


def _choose(result: Result, log: FunctionLog, before: Sequence[str]) -> list[str]:
    """Further offers and findings about libraries that allow as much as possible; if none is left, any name in /tmp."""
    verdicts = Verdicts(without_grants(result.policy), result.learned.key)
    asked = ((each, question_of(each)) for each in log.observations if each.policy not in TOLERATED)
    left = [(each, question) for each, question in asked if not question or verdicts.decide(question)[0] == "deny"]
    offered = [
        *(each for each in result.learned.offers if each.accept != ACCEPT_ANY_TMP),
        *(each for each in result.learned.findings if each.value and each.rule in _NEEDED),
    ]
    covered: dict[str, set[int]] = {}
    for offer in offered[:_MOST_CHOICES]:
        is_mode = offer.accept != offer.value
        fields: dict[str, Any] = {} if is_mode else {offer.field: [offer.value.removeprefix(PREFIX)]}
        with_it = Verdicts(ShieldPolicy(allow_aws="none", **fields), result.learned.key)
        covered[offer.accept] = {
            at
            for at, (seen, question) in enumerate(left[:_MOST_QUESTIONS])
            if (question and with_it.admits(question) if fields else question is None and seen.policy == offer.field)
        }
    chosen: list[str] = []
    allowed: set[int] = set()
    for each in sorted(covered, key=lambda each: (len(covered[each]), each.startswith(PREFIX), each), reverse=True):
        if not covered[each] <= allowed:
            chosen.append(each)
            allowed |= covered[each]
    any_tmp = [each.accept for each in result.learned.offers if each.accept == ACCEPT_ANY_TMP]
    return sorted({*chosen} - {*before}) or any_tmp


def _make_result(log: FunctionLog, present: Present, choices: Choices) -> Result:
    """The learned policy of one function, without values for `--accept`."""
    now = present.policy_of(log.key.function)
    before = Verdicts(in_block_mode(now), log.key) if now else None
    granted = choices.granted or (now is not None and "granted" in (now.allow_aws or ()))
    admits = before.admits if before else lambda _: False
    opens_tmp = ACCEPT_ANY_TMP in choices.accept  # then clear_tmp would keep the entries of a preset
    presets, offered = propose_presets(
        log, lambda question: admits(question) or (opens_tmp and question.event == "tmp"), choices.accept
    )
    with_presets = ShieldPolicy(presets=[each.value for each in presets])
    known = Known(
        services=aws_services(),
        granted=granted,
        admits=admits,
        settles=admitting(with_presets),
        accept=choices.accept,
        denies=before.denies if before else lambda _: "",
        find_exfiltration=exfiltration(),
        waits=admitting(ShieldPolicy(allow_tmp=_varying(each.value for each in offered))),
        room=MAX_TMP - len({*(before.policy.allow_tmp if before else ()), *with_presets.allow_tmp}),
    )
    learned = learn(log, known)
    learned.presets += presets
    learned.offers += offered
    if choices.packages:
        learned.entries = list(map(_with_packages, learned.entries))
    if before:
        policy = before.policy
    else:
        allow_aws, note = ("granted", "") if granted else _aws_of(log, learned)
        policy = ShieldPolicy(allow_aws=allow_aws)
        learned.notes += [note] if note else []
    problem, settings = "", dict[str, Any](learned.settings)
    try:
        policy = replace(policy, **settings) + ShieldPolicy(**learned.lists) + with_presets
    except ShieldPolicyError as error:
        problem = str(error)
    denied = _find_denied(log, policy, learned)
    if needed := required_denials(denied):
        some = ", ".join(each.target or each.policy for each in needed[:_SOME])
        more = f" and {len(needed) - _SOME:,} more" if len(needed) > _SOME else ""
        learned.incomplete.append(f"in block mode it denies observed targets: {some}{more}")
    lacking, undecided = (before.replay(log, each) if before else [] for each in ("deny", "unknown"))
    return Result(learned, now, policy, denied, lacking, undecided, problem)


def _aws_of(log: FunctionLog, learned: Learned) -> tuple[Any, str]:
    """`allow_aws` before learned services are added, where the present policy is unknown; and its meaning.

    It has at most the services of every start in the log: code can fake a start, which then adds none.
    """
    told = [set(aws.split(",")) for aws, _, _ in log.armed if aws]
    lists = [each for each in told if each != {"all"}]
    has_buckets = any(buckets for _, buckets, _ in log.armed)
    has_others = has_buckets or any(hosts for _, _, hosts in log.armed)
    listed: list[str] = []
    if is_told := 0 < len(told) == len(log.armed):
        listed = sorted({*aws_services()}.intersection(*lists) - ({"s3"} if has_buckets else set())) if lists else []
    if is_told and not has_others and (lists or not learned.uses_aws):
        return (tuple(listed) or "none", _LISTED) if lists else ("all", _ALL)
    value, note = (("granted", *listed), _GRANTED) if lists or learned.uses_aws else (None, _UNSET)
    return value, note + _OTHERS if has_others else note


def _with_packages(entry: Addition) -> Addition:
    """The entry with the chains of packages that needed it, where the lines tell of some, and it takes so many."""
    chains = sorted({">".join(each.through) for each in entry.evidence.packages if each.through})
    if entry.field != "allow_outbound" or not chains:
        return entry
    return replace(entry, value=entry_by(entry.value, " or ".join(chains)))


def _varying(presets: Iterable[str]) -> list[str]:
    """The globs of offered presets for names in /tmp: a varying name that one covers is no entry."""
    entries = (entry for name in presets for entry in PRESETS[name.removeprefix(PREFIX)].allow_tmp)
    return [entry for entry in entries if set("*?") & set(entry.removesuffix("/**"))]


def _find_denied(log: FunctionLog, policy: ShieldPolicy, learned: Learned) -> list[Finding]:
    """The observed violations that a policy denies, without the files of a compiler that it does not start."""
    moot = {each.target for each in learned.findings if each.rule == "find-library" and not each.value}
    every = Verdicts(without_grants(policy), log.key).replay(log)  # its grants did not admit the reported calls
    return [each for each in every if each.policy != "read_write_tmp" or each.target not in moot]


def in_block_mode(policy: ShieldPolicy) -> ShieldPolicy:
    """The same policy with "block" in place of "alert"."""
    alerting = [name for name in MODES_OF if getattr(policy, name) == "alert"]
    changed: dict[str, Any] = dict.fromkeys(alerting, "block")
    return replace(policy, **changed, until=None)


@lru_cache(maxsize=1)
def exfiltration() -> Callable[[Question], str]:
    """A function that finds the entry of `preset:exfiltration` that a question is about; empty for none."""
    return matcher(read_list([EXFILTRATION]))


@lru_cache(maxsize=1)
def aws_services() -> tuple[str, ...]:
    """The names of AWS services in botocore that the core knows, sorted."""
    import botocore.session

    return tuple(filter(is_service, sorted(botocore.session.Session().get_available_services())))


def check_accepted(accept: Sequence[str], results: Sequence[Result]) -> None:
    """Refuses `--accept` values that were not offered: no observation needs them.

    Raises:
        CliError: a value was not offered.
    """
    taken = _accepted_in(results)
    for entry in (each for each in accept if each not in taken):
        every = (each for result in results for each in (*result.learned.offers, *result.learned.findings))
        offered = ", ".join(sorted({each.accept for each in every if each.value})[:10]) or "nothing"
        raise CliError(f"--accept {entry}: this entry is not offered; the offered entries are: {offered}")


def _accepted_in(results: Sequence[Result]) -> set[str]:
    """The `--accept` values that results have."""
    taken = {without_packages(each.value) for result in results for each in result.learned.entries}
    taken |= {PREFIX + name for result in results for name in result.policy.presets}
    return taken | {f"{name}={value}" for result in results for name, value in result.learned.settings.items()}


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
