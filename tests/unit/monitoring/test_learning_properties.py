"""Of any log: the learnt policy admits what it says, needs every entry of it, and has no wildcard nobody asked for."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.alert_lines import FUNCTION, at
from shielded_function_monitoring.learning import FunctionLog, Learnt, learn, read
from shielded_function_monitoring.learning.questions import question_of
from shielded_function_runtime import core

_NASTY = st.text(alphabet=" ,*?\n\t\r\0\"'\\#=:;/[]{}.-_\u202e\ud800\u00e9aA0~$", max_size=8)
_LABELS = st.sampled_from(["api", "www", "s3", "x" * 63, "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6", "*", ""])
_HOSTS = st.one_of(
    st.builds("{}.{}".format, _LABELS, st.sampled_from(["example.com", "example.co.uk", "eu-west-1.amazonaws.com"])),
    st.sampled_from(["example.com", "localhost", "169.254.169.254", "0x7f000001", "*", "10.0.0.0/8", "::1", "com"]),
    _NASTY,
)
_IPS = st.sampled_from(["198.51.100.7", "2001:db8::9", "169.254.169.254", "::ffff:198.51.100.7", "0.0.0.0/0", "x", ""])
_PORTS = st.sampled_from([0, 1, 53, 443, 65535, 65536, -1, 443.5, "443", True])
_PATHS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["/tmp/", "/tmp", "/usr/bin/", "/dev/shm/", "", "unshielded:/a"]), _NASTY),
    st.sampled_from(["/tmp/tmpabcdefgh", "/tmp/a.json", "/usr/bin/id", "/tmp/" + "z" * 1125 + "..."]),
)
_CONNECTION = st.fixed_dictionaries(
    {"policy": st.just("outbound_connectivity"), "protocol": st.sampled_from(["tcp", "udp", "dns", "tls", "raw"])},
    optional={"host": _HOSTS, "ip": _IPS, "port": _PORTS, "sni": _HOSTS, "path": _PATHS},
)
_FILE = st.fixed_dictionaries(
    {"policy": st.sampled_from(["read_write_tmp", "create_child_process", "read_handler"]), "path": _PATHS}
)


def _line(fields: dict[str, Any]) -> str:
    details = {name: value for name, value in fields.items() if name != "policy"}
    head = {"function_shield": True, "v": 1, **FUNCTION, "timestamp": at(), "level": "WARN"}
    body = {"policy": fields["policy"], "mode": "alert", "count": 1, "details": details, "pid": 1}
    return json.dumps({**head, **body}, separators=(",", ":"))


_SETTINGS = {
    "allow_outbound": "SHIELD_ALLOW_OUTBOUND",
    "allow_tmp": "SHIELD_ALLOW_TMP",
    "allow_child_process": "SHIELD_ALLOW_CHILD_PROCESS",
}


def _admitted(log: FunctionLog, entries: list[tuple[str, str]]) -> set[tuple[str, ...]]:
    """What a policy of these entries, and nothing else, admits of a log."""
    lists = {name: [value for field, value in entries if field == name] for name in _SETTINGS}
    lines = [f"{_SETTINGS[name]}={','.join(values)}" for name, values in lists.items() if values]
    policy = core.parse("\n".join(["AWS_REGION=eu-west-1", "SHIELD_ALLOW_AWS=none", *lines]) + "\n")
    admitted = set[tuple[str, ...]]()
    for seen in log.observations:
        question = question_of(seen)
        try:
            if question is not None and policy.decide(*question).allowed:
                admitted.add(seen.target)
        except core.TargetError:
            continue
    return admitted


@given(st.lists(st.one_of(_CONNECTION, _FILE), min_size=1, max_size=12))
def test_the_least_policy(lines: list[dict[str, Any]]) -> None:
    (log,) = read(map(_line, lines)).functions.values()
    learnt: Learnt = learn(log)
    entries = [(each.field, each.value) for each in learnt.entries]
    assert not any(set("*?,\n") & set(value) for _, value in entries)
    assert not any("169.254" in value for _, value in entries)
    admitted = _admitted(log, entries)
    for each in entries:
        assert _admitted(log, [other for other in entries if other != each]) < admitted, f"{each} is not needed"
    told = {each.target for each in learnt.findings} | {name for offer in learnt.offers for name in offer.examples}
    for seen in log.observations:
        if seen.target not in admitted:
            # A look-up is told by the connection that it was for.
            name = seen.sni or seen.host or seen.path
            same = (each in (seen.describe(), name) or each.startswith((f"{name}:", f"[{name}]:")) for each in told)
            assert any(same), f"{seen} is neither learnt, nor offered, nor told"
