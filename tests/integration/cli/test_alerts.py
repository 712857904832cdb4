"""`shielded-function alerts`: from files and from stdin."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.alert_lines import alert, armed, connect, folded, program, refused, tmp
from integration.cli import alert_logs
from integration.cli.alert_logs import CHAIN, packages_log
from integration.cli.insights_account import ago
from integration.cli.running import command

pytestmark = pytest.mark.promise("cli.logs")


Log = Callable[..., Path]


@pytest.fixture
def file(log: Log) -> Path:
    return log(*alert_logs.log())


def groups_of(file: Path, *options: str) -> list[Any]:
    return json.loads(command("alerts", file, *options, "--json").stdout)["groups"]


def test_groups_of_a_file(file: Path) -> None:
    done = command("alerts", file, "--json")
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert (said["violations"], said["kinds"], said["whole"]) == (24, 4, True)
    assert [(each["severity"], each["policy"], each["violations"]) for each in said["groups"]] == [
        ("warning", "outbound_connectivity", 4),
        ("warning", "outbound_connectivity", 1),
        ("warning", "read_write_tmp", 18),
        ("notice", "read_write_tmp", 1),
    ], "the most severe first, then the most frequent"
    details = {"host": "api.stripe.com", "ip": "198.51.100.7", "port": 443, "protocol": "tcp"}
    assert said["groups"][0] == {
        "severity": "warning", "function": "checkout", "region": "eu-west-1", "account": "123456789012",
        "policy": "outbound_connectivity", "mode": "alert", "details": details, "allow": "api.stripe.com:443",
        "caller": "libssl.so", "violations": 4, "lines": 4, "days": 1, "first_seen": ago(hours=2),
        "last_seen": ago(hours=2), "first_version": "7", "last_version": "7",
    }  # fmt: skip


def test_what_has_no_target(log: Log) -> None:
    """A system call is better than nothing; and the last target of several does not pass for the only one."""
    protected = alert("self_protection", syscall="mprotect", mode="block")
    last = {"path": "/usr/bin/uname", "syscall": "execve"}
    lines = [folded("create_child_process", 51, mode="block", details=last), refused("x"), protected]
    lines.append(folded("self_protection", 2, event="repeated", mode="block", details={"syscall": "mprotect"}))
    file = log(*lines)
    assert [
        (each.get("event"), each["severity"], each.get("details"), each["violations"]) for each in groups_of(file)
    ] == [
        ("refused", "critical", None, 1),
        ("repeated", "critical", {"syscall": "mprotect"}, 2),
        (None, "critical", {"syscall": "mprotect"}, 1),
        ("folded", "critical", {"path": "/usr/bin/uname"}, 51),
    ]
    shown = command("alerts", file, environment={"COLUMNS": "400"}).stdout
    for text in (" refused ", " mprotect ", " again, the last: mprotect ", " not written, the last: /usr/bin/uname "):
        assert text in shown
    lines = sorted(line.split("  ", 2)[2] for line in command("alerts", file, "--lines").stdout.splitlines())
    assert lines == [
        "block  self_protection  mprotect",
        "folded  create_child_process the last: /usr/bin/uname  (51 times)",
        "refused  start x",
        "repeated  self_protection the last: mprotect  (2 times)",
    ]
    report = json.loads(command("report", file, "--json").stdout)["groups"]
    found = {(each["target"], each["count"]) for each in report if each["policy"] == "self_protection"}
    assert found == {("mprotect", 3)}


def test_a_call_through_another_package(log: Log) -> None:
    of_package = {"reason": "package", "through": ["urllib3", "leftpad", "app"], "allow": "api.example:443 by x"}
    again = json.loads(connect("api.example", allow="api.example:443 by leftpad>app", reason="package"))
    again = folded(
        "outbound_connectivity", 2, event="repeated", **{n: again[n] for n in ("reason", "details", "allow")}
    )
    smuggled = {**of_package, "through": ["x,*.example"]}
    lines = [connect("api.example", **of_package), connect("evil.example", allow="evil.example:443"), again]
    lines += [connect("b.example", **smuggled), connect("evil.example", **of_package)]
    file = log(*lines)
    settled = "api.example:443 by urllib3>leftpad>app"
    assert [(each["severity"], each.get("reason"), each["allow"]) for each in groups_of(file)] == [
        ("warning", None, "evil.example:443"),
        ("notice", "package", "api.example:443 by leftpad>app"),  # repeated: the line has its packages there alone
        ("notice", "package", settled),
        ("notice", "package", "b.example:443"),
        ("notice", "package", settled.replace("api", "evil")),
    ]
    assert f"[allow: {settled}]" in command("alerts", file, "--lines").stdout
    report = json.loads(command("report", file, "--json").stdout)["groups"]
    assert [(each["target"], each["severity"], each["reason"], each["count"]) for each in report] == [
        ("evil.example:443", "warning", "", 1),
        ("api.example:443", "notice", "package", 3),
        ("b.example:443", "notice", "package", 1),
        ("evil.example:443", "notice", "package", 1),
    ]


@pytest.mark.promise("alert.severity")
def test_the_lines_own_severity_is_the_word(log: Log) -> None:
    """What went through is critical where the policy blocks another control, which no other reader knows."""
    through = connect("evil.example").replace('"severity":"warning"', '"severity":"critical"')
    lines = [through, through.replace("critical", "urgent").replace("evil", "odd"), connect("late.example")]
    file = log(tmp("/tmp/x"), *lines)
    expected = {"evil": "critical", "odd": "warning", "late": "warning"}
    targets = {each["details"]["host"]: each["severity"] for each in groups_of(file) if "host" in each["details"]}
    assert targets == {f"{name}.example": severity for name, severity in expected.items()}
    assert groups_of(file)[0]["details"]["host"] == "evil.example"
    assert groups_of(file, "--by", "policy")[0]["severity"] == "critical"
    report = json.loads(command("report", file, "--json").stdout)["groups"]
    assert (report[0]["target"], report[0]["severity"]) == ("evil.example:443", "critical")


def test_by_package(log: Log) -> None:
    file = log(*packages_log())
    groups = groups_of(file, "--by", "package")
    assert [(each.get("package"), each.get("through"), each.get("caller"), each["violations"]) for each in groups] == [
        ("requests", list(CHAIN), None, 4),
        ("botocore", ["urllib3", "botocore", "app"], None, 1),
        (None, None, "libuv.so", 1),
        (None, None, None, 1),
    ]
    table = command("alerts", file, "--by", "package").stdout
    assert [[cell.strip() for cell in line.split("│")[2:4]] for line in table.splitlines() if "│" in line] == [
        ["app > requests > urllib3", ""],
        ["app > botocore > urllib3", ""],
        ["(unknown)", "libuv.so"],
        ["(unknown)", ""],
    ]
    table = command("alerts", file).stdout
    assert "app > requests > urllib3" in table
    assert "libuv.so" in table, "the object, where no package is told"
    lines = command("alerts", file, "--lines").stdout.splitlines()
    assert lines[0].partition(", tcp  ")[2] == (
        "by _socket.so  for app > requests > urllib3 at /var/task/urllib3/code.py:73  [allow: a.example:443]"
    )


def test_the_page_shows_a_package(log: Log) -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "command-line.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    file = log(*[connect("api.stripe.com", caller="_socket.so", through=CHAIN)] * 41)
    assert groups_of(file, "--by", "package") == [json.loads(shown)]


def test_presets_that_would_settle_it(log: Log) -> None:
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
    file = log(*lines)
    found = [(each["policy"], *each.get("presets", ())) for each in groups_of(file)]
    assert found[0] == ("create_child_process", "matplotlib")
    of_memory = [(), (), ("lightgbm",), ("numba",)]
    assert sorted(found[1:5]) == [("executable_memory", *names) for names in of_memory]
    assert sorted(found[5:]) == [("read_write_tmp", *names) for names in ((), (), ("snappy-java",))]
    printed = command("alerts", file, "--lines").stdout
    assert "[allow: /tmp/snappy-1.1.10-0b5c-libsnappyjava.so or preset:snappy-java]" in printed
    assert "[allow: libllvmlite or preset:numba]" in printed


def test_programs_that_tell_what_the_machine_is(log: Log) -> None:
    """A notice, with the preset that admits it."""
    search = program("/usr/sbin/ldconfig", mode="block", allow="unshielded:/usr/sbin/ldconfig")
    file = log(program("/usr/bin/uname", mode="block"), search, program("/usr/bin/id", mode="block"))
    assert [(each["details"]["path"], each["severity"], each.get("presets")) for each in groups_of(file)] == [
        ("/usr/bin/id", "critical", None),
        ("/usr/bin/uname", "notice", ["platform-calls"]),
        ("/usr/sbin/ldconfig", "notice", ["find-library"]),
    ]
    told = json.loads(command("report", file, "--json").stdout)
    assert [each["severity"] for each in told["groups"]] == ["critical", "notice", "notice"]


def test_since_and_until_of_a_file(file: Path) -> None:
    for span, count in ((("--since", "90m"), 18), (("--until", "90m"), 6), (("--until", ago(hours=2)), 6)):
        assert json.loads(command("alerts", file, *span, "--json").stdout)["violations"] == count


KINDS = [
    *(
        connect(f"h{n}.example", caller="_socket.so", through=CHAIN, mode="block")
        for n in range(1, 61)
        for _ in range(n)
    ),
    tmp("/tmp/" + "a-rather-long-name/" * 9, caller="libz.so"),
    alert("self_protection", mode="block"),
]


@pytest.mark.parametrize("by", ["function", "policy", "package", "target"])
def test_it_fits_the_terminal(by: str, log: Log) -> None:
    file = log(*KINDS)
    for columns in (40, 80, 120, 200):
        said = command("alerts", file, "--by", by, environment={"COLUMNS": str(columns)}).stdout
        assert max(map(len, said.splitlines())) <= columns
        assert "checkout" in said or columns > 80, "no word is cut into columns of letters"


SEEN = "first 2026-11-20 10:00   last 2026-11-20 10:00   version 7"


def test_a_narrow_terminal_gets_a_card_for_each_row(log: Log) -> None:
    file = log(*KINDS)
    said = command("alerts", file, environment={"COLUMNS": "80"}).stdout.splitlines()
    assert said[1:4] == [
        "critical  checkout  self_protection  block",
        f"  times 1   what connect   {SEEN.removesuffix('   version 7')}",
        "  version 7",
    ]
    assert said[4:8] == [
        "critical  checkout  outbound_connectivity  block",
        "  times 60   what h60.example:443 (198.51.100.7), tcp",
        "  who app > requests > urllib3 at /var/task/urllib3/code.py:73",
        f"  {SEEN}",
    ]
    assert len(said) < 300
    assert "50 of 62: the most severe are shown; --all shows all" in said[-2]
    assert "h1.example" not in " ".join(said)
    every = command("alerts", file, "--all").stdout
    assert "h1.example" in every
    assert "/tmp/a-rather" in every
    assert len(groups_of(file)) == 62


def test_no_control_fills_the_table_alone(log: Log) -> None:
    """Lines that code prints, of a control that is shown first and with a huge count, hide no other's."""
    forged = [alert("self_protection", path=f"/proc/{n}/mem") for n in range(60)]
    huge = [each.replace('"count":1', '"count":10000000') for each in forged]
    for lines in (huge, forged, [each for each in forged for _ in range(3)]):
        found = groups_of(log(*lines, connect("evil.example")))
        assert "evil.example" in {each["details"].get("host") for each in found}
        shown = command("alerts", log(*lines, connect("evil.example"))).stdout
        assert "evil.example" in shown


