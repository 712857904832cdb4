"""Node.js where V8 alone may make memory executable: stricter than the default, which lets all native code."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from runtimes.functions import STACK, Described, synthesize
from shielded_function import ShieldPolicy
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import find
from shielded_function_monitoring import Alert, parse_line

# Hot enough for each of V8's compilers, a regular expression, and many functions.
HANDLER = """
exports.handler = async () => {
    let sum = 0;
    for (let i = 0; i < 2e7; i++) sum += Math.sqrt(i) % 3;
    for (let i = 0; i < 1000; i++) sum += new Function('x', `return x + ${i}`)(1);
    return { compiled: sum > 0, matched: /a(b+)c/.exec('xabbbc')[1] };
};
"""
V8_ALONE = ShieldPolicy(executable_memory="block", allow_executable_memory=["node"])


def test_v8_alone_may_compile(tmp_path: Path) -> None:
    if reason := find("nodejs22.x").missing():
        pytest.skip(reason)
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.js").write_text(HANDLER)
    described = Described("Node", lambda_.Runtime.NODEJS_22_X, "app.handler", code, V8_ALONE)
    package = synthesize(tmp_path / "cdk.out", [described]).function(STACK, "Node")
    with EmulatedFunction(package) as function:
        invocations = [function.invoke({}) for _ in range(2)]
    assert [each.payload for each in invocations] == [{"compiled": True, "matched": "bbb"}] * 2
    lines = [parse_line(line.message) for each in invocations for line in each.log]
    assert [line for line in lines if isinstance(line, Alert)] == []
