"""`shielded-function alerts`: from files, from stdin, and from an account."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from harness.alert_lines import FUNCTION, alert, armed, connect, folded, lookup, program, tmp
from integration.cli.insights_account import Account, account, ago, denying
from integration.cli.moto_account import REGION, make_function, make_role
from integration.cli.running import command, says
from shielded_function.cli import alerts, asking, log_groups
from shielded_function.cli.alerts import Options
from shielded_function.cli.aws import Place
from shielded_function.cli.errors import CliError
from shielded_function.cli.log_groups import Where

GROUP = "/aws/lambda/checkout"
HERE = Place(REGION)


def log(hours: float = 2) -> list[str]:
    return [
        "START RequestId: 1",
        armed(ago(hours=hours)),
        connect("api.stripe.com", time=ago(hours=hours), count=4, caller="libssl.so"),
        lookup("api.stripe.com", ago(hours=hours)),
        tmp("/tmp/x\x1b[2J", ago(hours=hours), mode="block"),
        folded("read_write_tmp", 18, ago(hours=1)),
    ]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account(monkeypatch) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(log()) + "\n")
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def test_groups_of_a_file(file: Path) -> None:
    done = command("alerts", file, "--json")
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert (said["violations"], said["kinds"], said["whole"]) == (24, 4, True)
    first, second, *_ = said["groups"]
    assert (first["policy"], first["violations"]) == ("read_write_tmp", 18)
    assert second == {
        "function": "checkout",
        "region": "eu-west-1",
        "account": "123456789012",
        "policy": "outbound_connectivity",
        "mode": "alert",
        "details": {"host": "api.stripe.com", "ip": "198.51.100.7", "port": 443, "protocol": "tcp"},
        "allow": "api.stripe.com:443",
        "caller": "libssl.so",
        "violations": 4,
        "lines": 1,
        "days": 1,
        "first_seen": ago(hours=2),
        "last_seen": ago(hours=2),
    }


def test_a_table_with_nothing_that_a_terminal_acts_on(file: Path) -> None:
    done = command("alerts", file)
    assert done.returncode == 3
    assert "\x1b" not in done.stdout
    assert "/tmp/x\\x1b[2J" in done.stdout
    assert "api.stripe.com:443 (198.51.100.7), tcp" in done.stdout
    assert done.stdout.rstrip().endswith("24 violations of 4 kinds")


@pytest.mark.parametrize(("by", "rows"), [("function", 1), ("policy", 3), ("package", 4), ("target", 4)])
def test_grouped(file: Path, by: str, rows: int) -> None:
    said = json.loads(command("alerts", file, "--by", by, "--json").stdout)
    assert (said["kinds"], said["violations"]) == (rows, 24)


CHAIN = ("urllib3", "requests", "app")


def packages_log(time: str = "") -> list[str]:
    return [
        *(connect("a.example", time=time, caller=each, through=CHAIN, count=2) for each in ("_socket.so", "_ssl.so")),
        connect("b.example", time=time, caller="_socket.so", through=("urllib3", "botocore", "app")),
        connect("c.example", time=time, caller="libuv.so"),
        tmp("/tmp/x", time),
    ]


def test_by_package_from_a_log_group(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write(GROUP, packages_log(ago(hours=1)))
    alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options("package"), json=True)
    groups = told(capsys)["groups"]
    assert [(each.get("through"), each["violations"]) for each in groups[:2]] == [
        (list(CHAIN), 4), (["urllib3", "botocore", "app"], 1),
    ]  # fmt: skip
    (asked,) = aws.asked
    assert "caller.package, caller.through.1, caller.through.2" in asked["queryString"]


def test_by_package(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(packages_log()) + "\n")
    said = json.loads(command("alerts", tmp_path / "log", "--by", "package", "--json").stdout)
    assert [(each.get("through"), each.get("caller"), each["violations"]) for each in said["groups"]] == [
        (list(CHAIN), None, 4),
        (["urllib3", "botocore", "app"], None, 1),
        (None, "libuv.so", 1),
        (None, None, 1),
    ]
    assert [each.get("package") for each in said["groups"]] == ["urllib3", "urllib3", None, None]
    done = command("alerts", tmp_path / "log", "--by", "package")
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in done.stdout.splitlines() if "│" in line]
    assert rows == [
        ["app > requests > urllib3", ""],
        ["app > botocore > urllib3", ""],
        ["(not told)", "libuv.so"],
        ["(not told)", ""],
    ]


def test_the_page_shows_a_package(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "command-line.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "log").write_text(connect("api.stripe.com", count=41, caller="_socket.so", through=CHAIN) + "\n")
    (group,) = json.loads(command("alerts", tmp_path / "log", "--by", "package", "--json").stdout)["groups"]
    assert group == json.loads(shown)


def test_packages_of_npm(tmp_path: Path) -> None:
    through = ("@smithy/core", "@aws-sdk/client-s3", "index")
    (tmp_path / "log").write_text(connect("api.stripe.com", caller="node", through=through) + "\n")
    (group,) = json.loads(command("alerts", tmp_path / "log", "--by", "package", "--json").stdout)["groups"]
    assert (group["package"], group["through"]) == (through[0], list(through))
    assert "index > @aws-sdk/client-s3 > @smithy/core" in command("alerts", tmp_path / "log").stdout


def test_a_targets_packages(tmp_path: Path, file: Path) -> None:
    (tmp_path / "log").write_text("\n".join(packages_log()) + "\n")
    table = command("alerts", tmp_path / "log").stdout
    assert "app > requests > urllib3" in table
    assert "(not told)" in table
    assert "package" not in command("alerts", file).stdout, "where no line tells of any, there is no column"
    lines = command("alerts", tmp_path / "log", "--lines").stdout.splitlines()
    assert lines[0].partition(", tcp  ")[2] == (
        "by _socket.so  for app > requests > urllib3 at /var/task/urllib3/code.py:73  [allow: a.example:443]  (2 times)"
    )


def test_presets_that_would_settle_it(tmp_path: Path) -> None:
    """By a library's own name in /tmp, by the program, and by who asked for executable memory."""
    lines = [
        tmp("/tmp/snappy-1.1.10-0b5c-libsnappyjava.so"),
        tmp("/tmp/hsperfdata_sbx/17"),
        tmp("/tmp"),
        program("/usr/bin/fc-list"),
        alert("executable_memory", allow="libllvmlite"),
        alert("executable_memory", through=("lightgbm", "app"), allow="libffi"),
        alert("executable_memory", allow="libffi"),
        alert("executable_memory", caller="libffi.so"),
    ]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    said = json.loads(command("alerts", tmp_path / "log", "--json").stdout)
    assert [each.get("presets") for each in said["groups"]] == [
        ["snappy-java"], None, None, ["matplotlib"], ["numba"], ["lightgbm"], None, None,
    ]  # fmt: skip
    printed = command("alerts", tmp_path / "log", "--lines").stdout
    assert "[allow: /tmp/snappy-1.1.10-0b5c-libsnappyjava.so or preset:snappy-java]" in printed
    assert "[allow: libllvmlite or preset:numba]" in printed


