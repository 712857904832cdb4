"""The compiled core, once for all tests of a run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from core.native import Native

# The library is a session's; the examples share it. A slow machine is no failure.
settings.register_profile(
    "core", deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("core")


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """The core's functions, built to trap on undefined behaviour."""
    return Native(tmp_path_factory.mktemp("core"))
