"""The wheel, built twice: in this checkout, and from the sdist elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROMISE = "package.installed"


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def run_bare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs the Python of a new virtual environment, where there is no compiler, no Node.js and no writable HOME.

    Returns what it printed; a failure of the program fails the test.
    """
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    empty = folder / "path"
    empty.mkdir()
    # pip's settings (an index, a certificate, a cache) are the machine's; nothing else is taken over.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    cache = subprocess.check_output([sys.executable, "-m", "pip", "cache", "dir"], text=True).strip()
    environment = {"PIP_CACHE_DIR": cache, **pip, "PATH": str(empty), "HOME": "/nonexistent"}

    def run(*arguments: str, **variables: str) -> str:
        program = [str(folder / "venv" / "bin" / "python"), *arguments]
        pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(program, cwd=folder, env={**environment, **variables}, check=False, **pipes)
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}"
        return done.stdout

    return run


def hatchling(target: str, checkout: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, cwd=checkout, check=True, stdin=subprocess.DEVNULL, umask=0o022)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built here, as `make wheel` does."""
    return hatchling("wheel", checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built here, as `make wheel` does."""
    return hatchling("sdist", checkout, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_from_sdist(
    checkout: Path, sdist: Path, run_bare: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Built by pip from the sdist: another path, other dates and modes, nothing compiled yet, and no compiler.

    hatchling and zig are this environment's, and zig's own libraries (musl) come from the checkout's cache: they alone
    take a minute to compile. `make setup` has compiled them, in isolation.
    """
    folder = tmp_path_factory.mktemp("other wheel")
    tools = {"PYTHONPATH": sysconfig.get_path("purelib"), "ZIG_GLOBAL_CACHE_DIR": str(checkout / ".zig-cache")}
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    run_bare("-m", "pip", "wheel", *options, str(sdist), **tools)
    (built,) = folder.iterdir()
    return built
