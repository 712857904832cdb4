"""The command line: exit statuses, what goes to stdout, and one clear line for what cannot be done."""

from __future__ import annotations

import json
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from integration.cli.running import command
from integration.docs.commands import check_options
from shielded_function.cli import learned_files, render
from shielded_function.cli.app import app
from shielded_function.layer.archive import ARCHITECTURES
from shielded_function_monitoring.insights import queries
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("cli.commands")

ALERT = {"SHIELD_OUTBOUND_CONNECTIVITY": "alert"}
BLOCK = {"SHIELD_OUTBOUND_CONNECTIVITY": "block", "SHIELD_ALLOW_OUTBOUND": "api.example.com:443"}


@pytest.mark.parametrize(
    ("shield", "target", "action", "status"),
    [
        (BLOCK, "api.example.com:443", "allow", 0),
        (BLOCK, "evil.example:443", "deny", 1),
        (ALERT, "evil.example:443", "alert", 0),
    ],
)
def test_decide(shield: Mapping[str, str], target: str, action: str, status: int) -> None:
    done = command("decide", "connect", target, "--json", environment=shield)
    assert (done.returncode, json.loads(done.stdout)["action"]) == (status, action)
    done = command("decide", "connect", target, environment=shield)
    assert (done.returncode, done.stdout.split(" ")[0]) == (status, action)


def test_decide_knows_the_region() -> None:
    here = {**BLOCK, "AWS_REGION": "eu-west-1"}
    for options, shield, status in (
        (("--region", "eu-west-1"), BLOCK, 0),
        (("--region", "us-east-1"), BLOCK, 1),
        ((), here, 0),
    ):
        asked = ("decide", "resolve", "sqs.eu-west-1.amazonaws.com", *options)
        assert command(*asked, environment=shield).returncode == status


def test_explain_shows_each_entry() -> None:
    told = json.loads(command("explain", "--json", environment=BLOCK).stdout)
    assert told["allow_outbound"]["entries"][0]["entry"] == "api.example.com:443"
    table = command("explain", environment=BLOCK).stdout
    assert "api.example.com:443" in table
    assert all(field in table for field in told if field != "stays_open")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, ["allow_aws=all"]),
        ({"SHIELD_ALLOW_AWS": "none"}, []),
        ({"SHIELD_OUTBOUND_CONNECTIVITY": "allow"}, ["outbound_connectivity=allow"]),
        ({"SHIELD_OUTBOUND_CONNECTIVITY": "alert"}, ["outbound_connectivity=alert"]),
        ({"SHIELD_CHECK_TLS_NAME": "off"}, ["allow_aws=all", "check_tls_name=off"]),
        (
            {
                "SHIELD_ALLOW_AWS": "sqs",
                "SHIELD_ALLOW_OUTBOUND": "api.stripe.com,hooks.slack.com,*.example.com,10.0.0.0/8,*.github.io",
                "SHIELD_ALLOW_CHILD_PROCESS": "/bin/cat,unshielded:/bin/x",
            },
            ["allow_aws=sqs", "hooks.slack.com", "*.example.com", "10.0.0.0/8", "*.github.io", "unshielded:/bin/x"],
        ),
    ],
)
def test_explain_says_what_stays_open(settings: dict[str, str], what: list[str]) -> None:
    shield = {"SHIELD_OUTBOUND_CONNECTIVITY": "block", **settings}
    told = json.loads(command("explain", "--json", environment=shield).stdout)["stays_open"]
    assert [each["what"] for each in told] == [*what, "the engine"]
    assert all(each["why"] and each["remedy"] for each in told)
    assert "Openings that remain" in command("explain", environment=shield).stdout


