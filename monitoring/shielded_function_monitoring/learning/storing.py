"""Writes observations as JSON, and reads them to merge runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from ..errors import ShieldError
from .evidence import Evidence, PackageCount
from .observation import Observation
from .observed import FunctionKey, FunctionLog, Observed

FORMAT: Final = "shielded-function observed"
VERSION: Final = 1


class StoreError(ShieldError):
    """JSON that `to_json` did not write; the text says where."""


def to_json(observed: Observed) -> dict[str, Any]:
    """As JSON's values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "malformed": observed.malformed,
        "whole": observed.whole,
        "functions": [
            {
                **log.key._asdict(),
                "observations": [asdict(each) for each in log.every],
                "events": {name: asdict(each) for name, each in log.events.items()},
                "folded": log.folded,
                "with_others": log.with_others,
                "reasons": log.reasons,
                "armed": sorted(log.armed),
                "not_written": [[*key, asdict(each)] for key, each in log.not_written.items()],
            }
            for log in observed.functions.values()
        ],
    }


def from_json(value: Any) -> Observed:
    """Observations, from JSON's values.

    Raises:
        StoreError: it is something else.
    """
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise StoreError("`learn --save` did not write it")
    if value.get("version") != VERSION:
        raise StoreError(f"its version is {value.get('version')!r}, not {VERSION}: save it again with this version")
    try:
        # Older files count the omitted ones.
        found = Observed(malformed=int(value["malformed"]), whole=bool(value.get("whole", not value.get("left_out"))))
        for each in value["functions"]:
            key = FunctionKey(*(str(each[name]) for name in FunctionKey._fields))
            log = FunctionLog(key)
            for seen in each["observations"]:
                names = {field.name for field in fields(Observation)} - {"evidence", "denied"}
                denied = bool(seen.get("denied"))  # a file from before has none
                told = {name: seen[name] for name in names}
                log.add(Observation(evidence=_evidence(seen["evidence"]), denied=denied, **told))
            for name, event in each["events"].items():
                log.add_event(name, _evidence(event))
            log.folded = _counts(each["folded"])
            log.with_others = _counts(each.get("with_others", {}))  # a file from before has none
            log.reasons = {str(name): str(reason) for name, reason in each["reasons"].items()}
            log.armed = {(str(aws), str(buckets), str(hosts)) for aws, buckets, hosts in each.get("armed", ())}
            for policy, mode, seen in each.get("not_written", ()):
                log.add_not_written(str(policy), str(mode), _evidence(seen))
            found.functions[key] = log
            found.fit()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"it is not whole: {type(error).__name__}: {error}") from error
    return found


def _counts(value: Mapping[str, Any]) -> dict[str, int]:
    return {str(policy): int(count) for policy, count in value.items()}


def _evidence(value: Mapping[str, Any]) -> Evidence:
    return Evidence(
        count=int(value["count"]),
        first=str(value["first"]),
        last=str(value["last"]),
        days=int(value["days"]),
        callers=tuple(str(each) for each in value["callers"]),
        packages=tuple(map(_package, value.get("packages", ()))),  # a file from before has none
        first_version=str(value.get("first_version", "")),
        last_version=str(value.get("last_version", "")),
        place=str(value.get("place", "")),
        starts=tuple(str(each) for each in value.get("starts", ())),
        pid=int(value.get("pid", 0)),
        severity=str(value.get("severity", "")),
    )


def _package(value: Mapping[str, Any]) -> PackageCount:
    return PackageCount(int(value["count"]), tuple(str(each) for each in value["through"]), str(value["object"]))
