"""When the handler is locked, where AWS's emulator does not lead: SnapStart and Managed Instances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from harness.thinning import long_but
from runtimes.java.running import unshielded
from runtimes.java.runtime_api import RuntimeApi
from runtimes.java.table import LINES
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.platform_files import RUNTIME_ROOT
from shielded_function_emulator.web import WebServer

pytestmark = pytest.mark.promise("handler.first-request")

Packages = Callable[[int], FunctionPackage]

_ADDRESS = ("127.0.0.1", 9001)
_RESTORE, _WORK = "GET /2018-06-01/runtime/restore/next", "GET /2018-06-01/runtime/invocation/next"
_HOOKS = ["source_before_checkpoint", "source_after_restore"]
EACH_LINE = pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), ids=lambda line: f"java{line}")


@contextmanager
def started(package: FunctionPackage, api: RuntimeApi, variables: Mapping[str, str]) -> Iterator[RuntimeApi]:
    """The function at work for this Runtime API."""
    with EmulatedFunction(package) as function, WebServer(function.sandbox, _ADDRESS, api):
        environment = function.environment | {
            "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*_ADDRESS),
            "_HANDLER": package.handler,
            **variables,
        }
        function.sandbox.start([f"{RUNTIME_ROOT}/bootstrap", package.handler], environment=environment)
        yield api


def restored(package: FunctionPackage) -> Mapping[str, str]:
    """What the hooks around the snapshot found, as the first invocation tells it."""
    snapshot = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with started(package, RuntimeApi([{"attempts": _HOOKS}]), snapshot) as api:
        said = api.answer()
        assert api.requests[:2] == [_RESTORE, _WORK]
        return said


@EACH_LINE
def test_the_handler_is_locked_when_the_function_is_restored(package: Packages, line: int) -> None:
    """The snapshot is taken while the function is loaded; it is ready when it asks to be restored."""
    assert restored(unshielded(package(line))) == dict.fromkeys(_HOOKS, "done: CAFEBABE")
    said = restored(package(line))
    assert said["source_before_checkpoint"] == "done: CAFEBABE"
    assert re.search("AccessDeniedException", said["source_after_restore"])


def test_several_workers_of_one_process(package: Packages) -> None:
    """Managed Instances: Java's workers are threads, each of which asks for work; classes load in all of them."""
    workers = 4
    attempts = ["source_while_loading", "source_read", "lazy_class"]
    api = RuntimeApi([])
    instance = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
        "AWS_LAMBDA_MAX_CONCURRENCY": str(workers),
    }
    with started(package(max(LINES)), api, instance):
        assert api.asked(workers)
        assert api.requests == [_WORK] * workers
        api.hand_out([{"attempts": attempts}] * workers)
        for said in [api.answer() for _ in range(workers)]:
            assert said["source_while_loading"] == "done: CAFEBABE"
            assert re.search("AccessDeniedException", said["source_read"])
            assert said["lazy_class"] == "done: lazy"
