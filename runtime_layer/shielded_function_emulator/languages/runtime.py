"""`Runtime`: the platform's files in a sandbox for one of Lambda's runtimes, and the command that starts the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shielded_function_emulator.languages.parts import Part


@dataclass(frozen=True)
class Runtime:
    """One row of the table of languages.

    Attributes:
        name: Lambda's identifier, or a glob of identifiers that one row stands for: `nodejs22.x`.
        command: the interpreter and its arguments, as paths of the sandbox; the handler follows as the last one.
        mounts: the mounts at /var/lang and below /var/runtime: sandbox path to host path. Raises OSError or
            ImportError when it is not there. Entries of /var/runtime are mounted one by one.
        missing: empty, or why this machine cannot run it, with what to do about it, in one line.
        execution_environment: AWS_EXECUTION_ENV.
        environment: variables that the language adds to the platform's own.
        parts: the fetched files, in the order in which one needs the other.
        own: this machine's program that runs it; empty where it is a fetched one.
    """

    name: str
    command: tuple[str, ...]
    mounts: Callable[[], Mapping[str, Path]]
    missing: Callable[[], str]
    execution_environment: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    parts: Sequence[Part] = ()
    own: Callable[[], str] = str

    @property
    def interpreter(self) -> str:
        """The program that runs functions, in the sandbox."""
        return self.command[0]
