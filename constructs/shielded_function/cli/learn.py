"""`shielded-function learn`: the least policy for what functions were seen to do.

What of it is decided is in `shielded_function_monitoring.learning`; here it is read, asked, shown and written.
"""

from __future__ import annotations

import difflib
import json as json_module
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import (
    Denied,
    FunctionKey,
    FunctionLog,
    Heading,
    Learnt,
    MergeError,
    Observed,
    StoreError,
    from_json,
    learn,
    merge,
    observed_of,
    replay,
    to_json,
    write_json,
    write_python,
    write_toml,
    write_yaml,
)
from shielded_function_monitoring.learning.questions import Question, place_of
from shielded_function_monitoring.learning.writing import beside_entry
from shielded_function_monitoring.visible import visible
from shielded_function_runtime import core

from . import terminal
from .errors import CliError
from .modes import POLICIES as MODES_OF
from .present import InAssembly, Nothing, OneFile, Present
from .run import pairs
from .sources import Where, source_of

LACKING: Final = 1
"""Exit status of `--check`: the policy lacks something that was observed. 0: nothing; 2: no work was done."""
SINCE: Final = "14d"
_REGION: Final = "us-east-1"
UNCHECKED: Final = ("read_handler",)
"""What ordinary programs do, and go on without: tracebacks read the source. It fails no check."""
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


class Options(NamedTuple):
    """What the user said.

    Attributes:
        policy: a file with the present policy.
        assembly: a `cdk.out` with the present policies.
        places: `NAME=construct/path`, for names that the template does not tell.
        granted: the policy's allow_aws is "granted".
        accept: entries of offers and findings that are wanted.
        form: table, toml, yaml, json, python or diff.
        output: a file, or a folder for a file of each function.
        check: only tell what the present policy lacks.
        merge: files of `--save` from before.
        save: where to keep what was observed.
    """

    policy: Path | None = None
    assembly: Path | None = None
    places: Sequence[str] = ()
    granted: bool = False
    accept: Sequence[str] = ()
    form: str = "table"
    output: Path | None = None
    check: bool = False
    merge: Sequence[Path] = ()
    save: Path | None = None


NO_OPTIONS: Final = Options()


@dataclass(frozen=True)
class Result:
    """What was learnt of one function, and what came of it.

    Attributes:
        learnt: what was learnt.
        present: the policy that it has; None where that is not known.
        policy: the policy that it needs: the present one, with block in the place of alert, and the entries.
        denied: what that policy would still deny of what was observed.
        lacking: what the present policy would deny of it; empty where it is not known.
    """

    learnt: Learnt
    present: ShieldPolicy | None
    policy: ShieldPolicy
    denied: list[Denied]
    lacking: list[Denied]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the policy that are not ShieldPolicy's defaults."""
        return fields_of(self.policy)


def run(where: Where, options: Options, *, json: bool) -> int:
    """Learns, and prints or writes what came of it.

    Returns:
        0; with `check`, 1 when a present policy lacks something that was observed.

    Raises:
        CliError: something cannot be read, written or understood.
    """
    if options.form not in _FORMATS:
        raise CliError(f"--format {options.form}: there are {', '.join(_FORMATS)}")
    present = _present(options)
    observed, notes = _observe(where, options)
    if options.save:
        _write_text(options.save, json_module.dumps(to_json(observed)) + "\n")
    logs = sorted(observed.functions.values(), key=lambda log: log.key)
    results = [make_result(log, present, options) for log in logs]
    _check_accepted(options.accept, results)
    if options.check:
        return _check(results, notes, json=json)
    if json:
        print(json_module.dumps({"notes": notes, "functions": [as_json(each) for each in results]}, indent=2))
    elif options.form == "table" and options.output is None:
        _print(results)
    else:
        _write(results, options)
    for note in [] if json else notes:
        terminal.note(note)
    return 0


def _present(options: Options) -> Present:
    if options.policy and options.assembly:
        raise CliError("give --policy or --assembly: not both")
    if options.check and not (options.policy or options.assembly):
        raise CliError("--check compares with the present policy: give --policy FILE or --assembly cdk.out")
    if options.form == "diff" and not (options.policy or options.assembly):
        raise CliError("--format diff compares with the present policy: give --policy FILE or --assembly cdk.out")
    if options.assembly:
        return InAssembly(options.assembly, pairs("--place", options.places))
    if options.places:
        raise CliError("--place names a function of --assembly")
    return OneFile(options.policy) if options.policy else Nothing()


