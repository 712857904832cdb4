"""Helpers: the policies that are learned from lines."""

from __future__ import annotations

import botocore.session

from shielded_function_monitoring.learning import FunctionLog, Known, Learned, learn, read

URLLIB3 = ("urllib3", "requests", "app")
SERVICES = tuple(botocore.session.Session().get_available_services())


def log_of(*lines: str) -> FunctionLog:
    (found,) = read(lines).functions.values()
    return found


def learned_of(*lines: str, **options: object) -> Learned:
    return learn(log_of(*lines), Known(services=SERVICES, **options))  # type: ignore[arg-type]


def entries(learned: Learned) -> list[tuple[str, str]]:
    return [(each.field, each.value) for each in learned.entries]


def rules(learned: Learned) -> list[tuple[str, str, str]]:
    return [(each.rule, each.target, each.value) for each in learned.findings]
