"""Files as users have them: packed, of Windows, exported, cut off, and terminals that show less than UTF-8."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.filesize import decimal

from harness.alert_lines import at, connect, tmp
from harness.thinning import long_but
from integration.cli.running import command, says
from shielded_function.cli import log_files, progress

pytestmark = pytest.mark.promise("cli.logs")

LINES = [connect(f"host.example{n}.com", time=at(20)) for n in range(3)]
TEXT = "\n".join(["START RequestId: 1", *LINES]) + "\n"
# Datadog sorts fields, and other tools write spaces.
OBJECTS = [dict(sorted(json.loads(line).items())) for line in LINES]
EVENTS = [{"id": str(n), "timestamp": n, "message": f"{line}\n"} for n, line in enumerate(["START", *LINES])]
OTHERS = [{"level": "INFO", "message": "paid"}, {"body": json.loads(LINES[0])}, {"user": LINES[0]}]


def _documents(*values: object, indent: int | None = None, between: str = "\n") -> bytes:
    return between.join(json.dumps(value, indent=indent) for value in values).encode()


def _cells(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


WRAPPED = {
    "Lambda's JSON log format": _documents(*({"timestamp": "t", "message": each} for each in LINES), *OTHERS),
    "Telemetry API, text": _documents(*({"type": "function", "record": each} for each in LINES), *OTHERS),
    "Telemetry API, objects": _documents([{"type": "function", "record": json.loads(each)} for each in LINES]),
    "Datadog's archive": _documents(*({"_id": "x", "attributes": each, "service": "s"} for each in OBJECTS), *OTHERS),
    "Datadog's API": _documents({"data": [{"content": {"attributes": each}} for each in OBJECTS]}, indent=2),
    "Splunk's export": _documents(*({"preview": False, "result": {"_raw": each}} for each in LINES), *OTHERS),
    "Splunk's CSV": _cells(("_time", "_raw", "host"), *(("now", each, "h") for each in LINES)),
    "Splunk's collector": _documents(*({"time": 1, "event": json.loads(each), "source": "s"} for each in LINES)),
    "Splunk's collector, text": _documents(*({"event": each} for each in LINES), between=""),
    "Insights' JSON": _documents([{"@timestamp": "t", "@message": each} for each in LINES], indent=4),
    "Insights' CSV": _cells(("@timestamp", "@message"), *(("now", each) for each in LINES)),
    "get-query-results": _documents({"results": [[{"field": "@message", "value": each}] for each in LINES]}),
    "filter-log-events": _documents({"events": EVENTS, "searchedLogStreams": []}, indent=4),
    "Firehose": _documents(
        {"messageType": "DATA_MESSAGE", "logEvents": EVENTS[:2]}, {"logEvents": EVENTS[2:]}, between=""
    ),
    "Firehose, longer than what is read at once": _documents(
        {"logEvents": [EVENTS[1], *([{"id": "0", "message": "x" * 9_999}] * 200), *EVENTS[2:]]}
    ),
    "logs tail --format json": "".join(
        f"2026-11-20T10:00:00+00:00 stream \n{json.dumps(json.loads(each), indent=2)}\n" for each in LINES
    ).encode(),
    "logs tail --format json, among others": b"{\n"
    + b"\n".join(json.dumps(each, indent=2).encode() for each in (*OTHERS, *OBJECTS, {"open": []})),
    "jq": _documents(*OBJECTS),
    "texts in texts": _documents(*({"@message": json.dumps({"message": each})} for each in LINES)),
    "one after the other": "".join(LINES).encode(),
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.gz", gzip.compress(TEXT.encode())),
        ("packed without saying so", gzip.compress(TEXT.encode())),
        ("PowerShell's", TEXT.encode("utf-16")),
        ("UTF-8 with a mark", TEXT.encode("utf-8-sig")),
        ("Windows'", TEXT.replace("\n", "\r\n").encode()),
        ("without an end", TEXT.rstrip("\n").encode()),
        ("with a time in front", TEXT.replace("{", "2026-11-20T10:00:00+00:00 2026/11/20/[$LATEST]0 {", 1).encode()),
        ("with other bytes", b"\xff\xfd\0\n" * 50 + TEXT.encode()),
        ("after one long line", b"x" * 3_000_000 + b"\n" + TEXT.encode()),
        *WRAPPED.items(),
    ],
)
def test_what_is_read(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name.replace("/", " ")
    path.write_bytes(content)
    lines = command("alerts", path, "--lines").stdout.splitlines()
    assert [f"host.example{n}.com" in line for n, line in enumerate(lines)] == [True] * 3


@pytest.mark.parametrize("options", long_but({((),)}, [((),), (("--lines",),), (("--by", "policy"),)]))
def test_what_was_not_read_is_said(options: tuple[str, ...], tmp_path: Path) -> None:
    forged = [LINES[0].replace('"count":1', f'"count":{count}') for count in ("0", '"5"', "-4", "10000001", "null")]
    known = [LINES[0][:-20], *forged, LINES[0].replace("outbound_connectivity", "x"), *map(json.dumps, OTHERS)]
    (tmp_path / "some").write_text("\n".join([*known, LINES[1]]))
    (tmp_path / "nothing").write_text("START\nEND\n")
    done = command("alerts", "-", tmp_path / "some", tmp_path / "nothing", *options, stdin="\n".join(known[1:]))
    assert done.returncode == 3
    left_out = (
        "5 lines have no count from 1 to 10,000,000, as each violation of the shield's has: forged",
        "1 lines are of no control or event that the shield has: forged, or of a newer version",
        "2 lines name the shield in a form that is not known: give the lines as `aws logs tail` prints them",
    )
    assert done.stderr.replace(f"{tmp_path}/", "").replace("shielded-function: ", "").splitlines() == [
        *(f"stdin: {text}" for text in left_out),
        "some: 1 lines begin as the shield's and are cut off, or forged",
        *(f"some: {text}" for text in left_out),
        "nothing: 2 lines hold none of the shield's",
    ]
    for reader in (("alerts", *options), ("alerts", "--follow"), ("learn",), ("report", "--json")):
        (tmp_path / "only").write_text(known[0])
        done = command(*reader, tmp_path / "only")
        assert (done.returncode, done.stdout.count("\n")) == (2, 0)
        assert done.stderr.endswith("only: 1 lines begin as the shield's and are cut off, or forged\n")


@pytest.mark.parametrize("where", [0.3, 0.9])
def test_a_packed_file_that_is_broken(where: float, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress("".join(connect(f"h{n}.a{n}.example") for n in range(500)).encode()))
    at = int(len(packed) * where)
    packed[at : at + 40] = b"x" * 40
    (tmp_path / "log.gz").write_bytes(packed)
    assert "log.gz cannot be read: " in says(command("alerts", tmp_path / "log.gz"))
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 5])
    assert "cut.gz cannot be read: " in says(command("alerts", tmp_path / "cut.gz"))


def test_stdin_that_is_closed() -> None:
    run = [sys.executable, "-m", "shielded_function.cli", "alerts", "-"]
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *run], capture_output=True, text=True, check=False)
    assert says(done) == "stdin is closed: name a file, or pipe lines into it"


@pytest.mark.parametrize("command_line", [("alerts",), ("learn", "--format", "toml")])
def test_a_terminal_that_shows_less(command_line: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "log").write_text(tmp("/tmp/\u65e5\u672c") + "\n", encoding="utf-8")
    done = command(command_line[0], tmp_path / "log", *command_line[1:], environment={"PYTHONIOENCODING": "ascii"})
    assert "Traceback" not in done.stderr
    assert "/tmp/\\u65e5\\u672c" in done.stdout


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (True, "\rlog: 2,000 lines, {} of {} read\x1b[K\r\x1b[K"),
        (False, "shielded-function: log: 2,000 lines, {} of {} read\n"),
    ],
)
def test_progress(live: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over and over on one line of a terminal, else a line a minute."""
    monkeypatch.chdir(tmp_path)
    Path("log").write_text(f"{LINES[0]}\n" * 3000)
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: live)
    monkeypatch.setattr("sys.stderr", screen)
    clock = itertools.count(0, 1.5 if live else 61)
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    assert len(list(log_files.read_lines("log"))) == 3000
    whole = decimal(Path("log").stat().st_size)
    assert re.sub(r"[\d.]+ [kM]B of", "{} of", screen.getvalue()) == said.format("{}", whole)
    screen.truncate(0)
    assert len(list(log_files.read_lines("log", quiet=True))) == 3000
    assert screen.getvalue() == ""