def _observe(where: Where, options: Options) -> tuple[Observed, list[str]]:
    runs, notes = [], []
    for path in options.merge:
        try:
            runs.append(from_json(json_module.loads(path.read_text(encoding="utf-8"))))
        except OSError as error:
            raise CliError(f"--merge {path} cannot be read: {error.strerror}") from error
        except (StoreError, ValueError) as error:
            raise CliError(f"--merge {path}: {error}") from error
    if where.files or where.log_groups or where.functions or where.stacks or not runs:
        found = source_of(where, SINCE).ask([queries.observed])
        observed = observed_of(found.rows[0])
        observed.left_out += found.left_out
        notes += found.notes
        runs.append(observed)
    try:
        observed = merge(runs)
    except MergeError as error:
        raise CliError(f"--merge: {error}") from error
    if observed.malformed:
        notes.append(f"{observed.malformed:,} lines say they are the shield's and do not follow its schema: left out")
    if observed.left_out:
        notes.append(f"incomplete: {observed.left_out:,} lines had further targets, which are left out")
    if not observed.functions:
        notes.append("no line of the shield was found")
    return observed, notes


def make_result(log: FunctionLog, present: Present, options: Options = NO_OPTIONS) -> Result:
    """What is learnt of one function, in the light of its present policy.

    Raises:
        CliError: the present policy cannot be read, or what was learnt makes no policy.
    """
    now = present.policy_of(log.key.function)
    blocking = in_block_mode(now) if now else None
    decide = decider(blocking, log.key) if blocking else None
    granted = options.granted or (now is not None and "granted" in _aws_of(now))
    learnt = learn(
        log,
        services=aws_services(),
        granted=granted,
        admits=(lambda question: decide(question)[0] == "allow") if decide else (lambda _: False),
        accept=options.accept,
    )
    additions = learnt.additions()
    base = blocking
    if base is None:
        aws = "allow_aws" in additions or "allow_buckets" in additions
        base = ShieldPolicy(allow_aws="granted" if granted else "none" if aws else "all")
        if aws and not granted:
            learnt.notes.append(
                'hosts of AWS were reported, so allow_aws was not "all"; without the present policy (--policy, '
                "--assembly) nothing is known of the services that it has"
            )
    lists: dict[str, Any] = {name: value for name, value in additions.items() if isinstance(value, list)}
    settings = {name: value for name, value in additions.items() if name not in lists}
    try:
        policy = replace(base + ShieldPolicy(**lists), **settings)
    except ShieldPolicyError as error:
        raise CliError(f"{log.key}: what was learnt makes no policy: {error}") from error
    denied = replay(log, decider(policy, log.key), lambda name: _mode_of(policy, name))
    lacking = replay(log, decide, lambda name: _mode_of(blocking, name)) if decide and blocking else []
    return Result(learnt, now, policy, denied, lacking)


def in_block_mode(policy: ShieldPolicy) -> ShieldPolicy:
    """The same policy, that stops what it reported. What it allows stays allowed."""
    alerting = [name for name in MODES_OF if getattr(policy, name) == "alert"]
    changed: dict[str, Any] = dict.fromkeys(alerting, "block")
    return replace(policy, **changed)


def _aws_of(policy: ShieldPolicy) -> tuple[str, ...]:
    return (policy.allow_aws,) if isinstance(policy.allow_aws, str) else tuple(policy.allow_aws)


def _mode_of(policy: ShieldPolicy, name: str) -> str:
    """Of a policy without a list. What is left to the runtime was reported, so it is not allowed."""
    return getattr(policy, name, None) or "block"


def decider(policy: ShieldPolicy, key: FunctionKey) -> Callable[[Question], tuple[str, str]]:
    """Asks a policy about what one function did: the action, and the entry that would permit it.

    The same as `ShieldPolicy.decide`, which reads the policy anew for each question, where all of it is known.
    """
    place = place_of(key.region, key.account)
    region = key.region if "AWS_REGION" in place else _REGION
    account = key.account if "SHIELD_ACCOUNT_ID" in place else ""
    known = core.parse(place_of(region, account) + policy.to_lines()) if policy.is_known else None

    @lru_cache(maxsize=65536)
    def decide(question: Question) -> tuple[str, str]:
        try:
            decision = known.decide(*question) if known else policy.decide(*question, region=region, account=account)
        except ValueError:  # no host, no path: the core refuses such a target too
            return "deny", ""
        return decision.action, decision.allow

    return decide