def test_stdin_and_packed_files(file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    done = command("alerts", "-", packed, "--json", stdin=file.read_text())
    assert json.loads(done.stdout)["violations"] == 48


def test_since_and_until_of_a_file(file: Path) -> None:
    assert json.loads(command("alerts", file, "--since", "90m", "--json").stdout)["violations"] == 18
    assert json.loads(command("alerts", file, "--until", "90m", "--json").stdout)["violations"] == 6
    assert json.loads(command("alerts", file, "--until", ago(hours=2), "--json").stdout)["violations"] == 6


def test_nothing_is_status_0(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("START\n" + armed() + "\n")
    done = command("alerts", tmp_path / "log")
    assert (done.returncode, done.stdout) == (0, "0 violations of 0 kinds\n")


def test_lines_as_they_are(file: Path) -> None:
    done = command("alerts", file, "--lines", "--limit", "3")
    assert done.returncode == 3
    assert [line.split("  ")[2] for line in done.stdout.splitlines()] == ["alert", "block", "folded"]
    assert "\x1b" not in done.stdout
    assert "(18 times)" in done.stdout
    done = command("alerts", file, "--lines", "--json")
    assert [json.loads(line)["count"] for line in done.stdout.splitlines()] == [4, 1, 1, 18]


def test_follow_stdin(file: Path) -> None:
    done = command("alerts", "-", "--follow", stdin=file.read_text())
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 5  # the cold start too
    done = command("alerts", "-", "--follow", "--function", "other", stdin=file.read_text())
    assert (done.returncode, done.stdout) == (0, "")


def test_a_forged_line_is_told_from_others(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        '{"function_shield":true,"policy":"\x1b[2J"}\n{"function_shield":true,"v":"\\u001b"}\n'
    )
    done = command("alerts", tmp_path / "log", "--follow")
    assert done.returncode == 0
    assert (
        "not a line that the shield writes (v: missing)" not in done.stdout.splitlines()[0] or "\x1b" not in done.stdout
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name what to read: files (or -), --log-group, --function or --stack"),
        (("nowhere.log",), "nowhere.log is not a file"),
        (("-", "-"), "- is stdin, which can be read once"),
        (("-", "--log-group", "x"), "give files, or log groups and stacks: not both"),
        (
            ("-", "--since", "yesterday"),
            "--since yesterday: write 30m, 12h, 7d, or a time such as 2026-11-24T13:37:00Z",
        ),
        (("-", "--since", "1h", "--until", "2h"), "--until 2h is not after --since 1h"),
        (("-", "--by", "colour"), "--by colour: there are function, policy, package, target"),
        (("-", "--limit", "0"), "--limit 0: 1 to 10000"),
        (("--follow",), "name what to read: files (or -), --log-group, --function or --stack"),
        (("broken.gz",), "broken.gz cannot be read: Not a gzipped file"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "broken.gz").write_bytes(b"no")
    assert said in says(command("alerts", *arguments, cwd=tmp_path))


# AWS


def test_a_log_group(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write(GROUP, log())
    aws.calls.clear()
    assert alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True) == 3
    said = told(capsys)
    assert (said["violations"], said["kinds"], said["sources"]) == (24, 4, [GROUP])
    (asked,) = aws.asked
    assert asked["endTime"] - asked["startTime"] == 24 * 3600
    assert aws.calls == ["logs:StartQuery", "logs:GetQueryResults", "logs:GetQueryResults"]


def test_the_same_as_from_a_file(aws: Account, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write(GROUP, log())
    alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True)
    from_aws = told(capsys)
    alerts.alerts(Where(files=[str(file)]), Options(), json=True)
    from_file = told(capsys)
    assert from_aws["groups"] == from_file["groups"]


def test_a_function_is_asked_where_it_logs(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    make_role(boto3.client("iam", region_name=REGION))
    make_function(boto3.client("lambda", region_name=REGION))
    aws.log_groups["checkout"] = "shared"
    aws.write("shared", [*log(), tmp("/tmp/other", ago(hours=1), function="other")])
    aws.calls.clear()
    assert alerts.alerts(Where(functions=["checkout"], place=HERE), Options(), json=True) == 3
    assert told(capsys)["violations"] == 24, "lines of others in the same log group are not the function's"
    assert aws.calls[0] == "lambda:GetFunctionConfiguration"


STACK = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        **{
            name: {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": name.lower(),
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "def handler(event, context): pass"},
                },
            }
            for name in ("Checkout", "Refund")
        },
    }
}