def test_nothing_is_status_0(log: Log) -> None:
    done = command("alerts", log("START", armed()))
    assert (done.returncode, done.stdout) == (0, "0 violations of 0 kinds\n")


def test_lines_as_they_are(file: Path) -> None:
    done = command("alerts", file, "--lines", "--limit", "3")
    assert done.returncode == 3
    assert [line.split("  ")[2] for line in done.stdout.splitlines()] == ["alert", "block", "folded"]
    assert "\x1b" not in done.stdout
    assert "(18 times)" in done.stdout
    done = command("alerts", file, "--lines", "--json")
    assert [json.loads(line)["count"] for line in done.stdout.splitlines()] == [1] * 6 + [18]
    for options, status, lines in (((), 3, 8), (("--function", "other"), 0, 0)):  # the cold start too
        done = command("alerts", "-", "--follow", *options, stdin=file.read_text())
        assert (done.returncode, len(done.stdout.splitlines())) == (status, lines)


def test_a_forged_line_is_told_from_others(log: Log) -> None:
    forged = ('{"function_shield":true,"policy":"\x1b[2J"}', '{"function_shield":true,"v":"\\u001b"}')
    done = command("alerts", log(*forged), "--follow")
    assert done.returncode == 2
    assert done.stdout == 'not a line of the shield (v: expected int, found "\\u001b")\n'
