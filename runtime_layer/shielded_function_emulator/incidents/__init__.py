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
from typing import Any, Final, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

FOLDER: Final = Path(__file__).parent
TLS_PORT: Final = 443
PROGRAM: Final = '#!/bin/sh\necho "{\\"shielded_drill\\":\\"$1\\",\\"ran\\":$2}" >&2\n'
"""A program of an incident proves that it ran by a line in the log. $1 is the run's nonce, $2 the step's number."""
PROGRAM_FILE: Final = "/var/task/drill-program"


class Kind(NamedTuple):
    """A kind of behaviour.

    Attributes:
        title: its deed, with its parameters.
        parameters: their names.
        proof: how it is known that it happened.
        step: its step of the plan, beside the request to its host: texts with its parameters.
    """

    title: str
    parameters: tuple[str, ...]
    proof: str
    step: Mapping[str, Any]


_GOT, _RAN = "the receiver got it", "it wrote to the log"
_SIGNED: Final = {"Authorization": "AWS4-HMAC-SHA256 Credential={key}/"}
BEHAVIOURS: Final[Mapping[str, Kind]] = {
    "send": Kind("send {take} to {host}:{port}", ("take", "host", "port"), _GOT, {}),
    "resolve": Kind(
        "send {take} in names under {host}",
        ("take", "host"),
        "the name server was asked",
        {"lookup": "{label}.{host}", "host": ""},
    ),
    "ask": Kind("ask {host}:{port} where it is", ("host", "port"), _GOT, {}),
    "aws": Kind(
        "call {service} with the role's keys",
        ("service",),
        _GOT,
        {"body": "Action=GetCallerIdentity", "headers": _SIGNED},
    ),
    "mine": Kind("talk to the pool {host}:{port}", ("host", "port"), _GOT, {"body": '{"method":"login"}'}),
    "evaluate": Kind("run code from {host}:{port}", ("host", "port"), _RAN, {"evaluate": True}),
    "download": Kind(
        "get {path} from {host}:{port}, run it",
        ("host", "port", "path"),
        _RAN,
        {"write": "{path}", "start": ["{path}"]},
    ),
    "run": Kind("run a program that it brought", (), _RAN, {"start": [PROGRAM_FILE]}),
    "shell": Kind("start a shell", (), _RAN, {"start": ["/bin/sh", "-c", PROGRAM, "sh"]}),
    "overwrite": Kind("overwrite {path}", ("path",), "the file is another", {"write": "{path}"}),
    "delete": Kind("delete {path}", ("path",), "the file is gone", {"delete": "{path}"}),
    "alter": Kind("swap data of the HTTP client", (), "the client returned other data", {"hook": "alter"}),
    "answer": Kind("put {take} into the response", ("take",), "the caller got it", {"hook": "answer"}),
}
"""By name. `send` takes `way` as well: body (the default), query or header."""
WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "body": {"body": "{base64}"},
    "query": {"path": "/?{base64}"},
    "header": {"headers": {"Referer": "http://1.a/{base64}"}},
}
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

    def step(self, number: int, region: str) -> dict[str, Any]:
        """Its step of the plan: all texts, with the request's where it has a host."""
        given = {"host": "", "port": TLS_PORT, "take": "", **self.parameters}
        if self.do == "aws":
            given["host"] = f"{given['service']}.{region}.amazonaws.com"
        request = {
            "path": "/",
            "body": "",
            "headers": {},
            **(WAYS[given.get("way", "body")] if self.do == "send" else {}),
        }
        own = {name: _with(value, given) for name, value in BEHAVIOURS[self.do].step.items()}
        return {"step": number, "host": given["host"], "port": given["port"], "take": given["take"], **request, **own}


def _with(value: Any, given: Mapping[str, Any]) -> Any:
    """A part of a step, with `{host}` and `{path}` replaced."""
    if isinstance(value, list):
        return [_with(each, given) for each in value]
    return (
        value.replace("{host}", given["host"]).replace("{path}", given.get("path", ""))
        if isinstance(value, str)
        else value
    )


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
