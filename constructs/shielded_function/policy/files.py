"""A policy as a mapping, and as a file of YAML, TOML, JSON or `NAME=value` lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ShieldPolicyError
from ..keywords import suggest
from ..tokens import has_token
from .fields import FIELDS, field_of


def check_names(mapping: object) -> dict[str, Any]:
    """The fields of a mapping.

    Raises:
        ShieldPolicyError: it is no mapping, or has a name that is no field.
    """
    if not isinstance(mapping, Mapping):
        raise ShieldPolicyError("", f"{mapping!r} is not a mapping of a policy's fields")
    for name in mapping:
        if name not in FIELDS:
            raise ShieldPolicyError("", f"{name!r} is not a field; {_suggest(str(name))}")
    return {str(name): value for name, value in mapping.items()}


def _suggest(name: str) -> str:
    known = field_of(name) or field_of(name.upper())
    return f"did you mean {known}?" if known else suggest(name, FIELDS)


def read_file(path: Path) -> Mapping[str, Any] | str:
    """The fields of a file; for endings other than YAML, TOML and JSON, its text of `NAME=value` lines.

    Raises:
        ShieldPolicyError: it cannot be read, its content does not match its ending, or it contains a token.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        folder = "" if path.is_absolute() else f" (in {Path.cwd()})"
        raise ShieldPolicyError("", f"the policy file {path} cannot be read: {error.strerror}{folder}") from error
    except UnicodeDecodeError as error:
        raise ShieldPolicyError("", f"{path} is not UTF-8 text") from error
    if has_token(text):
        raise ShieldPolicyError("", f"{path} holds a CDK token, which means nothing in a file; set it in the app")
    load = _LOADERS.get(path.suffix.lower())
    if load is None:
        return text
    try:
        return check_names(load(text))
    except ShieldPolicyError as error:
        raise ShieldPolicyError(error.field, f"{_reason(error)} ({path})") from error
    except ValueError as error:
        raise ShieldPolicyError("", f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _reason(error: ShieldPolicyError) -> str:
    return str(error).partition(": ")[2]


def _load_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_refuse_duplicates)


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is given twice")
        found[name] = value
    return found


def load_toml(text: str) -> dict[str, Any]:
    """The content of TOML; its error is a ValueError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pyright: ignore[reportMissingImports]
    return tomllib.loads(text)


def _load_yaml(text: str) -> object:
    try:
        import yaml
    except ImportError as error:
        raise ShieldPolicyError(
            "", "YAML needs PyYAML: pip install 'shielded-function[yaml]', or write the policy as TOML or JSON"
        ) from error
    try:
        return yaml.load(text, _yaml_loader())
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _yaml_loader() -> Any:
    """PyYAML's safe loader; by itself it takes the last of two values of one name."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [key.value for key, _ in node.value]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{name!r} is given twice")
            return super().construct_mapping(node, deep)

    return Loader


_LOADERS: Mapping[str, Callable[[str], object]] = {
    ".json": _load_json,
    ".toml": load_toml,
    ".yaml": _load_yaml,
    ".yml": _load_yaml,
}
