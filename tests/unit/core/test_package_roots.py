"""package_roots.h: which package a source file is of, by where it lies."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.core.native import Native

pytestmark = pytest.mark.promise("alert.caller-python")

ROOT = "/var/task"


def package(native: Native, file: str, root: str = ROOT) -> str:
    found = native.lib.package_of(native.text(file), native.text(root))
    return native.string(found) if found.len else ""


SITE, MODULES = "/var/lang/lib/python3.13/site-packages", "/var/task/node_modules"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (f"/var/task/.venv{SITE}/requests/api.py", "requests"),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", "yaml"),
        ("/x/site-packages/a/site-packages/b/c.py", "b"),
        ("/var/runtime/botocore/client.py", "botocore"),
        ("/var/runtime/bootstrap.d/x.py", "bootstrap.d"),
        ("/var/task/awslambdaric/bootstrap.py", "awslambdaric"),
        ("/var/task/bootstrap.py", "bootstrap"),
        (f"{MODULES}/a/node_modules/@b/c/index.mjs", "@b/c"),
        (f"{MODULES}/.pnpm/a@1.0.0/node_modules/a/index.js", "a"),
        ("/var/runtime/node_modules/@smithy/core/index.js", "@smithy/core"),
        ("/opt/nodejs/node_modules/shared/index.cjs", "shared"),
        (f"{MODULES}/@scope/file.js", "@scope/file"),
        (f"{MODULES}/@scope", "@scope"),
        ("/x/site-packages/@odd/a.py", "@odd"),
        ("/var/task/@generated/client.js", "@generated"),
        *((f"/var/task/bundle.min.{ending}", "bundle.min") for ending in ("js", "mjs", "cjs", "ts", "mts")),
    ],
)
def test_a_file_of_a_package(native: Native, file: str, expected: str) -> None:
    assert package(native, file) == expected


OF_NO_PACKAGE = f"""
    /var/lang/lib/python3.13/socket.py /var/runtime/bootstrap.py /var/runtime/awslambdaric/bootstrap.py
    {SITE}/awslambdaric/bootstrap.py <string> / /var/task /var/task/ /var/tasks/app.py /var/task/../boto3/session.py
    /var/task/./app.py /var/task//app.py /var/task/.py /opt/pythonic/app.py /x/site-packages/ site-packages/a.py
    /x/my-site-packages/a.py /var/runtime/index.mjs /var/runtime/dist/UserFunction.js node:fs node_modules/a.js
    node:internal/modules/cjs/loader /var/task/.mjs {MODULES}/ evalmachine.<anonymous>"""


@pytest.mark.parametrize("file", ["", "<frozen importlib._bootstrap>", *OF_NO_PACKAGE.split()])
def test_a_file_of_no_package(native: Native, file: str) -> None:
    """The standard library, the runtime's client, what was made at run time, and what only looks like a root."""
    assert package(native, file) == ""


@pytest.mark.parametrize(
    ("file", "root", "expected"),
    [
        ("/code/app.py", "/code///", "app"),
        *(("/var/task/app.py", root, "") for root in ("/code", "")),
        ("/app.py", "/", ""),
    ],
)
def test_the_functions_folder_is_what_it_is_told(native: Native, file: str, root: str, expected: str) -> None:
    assert package(native, file, root) == expected


def without_ending(name: str) -> str:
    return re.sub(r"\.(py|[mc]?js|m?ts)\Z", "", name)


@given(file=st.text(max_size=60), root=st.text(max_size=10))
def test_it_is_a_part_of_the_path(native: Native, file: str, root: str) -> None:
    found = package(native, file.replace("\ud800", ""), root) if "\ud800" not in root else ""
    assert not found or any(found in (part, without_ending(part)) for part in PurePosixPath(file).parts)
