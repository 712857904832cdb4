"""The day on which alert mode ends: it is in no variable, and stays through everything else."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shielded_function.errors import ShieldError
from shielded_function.policy import ShieldPolicy
from unit.core.policies import make

pytestmark = pytest.mark.promise("policy.compose")

DATED = make(outbound_connectivity="alert", allow_aws=["s3", "sqs"], until="2027-01-31")


def test_the_day_is_kept_and_is_in_no_variable() -> None:
    plain = dataclasses.replace(DATED, until=None)
    assert (plain, plain.to_env()) == (DATED, DATED.to_env())
    for same in (
        ShieldPolicy.from_dict(json.loads(json.dumps(DATED.to_dict()))),
        pickle.loads(pickle.dumps(DATED)),
        dataclasses.replace(DATED, log_arguments=True),
        DATED + ShieldPolicy(allow_tmp=["/tmp/x"]),
        DATED.with_mode("alert"),
        dataclasses.replace(DATED, until=date(2027, 1, 31)),
    ):
        assert same.until == "2027-01-31"
    assert DATED.with_mode("block").until is None
    assert DATED.with_mode("alert", until="2027-04-01").until == ShieldPolicy.report_only(until="2027-04-01").until
    told = [str(each) for each in DATED.explain()]
    assert any(each.startswith("until ") and "2027-01-31" in each for each in told)


def test_files_have_days(tmp_path: Path) -> None:
    for name, assigns, alert in (("p.toml", "=", '"alert"'), ("p.yaml", ": ", "alert")):
        (tmp_path / name).write_text(f"until{assigns}2027-01-31\nread_handler{assigns}{alert}")
        assert ShieldPolicy.from_file(tmp_path / name).until == "2027-01-31"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"until": "2027-01-30"}, []),
        ({"until": "2027-02-01"}, ["until: 2027-02-01, was 2027-01-31"]),
        ({"until": None}, ["until: no day, was 2027-01-31"]),
        ({"until": None, "outbound_connectivity": "block"}, []),
    ],
)
def test_a_later_day_is_looser(changed: dict[str, Any], told: list[str]) -> None:
    assert [str(each) for each in dataclasses.replace(DATED, **changed).diff(DATED)] == told


@pytest.mark.parametrize(
    ("make_it", "reason"),
    [
        (lambda: ShieldPolicy(until="2027-01-31"), "ShieldPolicy.until: 2027-01-31: no mode is alert"),
        (lambda: ShieldPolicy().with_mode("block", until="2027-01-31"), "no mode is alert"),
        (lambda: ShieldPolicy.report_only(until="31.1.2027"), "'31.1.2027' is no day; write it as 2027-01-31"),
        (lambda: make(allow_tmp=[{"entry": "/tmp/a", "until": "2027-02-28"}]), "allow_tmp"),
        (lambda: ShieldPolicy() + ShieldPolicy.report_only(until="2027-02-28"), "cannot be added"),
    ],
)
def test_bad_days(make_it: Any, reason: str) -> None:
    with pytest.raises(ShieldError) as caught:
        make_it()
    assert reason in str(caught.value)
