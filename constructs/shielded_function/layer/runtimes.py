"""Lambda's runtimes: those that can be shielded, and the tested ones. It needs no CDK."""

from __future__ import annotations

import re
from typing import Final

# The managed runtimes on Amazon Linux 2 and later: those before have no exec wrapper or too old a libc, and the
# OS-only runtimes (provided*) never call one (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
_MINIMUM: Final[tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]] = (
    (re.compile(r"python(\d+)\.(\d+)"), (3, 8)),
    (re.compile(r"nodejs(\d+)\.x"), (12,)),
    (re.compile(r"java(\d+)(?:\.al2|\.al2023)"), (8,)),
    (re.compile(r"java(\d+)"), (11,)),
    (re.compile(r"dotnet(\d+)"), (6,)),
    (re.compile(r"ruby(\d+)\.(\d+)"), (2, 7)),
)

SUPPORTED: Final = "python3.8+, nodejs12.x+, java8.al2 and java11+, dotnet6+ and ruby2.7+"
"""The runtimes that can be shielded, in words."""

TESTED: Final = frozenset(
    (
        "python3.11",
        "python3.12",
        "python3.13",
        "python3.14",
        "python3.15",
        "nodejs20.x",
        "nodejs22.x",
        "nodejs24.x",
        "nodejs26.x",
        "java8.al2",
        "java11",
        "java17",
        "java21",
        "java25",
        "dotnet8",
        "ruby3.3",
        "ruby3.4",
    )
)
"""The runtimes on which every control was tested: the rows of docs/guide/runtimes.md."""


def can_be_shielded(runtime: str) -> bool:
    """Whether a runtime, by Lambda's name (`python3.13`), can run the shield as its exec wrapper."""
    for pattern, minimum in _MINIMUM:
        match = pattern.fullmatch(runtime)
        if match and tuple(int(part) for part in match.groups()) >= minimum:
            return True
    return False
