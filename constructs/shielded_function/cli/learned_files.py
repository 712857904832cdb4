"""The files of `learn`: policy files, Python, and diffs."""

from __future__ import annotations

import ast
import difflib
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function_monitoring.learning import Heading, write_python, write_toml
from shielded_function_monitoring.visible import visible

from .errors import CliError
from .learned_policy import Result, fields_of

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")
_READ_ONLY: Final = (".yaml", ".yml", ".json")
"""Endings that `ShieldPolicy.from_file` reads, and `learn` does not write."""


class Format(NamedTuple):
    """One format: the ending of its files, its writer, and, for a policy, its reader."""

    ending: str
    write: Callable[[Result], str]
    read: Callable[[str], ShieldPolicy] | None


def _diff(result: Result) -> str:
    """A unified diff, in TOML, from the present policy to the learned one."""
    assert result.present is not None, "the caller checks"
    heading = replace(Heading.of(result.learned), lines=())
    before = write_toml(fields_of(result.present), Heading()).splitlines(keepends=True)
    after = write_toml(result.fields, heading).splitlines(keepends=True)
    name = visible(result.learned.key.function)
    return "".join(difflib.unified_diff(before, after, f"{name} (present)", f"{name} (learned)"))


def _read_toml(text: str) -> ShieldPolicy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policy.toml")
        path.write_text(text, encoding="utf-8")
        return ShieldPolicy.from_file(path)


def _read_python(text: str) -> ShieldPolicy:
    """Reads the policy from generated code without running it."""
    call = next(each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call))
    return ShieldPolicy.from_dict({str(each.arg): ast.literal_eval(each.value) for each in call.keywords})


FORMATS: Final[Mapping[str, Format]] = {
    "toml": Format(".toml", lambda each: write_toml(each.fields, Heading.of(each.learned)), _read_toml),
    "python": Format(".py", lambda each: write_python(each.fields, Heading.of(each.learned)), _read_python),
    "diff": Format(".diff", _diff, None),
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
    if ending in _READ_ONLY:
        raise CliError(f"--output {output}: learn writes TOML or Python: give the name the ending .toml or .py")
    if form not in FORMATS:
        form = _BY_ENDING.get(ending, "toml")
    check_valid(results)
    if output is not None and ending not in _BY_ENDING:
        _write_folder(output, form, results)
        return
    if len(results) != 1:
        names = ", ".join(each.name for each in results) or "none"
        raise CliError(
            f"one function at a time, found {names}: choose one with --function, or name a folder in --output"
        )
    text = _text_of(results[0], form)
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)
        print(output)


def check_valid(results: Sequence[Result]) -> None:
    """Raises CliError where a function has no valid policy."""
    for each in results:
        if each.problem:
            raise CliError(f"{each.name}: the learned entries make no valid policy: {each.problem}")


def _text_of(result: Result, form: str) -> str:
    """The text of one function, verified to be read as the replayed policy."""
    text, read = FORMATS[form].write(result), FORMATS[form].read
    try:
        is_same = read is None or read(text) == result.policy
    except (ShieldPolicyError, SyntaxError, ValueError) as error:
        raise CliError(f"{result.name}: the learned policy cannot be written as {form}: {error}") from error
    if not is_same:
        raise CliError(f"{result.name}: written as {form}, the policy would differ: please report this bug")
    return text


def _write_folder(folder: Path, form: str, results: Sequence[Result]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"{folder} cannot be created: {error.strerror}") from error
    functions = [each.learned.key.function for each in results]
    texts: dict[str, str] = {}
    for result in results:
        name, region, _ = result.learned.key
        name = f"{name}-{region}" if functions.count(name) > 1 else name  # the same name in two regions
        if not _FILE_NAME.fullmatch(name) or name in texts:
            raise CliError(f"{visible(name)!r} is not usable as a file name: choose functions with --function")
        texts[name] = _text_of(result, form)
    for name, text in texts.items():
        path = folder / f"{name}{FORMATS[form].ending}"
        write_text(path, text)
        print(path)


def write_text(path: Path, text: str) -> None:
    """Writes a file.

    Raises:
        CliError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}") from error