@lru_cache(maxsize=1)
def aws_services() -> tuple[str, ...]:
    """The names of AWS services, as botocore has them."""
    import botocore.session

    return tuple(botocore.session.Session().get_available_services())


def _check_accepted(accept: Sequence[str], results: Sequence[Result]) -> None:
    """An entry that is accepted and was not offered is a mistake: nothing that was seen needs it."""
    taken = {each.value for result in results for each in result.learnt.entries}
    taken |= {f"{name}={value}" for result in results for name, value in result.learnt.settings.items()}
    for entry in accept:
        if entry not in taken:
            offered = sorted(
                {each.value for result in results for each in result.learnt.offers}
                | {
                    _accepting(each.field, each.value)
                    for result in results
                    for each in result.learnt.findings
                    if each.value
                }
            )
            choice = ", ".join(offered[:10]) if offered else "nothing"
            raise CliError(f"--accept {entry}: it is not offered; offered is {choice}")


def _accepting(field: str, value: str) -> str:
    return value if field.startswith("allow_") else f"{field}={value}"


def fields_of(policy: ShieldPolicy) -> dict[str, Any]:
    """The fields of a policy that are not ShieldPolicy's defaults."""
    defaults = ShieldPolicy().to_dict()
    return {name: value for name, value in policy.to_dict().items() if value != defaults[name]}


# Output


def as_json(result: Result) -> dict[str, Any]:
    """All of it, as JSON's values."""
    learnt = result.learnt
    return {
        **learnt.key._asdict(),
        "cold_starts": learnt.cold_starts,
        "days": learnt.days,
        "incomplete": learnt.incomplete,
        "notes": learnt.notes,
        "policy": result.fields,
        "entries": [asdict(each) for each in learnt.entries],
        "settings": learnt.settings,
        "offers": [asdict(each) for each in learnt.offers],
        "decisions": [asdict(each) for each in learnt.findings],
        "still_denied": [asdict(each) for each in result.denied],
        "lacking": [asdict(each) for each in result.lacking],
        "present": None if result.present is None else fields_of(result.present),
    }


def _check(results: Sequence[Result], notes: Sequence[str], *, json: bool) -> int:
    unknown = [str(each.learnt.key) for each in results if each.present is None]
    failing = {each.learnt.key: [d for d in each.lacking if d.policy not in UNCHECKED] for each in results}
    lacks = bool(unknown) or any(failing.values())
    if json:
        functions = [{**as_json(each), "lacking": [asdict(d) for d in failing[each.learnt.key]]} for each in results]
        print(json_module.dumps({"lacks": lacks, "unknown": unknown, "notes": notes, "functions": functions}, indent=2))
        return LACKING if lacks else 0
    screen = terminal.console()
    for result in results:
        found = failing[result.learnt.key]
        if found:
            screen.print(_denied_table(f"{result.learnt.key}: its policy lacks", found))
    for name in unknown:
        screen.print(terminal.cell(f"{name}: its policy is not known"))
    if not lacks:
        screen.print(f"{len(results)} functions: their policies admit all that was observed")
    for note in notes:
        terminal.note(note)
    return LACKING if lacks else 0


def _print(results: Sequence[Result]) -> None:
    screen = terminal.console()
    for result in results:
        learnt = result.learnt
        screen.rule(terminal.cell(f"{learnt.key}  {learnt.key.region}".rstrip()), align="left")
        seen = f"{learnt.cold_starts:,} cold starts, {learnt.days:,} days observed"
        admitted = f"; {learnt.admitted:,} violations that the present policy admits" if learnt.admitted else ""
        screen.print(f"{seen}{admitted}")
        for reason in learnt.incomplete:
            screen.print(terminal.cell(f"incomplete: {reason}"), style="yellow")
        for note in learnt.notes:
            screen.print(terminal.cell(f"note: {note}"), style="yellow")
        rows = [
            (each.field, each.value, f"{each.evidence.count:,}", f"{each.evidence.days:,}", each.evidence.first[:10],
             each.evidence.last[:10], ", ".join(each.evidence.callers), each.note)
            for each in learnt.entries
        ]  # fmt: skip
        headings = ("field", "entry", "times", "days", "first", "last", "who", "note")
        if rows:
            screen.print(terminal.table("learnt", headings, rows, numbers=("times", "days")))
        else:
            screen.print("nothing to add: the policy as it is admits all that can be learnt")
        offers = [
            (each.field, each.value, f"{each.covers:,}", f"{each.evidence.count:,}", ", ".join(each.examples), each.why)
            for each in learnt.offers
        ]
        headings = ("field", "entry", "names", "times", "such as", "why")
        if offers:
            title = "offered: a wildcard for names that will not come again (--accept ENTRY takes one)"
            screen.print(terminal.table(title, headings, offers, numbers=("names", "times")))
        decisions = [
            (each.rule, each.target, f"{each.evidence.count:,}", each.reason,
             _accepting(each.field, each.value) if each.value else "")
            for each in learnt.findings
        ]  # fmt: skip
        headings = ("rule", "what", "times", "why it is not learnt", "the entry, if you want it")
        if decisions:
            screen.print(terminal.table("to decide", headings, decisions, numbers=("times",)))
        if result.denied:
            screen.print(_denied_table("in block mode, the learnt policy would still deny", result.denied))
        else:
            screen.print("replayed: the learnt policy denies nothing of what was observed", style="green")
        # Its strings are quoted: nothing in them is a terminal's.
        screen.print(write_toml(result.fields, Heading()) or "(the default policy)\n", markup=False)


