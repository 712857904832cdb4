"""`read_handler` begins with the request line for work, in each process for itself: what is that line, and what not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.running import PYTHON, SHIELD, policy
from integration.readiness.api import NEXT, RESTORE, RUNTIME_API, SECONDS, RuntimeApi, open_box
from shielded_function import ShieldPolicy
from shielded_function_emulator.languages import python
from shielded_function_emulator.sandbox import Sandbox, shield_lines

WORKERS = ("ForkProcess-1", "ForkProcess-2", "ForkProcess-3")  # as multiprocessing names them
INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with open_box(INSIDE) as sandbox:
        yield sandbox


@contextmanager
def runtime(box: Sandbox, handler: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """AWS's runtime client under a policy that blocks everything."""
    settings = {"_HANDLER": handler, "AWS_LAMBDA_RUNTIME_API": RUNTIME_API, "AWS_REGION": "us-east-1"}
    settings |= {**ShieldPolicy(read_handler="block").to_env(), **environment}
    process = box.start([SHIELD, *python.THIS.command], environment=settings)
    try:
        yield process
    finally:
        process.kill()


def violations(process: subprocess.Popen[bytes]) -> list[str]:
    """Of a process that was ended."""
    _, stderr = process.communicate(timeout=SECONDS)
    return [line["policy"] for line in shield_lines(stderr.decode().splitlines()) if "policy" in line]


def shapes(box: Sandbox, *wrapper: str, settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    done = box.run_command([*wrapper, PYTHON, "/var/task/shapes.py"], environment=settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("outbound", ["allow", "block"])
def test_only_a_request_for_work_closes_the_handler(box: Sandbox, outbound: str) -> None:
    settings = policy(read_handler="block", outbound_connectivity=outbound) | {"_HANDLER": "app.handler"}
    outcomes = shapes(box, SHIELD, settings=settings)
    assert outcomes["closes"] == dict.fromkeys(outcomes["closes"], "closed")
    assert outcomes["stays open"] == dict.fromkeys(outcomes["stays open"], "open")


def test_unshielded_the_handler_stays_open(box: Sandbox) -> None:
    outcomes = shapes(box, settings={})
    assert {outcome for table in outcomes.values() for outcome in table.values()} == {"open"}


def test_a_snapshot_is_restored(box: Sandbox) -> None:
    """SnapStart: what is restored is at work. Hooks before that read the source, hooks after it do not."""
    snapshot = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with RuntimeApi(box) as api:
        with runtime(box, "snapshot.handler", snapshot) as process:
            api.wait_for(RESTORE)
            api.open_gate("restore")
            api.give({})
            (answer,) = api.answers(1)
        told = violations(process)  # while the API is there: the client would end without it, and tell what waits
    expected = {"import": True, "before snapshot": True, "after restore": "denied", "invocation": "denied"}
    assert answer == {**expected, "later": "imported later"}
    assert told == ["read_handler"]  # of one file, one line a minute


def test_each_worker_is_ready_by_itself(box: Sandbox) -> None:
    """Lambda Managed Instances: a worker is at work while another one has yet to load the handler."""
    concurrent = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
        "AWS_LAMBDA_MAX_CONCURRENCY": f"{len(WORKERS)}",
    }
    with RuntimeApi(box) as api:
        with runtime(box, "workers.app.handler", concurrent) as process:
            for number, worker in enumerate(WORKERS, 1):
                api.wait_for(f"/gate/load-{worker}")
                api.open_gate(f"load-{worker}")
                api.wait_for(f"/gate/ask-{worker}")
                api.open_gate(f"ask-{worker}")
                api.wait_for(NEXT, number)
            for _ in WORKERS:
                api.give({})
            api.wait_for("/gate/answer", len(WORKERS))
            api.open_gate("answer")
            answers = api.answers(len(WORKERS))
        told = violations(process)
    seen = {"load": True, "before": True, "invocation": "denied"}
    assert {answer.pop("worker"): answer for answer in answers} == dict.fromkeys(WORKERS, seen)
    assert told == ["read_handler"] * len(WORKERS)