def test_a_stack(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName="Shop", TemplateBody=json.dumps(STACK))
    aws.write(GROUP, log())
    aws.write("/aws/lambda/refund", [tmp("/tmp/y", ago(hours=1), function="refund")])
    aws.calls.clear()
    assert alerts.alerts(Where(stacks=["Shop"], place=HERE), Options("function"), json=True) == 3
    said = told(capsys)
    assert [(group["function"], group["violations"]) for group in said["groups"]] == [("checkout", 24), ("refund", 1)]
    assert set(aws.calls) == {
        "cloudformation:ListStackResources",
        "lambda:GetFunctionConfiguration",
        "logs:StartQuery",
        "logs:GetQueryResults",
    }


def test_a_stack_without_functions(aws: Account) -> None:
    template = json.dumps({"Resources": {"Role": STACK["Resources"]["Role"]}})
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName="Empty", TemplateBody=template)
    with pytest.raises(CliError, match="the stack Empty has no function"):
        alerts.alerts(Where(stacks=["Empty"], place=HERE), Options(), json=True)


def test_a_function_of_the_stack_that_never_ran(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Lambda makes its log group at the first invocation, and Insights answers for no log group if one is not there."""
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName="Shop", TemplateBody=json.dumps(STACK))
    aws.write(GROUP, log())
    assert alerts.alerts(Where(stacks=["Shop"], place=HERE), Options("function"), json=True) == 3
    said = told(capsys)
    assert [(group["function"], group["violations"]) for group in said["groups"]] == [("checkout", 24)]
    assert said["notes"] == ["not there: /aws/lambda/refund: did the function ever run?"]


def test_a_log_group_that_is_named_and_not_there(aws: Account) -> None:
    groups = [f"/aws/lambda/f{n}" for n in range(7)]
    for group in groups[:6]:
        aws.write(group, [tmp("/tmp/x", ago(hours=1))])
    with pytest.raises(CliError, match=r"^/aws/lambda/f6: it is not there, in this account and region$"):
        alerts.alerts(Where(log_groups=groups, place=HERE), Options(), json=True)


def test_a_function_cannot_speak_for_another(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Its code can write any line into its own log, with any name in it, and into no other."""
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName="Shop", TemplateBody=json.dumps(STACK))
    aws.write(GROUP, [connect("true.example", time=ago(hours=1))])
    aws.write("/aws/lambda/refund", [connect("evil.example", time=ago(hours=1), function="checkout")])
    note = "lines in the log group /aws/lambda/refund say that they are of checkout: "
    for options in (Options(), Options("function"), Options("policy")):
        assert alerts.alerts(Where(stacks=["Shop"], place=HERE), options, json=True) == 3
        said = told(capsys)
        assert said["violations"] == 1
        assert said["notes"] == [note + "left out, for it logs elsewhere"]
    assert alerts.alerts(Where(stacks=["Shop"], place=HERE), Options(lines=True), json=True) == 3
    out, err = capsys.readouterr()
    assert "evil" not in out
    assert note in err
    messages = alerts._new_messages(Where(stacks=["Shop"], since="3h", place=HERE), lambda seconds: aws.write("x", []))
    assert json.loads(next(messages))["details"]["host"] == "true.example"
    # Of log groups by name it is not known who logs there.
    groups = [GROUP, "/aws/lambda/refund"]
    assert alerts.alerts(Where(log_groups=groups, place=HERE), Options(), json=True) == 3
    said = told(capsys)
    assert said["violations"] == 2
    assert said["notes"] == [note + "if it does not log there, they are forged"]