def _denied_table(title: str, denied: Sequence[Denied]) -> Any:
    rows = [
        (each.policy, each.target, f"{each.evidence.count:,}", beside_entry(each.evidence), each.allow)
        for each in denied
    ]
    headings = ("policy", "what", "times", "when, by whom", "the entry that would allow it")
    return terminal.table(title, headings, rows, numbers=("times",))


def _diff(result: Result) -> str:
    """From the present policy to the learnt one, as a unified diff of their TOML."""
    assert result.present is not None, "the caller sees to it"
    heading = replace(Heading.of(result.learnt), lines=())
    before = write_toml(fields_of(result.present), Heading()).splitlines(keepends=True)
    after = write_toml(result.fields, heading).splitlines(keepends=True)
    name = result.learnt.key.function
    return "".join(difflib.unified_diff(before, after, f"{name} (present)", f"{name} (learnt)"))


def _text(write: Callable[[Mapping[str, Any], Heading], str]) -> Callable[[Result], str]:
    return lambda result: write(result.fields, Heading.of(result.learnt))


_FORMATS: Final[Mapping[str, Callable[[Result], str]]] = {
    "table": _text(write_toml),
    "toml": _text(write_toml),
    "yaml": _text(write_yaml),
    "json": _text(write_json),
    "python": _text(write_python),
    "diff": _diff,
}
_ENDINGS: Final = {
    "table": ".toml",
    "toml": ".toml",
    "yaml": ".yaml",
    "json": ".json",
    "python": ".py",
    "diff": ".diff",
}
_BY_ENDING: Final = {
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".py": "python",
    ".diff": "diff",
}


def _write(results: Sequence[Result], options: Options) -> None:
    output = options.output
    form = options.form
    if output is not None and form == "table":
        form = _BY_ENDING.get(output.suffix.lower(), "toml")
    unknown = [str(each.learnt.key) for each in results if form == "diff" and each.present is None]
    if unknown:
        raise CliError(f"the present policy of {', '.join(unknown)} is not known: --place names a function's path")
    single = output is None or (output.suffix.lower() in _BY_ENDING and not output.is_dir())
    if single and len(results) != 1:
        names = ", ".join(str(each.learnt.key) for each in results) or "none"
        raise CliError(
            f"one function at a time, found {names}: choose one with --function, or name a folder in --output"
        )
    if output is None:
        sys.stdout.write(_FORMATS[form](results[0]))
    elif single:
        _write_text(output, _FORMATS[form](results[0]))
        print(output)
    else:
        _write_folder(output, form, results)


def _write_folder(folder: Path, form: str, results: Sequence[Result]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"{folder} cannot be made: {error.strerror}") from error
    names: dict[str, str] = {}
    for result in results:
        name = result.learnt.key.function
        if any(other.learnt.key != result.learnt.key and other.learnt.key.function == name for other in results):
            name = f"{name}-{result.learnt.key.region}"  # the same name in two regions
        if not _FILE_NAME.fullmatch(name) or name in names:
            raise CliError(f"{visible(name)!r} is no name for a file: choose functions with --function")
        names[name] = _FORMATS[form](result)
    for name, text in names.items():
        path = folder / f"{name}{_ENDINGS[form]}"
        _write_text(path, text)
        print(path)


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}") from error
