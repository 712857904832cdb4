"""Every example, synthesized once, two at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.checkout_app import synthesized
from integration.examples.catalogue import EXAMPLES

PROMISE = "construct.examples"

Assembly = Callable[[str], Path]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembly]:
    """The folder that `cdk synth` wrote for an example, by the example's name."""
    tmp_path_factory.getbasetemp()  # made here, not by two threads at once
    started: dict[str, Future[Path]] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:

        def assembly(name: str) -> Path:
            # The one that is asked for, then all others: who asks for one asks for them all, as a rule.
            for example in sorted(EXAMPLES, key=lambda example: example.name != name):
                if example.name not in started:
                    started[example.name] = pool.submit(_synthesize, tmp_path_factory, example.folder)
            return started[name].result()

        yield assembly
        pool.shutdown(cancel_futures=True)


def _synthesize(factory: pytest.TempPathFactory, app: Path) -> Path:
    return synthesized(factory, app).directory
