"""Days of a policy and of its entries: they are in no variable, and stay through everything else."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shielded_function.errors import ShieldError
from shielded_function.policy import ShieldPolicy, Until
from unit.core.policies import TOKEN, make

pytestmark = pytest.mark.promise("policy.compose")

DATED = make(
    outbound_connectivity="alert",
    allow_outbound=[
        "b.example",
        Until("A.example:443 by  x", "2027-01-31", reason="a move"),
        Until(TOKEN, "2027-02-01", reason="t"),
    ],
    allow_aws=["s3", Until("sqs", date(2027, 3, 1), reason="a queue")],
    until="2027-01-31",
)
IN_JUNE = Until("a.example:443", "2027-06-01", reason="r")
DAYS = (
    ("allow_outbound", "a.example:443 by x", "2027-01-31", "a move"),
    ("allow_outbound", TOKEN, "2027-02-01", "t"),
    ("allow_aws", "sqs", "2027-03-01", "a queue"),
)


def test_days_are_kept_and_are_in_no_variable() -> None:
    plain = dataclasses.replace(
        DATED, allow_outbound=["b.example", "a.example:443 by x", TOKEN], allow_aws=["s3", "sqs"], until=None
    )
    assert (plain, plain.dates, plain.to_env()) == (DATED, (), DATED.to_env())
    for same in (
        ShieldPolicy.from_dict(json.loads(json.dumps(DATED.to_dict()))),
        pickle.loads(pickle.dumps(DATED)),
        dataclasses.replace(DATED, log_arguments=True),
        DATED + ShieldPolicy(allow_tmp=["/tmp/x"]),
        DATED.with_mode("alert"),
        dataclasses.replace(DATED, until=date(2027, 1, 31)),
    ):
        assert (same.dates, same.until) == (DAYS, "2027-01-31")
    assert (DATED.with_mode("block").dates, DATED.with_mode("block").until) == (DAYS, None)
    assert DATED.with_mode("alert", until="2027-04-01").until == ShieldPolicy.report_only(until="2027-04-01").until
    told = [str(each) for each in DATED.explain()]
    assert any(each.startswith("allow_aws ") and each.endswith("(to go by 2027-03-01: a queue)") for each in told)
    assert any(each.startswith("until ") and "2027-01-31" in each for each in told)


FILES = {
    "p.toml": 'until=2027-01-31\nread_handler="alert"\nallow_tmp=[{entry="/tmp/a", until=2027-02-01, reason="r"}]',
    "p.yaml": "until: 2027-01-31\nread_handler: alert\nallow_tmp: [{entry: /tmp/a, until: 2027-02-01, reason: r}]",
}


@pytest.mark.parametrize("name", FILES)
def test_files_have_days(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name])
    policy = ShieldPolicy.from_file(tmp_path / name)
    assert (policy.until, policy.dates) == ("2027-01-31", (("allow_tmp", "/tmp/a", "2027-02-01", "r"),))


def test_the_page_of_days(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/guide/deadlines.md").read_text()
    (tmp_path / "p.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    (dated,) = ShieldPolicy.from_file(tmp_path / "p.toml").dates
    assert dated == ("allow_outbound", "old.example:443", "2027-03-31", "the move to Stripe")


def test_of_two_days_the_longer_holds() -> None:
    january, february = (Until("a.example", day, reason="r") for day in ("2027-01-31", "2027-02-01"))
    assert ShieldPolicy(allow_outbound=["A.example", january]).dates == ()
    assert [each.until for each in ShieldPolicy(allow_outbound=[january, february]).dates] == ["2027-02-01"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"until": "2027-01-30"}, []),
        ({"until": "2027-02-01"}, ["until: 2027-02-01, was 2027-01-31"]),
        ({"until": None}, ["until: no day, was 2027-01-31"]),
        ({"until": None, "outbound_connectivity": "block"}, []),
        ({"allow_aws": ["s3", "sqs"]}, ["allow_aws: sqs stays for good, was until 2027-03-01"]),
        ({"allow_aws": ["s3", Until("sqs", "2027-02-01", reason="r")]}, []),
        ({"allow_outbound": [IN_JUNE]}, [f"allow_outbound: {IN_JUNE} stays until 2027-06-01, was until 2027-01-31"]),
        ({"allow_outbound": [TOKEN]}, [f"allow_outbound: {TOKEN} stays for good, was until 2027-02-01"]),
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
        (lambda: Until("a.example", "2027-02-29", reason="r"), "Until('a.example'): '2027-02-29' is no day"),
        (lambda: Until("a.example", "2027-02-28", reason=" "), "reason=' ' is no text; say why it is there"),
        (lambda: make(allow_tmp=[{"entry": "/tmp/a", "until": "2027-02-28"}]), "write entry, until, reason"),
        (lambda: make(presets=[Until("numba", "2027-02-28", reason="r")]), "a preset takes no date"),
        (lambda: make(allow_aws=[Until("granted", "2027-02-28", reason="r")]), "'granted' takes no date"),
        (lambda: make(allow_aws=Until("all", "2027-02-28", reason="r")), "allow_aws: 'all' takes no date"),
        (lambda: ShieldPolicy() + ShieldPolicy.report_only(until="2027-02-28"), "cannot be added"),
    ],
)
def test_bad_days(make_it: Any, reason: str) -> None:
    with pytest.raises(ShieldError) as caught:
        make_it()
    assert reason in str(caught.value)
