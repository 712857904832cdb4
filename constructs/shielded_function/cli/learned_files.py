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
from typing import Any, Final

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function_monitoring.learning import Heading, write_python, write_toml
from shielded_function_monitoring.visible import visible

from .errors import CliError
from .learned_policy import Result, fields_of

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


def _diff(result: Result) -> str:
    """A unified diff, in TOML, from the present policy to the learned one."""
    assert result.present is not None, "the caller checks"
    heading = replace(Heading.of(result.learned), lines=())
    before = write_toml(fields_of(result.present), Heading()).splitlines(keepends=True)
    after = write_toml(result.fields, heading).splitlines(keepends=True)
    name = visible(result.learned.key.function)
    return "".join(difflib.unified_diff(before, after, f"{name} (present)", f"{name} (learned)"))


def _text(write: Callable[[Mapping[str, Any], Heading], str]) -> Callable[[Result], str]:
    return lambda result: write(result.fields, Heading.of(result.learned))


FORMATS: Final[Mapping[str, Callable[[Result], str]]] = {
    "table": _text(write_toml),
    "toml": _text(write_toml),
    "python": _text(write_python),
    "diff": _diff,
}
_ENDINGS: Final = {"table": ".toml", "toml": ".toml", "python": ".py", "diff": ".diff"}
_BY_ENDING: Final = {".toml": "toml", ".py": "python", ".diff": "diff"}
_READ_ONLY: Final = (".yaml", ".yml", ".json")
"""Endings that `ShieldPolicy.from_file` reads, and `learn` does not write."""


def _read_python(text: str) -> ShieldPolicy:
    """Reads the policy from generated code without running it."""
    call = next(each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call))
    return ShieldPolicy.from_dict({str(each.arg): ast.literal_eval(each.value) for each in call.keywords})


def read_back(form: str, text: str) -> ShieldPolicy | None:
    """The policy as its file would be read; None for a diff.

    Raises:
        ShieldPolicyError: the text is no valid policy.
    """
    if form in ("diff", "python"):
        return _read_python(text) if form == "python" else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"policy{_ENDINGS[form]}")
        path.write_text(text, encoding="utf-8")
        return ShieldPolicy.from_file(path)


def write(results: Sequence[Result], form: str, output: Path | None) -> None:
    """Writes policies to stdout, to a file, or to a folder with a file for each function.

    Raises:
        CliError: stdout or a file takes one function and there are several, the file's ending is of another format,
            something cannot be written, or the text would be read as a different policy.
    """
    if output is not None and output.suffix.lower() in _READ_ONLY and not output.is_dir():
        raise CliError(f"--output {output}: learn writes TOML or Python: give the name the ending .toml or .py")
    if output is not None and form == "table":
        form = _BY_ENDING.get(output.suffix.lower(), "toml")
    unknown = [str(each.learned.key) for each in results if form == "diff" and each.present is None]
    if unknown:
        raise CliError(f"the present policy of {', '.join(unknown)} is unknown: give --policy, or --assembly")
    for each in results:
        if each.problem:
            raise CliError(f"{each.learned.key}: the learned entries make no valid policy: {each.problem}")
    single = output is None or (output.suffix.lower() in _BY_ENDING and not output.is_dir())
    if single and len(results) != 1:
        names = ", ".join(str(each.learned.key) for each in results) or "none"
        raise CliError(
            f"one function at a time, found {names}: choose one with --function, or name a folder in --output"
        )
    if output is None:
        sys.stdout.write(_text_of(results[0], form))
    elif single:
        write_text(output, _text_of(results[0], form))
        print(output)
    else:
        _write_folder(output, form, results)


def _text_of(result: Result, form: str) -> str:
    """The text of one function, verified to be read as the replayed policy."""
    text = FORMATS[form](result)
    try:
        pasted = read_back(form, text)
    except (ShieldPolicyError, SyntaxError, ValueError) as error:
        raise CliError(f"{result.learned.key}: the learned policy cannot be written as {form}: {error}") from error
    if pasted is not None and pasted != result.policy:
        raise CliError(f"{result.learned.key}: written as {form}, the policy would differ: please report this bug")
    return text


def _write_folder(folder: Path, form: str, results: Sequence[Result]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"{folder} cannot be created: {error.strerror}") from error
    names: dict[str, str] = {}
    for result in results:
        name = result.learned.key.function
        if any(other.learned.key != result.learned.key and other.learned.key.function == name for other in results):
            name = f"{name}-{result.learned.key.region}"  # the same name in two regions
        if not _FILE_NAME.fullmatch(name) or name in names:
            raise CliError(f"{visible(name)!r} is not usable as a file name: choose functions with --function")
        names[name] = _text_of(result, form)
    for name, text in names.items():
        path = folder / f"{name}{_ENDINGS[form]}"
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
