"""What is committed: no host of a package registry, no path of one machine, and the same pins wherever they stand."""

from __future__ import annotations

import json
import re
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from harness.checkout import ROOT, committed
from shielded_function_emulator.languages import parts
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("package.tree")

# In pieces, because this file is committed too.
_HOSTS = (
    "registry npmjs org;registry yarnpkg com;files pythonhosted org;pypi org;index crates io;static crates io;"
    "proxy golang org;repo1 maven org;repo maven apache org;deb debian org"
)
REGISTRIES = re.compile("|".join(host.replace(" ", r"\.") for host in _HOSTS.split(";")))
# Lambda's own user has a home that is named in tests; it exists nowhere.
MACHINE_PATHS = re.compile(r"(?<![\w./$}*-])/(?:" + "|".join(("root", "work", "home", "Users")) + r")/(?!sbx_user)\w")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Each text file that is, or could be, committed."""
    contents = {name: (ROOT / name).read_bytes() for name in committed()}
    return {name: found.decode("utf-8", errors="replace") for name, found in contents.items() if b"\0" not in found}


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registry", "machine path"])
def test_no_committed_file_names_a(pattern: re.Pattern[str], texts: dict[str, str]) -> None:
    found = [f"{name}: {hit[0]}" for name, text in texts.items() for hit in pattern.finditer(text)]
    assert found == []


def test_build_results_are_ignored(texts: dict[str, str]) -> None:
    assert not [name for name in texts if name.startswith(("node_modules/", ".venv/", ".tools/", "dist/"))]
    assert not [name for name in texts if "/binaries/" in name]


def test_lock_file_has_integrity_hashes_and_no_addresses(checkout: Path) -> None:
    packages = json.loads((checkout / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_every_pin_of_zig_is_the_same(checkout: Path) -> None:
    pins = re.findall(r'"ziglang==([^"]+)"', (checkout / "pyproject.toml").read_text())
    assert pins == [native.ZIG_VERSION] * 2
    assert parts.ZIG[0] == f"ziglang=={native.ZIG_VERSION}"


def test_constraints_pin_what_is_installed(checkout: Path) -> None:
    """So `make setup` resolves nothing; `make constraints` writes them anew after a change of pyproject.toml."""
    pins = [Requirement(line) for line in (checkout / "constraints.txt").read_text().splitlines()[1:]]
    pinned: dict[str, SpecifierSet] = {
        canonicalize_name(pin.name): pin.specifier for pin in pins if not pin.marker or pin.marker.evaluate()
    }
    todo, seen = [("shielded-function", "dev")], set[tuple[str, str]]()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        assert name == "shielded-function" or version(name) in pinned[name], name
        for needed in map(Requirement, requires(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(needed.name), e) for e in ("", *needed.extras)]
