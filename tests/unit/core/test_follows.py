"""follows.h: what comes of tightening may come into force, and nothing that is looser anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from unit.core.native import Native
from unit.core.test_tighten import IN_FORCE, TIGHTER, tighten


def follows(native: Native, policy: Any) -> bool:
    return bool(native.lib.policy_follows(native.policy(*IN_FORCE), policy))


@pytest.mark.parametrize(("wanted", "line"), TIGHTER)
def test_what_was_tightened_follows(native: Native, wanted: str, line: str) -> None:
    policy, said = tighten(native, IN_FORCE, wanted)
    assert not said
    assert follows(native, policy), line
    looser = native.lib.policy_follows(policy, native.policy(*IN_FORCE))
    assert not looser, "and not the other way round"


def _set(path: str, value: int) -> Callable[[Any], None]:
    """`outbound[0].port`: one field gets a value."""

    def change(policy: Any) -> None:
        *way, last = path.replace("]", "").replace("[", ".").split(".")
        at = policy
        for step in way:
            at = at[int(step)] if step.isdigit() else getattr(at, step)
        if last.isdigit():
            at[int(last)] = value
        else:
            setattr(at, last, value)

    return change


LOOSER: dict[str, Callable[[Any], None]] = {
    "a mode": _set("modes[0]", 2),
    "the engine's own mode": _set("modes[5]", 2),
    "a mode that there is not": _set("modes[1]", 255),
    "on_failure": _set("on_failure", 1),
    "unusual names": _set("unusual_names", 2),
    "arguments": _set("hide_arguments", 1),
    "one host more": _set("outbound_count", 4),
    "a port": _set("outbound[0].port", 0),
    "a name": _set("outbound[0].name.len", 1),
    "a network's bits": _set("outbound[2].prefix", 0),
    "a protocol": _set("outbound[1].protocol", 1),
    "a path": _set("tmp[1].at", 0),
    "one path more": _set("tmp_count", 3),
    "a program": _set("child[0].unshielded", 1),
    "one program more": _set("child_count", 3),
    "all of AWS": _set("aws", 1),
    "a service": _set("aws_services[0]", 7),
    "services without end": _set("aws_count", 65535),
    "a region": _set("region.len", 0),
    "an account": _set("account.len", 3),
    "a text": lambda policy: policy.pool.__setitem__(policy.outbound[0].entry.at, b"x"),
    "texts without end": _set("pool_used", 65535),
    "fewer texts": _set("pool_used", 0),
}


@pytest.mark.parametrize("what", LOOSER)
def test_what_is_looser_does_not(native: Native, what: str) -> None:
    policy = native.policy(*IN_FORCE)
    assert follows(native, policy)
    LOOSER[what](policy)
    assert not follows(native, policy)


@pytest.mark.parametrize(
    ("setting", "good"),
    [
        ("SHIELD_OUTBOUND_CONNECTIVITY=block", True),
        ("SHIELD_OUTBOUND_CONNECTIVITY=alert", True),
        ("SHIELD_OUTBOUND_CONNECTIVITY=allow", False),
        ("SHIELD_READ_WRITE_TMP=allow", False),
        ("SHIELD_READ_WRITE_TMP=", False),
        ("SHIELD_ALLOW_OUTBOUND=*.example.org", True),
        ("SHIELD_ALLOW_OUTBOUND=*.example.org,evil.example", False),
        ("SHIELD_ALLOW_TMP=/tmp/b", True),
        ("SHIELD_ALLOW_TMP=/tmp/**", False),
        ("SHIELD_ALLOW_CHILD_PROCESS=unshielded:/opt/tool", True),
        ("SHIELD_ALLOW_CHILD_PROCESS=unshielded:/bin/echo", False),
        ("SHIELD_STATE=starting:-1:/x", False),
        ("SHIELD_STATE_HANDLER=x", False),
        ("LD_PRELOAD=/x", False),
    ],
)
def test_what_children_are_given(native: Native, setting: str, good: bool) -> None:
    policy = native.policy(*IN_FORCE)
    assert native.lib.setting_follows(policy, policy, native.text(setting)) == good