def test_without_credentials() -> None:
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}
    done = command("alerts", "--log-group", "x", "--region", REGION, environment=nobody)
    assert says(done) == "x: Unable to locate credentials"


def test_without_a_network(aws: Account) -> None:
    def refuse(operation: str, arguments: dict[str, object]) -> None:
        raise EndpointConnectionError(endpoint_url="https://logs.example")

    aws.refuse = refuse
    with pytest.raises(CliError, match="x: Could not connect to the endpoint URL"):
        alerts.alerts(Where(log_groups=["x"], place=HERE), Options(), json=True)


def test_many_log_groups_are_asked_in_parts(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    groups = [f"/aws/lambda/f{n}" for n in range(120)]
    for number, group in enumerate(groups):
        aws.write(group, [tmp("/tmp/x", ago(hours=1), function=f"f{number}")])
    assert alerts.alerts(Where(log_groups=groups, place=HERE), Options("function"), json=True) == 3
    assert told(capsys)["violations"] == 120
    assert [len(asked["logGroupNames"]) for asked in aws.asked] == [50, 50, 20]


def test_a_full_result_is_asked_for_in_halves(
    aws: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shielded_function_monitoring.insights.query.MAX_ROWS", 10)
    monkeypatch.setattr("shielded_function_monitoring.insights.queries.MAX_ROWS", 10)
    lines = [tmp(f"/tmp/{n % 15}", ago(hours=1 + n)) for n in range(60)]
    aws.write(GROUP, lines)
    assert alerts.alerts(Where(log_groups=[GROUP], since="7d", place=HERE), Options("target", limit=10), json=True) == 3
    said = told(capsys)
    assert (said["violations"], said["kinds"], said["whole"]) == (60, 15, True)
    assert {group["violations"] for group in said["groups"]} == {4}
    assert len(aws.asked) > 3
    spans = sorted((asked["startTime"], asked["endTime"]) for asked in aws.asked)
    assert any(start % 86400 == 0 for start, _ in spans), "parted at midnight, so that days add up"


def test_what_cannot_be_parted_is_said(
    aws: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shielded_function_monitoring.insights.query.MAX_ROWS", 3)
    monkeypatch.setattr("shielded_function_monitoring.insights.queries.MAX_ROWS", 3)
    aws.write(GROUP, [tmp(f"/tmp/{n}", ago(hours=1)) for n in range(9)])
    alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options("target", limit=3), json=True)
    said = told(capsys)
    assert said["whole"] is False
    assert "ask for less time" in str(said["notes"])


REFUSED = [
    ("StartQuery", {"log_groups": [GROUP]}, "you need logs:StartQuery"),
    ("GetQueryResults", {"log_groups": [GROUP]}, "you need logs:GetQueryResults"),
    ("GetFunctionConfiguration", {"functions": ["checkout"]}, "checkout: you need lambda:GetFunctionConfiguration"),
    ("ListStackResources", {"stacks": ["Shop"]}, "the stack Shop: you need cloudformation:ListStackResources"),
]


@pytest.mark.parametrize(("operation", "where", "said"), REFUSED)
def test_the_missing_action_is_named(aws: Account, operation: str, where: dict[str, list[str]], said: str) -> None:
    aws.write(GROUP, log())
    aws.refuse = denying(operation)
    with pytest.raises(CliError, match=said):
        alerts.alerts(Where(**where, place=HERE), Options(), json=True)  # type: ignore[arg-type]


def test_what_still_runs_is_stopped(aws: Account) -> None:
    aws.write(GROUP, log())
    aws.refuse = denying("GetQueryResults")
    with pytest.raises(CliError):
        alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True)
    assert aws.calls[-1] == "logs:StopQuery"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ResourceNotFoundException", "it is not there, in this account and region"),
        ("ExpiredTokenException", "the credentials have expired: sign in again"),
        ("MalformedQueryException", "MalformedQueryException: MalformedQueryException of the test"),
    ],
)
def test_other_refusals(aws: Account, code: str, said: str) -> None:
    aws.write(GROUP, log())
    aws.refuse = denying("StartQuery", code=code)
    with pytest.raises(CliError, match=f"{GROUP}: {said}"):
        alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True)


