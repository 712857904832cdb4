"""One sandbox with every server, for all tests of the clients."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import pytest

from lab.clients.network import Network, make_sandbox
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_runtime.build.native import BINARIES, build

PROMISE = "outbound.clients"


@pytest.fixture(scope="module")  # moto lives in this process, and other files' tests reset it
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    build([f"layer/{platform.machine()}"])
    authority = CertificateAuthority()
    trusted = tmp_path_factory.mktemp("authority") / "authority.pem"
    trusted.write_bytes(authority.pem)
    sandbox = make_sandbox(BINARIES / "layer" / platform.machine(), trusted)
    with sandbox, Network(sandbox, authority) as made:
        yield made
