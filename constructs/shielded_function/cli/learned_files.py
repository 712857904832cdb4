"""The files of `learn`: the learned policy as TOML or as Python, with the evidence beside each entry.

An attacker can choose the text of comments (names, callers): nothing in it can end the comment.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.files import load_toml
from shielded_function_monitoring.learning import Learned
from shielded_function_monitoring.learning.evidence import times
from shielded_function_monitoring.visible import quote, visible

from .failures import STDOUT, CliError, write_file
from .learned_policy import Result

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


class Format(NamedTuple):
    """One format: the ending of its files, its writer, and its reader."""

    ending: str
    write: Callable[[Mapping[str, Any], Learned], str]
    read: Callable[[str], ShieldPolicy]


def write_toml(fields: Mapping[str, Any], learned: Learned) -> str:
    """The fields of a policy as TOML, which `ShieldPolicy.from_file` reads."""
    return _heading(learned) + _fields(fields, learned, " = ", "", {True: "true", False: "false"})


def write_python(fields: Mapping[str, Any], learned: Learned) -> str:
    """The fields of a policy as a `ShieldPolicy` in Python."""
    body = _fields(fields, learned, "=", ",", {True: "True", False: "False", None: "None"})
    body = "".join(f"    {line}\n" for line in body.splitlines())
    call = f"ShieldPolicy(\n{body})" if fields else "ShieldPolicy()"
    return f"{_heading(learned)}from shielded_function import ShieldPolicy\n\npolicy = {call}\n"


def _heading(learned: Learned) -> str:
    """The comment on top."""
    key = learned.key
    place = f" ({', '.join(part for part in (key.region, key.account) if part)})" if key.region else ""
    lines = [f"Learned from the observed calls of {key}{place}."]
    lines.append(f"Observed: {times(learned.cold_starts, 'cold start')}, {times(learned.days, 'day')}.")
    lines += [f"INCOMPLETE: {reason}." for reason in learned.incomplete]
    lines += [f"Note: {note}." for note in learned.notes]
    lines += [f"Not learned ({each.rule}): {each.target}, {each.evidence.summary}." for each in learned.findings]
    offered = "Offered: {0.field} {0.value} would cover {0.covers} names, {0.evidence.summary}."
    lines += map(offered.format, learned.offers)
    return "".join(f"# {visible(line)}\n" for line in lines)


def _fields(fields: Mapping[str, Any], learned: Learned, equals: str, end: str, words: Mapping[Any, str]) -> str:
    beside = {
        (each.field, each.value): f"  # {visible('; '.join(filter(None, (each.evidence.summary, each.note))))}"
        for each in (*learned.entries, *learned.presets)
    }
    lines: list[str] = []
    for name, value in fields.items():
        if isinstance(value, (list, tuple)) and value:
            lines.append(f"{name}{equals}[")
            lines += [f"    {quote(each)},{beside.get((name, each), '')}" for each in value]
            lines.append(f"]{end}")
        else:
            text = "[]" if isinstance(value, (list, tuple)) else words.get(value) or quote(str(value))
            lines.append(f"{name}{equals}{text}{end}")
    return "".join(f"{line}\n" for line in lines)


def _read_python(text: str) -> ShieldPolicy:
    """Reads the policy from generated code without running it."""
    call = next(each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call))
    return ShieldPolicy.from_dict({str(each.arg): ast.literal_eval(each.value) for each in call.keywords})


FORMATS: Final[Mapping[str, Format]] = {
    "toml": Format(".toml", write_toml, lambda text: ShieldPolicy.from_dict(load_toml(text))),
    "python": Format(".py", write_python, _read_python),
}
_BY_ENDING: Final = {each.ending: name for name, each in FORMATS.items()}


def write(results: Sequence[Result], form: str, output: Path | None) -> None:
    """Writes policies to stdout, to a file, or to a folder with a file for each function.

    Args:
        results: one of each function.
        form: one of `FORMATS`, or `table`: the format of the file's ending, or TOML.
        output: a file or a folder; None for stdout.

    Raises:
        CliError: stdout or a file takes one function and there are several, the file's ending is of another format,
            something cannot be written, or the text would be read as a different policy.
    """
    ending = output.suffix.lower() if output is not None and not output.is_dir() else ""
    if ending not in ("", *_BY_ENDING):
        raise CliError(f"--output {output}: learn writes TOML or Python: give the name the ending .toml or .py")
    if form not in FORMATS:
        form = _BY_ENDING.get(ending, "toml")
    check_valid(results)
    if output is None or ending in _BY_ENDING:
        if len(results) != 1:
            names = ", ".join(each.name for each in results) or "none"
            raise CliError(
                f"one function at a time, found {names}: choose one with --function, or name a folder in --output"
            )
        texts = {output: _text_of(results[0], form)}
    else:
        texts = _in_folder(output, form, results)
    for path, text in texts.items():
        write_file(STDOUT if path is None else str(path), text)
        if path is not None:
            print(path)


def check_valid(results: Sequence[Result]) -> None:
    """Raises CliError where a function has no valid policy."""
    for each in results:
        if each.problem:
            raise CliError(f"{each.name}: the learned entries make no valid policy: {each.problem}")


def _text_of(result: Result, form: str) -> str:
    """The text of one function, verified to be read as the replayed policy."""
    text = FORMATS[form].write(result.fields, result.learned)
    try:
        is_same = FORMATS[form].read(text) == result.policy
    except (ShieldPolicyError, SyntaxError, ValueError) as error:
        raise CliError(f"{result.name}: the learned policy cannot be written as {form}: {error}") from error
    if not is_same:
        raise CliError(f"{result.name}: written as {form}, the policy would differ: please report this bug")
    return text


def _in_folder(folder: Path, form: str, results: Sequence[Result]) -> dict[Path, str]:
    """The text of each function, by the file that it goes to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"{folder} cannot be created: {error.strerror}") from error
    functions = [each.learned.key.function for each in results]
    texts: dict[Path, str] = {}
    for result in results:
        name, region, _ = result.learned.key
        name = f"{name}-{region}" if functions.count(name) > 1 else name  # the same name in two regions
        path = folder / f"{name}{FORMATS[form].ending}"
        if not _FILE_NAME.fullmatch(name) or path in texts:
            raise CliError(f"{visible(name)!r} is not usable as a file name: choose functions with --function")
        texts[path] = _text_of(result, form)
    return texts
