"""`shielded-function run`: one's own functions, shielded, before anything is deployed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.alert_lines import armed, refused
from integration.cli import shop
from integration.cli.running import command, says
from shielded_function.cli.run import _print
from shielded_function_emulator import interface_emulator, places
from shielded_function_emulator.cloud_assembly import FunctionPlace
from shielded_function_emulator.emulated_function import Invocation, LogLine
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.trial import Alarm, Trial
from unit.constructs.findings.test_handler import delivery

pytestmark = pytest.mark.promise("cli.run")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop.synthesize(tmp_path_factory.mktemp("shop"))


def logical_id(assembly: Path, construct: str) -> str:
    """With the hash of the construct's path."""
    resources = json.loads((assembly / "Shop.template.json").read_text())["Resources"]
    (found,) = (name for name in resources if re.fullmatch(f"{construct}[0-9A-F]{{8}}", name))
    return found


@pytest.fixture(scope="module", autouse=True)
def _sandbox() -> None:
    with Sandbox():
        pass  # skips where this machine gives no namespaces


EVENT = json.dumps(shop.EVENT)


def test_what_a_dependency_does_is_denied_and_reported(assembly: Path) -> None:
    done = command("run", assembly, "Shop/Checkout", "--event", "-", "--json", stdin=EVENT)
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert told["function"] == "Shop/Checkout"
    assert (told["shielded"], told["failed"], told["exit_status"]) == (True, False, 3)
    assert {deed: said.partition(":")[0] for deed, said in told["result"].items()} == dict.fromkeys(
        ("http_to_address", "http_to_name", "dns_labels", "write_tmp", "run_program", "read_handler"), "failed"
    )
    assert {(alert["policy"], alert["mode"]) for alert in told["alerts"]} == {
        (policy, "block")
        for policy in ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
    }
    assert [fields["event"] for fields in told["events"]] == ["armed"]
    assert told["malformed"] == []
    assert [(alarm["before"], alarm["after"]) for alarm in told["alarms"]] == [("OK", "ALARM")] * 2
    assert "a line of the function" in [line["message"] for line in told["log"]]


def test_alert_mode_lets_everything_happen_and_shows_it(assembly: Path) -> None:
    done = command("run", assembly, "Shop/Checkout", "--event", "-", "--alert", stdin=EVENT)
    assert done.returncode == 3, done.stderr
    said = done.stdout
    assert said.startswith("Shop/Checkout returned\n{")
    result, at = json.JSONDecoder().raw_decode(said, said.index("{"))
    happened = [result[deed].partition(":")[0] for deed in ("write_tmp", "run_program", "read_handler")]
    assert happened == ["succeeded"] * 3
    # Every name resolves, nobody answers: the line has the host and the port.
    assert "Connection refused" in result["http_to_name"]
    assert result["dns_labels"].startswith("succeeded: 203.0.113.")
    assert "  a line of the function\n" in said
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in said[at:].splitlines() if "│" in line]
    assert {row[1] for row in rows if row[0]} == {"alert"}
    assert any("collector.evil.example:80" in row[-1] for row in rows), "the entry that would allow it"
    assert "collector.evil.example:80 (203.0.113.2), tcp" in said
    (row,) = (row for row in rows if row[0] == "create_child_process")
    assert (row[2], row[-1]) == ("1", "/usr/bin/id")
    assert "alarm shield-rest-Shop-Checkout: OK before, ALARM after" in said, "the alarm's name is the template's"
    assert '"policy":' not in said, "alert lines are in the table"


def test_hosts_with_a_reply_answer(assembly: Path, tmp_path: Path) -> None:
    """Over HTTP and TLS, for each event; a denied host stays denied."""
    (tmp_path / "charge.json").write_text('{"id": 1}')
    asked = ("https://api.good.example/v1", "http://api.good.example/", "https://evil.example/")
    (tmp_path / "asked.jsonl").write_text("".join(f"{json.dumps(url)}\n\n" for url in asked))
    answers = ("--reply", "api.good.example=charge.json", "--reply", "down.*=503", "--reply", "evil.example=200")
    events = ("--event", "asked.jsonl", "--event", "-")
    done = command(
        "run", assembly, "Asks", *events, *answers, "--json", stdin='"https://down.good.example"', cwd=tmp_path
    )
    assert done.returncode == 3, done.stdout + done.stderr
    told = json.loads(done.stdout)
    answered = [200, "application/json", '{"id": 1}']
    down = ["HTTPError", "HTTP Error 503: Service Unavailable"]
    first, second, (denied, _), last = told["results"]
    assert (first, second, denied, last, told["result"]) == (answered, answered, "URLError", down, down)
    assert {alert["details"].get("host") for alert in told["alerts"]} == {"evil.example"}
    assert told["events"][0]["event"] == "armed"
    assert len(told["events"]) == 1, "the events follow each other in one sandbox"


