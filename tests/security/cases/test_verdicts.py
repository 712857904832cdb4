"""Is what a case came to what must happen?"""

from __future__ import annotations

import pytest

from security.cases.catalogue import MODES, cases
from security.cases.session import Outcome
from security.cases.verdicts import DENIED, SAME, verdict

pytestmark = pytest.mark.promise("package.measured")


def test_what_is_not_as_it_must_be_is_told() -> None:
    """Each way in which a case can go wrong gives another sentence than the good ones."""
    case = next(case for case in cases() if case.name == "tmp_mkdir")
    alert = {"policy": "read_write_tmp", "mode": "block", "count": 1, "details": {}}
    unshielded = Outcome(effects={"tmp": {"made": "new"}})
    good = Outcome(errno=13, alerts=[alert])
    assert verdict(case, "block", unshielded, good) == DENIED
    wrong = [
        Outcome(effects=unshielded.effects, alerts=[alert]),  # let through
        Outcome(errno=13, effects=unshielded.effects, alerts=[alert]),  # refused, and done
        Outcome(errno=1, alerts=[alert]),  # refused with another error
        Outcome(errno=13),  # not reported
        Outcome(errno=13, alerts=[alert, alert]),  # reported twice
        Outcome(errno=13, alerts=[alert | {"policy": "read_handler"}]),
        Outcome(errno=13, alerts=[alert], broken="a line of 5000 bytes"),
        Outcome(errno=13, alerts=[alert], left_open=1),
        Outcome(ended=-11),
        Outcome(error="AssertionError"),
    ]
    assert not [outcome for outcome in wrong if verdict(case, "block", unshielded, outcome) == DENIED]
    reported = Outcome(effects=unshielded.effects, alerts=[alert | {"mode": "alert"}])
    assert verdict(case, "alert", unshielded, reported) == SAME
    for mode, outcome in (("alert", unshielded), ("alert", good), ("allow", reported), ("allow", good)):
        assert verdict(case, mode, unshielded, outcome) != SAME
    assert set(MODES) == {"block", "alert", "allow"}
