"""Real supply-chain incidents, as data: a description, a public write-up, and the behaviours that replay each.

A behaviour is steps of a plan, which `payload.py` and `payload.cjs` play, harmlessly, in Python and in Node.js: an
incident of one language is replayed in a function of the other by the same plan.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

FOLDER: Final = Path(__file__).parent
TLS_PORT: Final = 443
PROGRAM: Final = '#!/bin/sh\necho "{\\"shielded_drill\\":\\"$1\\",\\"ran\\":$2}" >&2\n'
"""A program of an incident proves that it ran by a line in the log. $1 is the run's nonce, $2 the step's number."""


TAKEN: Final[Mapping[str, str]] = {"env": "credentials", "npmrc": ".npmrc", "files": "files"}
"""The secrets that a behaviour takes: the role's keys of the environment, the token of `.npmrc`, all found files."""


class IncidentError(Exception):
    """There is no such incident, or it cannot be played in this function; one line says why."""


@dataclass(frozen=True)
class Behaviour:
    """One thing that an incident did: a kind of `kinds`, and its parameters."""

    do: str
    parameters: Mapping[str, Any]

    @property
    def title(self) -> str:
        """In a few words: `send credentials to copayapi.host:8080`."""
        given = {**self.parameters, "take": TAKEN.get(self.parameters.get("take", ""), "")}
        return kinds()[self.do].title.format(**given)

    def step(self, number: int, region: str) -> dict[str, Any]:
        """Its step of the plan: all texts, with the request's where it has a host."""
        given = {"host": "", "port": TLS_PORT, "take": "", "path": "", "way": "body", "program": PROGRAM}
        given |= self.parameters
        if self.do == "aws":
            given["host"] = f"{given['service']}.{region}.amazonaws.com"
        way = _ways()[given["way"]] if self.do == "send" else {}
        request: dict[str, Any] = {"path": "/", "body": "", "headers": {}, **way}
        own = {name: _with(value, given) for name, value in kinds()[self.do].step.items()}
        return {"step": number, "host": given["host"], "port": given["port"], "take": given["take"], **request, **own}


def _with(value: Any, given: Mapping[str, Any]) -> Any:
    """A part of a step, with `{host}`, `{path}` and `{program}` replaced."""
    if isinstance(value, list):
        return [_with(each, given) for each in value]
    for name in ("host", "path", "program") if isinstance(value, str) else ():
        value = value.replace(f"{{{name}}}", given[name])
    return value


@dataclass(frozen=True)
class Incident:
    """One incident.

    Attributes:
        id: its name on the command line.
        name: its name for people.
        did: its original deed, in one sentence.
        source: the address of a public write-up.
        differs: how the replay differs from the original.
        package: the package that did it.
        year: when it happened; 0 for a made-up one.
        ecosystem: where the package came from: `npm`, `PyPI`.
        behaviours: the replayed ones; none: it is not run.
    """

    id: str
    name: str
    did: str
    source: str
    differs: str
    package: str
    year: int = 0
    ecosystem: str = "npm"
    behaviours: tuple[Behaviour, ...] = ()


class Kind(NamedTuple):
    """A kind of behaviour, as `behaviours.toml` has it. `step`: of the plan, beside the request to its host."""

    title: str
    proof: str
    step: Mapping[str, Any] = {}

    @property
    def parameters(self) -> set[str]:
        """The fields of its title."""
        return {name for _, name, _, _ in Formatter().parse(self.title) if name}


@cache
def kinds() -> Mapping[str, Kind]:
    """The kinds of behaviours, by name."""
    return {name: Kind(**each) for name, each in read_toml(FOLDER / "behaviours.toml").items() if name != "ways"}


@cache
def _ways() -> Mapping[str, Mapping[str, Any]]:
    return read_toml(FOLDER / "behaviours.toml")["ways"]


@cache
def incidents() -> Mapping[str, Incident]:
    """All incidents by id, as `incidents.toml` has them."""
    made: dict[str, Incident] = {}
    for id, each in read_toml(FOLDER / "incidents.toml").items():
        behaviours = tuple(Behaviour(one.pop("do"), one) for one in each.pop("behaviours", ()))
        made[id] = Incident(id, **{"package": id, **each}, behaviours=behaviours)
    return made


def find(wanted: str) -> Incident:
    """The incident of an id.

    Raises:
        IncidentError: there is none.
    """
    known = incidents()
    if wanted not in known:
        close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
        raise IncidentError(f"no incident {wanted}; {hint}")
    return known[wanted]


def read_toml(file: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        IncidentError: it cannot be read.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise IncidentError(f"{file} cannot be read: {error}") from error
