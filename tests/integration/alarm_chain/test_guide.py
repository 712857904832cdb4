"""The example of docs/guide/testing-alarms.md that needs moto, run as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.docs.pages import ROOT, read_page

pytestmark = pytest.mark.promise("package.docs")

PAGE = ROOT / "docs" / "guide" / "testing-alarms.md"


def test_the_example_in_moto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "cdk.out"))
    page = read_page(PAGE)
    (in_moto,) = [block for block in page.blocks if "mock_aws" in block.text]
    names: dict[str, object] = {"__name__": "guide"}
    for block in (*page.python(), in_moto):
        exec(compile("\n" * (block.line - 1) + block.text, str(PAGE), "exec"), names)
    test = names["test_the_message_arrives"]
    assert callable(test)
    test()
