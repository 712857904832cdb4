"""Differences that are meant: README.md says why. They are shown, and do not make a run fail."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Meant:
    """Tests (a pattern that their ids hold) that end so in a mode."""

    mode: str
    tests: str
    outcome: str


MEANT = (
    # UDP_SEGMENT is an option that the kernel does not have.
    Meant("alert", r"EpollDatagramUnicastTest\b.*Segmented", "skipped"),
    Meant("listed", r"EpollDatagramUnicastTest\b.*Segmented", "skipped"),
    # The first bytes of a connection are read: sendfile is what the kernel does not support there, and so is MSG_OOB.
    Meant("alert", r"test_(socket|os|asyncio)\b.*[sS]endfile|test_ftplib\b.*test_abort", "error"),
    Meant("alert", r"test_asyncio\b.*test_sendfile_prevents_bare_write", "failed"),
    # The same for splice.
    Meant("alert", r"EpollSpliceTest\b.*spliceToSocket", "failed"),
    # A TCP socket is handed to another process before it is connected.
    Meant("listed", r"EpollDomainSocketFdTest\b.*testSendRecvFd", "failed"),
)


def is_meant(mode: str, test: str, outcome: str) -> bool:
    """Whether a test that ends otherwise without the shield is to end so."""
    return any(m.mode == mode and m.outcome == outcome and re.search(m.tests, test) for m in MEANT)
