"""The libraries that the presets are for, and functions that use them: fetched once, and kept below `.tools/`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from harness.browser import CHROMIUM, PROGRAM
from lab.workloads import packages as workloads
from lab.workloads.catalogue import Language
from shielded_function_emulator.languages import debian, java
from shielded_function_emulator.languages.parts import Part, run
from shielded_function_emulator.platform_files import TASK_ROOT

HERE = Path(__file__).parent
# With all that they require; a test compares them with the versions that the presets name.
WHEELS = (
    *("cffi==2.1.1", "pycparser==3.12"),
    *("jax==0.10.2", "jaxlib==0.10.2", "ml_dtypes==0.6.0", "opt_einsum==3.4.0"),
    "jpype1==1.7.1",
    *("lightgbm==4.7.0", "scipy==1.17.1", "narwhals==2.29.0"),
    *("matplotlib==3.11.2", "contourpy==1.3.3", "cycler==0.12.1", "fonttools==4.68.0", "kiwisolver==1.5.1"),
    *("packaging==26.4", "pillow==13.0.0", "pyparsing==3.3.3", "python-dateutil==4.0.0", "six==1.17.0"),
    *("numba==0.68.1", "llvmlite==0.50.0", "numpy==2.4.6"),
)


def _install(into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--only-binary=:all:", "--target", into, *WHEELS])


PYTHON = Part(f"presets-python-{sys.version_info[0]}.{sys.version_info[1]}", WHEELS, _install, effort="a minute")
JAVA = java.part_of_libraries("presets-java", HERE / "java")
PARTS = (PYTHON, JAVA)
_IN_CODE = ("imageio_ffmpeg", "prophet", "prophet.libs", "pulp")
"""Of packages with a program, which presets list by where it is in a function's code."""
# Others are at hand for the workloads, in their sample, or in full for those that are large: by what their packages are
# called, and their rows.
_OF_WORKLOADS = ("grpc-netty-shaded", "poi-streaming")
_LARGE: Mapping[str, Language] = {
    **dict.fromkeys(("catboost", "ddtrace", "imageio-ffmpeg", "prophet", "pulp"), "Python"),
    "sparticuz-chromium": "Node.js",
}
WHEELS_OF_WORKLOADS = ("openpyxl", "polars", "gitpython", "pulp", "imageio-ffmpeg", "catboost", "ddtrace", "prophet")


def missing(name: str) -> str:
    """Empty, or why a preset's library is not there."""
    language = _LARGE.get(name)
    if language is None or workloads.PARTS[language].there:
        return ""
    return f"{name} is large: `make workloads` fetches it with the other libraries"


def code_of(language: str, into: Path) -> Path:
    """The functions of a language: the presets' own, and the workloads' where a preset has none."""
    for folder in (workloads.HERE / language, HERE / language):
        shutil.copytree(folder, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "package*.json"))
    for name in ("node_modules",) if language == "node" else _IN_CODE:  # where a sandbox shows them
        (into / name).mkdir()
        (into / name / ".keep").touch()
    return into


def packages(root: str, name: str) -> dict[str, Path]:
    """Where a sandbox shows the libraries of a Python preset: each below `root`."""
    others = workloads.python_mounts([name] if name in WHEELS_OF_WORKLOADS else [], root)
    own = (path for path in PYTHON.folder.iterdir() if path.name not in ("bin", "share", ".made"))
    every = others | {f"{root}/{path.name}": path for path in own}
    return {f"{TASK_ROOT}/{path.name}" if path.name in _IN_CODE else at: path for at, path in every.items()}


def chromium(root: str) -> tuple[str, dict[str, str], dict[str, Path]]:
    """Chromium's program, the variables that it needs, and what a sandbox has to show for it below `root`.

    The machine's own is where every sandbox shows it.
    """
    variables = {"LD_LIBRARY_PATH": "/var/lang/lib"}
    program = debian.find(CHROMIUM, PROGRAM)
    if program is None or program == Path("/", PROGRAM):
        return f"/{PROGRAM}", {"CHROMIUM": f"/{PROGRAM}", **variables}, {}
    files = CHROMIUM.folder.resolve()
    folders = [f"{root}/{each.resolve().relative_to(files)}" for each in debian.libraries(CHROMIUM)]
    path = ":".join([*folders, *(f"{each}/pulseaudio" for each in folders), "/var/lang/lib"])
    return f"{root}/{PROGRAM}", {"CHROMIUM": f"{root}/{PROGRAM}", "LD_LIBRARY_PATH": path}, {root: files}


@lru_cache(maxsize=1)
def compile_handler(into: Path) -> Path:
    """Java's function, as Lambda unpacks it. Raises LookupError where there is no compiler."""
    folders = (JAVA.folder / "jars", *(workloads.jars_of(name) for name in _OF_WORKLOADS))
    jars = sorted(jar for folder in folders for jar in folder.glob("*.jar"))
    path = ":".join(map(str, jars))
    sources = sorted((HERE / "java").rglob("*.java"))
    run([java.oldest_compiler(), "-nowarn", "--release", "17", "-cp", path, "-d", into, *sources])
    (into / "lib").mkdir()
    for jar in jars:
        shutil.copy(jar, into / "lib")
    for each in (into, *into.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return into