def test_moto_answers_for_the_granted_services(assembly: Path) -> None:
    pytest.importorskip("moto.moto_server")
    answer = ("--reply", "*.amazonaws.com=moto", "--event", "-", "--json")
    told = json.loads(command("run", assembly, "Asks", *answer, stdin='"1042"').stdout)
    assert told["result"][0] == "EndpointConnectionError", told
    assert "secretsmanager.eu-west-1" in told["result"][1], "DynamoDB has answered twice before"
    assert {alert["details"]["host"] for alert in told["alerts"]} == {"secretsmanager.eu-west-1.amazonaws.com"}


def test_without_a_shield(assembly: Path) -> None:
    done = command("run", assembly, "Plain", "--event", "-", "--json", stdin=EVENT)
    assert done.returncode == 0
    assert done.stderr == "shielded-function: Shop/Plain has no shield: it runs unshielded\n"
    told = json.loads(done.stdout)
    assert (told["shielded"], told["alerts"], told["alarms"]) == (False, [], [])
    assert told["alarms_note"] == "the app has no alarm on this function's violations"
    assert told["result"]["run_program"].startswith("succeeded")


def test_values_that_only_a_deployment_knows(assembly: Path) -> None:
    said = says(command("run", assembly, "quiet-one"))
    assert said.startswith("Shop/Quiet: its environment: STAGE has Ref StageName")
    assert "(give --value StageName=... or --env STAGE=...)" in said

    topic = logical_id(assembly, "Topic")
    given = ("--value", f"{topic}=arn:aws:sns:eu-west-1:210987654321:news", "--env", "STAGE=x=y", "--env", "GREETING=")
    done = command("run", assembly, "quiet-one", *given, "--event", "-", "--json", stdin='["é"]')
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["alerts"] == []
    assert told["alarms"][0]["after"] == "OK"
    assert told["result"]["event"] == ["é"]
    variables = told["result"]["variables"]
    assert variables.pop("TABLE").startswith("Shop-Orders")
    assert variables == {"TOPIC": "arn:aws:sns:eu-west-1:210987654321:news", "STAGE": "x=y", "GREETING": ""}


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("Quiet", "--env", "TOPIC=t", "--env", "STAGE=s", "--event", "-"), 1, '"errorMessage": "as asked"'),
        (("Shop/Checkout", "--env", "SHIELD_READ_HANDLER=blok"), 1, "OK before, ALARM after"),
        (("Shop/Nested/Checkout",), 0, "returned\nShop-Orders"),  # which the outer stack gives
    ],
)
def test_what_becomes_of_it(assembly: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = command("run", assembly, *arguments, stdin='"fail"')
    assert done.returncode == status, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(
    ("line", "said"), [(refused("no such mode"), "start refused: no such mode"), (armed(), "no alerts")]
)
def test_why_an_alarm_fires_without_an_alert(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    place = FunctionPlace("Shop", "Fn", "Shop/Fn", "")
    log = (LogLine(0, line),)
    alarms = (Alarm("shield-Shop-Fn", "FnAlarm", "OK", "ALARM"),)
    _print(place, Trial((Invocation(200, None, log),), ShieldLog.of(log), alarms, "", "root"))
    shown = capsys.readouterr().out.splitlines()
    alarm = shown.index("alarm shield-Shop-Fn: OK before, ALARM after")
    assert shown[alarm - 1] == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Checkout",), "Checkout may be any of Shop/Checkout, Shop/Nested/Checkout: give the construct path"),
        (("Chekout",), "; there are: Shop/Checkout, Shop/Plain, Shop/Quiet, "),
        (("Plain", "--event", "nowhere.json"), "the event nowhere.json cannot be read: No such file or directory"),
        (("Plain", "--event", "broken.json"), "the event broken.json is not JSON: Expecting property name"),
        (("Plain", "--env", "X"), "--env X: write NAME=value"),
        (("Plain", "--value", "X=1", "--value", "X=2"), "--value X is given twice"),
        (("Plain", "--layer", "arn=nowhere"), "--layer arn: nowhere does not exist"),
        (("Plain", "--reply", "a.example=nowhere.json"), "--reply a.example=nowhere.json: No such file or directory"),
        (("Plain", "--reply", "a.example=999"), "--reply a.example=999: 999 is not a valid HTTPStatus"),
        (
            ("Plain", "--reply", "https://a.example=200"),
            "--reply https://a.example: give a host's name, without a scheme",
        ),
        (("Plain", "--reply", "a.example"), "--reply a.example: write HOST=FILE, HOST=STATUS or HOST=moto"),
        (("Plain", "--alert"), "Shop/Plain has no shield, so it has no policy to put in alert mode"),
    ],
)
def test_what_is_wrong_is_named(assembly: Path, arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    assert said in says(command("run", assembly, *arguments, cwd=tmp_path))


def test_without_an_assembly_or_the_emulator(assembly: Path, tmp_path: Path) -> None:
    said = says(command("run", tmp_path, "Checkout"))
    assert said.startswith(f"{tmp_path} is not the output of `cdk synth`: ")
    said = says(command("run", assembly, "Shop/Checkout", environment={"EMULATED_LAMBDA_RIE": "/nowhere/rie"}))
    assert said == "/nowhere/rie is missing: run `make setup`, or set EMULATED_LAMBDA_RIE"


@pytest.mark.parametrize("name", ["run", "drill"])
def test_without_the_extra_packages(assembly: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "dnslib.py").write_text("raise ModuleNotFoundError(\"No module named 'dnslib'\")\n")
    said = says(command(name, assembly, "Plain", environment={"PYTHONPATH": str(tmp_path)}))
    assert said == (
        "the emulated Lambda needs more packages (No module named 'dnslib'): pip install \"shielded-function[run]\""
    )


# In a user namespace that may make no others, and without capabilities there: as in a container without privileges.
UNPRIVILEGED = """
import os, sys
from shielded_function_emulator import kernel
uid = os.getuid()
kernel.new_user_namespace(1000, 1000, 0)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.executable, [sys.executable, "-m", "shielded_function.cli", *sys.argv[1:]])
"""


def test_where_no_namespaces_are_allowed(assembly: Path) -> None:
    program = [sys.executable, "-c", UNPRIVILEGED, "run", str(assembly), "Shop/Checkout"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    if "Permission denied: '/proc/sys/user" in done.stderr:
        pytest.skip("this kernel lets nobody forbid user namespaces")
    said = says(done)
    assert said.startswith("an emulated Lambda needs root or unprivileged user namespaces: ")
    assert said.endswith("run it with sudo, or, in a container, start that with --privileged")


def test_fetch_lists_the_runtimes() -> None:
    """As docs/guide/command-line.md says."""
    told = json.loads(command("fetch", "--list", "--json").stdout)
    states = {row["runtime"]: row["state"] for row in told["runtimes"]}
    assert states[f"python3.{sys.version_info.minor}"] == "here"
    assert {"nodejs22.x", "java21", "python3.13"} <= set(states)


def fetch_from(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """pip is played: it downloads a wheel whose programs have this content."""

    def download(into: Path) -> Path:
        with zipfile.ZipFile(into / "wheel.whl", "w") as wheel:
            for name in interface_emulator._SHA256:
                wheel.writestr(f"samcli/local/rapid/{name}", content)
        return into / "wheel.whl"

    monkeypatch.setattr(interface_emulator, "_download", download)


def test_the_emulator_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Into the user's cache, where there is no checkout."""
    content = interface_emulator.path().read_bytes()
    monkeypatch.delenv(interface_emulator.VARIABLE, raising=False)
    monkeypatch.setattr(places, "checkout", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "shielded-function"
    names = interface_emulator._SHA256
    monkeypatch.setattr(interface_emulator, "_SHA256", dict.fromkeys(names, interface_emulator._digest(content)))
    fetch_from(monkeypatch, content)
    told: list[str] = []
    for _ in range(2):
        interface_emulator.provide(told.append)
    fetching = f"fetching AWS's Lambda runtime interface emulator (in {interface_emulator._REQUIREMENT}, once) into"
    assert told == [f"{fetching} {folder}"]
    assert interface_emulator.path().parent == folder
    assert interface_emulator.path().stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_another_emulator_than_the_one_that_was_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fetch_from(monkeypatch, b"something else")
    with pytest.raises(interface_emulator.FetchError, match="has SHA-256"):
        interface_emulator.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_index_to_fetch_from(tmp_path: Path) -> None:
    environment = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_INDEX": "1", "PIP_RETRIES": "0"}
    fetch = [sys.executable, "-m", "shielded_function_emulator.interface_emulator", str(tmp_path)]
    done = subprocess.run(fetch, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("pip could not download aws-sam-cli==")
    assert done.stderr.count("\n") == 1


def test_the_findings_function_keeps_to_its_policy(assembly: Path) -> None:
    """It asks for DynamoDB, which its policy allows and this sandbox's network refuses; nothing is reported."""
    table = f"{logical_id(assembly, 'FindingsSeen')}=seen"
    lines = json.dumps(delivery([refused("no such mode")]))
    done = command("run", assembly, "Shop/Findings/Function", "--event", "-", "--value", table, "--json", stdin=lines)
    told = json.loads(done.stdout)
    assert (told["shielded"], told["alerts"], told["result"]["errorType"]) == (True, [], "EndpointConnectionError")
    assert "dynamodb.eu-west-1.amazonaws.com" in told["result"]["errorMessage"]
