"""Logs that `alerts` is asked about: of a function, and of packages in one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.alert_lines import armed, connect, folded, lookup, tmp
from integration.cli.insights_account import ago
from integration.cli.moto_account import REGION
from shielded_function.cli.options import Place

GROUP = "/aws/lambda/checkout"
HERE = Place(REGION)


def log(hours: float = 2) -> list[str]:
    return [
        "START RequestId: 1",
        armed(ago(hours=hours)),
        *[connect("api.stripe.com", time=ago(hours=hours), caller="libssl.so")] * 4,
        lookup("api.stripe.com", ago(hours=hours)),
        tmp("/tmp/x\x1b[2J", ago(hours=hours), mode="block"),
        folded("read_write_tmp", 18, ago(hours=1)),
    ]


CHAIN = ("urllib3", "requests", "app")


def packages_log(time: str = "") -> list[str]:
    return [
        *(connect("a.example", time=time, caller=each, through=CHAIN) for each in ("_socket.so", "_ssl.so") * 2),
        connect("b.example", time=time, caller="_socket.so", through=("urllib3", "botocore", "app")),
        connect("c.example", time=time, caller="libuv.so"),
        tmp("/tmp/x", time),
    ]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)
