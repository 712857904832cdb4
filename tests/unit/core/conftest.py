"""The compiled core, once for all tests of a run."""

from __future__ import annotations

import pytest

from unit.core.native import Native

PROMISE = "policy.fields"


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """The core's functions, built to trap on undefined behaviour."""
    return Native(tmp_path_factory.mktemp("core"))
