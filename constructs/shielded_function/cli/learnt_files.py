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

from shielded_function.policy import ShieldPolicy, ShieldPolicyError, Until
from shielded_function_monitoring.learning import Heading, write_json, write_python, write_toml, write_yaml
from shielded_function_monitoring.visible import visible

from .errors import CliError
from .learnt_policy import Result, fields_of

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


def _diff(result: Result) -> str:
    """From the present policy to the learnt one, as a unified diff of their TOML."""
    assert result.present is not None, "the caller sees to it"
    heading = replace(Heading.of(result.learnt), lines=())
    before = write_toml(fields_of(result.present), Heading()).splitlines(keepends=True)
    after = write_toml(result.fields, heading).splitlines(keepends=True)
    name = visible(result.learnt.key.function)
    return "".join(difflib.unified_diff(before, after, f"{name} (present)", f"{name} (learnt)"))


def _text(write: Callable[[Mapping[str, Any], Heading], str]) -> Callable[[Result], str]:
    return lambda result: write(result.fields, Heading.of(result.learnt))


def _python(result: Result) -> str:
    """In code, what does not set `allow_aws` follows a role's grants; in a file it is "all"."""
    fields = result.fields if "allow_aws" in result.fields else {**result.fields, "allow_aws": "all"}
    return write_python(fields, Heading.of(result.learnt))


FORMATS: Final[Mapping[str, Callable[[Result], str]]] = {
    "table": _text(write_toml),
    "toml": _text(write_toml),
    "yaml": _text(write_yaml),
    "json": _text(write_json),
    "python": _python,
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


def _read_python(text: str) -> ShieldPolicy:
    """The policy of code that was written here, without running it."""
    calls = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call)]  # the policy, then each Until
    return ShieldPolicy.from_dict({str(each.arg): _read_value(each.value) for each in calls[0].keywords})


def _read_value(node: ast.expr) -> Any:
    if isinstance(node, ast.List):
        return [_read_value(each) for each in node.elts]
    if isinstance(node, ast.Call):
        reason = {str(each.arg): ast.literal_eval(each.value) for each in node.keywords}
        return Until(*map(ast.literal_eval, node.args), **reason)
    return ast.literal_eval(node)


def read_back(form: str, text: str) -> ShieldPolicy | None:
    """The policy as it would be pasted; None of a diff, which is none.

    Raises:
        ShieldPolicyError: it does not mean what was learnt.
    """
    if form in ("diff", "python"):
        return _read_python(text) if form == "python" else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"policy{_ENDINGS[form]}")
        path.write_text(text, encoding="utf-8")
        return ShieldPolicy.from_file(path)


def write(results: Sequence[Result], form: str, output: Path | None) -> None:
    """Writes policies: to stdout, into a file, or into a folder, a file for each function.

    Raises:
        CliError: there is not one function where one is wanted, something cannot be written, or what is written would
            not be read as what was learnt.
    """
    if output is not None and form == "table":
        form = _BY_ENDING.get(output.suffix.lower(), "toml")
    unknown = [str(each.learnt.key) for each in results if form == "diff" and each.present is None]
    if unknown:
        raise CliError(f"the present policy of {', '.join(unknown)} is not known: --place names a function's path")
    for each in results:
        if each.problem:
            raise CliError(f"{each.learnt.key}: what was learnt makes no policy: {each.problem}")
    single = output is None or (output.suffix.lower() in _BY_ENDING and not output.is_dir())
    if single and len(results) != 1:
        names = ", ".join(str(each.learnt.key) for each in results) or "none"
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
    """The file of one function: the replayed policy is the one that will be read."""
    text = FORMATS[form](result)
    try:
        pasted = read_back(form, text)
    except (ShieldPolicyError, SyntaxError, ValueError) as error:
        raise CliError(f"{result.learnt.key}: what was learnt cannot be written as {form}: {error}") from error
    if pasted is not None and (pasted != result.policy or pasted.dates != result.policy.dates):
        raise CliError(f"{result.learnt.key}: written as {form}, the policy would be another one: this is a bug")
    return text


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
