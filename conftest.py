"""Before any test imports aws_cdk: a Node.js that jsii supports, so that plain `pytest` works like `make test`."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
from hypothesis import settings

_node = runpy.run_path(str(Path(__file__).parent / "constructs" / "shielded_function" / "cli" / "node.py"))
os.environ.update(_node["environment_with"](_node["choose"]()))

# A machine that is busy with other tests is slow, not wrong.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from arm64.limits import skip_what_cannot_be_tried  # tests/ is on the path by now

    skip_what_cannot_be_tried(items)
