"""Merges observations of several runs, such as staging and production, or two weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import ShieldError
from .evidence import Evidence
from .observed import FunctionLog, Observed


class MergeError(ShieldError):
    """Runs that cannot be merged."""


def merge(runs: Sequence[Observed]) -> Observed:
    """The observations of all runs.

    Days add up where one run ended before the other began, by day; otherwise the larger number stands for both.

    Raises:
        MergeError: the same run is given twice: everything would count double.
    """
    merged = Observed()
    for at, run in enumerate(runs):
        if run.functions and any(run.functions == other.functions for other in runs[:at]):
            raise MergeError("the same run is given twice: everything would count double")
        merged.malformed += run.malformed
        merged.whole &= run.whole
        for key, log in run.functions.items():
            known = merged.functions.get(key) or FunctionLog(key)
            merged.functions[key] = _merge(known, log)
    merged.fit()
    return merged


def _merge(first: FunctionLog, second: FunctionLog) -> FunctionLog:
    merged = FunctionLog(
        first.key,
        dict(first.by_target),
        dict(first.events),
        _sum(first.folded, second.folded),
        _sum(first.with_others, second.with_others),
        {**first.reasons, **second.reasons},
        first.armed | second.armed,
        not_written=dict(first.not_written),
    )
    for (policy, mode), seen in second.not_written.items():
        merged.add_not_written(policy, mode, seen)
    for target, seen in second.by_target.items():
        known = merged.by_target.get(target)
        evidence = seen.evidence if known is None else _combine(known.evidence, seen.evidence)
        merged.by_target[target] = replace(seen, evidence=evidence)
    for name, seen in second.events.items():
        known = merged.events.get(name)
        merged.events[name] = seen if known is None else _combine(known, seen)
    rests = [each for each in (first.rest, second.rest) if each is not None]
    if len(rests) > 1:
        rests[0].add(rests[1])
    merged.rest = rests[0] if rests else None
    return merged


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {policy: first.get(policy, 0) + second.get(policy, 0) for policy in (*first, *second)}


def _combine(first: Evidence, second: Evidence) -> Evidence:
    both = Evidence.of((first, second))
    earlier, later = sorted((first, second), key=lambda each: each.first)
    apart = earlier.last[:10] < later.first[:10]  # the day of a time as lines write it
    return replace(both, days=first.days + second.days) if apart else both
