"""Draws `audit` as a comment on a pull request: `python docs/draw_audit.py` writes docs/images/audit.svg.

The text is the command's own, for examples/whole_app before and after a change that loosens two policies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PICTURE: Final = HERE / "images" / "audit.svg"
_CHANGES: Final = (
    ('"api.payments.example:443"', '"*.payments.example"'),
    ('allow_tmp=["/tmp/report.csv"]', 'read_write_tmp="alert"'),
)
_TITLE: Final = "shielded-function audit cdk.out --production Live --against before"
_ALT: Final = (
    "A comment on a pull request: audit finds an error, alert mode in production, and two policies that allow more "
    "than on the target branch"
)
_COLUMNS, _WIDE, _LINE, _TOP = 94, 7.225, 14, 74
_STYLE: Final = (
    "text{font:12px ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace;fill:#1f2328;white-space:pre}"
    ".name{font:600 14px system-ui,sans-serif}.say{font:14px system-ui,sans-serif}"
    ".frame{fill:#fff;stroke:#d1d9e0}.top{fill:#f6f8fa;stroke:#d1d9e0}.bad{fill:#d1242f}.mark{fill:#fff;font-weight:700}"
)


def audited() -> list[str]:
    """The lines that the command prints."""
    with tempfile.TemporaryDirectory() as scratch:
        app = Path(scratch) / "app"
        shutil.copytree(HERE.parent / "examples" / "whole_app", app, ignore=shutil.ignore_patterns("cdk.out"))
        _synthesize(app, "before")
        program = (app / "app.py").read_text(encoding="utf-8")
        for old, new in _CHANGES:
            assert old in program, old
            program = program.replace(old, new)
        (app / "app.py").write_text(program, encoding="utf-8")
        _synthesize(app, "cdk.out")
        done = subprocess.run(
            [str(Path(sys.executable).parent / _TITLE.split()[0]), *_TITLE.split()[1:]],
            cwd=app,
            env=os.environ | {"COLUMNS": str(_COLUMNS)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    return [line.rstrip() for line in done.stdout.splitlines()]


def _synthesize(app: Path, output: str) -> None:
    """The checks of the app stop the changed one, as it should: its folder is complete."""
    subprocess.run([sys.executable, "app.py"], cwd=app, env=os.environ | {"CDK_OUTDIR": output}, stderr=subprocess.PIPE)
    assert (app / output / "manifest.json").is_file()


def draw() -> str:
    """The picture."""
    lines = audited()
    wide, high = round(_COLUMNS * _WIDE) + 32, _TOP + _LINE * len(lines) + 20
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-label="{_ALT}">',
        f"<title>{_ALT}</title><style>{_STYLE}</style>",
        f'<rect class="frame" x="1" y="1" width="{wide - 2}" height="{high - 2}" rx="6"/>',
        f'<path class="top" d="M1 40V7a6 6 0 0 1 6-6H{wide - 7}a6 6 0 0 1 6 6V40z"/>',
        '<circle class="bad" cx="22" cy="20" r="9"/><text class="mark" x="18.4" y="24.5">!</text>',
        '<text class="say" x="40" y="25"><tspan class="name">github-actions</tspan> commented</text>',
        f'<text x="16" y="60">$ {escape(_TITLE)}</text>',
    ]
    drawn += [
        f'<text x="16" y="{_TOP + _LINE * (at + 1) - 4}" textLength="{len(line) * _WIDE:g}">{escape(line)}</text>'
        for at, line in enumerate(lines)
        if line
    ]
    return "\n".join([*drawn, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
