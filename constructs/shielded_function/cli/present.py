"""The present policies of functions, from a file or a cloud assembly, by the name in their lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shielded_function.policy import ShieldPolicy

from . import policy as policies
from .failures import CliError

if TYPE_CHECKING:
    from shielded_function.checks.templates import LambdaFunction

# CloudFormation generates a name from the stack's, the logical id and a random part; `shielded-function run` leaves out
# the last. A function's name has 64 characters at most: the first two parts are cut where it would have more.
_RANDOM: Final = "[A-Za-z0-9]{8,13}"
_CUT: Final = re.compile(f"(?P<stack>.+)-(?P<resource>[A-Za-z0-9]+)-(?P<random>{_RANDOM})")
_LENGTHS: Final = range(62, 65)
"""Characters of a name that was cut: two parts cut to 24, or all of 64."""


@dataclass
class Present:
    """The same policy for every function: a file's, or none."""

    path: Path | None = None

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """The policy of a function by name; None where it is unknown.

        Raises:
            CliError: the name is ambiguous, or its policy is wrong.
        """
        del function
        return policies.load(self.path, {}) if self.path else None

    def hint(self, function: str) -> str:
        """The option that gives the policy of an unknown function; empty for none."""
        del function
        return ""


class InAssembly(Present):
    """The policies of a `cdk.out`."""

    def __init__(self, directory: Path, places: Mapping[str, str] | None = None) -> None:
        """`places`: construct paths by function name, for names that are not in the template."""
        from shielded_function.checks.cloud_assembly import read_assembly

        super().__init__()
        self.places = places or {}
        self._functions = read_assembly(directory).functions

    def policy_of(self, function: str) -> ShieldPolicy | None:
        """The policy of the function with this name, given or generated from its stack and logical id."""
        found = self.function_of(function)
        if found is None:
            if function in self.places:
                raise CliError(f"--place {function}={self.places[function]}: no function has this path")
            return None
        if found.policy.error:
            raise CliError(f"{found.place.path}: its policy is wrong: {found.policy.error}")
        return found.policy.policy

    def function_of(self, function: str) -> LambdaFunction | None:
        """The function with this name; None where there is none.

        Raises:
            CliError: the name is ambiguous.
        """
        found = [each for each in self._functions if self._is(each, function)]
        if len(found) > 1:
            paths = ", ".join(each.place.path for each in found)
            raise CliError(f"{function} is ambiguous: it may be any of {paths}: give --place {function}=PATH")
        return found[0] if found else None

    def hint(self, function: str) -> str:
        """`--place` with the construct paths of the functions whose generated names are most like the name."""
        paths = {f"{each.template.name}-{each.place.logical_id}": each.place.path for each in self._functions}
        like = get_close_matches(function, paths, 3, 0)
        places = " or ".join(f"--place {shlex.quote(f'{function}={paths[name]}')}" for name in like)
        return f"the present policy of {function} is unknown: add {places}" if places else ""

    def _is(self, each: LambdaFunction, function: str) -> bool:
        if function in self.places:
            return each.place.path == self.places[function]
        name = each.properties.get("FunctionName")
        if name is not None:
            return name == function
        if function in (each.place.logical_id, each.place.path):
            return True
        stack, logical_id = each.template.name, each.place.logical_id
        inner = "(?:-[A-Za-z0-9]+)?" if each.template.within else ""
        if re.fullmatch(f"{re.escape(stack)}{inner}-{re.escape(logical_id)}(?:-{_RANDOM})?", function):
            return True
        made = _CUT.fullmatch(function)
        if made is None or len(function) not in _LENGTHS:
            return False
        if len(f"{stack}-{logical_id}-{made['random']}") < _LENGTHS.stop:
            return False
        is_stack = stack.startswith(made["stack"]) or (bool(inner) and made["stack"].startswith(f"{stack}-"))
        return is_stack and logical_id.startswith(made["resource"])
