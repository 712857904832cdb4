"""The lines of a function's log that are the shield's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shielded_function_emulator.emulated_function import LogLine
from shielded_function_monitoring import Alert, AlertError, ShieldEvent, parse_line


@dataclass
class ShieldLog:
    """The shield's lines of a log: alerts with their lines, its own events, and malformed lines."""

    alerts: list[tuple[str, Alert]] = field(default_factory=list[tuple[str, Alert]])
    events: list[ShieldEvent] = field(default_factory=list[ShieldEvent])
    malformed: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, log: Iterable[LogLine]) -> ShieldLog:
        """Reads a log."""
        read = cls()
        for line in log:
            try:
                value = parse_line(line.message)
            except AlertError as error:
                read.malformed.append(f"{error}: {line.message}")
                continue
            if isinstance(value, Alert):
                read.alerts.append((line.message, value))
            elif value is not None:
                read.events.append(value)
        return read