def test_it_waits_for_its_turn(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """An account runs so many queries at once: the others wait, longer each time."""
    aws.write(GROUP, log())
    refusals = iter([True, True, True])
    limit = denying("StartQuery", code="LimitExceededException")
    aws.refuse = lambda operation, arguments: (
        limit(operation, arguments) if operation == "StartQuery" and next(refusals, False) else None
    )
    assert alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True) == 3
    assert aws.calls.count("logs:StartQuery") == 4


def test_it_does_not_wait_for_ever(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.write(GROUP, log())
    monkeypatch.setattr(asking, "_SECONDS_TO_START", -1.0)
    aws.refuse = denying("StartQuery", code="LimitExceededException")
    with pytest.raises(CliError, match="the account runs as many queries as it may"):
        alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True)


def test_a_query_that_fails(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.write(GROUP, log())
    monkeypatch.setattr(Account, "query_results", lambda self, arguments: {"status": "Timeout", "results": []})
    with pytest.raises(CliError, match="the query ended as Timeout: ask for less time, or fewer log groups"):
        alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(), json=True)


def test_the_newest_lines_of_a_log_group(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write(GROUP, log())
    assert alerts.alerts(Where(log_groups=[GROUP], place=HERE), Options(lines=True, limit=2), json=True) == 3
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("event") for line in shown][-1] == "folded"
    assert len(shown) == 2


