"""object_names.h: how entries of allow_executable_memory call a library, and what they admit."""

from __future__ import annotations

import pytest

from shielded_function import ShieldPolicy
from shielded_function_runtime import core

pytestmark = pytest.mark.promise("memory.listed")


@pytest.mark.parametrize(
    ("file", "entry"),
    [
        ("libffi.so.8", "libffi"),
        ("/var/task/cffi.libs/libffi-8a8b1c2d.so.8.1.2", "libffi"),
        ("_cffi_backend.cpython-313-x86_64-linux-gnu.so", "_cffi_backend"),
        ("libllvmlite.so", "libllvmlite"),
        ("libjvm.so (deleted)", "libjvm"),
        ("libstdc++-0123abcd.so.6", "libstdc++"),
        ("lib-12345678", "lib"),
        ("-12345678.so", "-12345678"),
        ("lib-1234567g.so", "lib-1234567g"),
        ("lib-123456789.so", "lib-123456789"),
        ("node", "node"),
        ("python3.13", "python3"),
        *((file, "") for file in (".hidden.so", "", "memfd:x (deleted)", "lib\u00e9.so", "lib,x.so", "a" * 65 + ".so")),
    ],
)
def test_objects_have_the_entry_that_admits_them(file: str, entry: str) -> None:
    decision = core.parse("SHIELD_EXECUTABLE_MEMORY=block").decide("memory", file)
    assert (decision.action, decision.policy, decision.reason) == ("deny", "executable_memory", "executable_memory")
    assert decision.allow == entry
    if entry:
        listed = ShieldPolicy(allow_executable_memory=[entry]).decide("memory", file)
        assert (listed.action, listed.reason, listed.entry) == ("allow", "listed", entry)


@pytest.mark.parametrize("file", ["libffi2.so", "xlibffi.so", "libff.so", "LIBFFI.so", "libffi-dead.so", "so", ""])
def test_an_entry_admits_no_other_object(file: str) -> None:
    policy = ShieldPolicy(executable_memory="alert", allow_executable_memory=["libffi"])
    assert policy.decide("memory", file).action == "alert"
    assert ShieldPolicy(executable_memory="allow").decide("memory", file).reason == "mode_allow"
