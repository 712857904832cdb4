"""Real supply-chain incidents, as data: a description, a public write-up, and the behaviours that replay each.

`payload.py` and `payload.cjs` have the behaviours, harmless copies of the incidents', in Python and in Node.js.
An incident of one language is replayed in a function of the other by the same behaviours.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

FOLDER: Final = Path(__file__).parent


class Kind(NamedTuple):
    """A kind of behaviour: its title, its parameters, and the proof that it happened."""

    title: str
    parameters: tuple[str, ...]
    proof: str


_GOT, _RAN = "the receiver got it", "it wrote to the log"
BEHAVIOURS: Final[Mapping[str, Kind]] = {
    "send": Kind("send {take} to {host}:{port}", ("take", "host", "port"), _GOT),
    "resolve": Kind("send {take} in names under {host}", ("take", "host"), "the name server was asked"),
    "ask": Kind("ask {host}:{port} where it is", ("host", "port"), _GOT),
    "aws": Kind("call {service} with the role's keys", ("service",), _GOT),
    "mine": Kind("talk to the pool {host}:{port}", ("host", "port"), _GOT),
    "evaluate": Kind("run code from {host}:{port}", ("host", "port"), _RAN),
    "download": Kind("get {path} from {host}:{port}, run it", ("host", "port", "path"), _RAN),
    "run": Kind("run a program that it brought", (), _RAN),
    "shell": Kind("start a shell", (), _RAN),
    "overwrite": Kind("overwrite {path}", ("path",), "the file is another"),
    "delete": Kind("delete {path}", ("path",), "the file is gone"),
    "alter": Kind("swap data of the HTTP client", (), "the client returned other data"),
    "answer": Kind("put {take} into the response", ("take",), "the caller got it"),
}
"""By name. `send` takes `way` as well: body (the default), query or header."""
TAKEN: Final[Mapping[str, str]] = {"env": "credentials", "npmrc": ".npmrc", "files": "files"}
"""The secrets that a behaviour takes: the role's keys of the environment, the token of `.npmrc`, all found files."""


class IncidentError(Exception):
    """There is no such incident, or it cannot be played in this function; one line says why."""


@dataclass(frozen=True)
class Behaviour:
    """One thing that an incident did: a name of `BEHAVIOURS`, and its parameters."""

    do: str
    parameters: Mapping[str, Any]

    @property
    def title(self) -> str:
        """In a few words: `send credentials to copayapi.host:8080`."""
        given = {**self.parameters, "take": TAKEN.get(self.parameters.get("take", ""), "")}
        return BEHAVIOURS[self.do].title.format(**given)

    def host(self, region: str) -> str:
        """The host that it talks to; empty where there is none."""
        if self.do == "aws":
            return f"{self.parameters['service']}.{region}.amazonaws.com"
        return self.parameters.get("host", "")


@dataclass(frozen=True)
class Incident:
    """One incident.

    Attributes:
        id: its name on the command line.
        name: its name for people.
        year: when it happened.
        ecosystem: where the package came from: `npm`, `PyPI`.
        package: the package that did it.
        did: its original deed, in one sentence.
        source: the address of a public write-up.
        differs: how the replay differs from the original.
        behaviours: the replayed ones; none: it is not run.
    """

    id: str
    name: str
    year: int
    ecosystem: str
    package: str
    did: str
    source: str
    differs: str
    behaviours: tuple[Behaviour, ...]


@cache
def incidents() -> Mapping[str, Incident]:
    """All incidents by id, as `incidents.toml` has them."""
    read = read_toml(FOLDER / "incidents.toml")["incident"]
    made = [
        Incident(**{**each, "behaviours": tuple(Behaviour(one.pop("do"), one) for one in each["behaviours"])})
        for each in read
    ]
    return {incident.id: incident for incident in made}


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