def test_follow_a_log_group(aws: Account) -> None:
    """Late lines too, and each once."""
    aws.write(GROUP, [connect("a.example", time=ago(hours=1))])
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 5, "it was not found"
        if len(waits) == 1:
            aws.write(GROUP, [connect("b.example", time=f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}")], "two")

    found: list[str] = []
    aws.calls.clear()
    for message in alerts._new_messages(Where(log_groups=[GROUP], since="2h", place=HERE), pause):
        found.append(json.loads(message)["details"]["host"])
        if len(found) == 2:
            break
    assert found == ["a.example", "b.example"]
    assert set(aws.calls) >= {"logs:FilterLogEvents"}


def test_follow_a_function_that_never_ran(aws: Account) -> None:
    make_role(boto3.client("iam", region_name=REGION))
    make_function(boto3.client("lambda", region_name=REGION))
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 5, "it was not found"
        aws.write(GROUP, [connect("a.example", time=f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}")])

    messages = alerts._new_messages(Where(functions=["checkout"], place=HERE), pause)
    assert json.loads(next(messages))["details"]["host"] == "a.example"
    with pytest.raises(CliError, match="nowhere: it is not there"):
        next(alerts._new_messages(Where(log_groups=["nowhere"], place=HERE)))


def test_follow_a_function_that_shares_its_log_group(aws: Account) -> None:
    make_role(boto3.client("iam", region_name=REGION))
    make_function(boto3.client("lambda", region_name=REGION))
    aws.log_groups["checkout"] = "shared"
    others = tmp("/tmp/other", ago(hours=2), function="other")
    aws.write("shared", ["START", others, connect("a.example", time=ago(hours=1))])
    messages = alerts._new_messages(Where(functions=["checkout"], since="3h", place=HERE), lambda seconds: None)
    assert json.loads(next(messages))["details"]["host"] == "a.example"


def test_the_functions_of_a_shared_log_group_are_asked_together(aws: Account) -> None:
    client = boto3.client("lambda", region_name=REGION)
    make_role(boto3.client("iam", region_name=REGION))
    make_function(client)
    aws.log_groups["checkout"] = "shared"
    batches, functions = log_groups.find_batches(Where(functions=["checkout", "checkout"], place=HERE))
    assert [(batch.log_groups, batch.functions) for batch in batches] == [(("shared",), ("checkout",))]
    assert functions == ("checkout",)
    assert FUNCTION["function"] in functions
