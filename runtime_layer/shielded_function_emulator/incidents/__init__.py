"""Real supply-chain incidents, as data: a description, a public write-up, and the behaviours that replay each.

A behaviour is a step of a plan, which `payload.py` and `payload.cjs` play, harmlessly, in Python and in Node.js: an
incident of one language is replayed in a function of the other by the same plan.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

FOLDER: Final = Path(__file__).parent

Behaviour = Mapping[str, Any]
"""One thing that an incident did: `do`, a kind of `kinds`, and the fields of its title."""
Incident = Mapping[str, Any]
"""One incident: a table of `incidents.toml`, with its `id`. A made-up one has the year 0; without behaviours, it is
not run. `when` it ran: at `install`, `build`, each `start` of the interpreter, `import`, or a `call` of the package."""

TAKEN: Final[Mapping[str, str]] = {"env": "credentials", "npmrc": ".npmrc", "files": "files"}
"""The secrets that a behaviour takes: the role's keys of the environment, the token of `.npmrc`, all found files."""
_REQUEST: Final[Mapping[str, Any]] = {"host": "", "port": 0, "take": "", "url": "/", "body": "", "headers": {}}


class IncidentError(Exception):
    """There is no such incident, or it cannot be played in this function; one line says why."""


def facts_of(incident: Incident) -> dict[str, Any]:
    """An incident for JSON, without its behaviours."""
    return {name: value or None for name, value in incident.items() if name != "behaviours"}


def title_of(behaviour: Behaviour) -> str:
    """A behaviour in a few words: `send credentials to copayapi.host:8080`."""
    return kinds()[behaviour["do"]]["title"].format(**{**behaviour, "take": TAKEN.get(behaviour.get("take", ""))})


def step_of(behaviour: Behaviour, number: int, region: str) -> dict[str, Any]:
    """The step of the plan that plays a behaviour: its request, if it has a port, and the fields of its kind."""
    step = {"step": number, **_REQUEST, **behaviour, **kinds()[behaviour["do"]].get("step", {})}
    return {**step, "host": step["host"].format(region=region, **behaviour)}


@cache
def kinds() -> Mapping[str, Mapping[str, Any]]:
    """The kinds of behaviours by name, as `behaviours.toml` has them: title, proof and fields of the step."""
    return read_toml(FOLDER / "behaviours.toml")


@cache
def incidents() -> Mapping[str, Incident]:
    """All incidents by id, as `incidents.toml` has them."""
    defaults = {"year": 0, "when": "import", "ecosystem": "npm", "behaviours": ()}
    found = read_toml(FOLDER / "incidents.toml")
    return {id: {"id": id, "package": id, **defaults, **each} for id, each in found.items()}


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