def test_policy_file(tmp_path: Path) -> None:
    """In place of the environment's; read as its ending says."""
    texts = {
        "policy": "SHIELD_READ_HANDLER=alert\n",
        "p.toml": 'read_handler = "alert"',
        "p.yaml": "read_handler: alert",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        told = json.loads(command("explain", "--json", "--policy", name, environment=BLOCK, cwd=tmp_path).stdout)
        assert (told["read_handler"]["value"], told["allow_outbound"]["value"]) == ("alert", "")
    (tmp_path / "p.lines").touch()
    assert "there is no policy" in command("explain", "--policy", "p.lines", cwd=tmp_path).stderr


def test_what_is_known_only_at_deployment(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('allow_aws = ["sqs", "granted"]')

    def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command(*arguments, "--policy", "p.toml", cwd=tmp_path)

    done = ask("decide", "connect", "dynamodb.us-east-1.amazonaws.com:443")
    assert done.returncode == 3
    assert done.stdout.startswith("unknown connect dynamodb")
    assert "known_at_deployment (granted)" in done.stdout
    for target, status in (("sqs.us-east-1.amazonaws.com:443", 0), ("evil.example:443", 1)):
        assert ask("decide", "connect", target).returncode == status
    assert json.loads(ask("decide", "--json", "resolve", "kms.us-east-1.amazonaws.com").stdout)["action"] == "unknown"
    assert "known at deployment" in " ".join(ask("explain").stdout.split())


def test_policy_file_of_the_environment_adds_to_it(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text("SHIELD_READ_WRITE_TMP=alert\nSHIELD_ALLOW_TMP=/tmp/a\nSHIELD_ALLOW_OUTBOUND=b.example\n")
    told = json.loads(command("explain", "--json", environment={**BLOCK, "SHIELD_POLICY_FILE": str(file)}).stdout)
    assert told["read_write_tmp"]["value"] == "alert"
    assert told["allow_outbound"]["value"] == "api.example.com:443,b.example"


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (("alerts", "--by"), queries.GROUPS),
        (("decide",), re.findall(r'\{"([a-z-]+)", *decide_', (native.NATIVE / "core" / "api.c").read_text())),
        (("layer", "--arch"), ARCHITECTURES),
        (("render", "--arch"), ARCHITECTURES),
        (("learn", "--format"), ("table", *learned_files.FORMATS)),
        (("render", "--format"), render.FORMATS),
    ],
)
def test_a_shell_completes_the_words_that_are_taken(arguments: tuple[str, ...], taken: Collection[str]) -> None:
    words = " ".join(("shielded-function", *arguments, ""))
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    runner = CliRunner(env={"_SHIELDED_FUNCTION_COMPLETE": "complete_bash", **asked})
    assert set(runner.invoke(app, [], prog_name="shielded-function").output.split()) == set(taken)
    wrong = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "odd"])
    assert wrong.exit_code == 2
    assert "'odd' is not one of '" in wrong.output


def test_a_letter_means_one_option_in_every_command() -> None:
    options = [param.opts for command in get_command(app).commands.values() for param in command.params]  # type: ignore[attr-defined]
    letters = {(names[0], names[-1]) for names in options if names[0].startswith("--")}
    assert {("--policy", "-p"), ("--function", "-n"), ("--output", "-o")} <= letters
    assert len({long for long, _ in letters}) == len({letter for _, letter in letters}) == len(letters)


@pytest.mark.skipif(sys.platform != "linux", reason="doctor needs Linux")
def test_doctor_reports_as_json() -> None:
    done = command("doctor", "--json")
    assert (done.returncode, platform.release() in json.dumps(json.loads(done.stdout))) == (0, True)


@pytest.mark.parametrize(
    ("absent", "said"), [("typer", "typer"), ("boto3 jinja2 rich typer", "boto3, jinja2, rich, typer")]
)
def test_without_the_extra_it_says_what_to_install(absent: str, said: str) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:])); import shielded_function.cli as cli; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script, *absent.split()], capture_output=True, text=True, check=False)
    line = f"shielded-function: the command line needs {said}: pip install 'shielded-function[cli]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


# In the order of their use: try it, learn a policy, see violations, check an app, work without the CDK.
COMMANDS = (
    "run drill fetch demo learn explain decide presets alerts report set-mode inventory audit doctor layer render"
)


def test_commands_are_in_order_with_an_example() -> None:
    """The help of each ends with a command line that its options take."""
    assert command("--version").stdout == "shielded-function 0.1.0\n"
    shown = command().stdout
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert list(commands) == COMMANDS.split()
    assert sorted(commands, key=lambda name: shown.index(f"│ {name} ")) == COMMANDS.split()
    for name, each in commands.items():
        program, *words = shlex.split(each.epilog.removeprefix("Example: "))
        assert (program, words[0]) == ("shielded-function", name)
        check_options([program, *words])
        told = CliRunner(env={"COLUMNS": "80"}).invoke(app, [name, "--help"]).stdout
        assert not re.search(r"<[a-z]|\[\[", told), told  # Python's types, and brackets in brackets
