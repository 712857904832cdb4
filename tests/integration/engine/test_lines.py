"""The engine's lines: each follows the schema, and says which function wrote it, whatever the program does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.running import PYTHON, SHIELD, policy, prepare_tmp, run_inside, whole_sandbox
from harness.ways import ways
from shielded_function.cli.learned_policy import aws_services
from shielded_function_emulator.languages import find, python
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_monitoring import parse_line
from shielded_function_monitoring.alert import EVENTS, MAX_LINE
from shielded_function_monitoring.filters import violations
from shielded_function_monitoring.schema import json_schema

pytestmark = pytest.mark.promise("alert.one-line")

SCHEMA = Draft202012Validator(json_schema())
ORIGIN = ["checkout", "$LATEST", "eu-west-1", "123456789012"]
NAMES = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "SHIELD_ACCOUNT_ID")
FUNCTION = dict(zip(NAMES, ORIGIN, strict=True))
LIBRARY = str(Path(SHIELD).parent / "libshield.so")
# What of lines.py brings an event about; the others come of a start.
BY = {
    "armed": "storm",
    "folded": "storm_of_targets",
    "repeated": "storm",
    "native": "ask_for_work",
    "kernel": "keep_a_memory_file",
    "tightened": "tighten",
}


def checked(done: Completed) -> list[dict[str, Any]]:
    """The shield's lines, each of which follows the schema."""
    lines = [line for line in done.stderr.split("\n") if line.startswith('{"function_shield"')]
    for line in lines:
        assert len(line.encode(errors="surrogateescape")) < MAX_LINE
        SCHEMA.validate(json.loads(line))
        assert parse_line(line) is not None
    return [json.loads(line) for line in lines]


