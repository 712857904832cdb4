"""What `make test-aws` does, without AWS.

Deploying, reading and deleting run against moto's server. moto runs no functions, filters no logs and evaluates no
alarms: in its place stand the answers and lines of `Lambda` below. `test_emulated.py` runs the functions themselves.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from harness.moto_server import ACCOUNT, QUALIFIER, REGION, MotoServer, moto_server, stacks
from integration.aws import run
from integration.aws.account import Account
from integration.aws.observe import Observed, invoke, observe_log, sort_lines
from integration.aws.run import ATTACKED, SUFFIXES, Patience
from integration.aws.stack import CDK, LeftBehind, Stack, deployed
from integration.aws.verdict import DEEDS, QUESTIONS, checks, facts_of, table
from integration.deployed.loader import load
from shielded_function_monitoring import NAMESPACE, metric_name

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
STACK = "shielded-function-test-0123abcd"
NO_TIME = Patience(log=0.01, alarm=0.01)
ARMED = '{"function_shield":true,"v":1,"timestamp":"2026-11-24T13:37:00.123456Z","level":"INFO","event":"armed"}'
REPORT = "REPORT RequestId: 1\tDuration: 2.00 ms\tMax Memory Used: 40 MB\tInit Duration: 312.50 ms\t"
DOCTOR = {"outcome": "refused", "value": None, "error": "EPERM", "signal": None, "meaning": "x"}

needs_cdk = pytest.mark.skipif(not CDK.exists(), reason="the CDK command line is not in node_modules (make setup)")


def alert(policy: str, mode: str) -> str:
    head = {"function_shield": True, "v": 1, "timestamp": "2026-11-24T13:37:00.123456Z", "level": "WARN"}
    return json.dumps({**head, "policy": policy, "mode": mode, "count": 1, "details": {"path": "/tmp/x"}, "pid": 17})


def answer(role: str) -> Any:
    if role == "Doctor":
        return {"doctor": {"seccomp": DOCTOR}, "facts": {"kernel": "Linux 5.10", "resolv.conf": "a\nb"}}
    return dict.fromkeys(DEEDS, "failed: EACCES" if role == "Blocked" else "succeeded: x")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    folder = tmp_path_factory.mktemp("moto")
    with moto_server(folder / "moto.log") as running:
        yield running


@pytest.fixture(scope="module")
def bootstrapped(server: MotoServer, tmp_path_factory: pytest.TempPathFactory) -> MotoServer:
    folder = tmp_path_factory.mktemp("bootstrap")
    options = ("--qualifier", QUALIFIER, "--app", "")
    done = server.cdk("bootstrap", *options, f"aws://{ACCOUNT}/{REGION}", home=folder, cwd=folder)
    assert done.returncode == 0, done.stdout
    return server


@pytest.fixture
def as_aws(server: MotoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CDK_HOME", str(tmp_path))


class Lambda:
    """Stands in for what moto does not do: it answers, logs, counts and raises alarms."""

    def __init__(self, server: MotoServer) -> None:
        self.server = server
        self.loaded = False
        self.invoked: list[str] = []
        self.fails_at: BaseException | int | None = None

    def invoke(self, account: Account, function: str, event: dict[str, Any]) -> Any:
        """As `observe.invoke`, which it calls in between."""
        (stack,) = stacks(self.server)
        if not self.loaded:
            load(self.server, stack)
            self.loaded = True
        construct = function.removeprefix(f"{stack}-")
        self.invoked.append(construct)
        if isinstance(self.fails_at, int):
            signal.raise_signal(self.fails_at)
        if isinstance(self.fails_at, BaseException):
            raise self.fails_at
        role = next(role for role in (*ATTACKED, "Doctor") if construct.startswith(role))
        said = json.dumps(answer(role))
        self.server.post("/moto-api/static/lambda-simple/response", {"results": [said], "region": REGION})
        if role != "Doctor":
            self.log(stack, construct, {"Blocked": "block", "Watched": "alert"}[role])
            self.count(function)
        return invoke(account, function, event)

    def log(self, stack: str, construct: str, mode: str) -> None:
        """Writes a function's lines where the template lets it log."""
        logs = self.server.client("logs")
        role = construct[:9] if construct.startswith(("BlockedX", "WatchedX")) else construct[:10]
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        (group,) = [name for name in groups if name.startswith(f"{stack}-{role}")]
        lines = ["START", ARMED, *(alert(policy, mode) for policy in dict.fromkeys(DEEDS.values())), REPORT]
        now = int(time.time() * 1000)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        events = [{"timestamp": now, "message": line + "\n"} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)

    def count(self, function: str) -> None:
        """What the filter and the alarm would do."""
        cloudwatch = self.server.client("cloudwatch")
        policies = len(set(DEEDS.values()) - {"read_handler"})  # which the default alarm does not count
        dimensions = [{"Name": "FunctionName", "Value": function}, {"Name": "Level", "Value": "WARN"}]
        before = datetime.now(timezone.utc) - timedelta(seconds=2)  # moto leaves out the second that is asked in
        data = {"MetricName": metric_name(), "Dimensions": dimensions, "Value": float(policies), "Timestamp": before}
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[data])
        alarms = cloudwatch.describe_alarms_for_metric(Namespace=NAMESPACE, MetricName=metric_name())["MetricAlarms"]
        (found,) = [alarm for alarm in alarms if alarm["Dimensions"] == dimensions]
        cloudwatch.set_alarm_state(AlarmName=found["AlarmName"], StateValue="ALARM", StateReason="test")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, synthesized once for all runs."""
    folder = tmp_path_factory.mktemp("assembly") / "cdk.out"
    Stack(STACK, folder, QUALIFIER, Account(None, ACCOUNT, REGION, "nobody")).synthesize()
    return folder


@pytest.fixture
def functions(bootstrapped: MotoServer, assembly: Path, as_aws: None, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    made = Lambda(bootstrapped)
    monkeypatch.setattr(run, "invoke", made.invoke)
    monkeypatch.setattr(run, "unique_name", lambda prefix: STACK)
    monkeypatch.setattr(Stack, "synthesize", lambda stack: shutil.copytree(assembly, stack.assembly))
    return made


def assets(server: MotoServer) -> set[str]:
    listed = server.client("s3").list_objects_v2(Bucket=f"cdk-{QUALIFIER}-assets-{ACCOUNT}-{REGION}")
    return {found["Key"] for found in listed.get("Contents", [])}


@needs_cdk
def test_a_whole_run(functions: Lambda, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "facts.json"
    status = run.main(["--qualifier", QUALIFIER, "--json", str(file)], NO_TIME)
    printed = capsys.readouterr()
    assert status == 0, printed.out + printed.err
    told = json.loads(file.read_text())
    assert len(functions.invoked) == 6
    assert {check["function"] for check in told["checks"]} == {f"{r}{s}" for r in ATTACKED for s in SUFFIXES}
    assert all(check["holds"] for check in told["checks"])
    assert told["facts"]["DoctorArm64"]["may a process call seccomp(2)?"] == "refused: EPERM"
    assert told["init_ms"] == {f"{role}{suffix}": 312.5 for role in ATTACKED for suffix in SUFFIXES}
    before, _, after = printed.out.partition("attacking")
    for said in (ACCOUNT, REGION, "6 x AWS::Lambda::Function", "8 x AWS::CloudWatch::Alarm", "cost: "):
        assert said in before
    assert "everything is deleted" in after
    assert "does the process engine arm?" in after
    assert stacks(functions.server) == []
    assert assets(functions.server) == set()


@needs_cdk
@pytest.mark.parametrize(
    ("failing", "status", "said"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 130, "interrupted"),
        (run.InvocationFailed("checkout: Unhandled: boom"), 1, "boom"),
    ],
    ids=["Ctrl-C", "SIGTERM", "a function fails"],
)
def test_it_cleans_up(
    functions: Lambda, failing: BaseException | int, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.fails_at = failing
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert run.main(["--qualifier", QUALIFIER], NO_TIME) == status
    assert said in capsys.readouterr().err
    assert functions.invoked
    assert stacks(functions.server) == []
    assert assets(functions.server) == set()
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


@needs_cdk
def test_assets_that_were_there_before_stay(functions: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer of the same content belongs to somebody's function."""
    s3 = functions.server.client("s3")
    kept: set[str] = set()

    def deploy(stack: Stack) -> dict[str, str]:
        key, bucket = next((key, bucket) for key, bucket in stack.assets().items() if key.endswith(".zip"))
        s3.put_object(Bucket=bucket, Key=key, Body=b"before")
        kept.add(key)
        return real_deploy(stack)

    real_deploy = Stack.deploy
    monkeypatch.setattr(Stack, "deploy", deploy)
    functions.fails_at = run.InvocationFailed("enough")
    run.main(["--qualifier", QUALIFIER], NO_TIME)
    assert assets(functions.server) == kept
    for key in kept:
        s3.delete_object(Bucket=f"cdk-{QUALIFIER}-assets-{ACCOUNT}-{REGION}", Key=key)


