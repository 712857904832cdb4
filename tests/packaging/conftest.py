"""The wheel, built twice: in this checkout, and from nothing in a copy of it elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).resolve().parents[2]


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

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(folder / "venv" / "bin" / "python"), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built here, as `make wheel` does."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=checkout, check=True, stdin=subprocess.DEVNULL)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel_from_copy(checkout: Path, run_bare: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by pip in isolation, from a copy of the sources that has another path, other dates and modes, no cache."""
    folder = tmp_path_factory.mktemp("copy")
    copy = folder / "of the" / "sources"
    unwanted = shutil.ignore_patterns(".*", "binaries", "node_modules", "__pycache__", "cdk.out", "dist", "tests")
    shutil.copytree(checkout, copy, ignore=unwanted, copy_function=shutil.copyfile)
    shutil.copyfile(checkout / ".gitignore", copy / ".gitignore")
    run_bare("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy))
    (built,) = folder.glob("*.whl")
    return built
