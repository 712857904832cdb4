"""The present policies of functions, from a file or a cloud assembly, by the name in their lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from shielded_function.policy import ShieldPolicy

from . import policy as policies
from .errors import CliError

# The name that CloudFormation generates: stack, logical id (both may be cut), a random part.
_PHYSICAL: Final = re.compile(r"(?P<stack>.+)-(?P<resource>[A-Za-z0-9]+)-(?P<random>[A-Za-z0-9]{8,13})")


class Present(Protocol):
    """Knows the present policies."""

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """The policy of a function by name; None where it is unknown.

        Raises:
            CliError: the name is ambiguous, or its policy is wrong.
        """
        ...


class Nothing:
    """No present policy is known."""

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """None."""
        return None


@dataclass
class OneFile:
    """The same policy for every function."""

    path: Path

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """The file's."""
        return policies.load(self.path, {})


@dataclass
class InAssembly:
    """The policies of a `cdk.out`.

    Attributes:
        places: construct paths by function name, for names that are not in the template.
    """

    directory: Path
    places: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        from shielded_function.checks.assembly import AssemblyError, read_assembly

        try:
            self._functions = read_assembly(self.directory).functions
        except AssemblyError as error:
            raise CliError(str(error)) from error

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """The policy of the function with this name, given or generated from its stack and logical id."""
        found = [each for each in self._functions if self._is(each, function)]
        if len(found) > 1:
            paths = ", ".join(each.place.path for each in found)
            raise CliError(f"{function} is ambiguous: it may be any of {paths}: give --place {function}=PATH")
        if not found:
            if function in self.places:
                raise CliError(f"--place {function}={self.places[function]}: no function has this path")
            return None
        policy = found[0].policy
        if policy.error:
            raise CliError(f"{found[0].place.path}: its policy is wrong: {policy.error}")
        return policy.policy

    def _is(self, each: object, function: str) -> bool:
        from shielded_function.checks.model import LambdaFunction

        assert isinstance(each, LambdaFunction)
        if function in self.places:
            return each.place.path == self.places[function]
        name = each.properties.get("FunctionName")
        if name is not None:
            return name == function
        if function in (each.place.logical_id, each.place.path):
            return True
        made = _PHYSICAL.fullmatch(function)
        if made is None or not each.place.logical_id.startswith(made["resource"]):
            return False
        stack = each.template.stack.replace("/", "-")
        if ".nested." in each.template.file:  # its stack's name begins with that of the outer stack
            return made["stack"].startswith(f"{stack}-")
        return stack.startswith(made["stack"])
