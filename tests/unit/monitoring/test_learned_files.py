"""A learned policy as TOML and Python, and the comments beside its entries."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from harness.alert_lines import armed, at, connect, tmp
from shielded_function.cli.learned_files import FORMATS, write_python, write_toml
from shielded_function.cli.learned_policy import in_block_mode
from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.learning import Learned, learn
from unit.monitoring.learned import URLLIB3, log_of

pytestmark = pytest.mark.promise("cli.learn")

FIELDS: dict[str, Any] = {
    "allow_outbound": ["api.stripe.com:443", "a.example"],
    "allow_aws": "none",
    "allow_tmp": ['/tmp/a "b"\\c\u202e', "/tmp/é"],
}
HOSTILE = "x\n[evil]\nallow_outbound = ['*']\u2028*/ '''"


def hostile() -> Learned:
    seen = connect("api.stripe.com", caller=HOSTILE, through=(HOSTILE, "\x1b[2J"))
    log = log_of(seen, tmp(f"/tmp/{HOSTILE}\x1b[2J*"), armed())
    return learn(log)


@pytest.mark.parametrize("fields", [FIELDS, {}])
def test_toml_and_python_say_the_same(tmp_path: Path, fields: dict[str, Any]) -> None:
    for form, write in {"python": write_python, "toml": write_toml}.items():
        text = write(fields, hostile())
        assert FORMATS[form].read(text) == ShieldPolicy(**fields), form
        if form != "python":
            (tmp_path / f"p.{form}").write_text(text)
            assert ShieldPolicy.from_file(tmp_path / f"p.{form}") == ShieldPolicy(**fields), form
    module = ast.parse(write_python(fields, hostile()))
    assert len(module.body) == 2
    names: dict[str, object] = {}
    exec(compile(module, "policy", "exec"), names)
    assert names["policy"] == ShieldPolicy(**fields)
    assert in_block_mode(ShieldPolicy.report_only(until="2027-01-31")).until is None


def test_comments_cannot_be_left() -> None:
    text = write_toml(FIELDS, hostile())
    comments = [each for each in text.splitlines() if each.startswith("#")]
    assert any("\\x0a[evil]" in each for each in comments)
    assert all(each.isprintable() for each in text.splitlines())


def test_the_page_shows_what_is_written(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "guide" / "roll-out.md").read_text(encoding="utf-8")
    (shown,) = re.findall("```toml\n(.*?)```", text, re.DOTALL)
    log = log_of(
        *(armed(at(10)) for _ in range(53)),
        *(connect("api.stripe.com", time=at(day), caller="_socket.so", through=URLLIB3) for day in range(11, 24)),
        *(connect("api.stripe.com", time=at(24), caller="_socket.so", through=URLLIB3) for _ in range(1488)),
    )
    written = write_toml({"allow_outbound": ["api.stripe.com:443"]}, learn(log))
    assert written == shown
    (tmp_path / "p.toml").write_text(shown)
    assert ShieldPolicy.from_file(tmp_path / "p.toml") == ShieldPolicy(allow_outbound=["api.stripe.com:443"])
