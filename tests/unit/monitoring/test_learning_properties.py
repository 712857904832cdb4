"""Of any log: the learned policy admits what it says, needs every entry of it, and has wildcards in /tmp alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.alert_lines import FUNCTION, at
from shielded_function_monitoring.learning import FunctionLog, Learned, learn, read
from shielded_function_monitoring.learning.alike import globs_of
from shielded_function_monitoring.learning.folding import fold
from shielded_function_monitoring.learning.questions import question_of
from shielded_function_monitoring.learning.tmp_names import admits, is_narrow, plan
from shielded_function_runtime import core

pytestmark = pytest.mark.promise("cli.learn")

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
    st.sampled_from(["/tmp/tmpabcdefgh", "/tmp/tmpk3j_x9a2", "/tmp/up-a1b2c3", "/tmp/up-d4e5f6", "/tmp/up-x"]),
    st.sampled_from(["/tmp/a.json", "/usr/bin/id", "/tmp/" + "z" * 1125 + "..."]),
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


_SETTINGS = {name: f"SHIELD_{name.upper()}" for name in ("allow_outbound", "allow_tmp", "allow_child_process")}


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
    learned: Learned = learn(log)
    entries = [(each.field, each.value) for each in learned.entries]
    assert not any(set("*?,\n") & set(value) for name, value in entries if name != "allow_tmp")
    assert all(is_narrow(value) for name, value in entries if name == "allow_tmp" and set("*?") & set(value))
    assert not any("169.254" in value for _, value in entries)
    admitted = _admitted(log, entries)
    for each in entries:
        assert _admitted(log, [other for other in entries if other != each]) < admitted, f"{each} is not needed"
    told = {each.target for each in learned.findings} | {name for offer in learned.offers for name in offer.examples}
    for seen in log.observations:
        if seen.target not in admitted:
            # A look-up is told by the connection that it was for.
            name = seen.sni or seen.host or seen.path
            same = (each in (seen.describe(), name) or each.startswith((f"{name}:", f"[{name}]:")) for each in told)
            assert any(same), f"{seen} is neither learned, nor offered, nor told"


_WORD = st.text(alphabet="abcdefgzXYZ", min_size=0, max_size=6)
_RANDOM = st.text(alphabet="abcdefgXYZ0123456789", min_size=4, max_size=12)
_COMPONENT = st.one_of(
    st.builds("{}{}{}{}".format, _WORD, st.sampled_from(["-", "_", ".", ""]), _RANDOM, st.sampled_from(["", ".tmp"])),
    st.builds("{}-{}-{}".format, _WORD, _RANDOM, _WORD),
    st.text(alphabet="ab1-_.~ é*?,\n", min_size=1, max_size=6),
    _WORD,
)
_TMP_PATHS = st.lists(
    st.builds("/tmp/{}".format, st.lists(_COMPONENT, min_size=1, max_size=3).map("/".join)), min_size=1, max_size=14
)


def _fixed(glob: str) -> tuple[list[str], int, str, str]:
    """The components of a glob, which one is wild, and what is fixed in it."""
    parts = glob.split("/")
    (wild,) = (at for at, part in enumerate(parts) if "*" in part)
    prefix, suffix = parts[wild].split("*")
    return parts, wild, prefix, suffix


@given(_TMP_PATHS)
@example(["/tmp/jna1234567.tmp", "/tmp/jna7654321.tmp", "/tmp/jna.tmp"])
@example(["/tmp/a1b2c3d4", "/tmp/b2c3d4e5"])
@example(["/tmp/up-a1b2c3/x", "/tmp/up-d4e5f6/x", "/tmp/up-d4e5f6/y"])
def test_a_glob_covers_what_was_seen_in_one_component(paths: list[str]) -> None:
    found = globs_of(paths)
    assert set(found) <= set(paths)
    for glob in set(found.values()):
        covered = sorted(path for path, other in found.items() if other == glob)
        assert len(covered) > 1, "seen twice or more"
        parts, wild, prefix, suffix = _fixed(glob)
        assert parts[:2] == ["", "tmp"]
        assert wild > 2 or len(prefix) >= 3, "right in /tmp, something must be known"
        for path in covered:
            mine = path.split("/")
            assert [each for at, each in enumerate(mine) if at != wild] == [
                each for at, each in enumerate(parts) if at != wild
            ]
            assert mine[wild].startswith(prefix)
            assert mine[wild].endswith(suffix)
            if glob.isprintable() and glob == glob.strip():
                assert admits(glob, path), "as the core reads it"


@given(_TMP_PATHS, _COMPONENT)
def test_a_glob_matches_nothing_without_its_fixed_parts(paths: list[str], other: str) -> None:
    for glob in set(globs_of(paths).values()):
        parts, wild, prefix, suffix = _fixed(glob)
        for name in (other, f"{prefix}a/b{suffix}", f"x{prefix}1{suffix}", f"{prefix}1{suffix}x"):
            path = "/".join([*parts[:wild], name, *parts[wild + 1 :]])
            has_both = name.startswith(prefix) and name.endswith(suffix) and len(name) >= len(prefix) + len(suffix)
            if "/" in name or not has_both:
                assert not admits(glob, path), "the core, which judges in the function, says the same"
        assert not admits(glob, "/".join([*parts, "below"]))
        assert not admits(glob, "/".join(parts[:-1]))


@given(_TMP_PATHS)
def test_each_path_is_taken_once(paths: list[str]) -> None:
    made = plan(paths)
    assert not set(made.taken) & set(made.offered)
    for path, form in made.taken.items():
        assert is_narrow(form.glob)
        assert admits(form.glob, path)
    globs = {form.glob for form in made.taken.values()}
    for path in set(paths) - set(made.taken):
        assert not any(admits(glob, path) for glob in globs), "a glob takes all that it covers"


@given(_TMP_PATHS, st.integers(min_value=0, max_value=6))
def test_folding_makes_it_fit_or_does_nothing(paths: list[str], room: int) -> None:
    folded = fold(paths, room)
    left = {folded.get(path, path) for path in paths}
    assert len(left) <= room or folded == {}
    assert "/tmp/*" not in folded.values()
    for path, glob in folded.items():
        assert is_narrow(glob)
        if path.isprintable() and path == path.strip():
            assert admits(glob, path) or not admits(path, path), path