@needs_cdk
def test_the_plan_alone_creates_nothing(functions: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--qualifier", QUALIFIER, "--plan"]) == 0
    assert "2 x AWS::Lambda::LayerVersion" in capsys.readouterr().out
    assert functions.invoked == []
    assert assets(functions.server) == set()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "no AWS credentials: set AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}, "no AWS region: set AWS_REGION"),
        ({"AWS_PROFILE": "nobody"}, "the AWS configuration cannot be used: "),
        (
            {
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "y",
                "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
                "AWS_MAX_ATTEMPTS": "1",
            },
            "the AWS credentials do not work: ",
        ),
    ],
    ids=["no credentials", "no region", "no such profile", "nobody answers"],
)
def test_it_refuses_in_one_line(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": str(tmp_path)}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(
        [sys.executable, "-m", "integration.aws.run"],
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith(f"test-aws: {said}")
    assert done.stderr.count("\n") == 1


def test_it_refuses_an_account_without_a_bootstrap(as_aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--qualifier", "nobody"]) == 2
    printed = capsys.readouterr()
    assert f"npx cdk bootstrap aws://{ACCOUNT}/{REGION}" in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


class FakeStack:
    """Fails to be deployed, or to be deleted."""

    name = "one"

    def __init__(self, *, deploys: bool = True, left: tuple[str, ...] = ()) -> None:
        self.deploys, self.left, self.deleted = deploys, left, 0

    def deploy(self) -> dict[str, str]:
        if not self.deploys:
            raise run.StackError("cdk deploy failed")
        return {}

    def delete(self) -> list[str]:
        signal.raise_signal(signal.SIGINT)  # a second Ctrl-C, now that it has to go on
        self.deleted += 1
        return list(self.left)


def test_a_deployment_that_fails_is_deleted() -> None:
    stack = FakeStack(deploys=False)
    with pytest.raises(run.StackError, match="cdk deploy failed"), deployed(stack, print):  # pyright: ignore[reportArgumentType]
        pass
    assert stack.deleted == 1


def test_what_is_left_behind_is_named() -> None:
    stack = FakeStack(left=("stack one", "AWS::S3::Bucket b"))
    with pytest.raises(LeftBehind, match=r"(?s)stack one.*AWS::S3::Bucket b"), deployed(stack, print):  # pyright: ignore[reportArgumentType]
        pass


def test_a_deletion_that_fails_names_what_is_there(tmp_path: Path) -> None:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name=REGION)
    client = session.client("cloudformation")
    summary = {"LogicalResourceId": "L", "LastUpdatedTimestamp": datetime.now(timezone.utc)}
    with Stubber(client) as stub:
        stub.add_response("delete_stack", {}, {"StackName": "one"})
        failed = {"StackName": "one", "CreationTime": datetime.now(timezone.utc), "StackStatus": "DELETE_FAILED"}
        stub.add_response("describe_stacks", {"Stacks": [failed]}, {"StackName": "one"})
        kept = [
            {
                **summary,
                "ResourceType": "AWS::IAM::Role",
                "PhysicalResourceId": "r",
                "ResourceStatus": "DELETE_COMPLETE",
            },
            {
                **summary,
                "ResourceType": "AWS::Logs::LogGroup",
                "PhysicalResourceId": "g",
                "ResourceStatus": "DELETE_FAILED",
            },
        ]
        stub.add_response("list_stack_resources", {"StackResourceSummaries": kept}, {"StackName": "one"})

        class Session:
            def client(self, service: str, config: object) -> Any:
                assert service == "cloudformation"
                return client

        stack = Stack("one", tmp_path, "q", Account(Session(), ACCOUNT, REGION, "me"))
        assert stack._delete_stack() == ["stack one", "AWS::Logs::LogGroup g"]


def test_the_log_is_waited_for(as_aws: None, server: MotoServer) -> None:
    logs = server.client("logs")
    logs.create_log_group(logGroupName="late")
    logs.create_log_stream(logGroupName="late", logStreamName="one")
    later = [[ARMED], [alert("read_write_tmp", "block")], [REPORT]]
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if later:
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in later.pop(0)]
            logs.put_log_events(logGroupName="late", logStreamName="one", logEvents=events)

    account = Account(boto3.Session(), ACCOUNT, REGION, "me")
    observed = Observed("late", {})
    observe_log(account, observed, "late", {"read_write_tmp"}, seconds=60, wait=wait)
    assert waited == [5.0] * 3
    assert [found.policy for found in observed.alerts] == ["read_write_tmp"]
    assert (observed.init_ms, [event.event for event in observed.events]) == (312.5, ["armed"])
    logs.delete_log_group(logGroupName="late")


