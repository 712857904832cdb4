"""Helpers: the policies that are learnt from lines."""

from __future__ import annotations

import botocore.session

from shielded_function_monitoring.learning import FunctionLog, Learned, learn, read

URLLIB3 = ("urllib3", "requests", "app")
SERVICES = tuple(botocore.session.Session().get_available_services())


def log_of(*lines: str) -> FunctionLog:
    (found,) = read(lines).functions.values()
    return found


def learnt_of(*lines: str, **options: object) -> Learned:
    return learn(log_of(*lines), services=SERVICES, **options)  # type: ignore[arg-type]


def entries(learnt: Learned) -> list[tuple[str, str]]:
    return [(each.field, each.value) for each in learnt.entries]


def rules(learnt: Learned) -> list[tuple[str, str, str]]:
    return [(each.rule, each.target, each.value) for each in learnt.findings]
