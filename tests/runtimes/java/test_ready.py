"""When the handler is locked, where AWS's emulator does not lead: SnapStart and Managed Instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.thinning import long_but
from integration.readiness.api import LOCAL, NEXT, RESTORE, RuntimeApi
from runtimes.java.table import LINES
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.platform_files import RUNTIME_ROOT

pytestmark = pytest.mark.promise("handler.first-request")

Packages = Callable[[int], FunctionPackage]

WORKERS = 4
EACH_LINE = pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), ids=lambda line: f"java{line}")


def asking(*names: str) -> dict[str, object]:
    return {"attempts": [{"id": name, "name": name} for name in names]}


@contextmanager
def started(package: FunctionPackage, kind: str) -> Iterator[RuntimeApi]:
    """The function at work for this Runtime API."""
    with EmulatedFunction(package) as function, RuntimeApi(function.sandbox, LOCAL) as api:
        environment = function.environment | {
            "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*LOCAL),
            "_HANDLER": package.handler,
            "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
            "AWS_LAMBDA_MAX_CONCURRENCY": str(WORKERS),
        }
        function.sandbox.start([f"{RUNTIME_ROOT}/bootstrap", package.handler], environment=environment)
        yield api


@EACH_LINE
def test_the_handler_is_locked_when_the_function_is_restored(package: Packages, line: int) -> None:
    """The snapshot is taken while the function is loaded; it is ready when it asks to be restored. Hooks tell what they
    found there."""
    with started(package(line), "snap-start") as api:
        api.open_gate("restore")
        api.give(asking("source_before_checkpoint", "source_after_restore"))
        (said,) = api.answers(1)
        assert [asked.path for asked in api.asked][:2] == [RESTORE, NEXT]
    assert said["source_before_checkpoint"] == {"ok": "CAFEBABE"}
    assert "AccessDeniedException" in said["source_after_restore"]["ok"]


def test_several_workers_of_one_process(package: Packages) -> None:
    """Managed Instances: Java's workers are threads, each of which asks for work; classes load in all of them."""
    with started(package(max(LINES)), "lambda-managed-instances") as api:
        api.wait_for(NEXT, WORKERS)
        assert [asked.path for asked in api.asked] == [NEXT] * WORKERS
        for _ in range(WORKERS):
            api.give(asking("source_while_loading", "source_read", "lazy_class"))
        for said in api.answers(WORKERS):
            assert (said["source_while_loading"], said["lazy_class"]) == ({"ok": "CAFEBABE"}, {"ok": "lazy"})
            assert "AccessDeniedException" in said["source_read"]["error"]["message"]
