"""SnapStart: the snapshot is taken while the function is loaded; it is ready when it asks to be restored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from emulated_lambda.cloud_assembly import FunctionPackage
from emulated_lambda.function import EmulatedFunction
from emulated_lambda.platform_files import RUNTIME_ROOT
from emulated_lambda.web import WebServer
from runtimes.java.running import unshielded
from runtimes.java.runtime_api import RuntimeApi
from runtimes.java.table import LINES

_ADDRESS = ("127.0.0.1", 9001)
_HOOKS = ["source_before_checkpoint", "source_after_restore"]


def restored(package: FunctionPackage) -> Mapping[str, str]:
    """What the hooks around the snapshot found, as the first invocation tells it."""
    api = RuntimeApi([{"attempts": _HOOKS}])
    with EmulatedFunction(package) as function, WebServer(function.sandbox, _ADDRESS, api):
        environment = function.environment | {
            "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*_ADDRESS),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "_HANDLER": package.handler,
        }
        function.sandbox.start([f"{RUNTIME_ROOT}/bootstrap", package.handler], environment=environment)
        said = api.answer()
        assert api.requests[:2] == ["GET /2018-06-01/runtime/restore/next", "GET /2018-06-01/runtime/invocation/next"]
        return said


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"java{line}")
def test_the_handler_is_locked_when_the_function_is_restored(
    package: Callable[[int], FunctionPackage], line: int
) -> None:
    assert restored(unshielded(package(line))) == dict.fromkeys(_HOOKS, "done: CAFEBABE")
    said = restored(package(line))
    assert said["source_before_checkpoint"] == "done: CAFEBABE"
    assert re.search("AccessDeniedException", said["source_after_restore"])
