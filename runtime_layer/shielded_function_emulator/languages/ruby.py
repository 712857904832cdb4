"""Ruby of Debian, and a runtime client of our own: AWS's is on RubyGems only.

It needs that release's C library, so the sandbox has that release's system in place of this machine's.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from shielded_function_emulator.languages import debian
from shielded_function_emulator.languages.parts import Part, first_missing
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, RUNTIME_ROOT

_CLIENT = f"{RUNTIME_ROOT}/bootstrap.rb"
_LINES = ("3.3", "3.4")  # no release has 4.0
_PACKAGES = (*(f"ruby{line}" for line in _LINES), "bash", "dash", "coreutils")


def _make(into: Path) -> None:
    """The system in `usr`, and the interpreters in `lang`: their libraries have the paths of `/usr` in them."""
    debian.unpack(_PACKAGES, into, debian.NEWEST)
    (into / "lang" / "bin").mkdir(parents=True)
    for line in _LINES:
        shutil.move(into / "usr" / "bin" / f"ruby{line}", into / "lang" / "bin")


_PROGRAMS = Part("ruby-of-debian", _PACKAGES, _make, effort="Debian's Ruby and C library by apt")
PARTS = (_PROGRAMS,)


def _mounts() -> Mapping[str, Path]:
    folder = _PROGRAMS.folder
    return {
        "/usr": folder / "usr",
        LANGUAGE_ROOT: folder / "lang",
        _CLIENT: Path(__file__).with_name("ruby_bootstrap.rb"),
    }


def _runtime(line: str) -> Runtime:
    return Runtime(
        name=f"ruby{line}",
        command=(f"{LANGUAGE_ROOT}/bin/ruby{line}", _CLIENT),
        mounts=_mounts,
        missing=partial(first_missing, PARTS),
        execution_environment=f"AWS_Lambda_ruby{line}",
    )


VERSIONS: Mapping[str, Runtime] = {line: _runtime(line) for line in _LINES}