def test_stacks_have_names_of_their_own() -> None:
    names = {run.unique_name("shielded-function-test") for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("shielded-function-test-") for name in names)


def good(role: str, mode: str) -> Observed:
    observed = Observed("one", answer(role), violations=3, alarm="ALARM")  # all but read_handler
    sort_lines(observed, [ARMED, *(alert(policy, mode) for policy in dict.fromkeys(DEEDS.values())), REPORT])
    return observed


@pytest.mark.parametrize(("role", "mode"), [("Blocked", "block"), ("Watched", "alert")])
def test_checks_of_what_is_as_expected(role: str, mode: str) -> None:
    assert [check for check in checks(role, role, good(role, mode)) if not check.holds] == []


def test_checks_tell_what_is_not() -> None:
    observed = good("Blocked", "block")
    observed.answer["write_tmp"] = "succeeded: 19 characters"
    observed.alerts = observed.alerts[1:]
    observed.events, observed.alarm, observed.malformed = [], "OK", ["level: missing: {}"]
    failed = [check for check in checks("Blocked", "BlockedX8664", observed) if not check.holds]
    assert [check.what for check in failed] == [
        "write_tmp is denied",
        "an alert line for outbound_connectivity",
        "an armed line",
        "every line follows the schema",
        "the metric counts each violation",
        "the alarm fires",
    ]
    shown = table({"checks": [vars(check) for check in failed], "facts": {}, "init_ms": {"BlockedX8664": None}})
    assert "NOT  BlockedX8664   write_tmp is denied: succeeded: 19 characters" in shown
    assert "not reported" in shown


def test_every_question_has_an_answer() -> None:
    facts = facts_of({"doctor": {"seccomp": DOCTOR}, "facts": {}})
    assert list(facts) == list(QUESTIONS)
    assert facts["may a process call seccomp(2)?"] == "refused: EPERM"
    assert facts["file systems"] == "not told"
