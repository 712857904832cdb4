"""The function's own code writes what it likes into the log: no reader fails, obeys it, or loses a true line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.alert_lines import at, connect, refused, tmp
from shielded_function.cli import alerts, learn, report
from shielded_function.cli.options import Alerts, Learn, Page, Where

pytestmark = pytest.mark.promise("cli.logs")

TRUE = connect("true.example")
_LINE = connect("api.stripe.com")


def _with(**fields: Any) -> str:
    return json.dumps({**json.loads(_LINE), **fields}, separators=(",", ":"))


def _counting(count: str) -> str:
    return _LINE.replace('"count":1', f'"count":{count}')


HOSTILE = {
    "infinite": [_counting("1e999"), _counting("Infinity"), _counting("NaN")],
    "long numbers": [_counting("9" * 4050)] * 2,
    "numbers that Python does not print": [_counting("9" * 5000)] * 2,
    "numbers without end": [_counting("1e999999999")],
    "sums beyond a float": [_counting("9" * 400), _counting("1.5"), _counting("1e308"), _counting("1e308")],
    "negative": [_counting("-1000000")],
    "of other kinds": [_with(count="5", details=[], caller=7, policy={}, v=[])],
    "deep": [_LINE[:-1] + ',"x":' + "[" * depth + "]" * depth + "}" for depth in (900, *range(960, 1000), 50_000)],
    "deep where a number belongs": [_LINE.replace('"v":1', '"v":' + "[" * depth + "]" * depth) for depth in (900, 985)],
    "huge": [connect("a." * 100_000 + "com"), tmp("/tmp/" + "a" * 300_000)],
    "escapes": [
        connect("\x1b[2J\x1b]0;x\x07.example", caller="\x9b2J"),
        tmp("/tmp/\x1b[31m</script><script>alert(1)</script>\u202e"),
        refused("\x1b[2J\n</script>|x"),
    ],
    "half characters": [tmp("/tmp/\ud800"), connect("\udfff.example")],
    "other functions": [connect("a.example", function=name) for name in ("x\n+y\x1b[2J", "\ud800", "../../x", "")],
    "times": [_with(timestamp=time) for time in ("9999-99-99T99:99:99.999999Z", "", 5, "\x1b[2J", "٢٠٢٦" + at()[4:])],
    "CloudWatch's names": [_with(**{"@timestamp": [], "@log": 5, "@message": {}, "day": [], "period": "\x1b"})],
    "names twice": [_LINE[:-1] + ',"policy":"\x1b[2J","details":{"path":"/tmp/z"}}'],
    "ports": [_with(details={"host": "a.example", "port": port, "protocol": "tcp"}) for port in (-1, 1e99, "x", True)],
}
READERS: dict[str, Callable[[Where], int]] = {
    "alerts": lambda where: alerts.alerts(where, Alerts(), json=False),
    "alerts --json": lambda where: alerts.alerts(where, Alerts(), json=True),
    "alerts --lines": lambda where: alerts.alerts(where, Alerts(lines=True), json=False),
    "alerts --lines --json": lambda where: alerts.alerts(where, Alerts(lines=True), json=True),
    "alerts --follow": lambda where: alerts.alerts(where, Alerts(follow=True), json=False),
    "alerts --follow --json": lambda where: alerts.alerts(where, Alerts(follow=True), json=True),
    "learn": lambda where: learn.run(where, Learn(), json=False),
    "learn --json": lambda where: learn.run(where, Learn(), json=True),
    "report html": lambda where: report.report(where, Page("-"), json=False),
    "report json": lambda where: report.report(where, Page("-"), json=True),
}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of pytest's has a width of its own, in which names are folded."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_is_written(kind: str, reader: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join([*HOSTILE[kind], TRUE]) + "\n", encoding="utf-8", errors="surrogatepass")
    READERS[reader](Where([str(log)]))
    out, err = capsys.readouterr()
    (out + err).encode()  # nothing that cannot be printed
    assert not {each for each in out + err if ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0} - {"\n"}
    assert "true.example" in out
    assert "<script>alert" not in out or reader != "report html"
    if "json" in reader:
        for text in out.splitlines() if reader.startswith("alerts --") and reader != "alerts --json" else [out]:
            json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@pytest.mark.parametrize("reader", ["alerts", "alerts --json", "alerts --lines", "report html", "report json"])
def test_the_entry_that_is_shown_is_not_the_lines_own(
    tmp_path: Path, reader: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever writes to the log could have somebody paste it."""
    (tmp_path / "log").write_text(connect("api.stripe.com", allow="*.evil.example") + "\n")
    READERS[reader](Where([str(tmp_path / "log")]))
    out, _ = capsys.readouterr()
    assert "evil" not in out
    assert "api.stripe.com:443" in out


def test_the_file_of_a_function_whose_name_has_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(connect("a.example", function='x\nallow_outbound = ["*"]\x1b[2J') + "\n")
    assert learn.run(Where([str(log)]), Learn(form="toml"), json=False) == 0
    assert 'x\\x0aallow_outbound = ["*"]\\x1b[2J' in capsys.readouterr().out.splitlines()[0]