def run(box: Sandbox, what: str, arguments: list[str], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    prepare_tmp(box)
    return checked(run_inside(box, "lines", what, json.dumps(arguments), settings=environment))


def origin_of(line: Mapping[str, Any]) -> list[Any]:
    return [line.get(name) for name in ("function", "version", "region", "account")]


@pytest.mark.parametrize("event", BY)
def test_every_event_follows_the_schema(box: Sandbox, event: str) -> None:
    modes = {"outbound_connectivity": "block", "create_child_process": "block", "read_handler": "alert"}
    settings = policy(read_write_tmp="block", **modes) | FUNCTION
    lines = run(box, BY[event], [], settings)
    assert event in {line.get("event") for line in lines}
    assert [origin_of(line) for line in lines] == [ORIGIN] * len(lines)


# The longest names of services, as many as a policy takes.
SERVICES = sorted(aws_services(), key=lambda name: (-len(name), name))[:64]
# Settings, and what the start says of AWS.
STARTS: list[tuple[dict[str, str], dict[str, str | int]]] = [
    ({}, {"aws": "all"}),
    ({"allow_aws": "none"}, {"aws": "none"}),
    ({"allow_aws": "sqs,dynamodb"}, {"aws": "sqs,dynamodb"}),
    ({"allow_aws": "sqs", "allow_buckets": "shop-orders,shop-invoices"}, {"aws": "sqs", "buckets": 2}),
    ({"allow_aws": "sqs", "allow_outbound": "a.example,b.example"}, {"aws": "sqs", "hosts": 2}),
    ({"allow_aws": ",".join(SERVICES)}, {"aws": ",".join(SERVICES)}),
    ({"allow_aws": "sqs", "allow_outbound": "a.example", "outbound_connectivity": "allow"}, {}),
]


@pytest.mark.parametrize(("given", "told"), STARTS)
def test_a_start_says_what_it_admits_of_aws(box: Sandbox, given: dict[str, str], told: dict[str, str | int]) -> None:
    """Also beside a function's name of any length: `learn` takes no more than this."""
    name = {"AWS_LAMBDA_FUNCTION_NAME": '"' * 140}
    settings = policy(**{"outbound_connectivity": "alert", "read_write_tmp": "block", **given}) | FUNCTION | name
    line = next(line for line in run(box, "path", ["x"], settings) if line.get("event") == "armed")
    assert {name: line[name] for name in ("aws", "buckets", "hosts") if name in line} == told
    assert line["function"].startswith('"' * 30)


NO_FILE = {"SHIELD_POLICY_FILE": "/no/such/file"}


@pytest.mark.parametrize(
    ("event", "failing", "named"),
    [
        ("refused", NO_FILE, "/no/such/file"),
        ("unshielded", NO_FILE | {"SHIELD_ON_FAILURE": "run_unshielded"}, "/no/such/file"),
        # What stands behind it in the environment is read all the same.
        ("refused", {"SHIELD_READ_WRITE_TMP": "deny"}, "deny"),
    ],
)
def test_a_start_that_fails_says_which_function_it_is(
    box: Sandbox, event: str, failing: dict[str, str], named: str
) -> None:
    """The library's own line, without the wrapper's checks in front."""
    assert {*BY, "refused", "unshielded"} == set(EVENTS)
    settings = failing | {"LD_PRELOAD": LIBRARY} | FUNCTION
    done = box.run_command([PYTHON, "-c", ""], environment=policy(read_write_tmp="block") | settings)
    (line,) = checked(done)
    assert done.returncode == (78 if event == "refused" else 0)
    assert (line["event"], line["policy"], line["count"], origin_of(line)) == (event, "start", 1, ORIGIN)
    assert named in line["reason"]


@pytest.mark.promise("alert.which-function")
def test_what_changes_the_environment_changes_no_line(box: Sandbox) -> None:
    settings = policy(read_write_tmp="block") | FUNCTION
    lines = run(box, "other_environment", [], settings)
    assert [line.get("event", line.get("policy")) for line in lines] == ["armed", *["read_write_tmp"] * 4]
    assert [origin_of(line) for line in lines] == [ORIGIN] * 5


def test_what_is_not_known_is_left_out(box: Sandbox) -> None:
    settings = policy(read_write_tmp="block") | dict.fromkeys(FUNCTION, "") | {"SHIELD_ACCOUNT_ID": "123456789012"}
    lines = run(box, "path", ["x"], settings)
    assert {tuple(origin_of(line)) for line in lines} == {(None, None, None, "123456789012")}


TRACES = ("1-5759e988-bd862e3fe1be46a994272793", "1-6759e988-bd862e3fe1be46a994272794")
# The variable, as the runtime's client sets it for each event, and what the line has.
HEADERS: list[tuple[str, str | None]] = [
    *((f"Root={trace};Parent=53995c3f42cd8ad8;Sampled=1", trace) for trace in TRACES),
    ("", None),
    (f"Root={TRACES[0]}", TRACES[0]),
    (f"Root={TRACES[0][:-1]}", None),
    (f'Root={TRACES[0][:-1]}"', None),
]
CODE: Mapping[str, tuple[str, str, str]] = {
    "python": (PYTHON, "-c", f"""
import os
for number, header in enumerate({[header for header, _ in HEADERS]}):
    os.environ["_X_AMZN_TRACE_ID"] = header
    os.environ[f"NEW_{{number}}"] = "x" * 4000
    if not header:
        del os.environ["_X_AMZN_TRACE_ID"]
    try: os.mkdir(f"/tmp/{{number}}")
    except OSError: pass
"""),
    "node": ("/var/lang/bin/node", "-e", f"""
for (const [number, header] of {json.dumps([header for header, _ in HEADERS])}.entries()) {{
    process.env._X_AMZN_TRACE_ID = header;
    process.env[`NEW_${{number}}`] = "x".repeat(4000);
    if (!header) delete process.env._X_AMZN_TRACE_ID;
    try {{ require("fs").mkdirSync(`/tmp/${{number}}`); }} catch {{}}
}}
"""),
}  # fmt: skip


@pytest.mark.promise("alert.severity")
@pytest.mark.parametrize("language", CODE)
def test_the_trace_of_the_event(layer: Path, tmp_path: Path, language: str) -> None:
    runtime = find("nodejs24.x") if language == "node" else python.THIS
    if reason := runtime.missing():
        pytest.skip(reason)
    with whole_sandbox(tmp_path, layer, runtime=runtime) as box:
        prepare_tmp(box)
        done = box.run_command([SHIELD, *CODE[language]], environment=policy(read_write_tmp="block"))
    lines = [line for line in checked(done) if "policy" in line]
    assert [line.get("trace") for line in lines] == [trace for _, trace in HEADERS], done.stderr[-2000:]


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=120)
RAW = st.binary(min_size=1, max_size=80).filter(lambda b: 0 not in b).map(lambda b: b.decode(errors="surrogateescape"))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(function=TEXT | RAW, version=TEXT | RAW, name=TEXT | RAW)
@example(function='"' * 5000, version="\x01" * 5000, name="\x7f" * 60)
@example(function="\udcff" * 400, version="é" * 400, name="\udcff" * 60)
def test_any_origin_and_any_path_give_whole_lines(box: Sandbox, function: str, version: str, name: str) -> None:
    who = {"AWS_LAMBDA_FUNCTION_NAME": function, "AWS_LAMBDA_FUNCTION_VERSION": version}
    lines = run(box, "path", [name], policy(read_write_tmp="block", create_child_process="block") | FUNCTION | who)
    assert {"armed", "read_write_tmp", "create_child_process"} <= {
        line.get("event", line.get("policy")) for line in lines
    }
    assert len({tuple(origin_of(line)) for line in lines}) == 1


HIDING = ways("hiding.py")["way"]


@pytest.mark.promise("alert.not-hidden", "alert.not-silenced")
@pytest.mark.parametrize("trick", HIDING)
def test_no_trick_with_the_log_hides_a_violation(box: Sandbox, trick: str) -> None:
    """What ordinary code does to its descriptors, its log and its environment before it violates its policy."""
    prepare_tmp(box)
    settings = policy(read_write_tmp="block") | FUNCTION
    done = box.run_command([SHIELD, PYTHON, "/var/task/hiding.py", trick], environment=settings)
    lines = [line for line in done.stderr.split("\n") if violations("read_write_tmp").matches(line)]
    # Who may open nothing fails before anything is judged.
    assert lines or "Too many open files" in done.stdout, (done.returncode, done.stderr[-2000:])
    assert {json.loads(line)["function"] for line in lines} <= {"checkout"}
