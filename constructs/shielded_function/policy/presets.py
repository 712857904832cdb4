"""Entries that well-known libraries need in a policy, by name: the table in presets.toml.

A preset is expanded when a policy is made, into fields that can be written by hand. The function's environment holds
those fields alone, and the core in the function does not know presets.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_with
from typing import Any, Final, Literal

from ..errors import ShieldPolicyError
from ..keywords import suggest
from .files import load_toml
from .texts import check_text


@dataclass(frozen=True)
class Preset:
    """One library's needs.

    Attributes:
        language: the language of its functions: Java, Node.js or Python.
        versions: the tested versions.
        why: one sentence.
        allow_tmp: entries that it adds to `allow_tmp`.
        allow_child_process: entries that it adds to `allow_child_process`.
        allow_executable_memory: entries that it adds to `allow_executable_memory`.
        environment: variables that the function must set; the preset does not set them.
        package: for Python, the package in a function's code that requires it; empty where most uses of the library
            need nothing.
    """

    language: str
    versions: str
    why: str
    allow_tmp: tuple[str, ...] = ()
    allow_child_process: tuple[str, ...] = ()
    allow_executable_memory: tuple[str, ...] = ()
    environment: Mapping[str, str] = field_with(default_factory=dict[str, str])
    package: str = ""

    def adds(self) -> dict[str, list[str]]:
        """Its entries, by field."""
        return {field: list(getattr(self, field)) for field in _LISTS if getattr(self, field)}

    def entries(self) -> list[tuple[str, str]]:
        """Its entries, as pairs of a field and an entry."""
        return [(field, each) for field, entries in self.adds().items() for each in entries]

    @property
    def meaning(self) -> str:
        """The reason, and the variables that the function must set."""
        wanted = ", ".join(f"{name}={value}" for name, value in self.environment.items())
        return self.why + (f"; set {wanted}" if wanted else "")


# fmt: off
PresetName = Literal[
    "accp", "aws-crt", "catboost", "cffi", "chromium", "ctypes", "ddtrace", "find-library", "gitpython",
    "grpc-netty", "imageio", "imageio-ffmpeg", "jax", "jna", "jnr-ffi", "jpype", "lightgbm", "lz4-java",
    "matplotlib", "netty-epoll", "netty-tcnative", "numba", "openpyxl", "platform-calls", "poi", "polars",
    "prophet", "pulp", "python-tempfile", "snappy-java", "sparticuz-chromium", "sqlite-jdbc", "swc", "zstd-jni",
]
# fmt: on
_LISTS: Final = ("allow_tmp", "allow_child_process", "allow_executable_memory")


def _read() -> Mapping[str, Preset]:
    file = importlib.resources.files("shielded_function.policy") / "presets.toml"
    found: dict[str, Preset] = {}
    for language, rows in load_toml(file.read_text(encoding="utf-8")).items():
        for name, row in rows.items():
            found[name] = Preset(language, **row | {field: tuple(row[field]) for field in _LISTS if field in row})
    return dict(sorted(found.items()))


PRESETS: Final = _read()


def expand(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a policy with the entries of its presets; `presets` becomes a tuple without duplicates.

    Raises:
        ShieldPolicyError: there is no such preset.
    """
    names = _check_names(fields["presets"])
    expanded = {**fields, "presets": names}
    for name in names:
        preset = PRESETS[name]
        for field in _LISTS:
            # A value that is no list is an error when the field is read.
            if (entries := getattr(preset, field)) and isinstance(expanded[field], (list, tuple)):
                expanded[field] = (*expanded[field], *(each for each in entries if each not in expanded[field]))
    return expanded


def presets_with(names: Sequence[str], field: str, entry: str) -> list[str]:
    """The presets among these that add an entry to a field."""
    return [name for name in names if entry in PRESETS[name].adds().get(field, ())]


def _check_names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ShieldPolicyError("presets", f"{value!r} is one text; write a list: [{value!r}]")
    if not isinstance(value, Sequence):
        raise ShieldPolicyError("presets", f"{value!r} is not a list of names")
    names = [check_text("presets", each).strip(" \t").lower() for each in value]
    for name in names:
        if name not in PRESETS:
            raise ShieldPolicyError("presets", f"there is no {name!r}; {suggest(name, PRESETS)}")
    return tuple(dict.fromkeys(names))
