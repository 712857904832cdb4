"""One line says what a command could not do, and the next step: of every command, by its command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.alert_lines import connect
from integration.cli.running import command, says

FILES = {
    "log": connect("a.example") + "\n",
    "broken.gz": "no",
    "empty.json": "{}",
    "url": "https://x.example/\n",
    "comment": "# nothing\n",
    "policy": "SHIELD_READ_HANDLER=alert\n",
    "wrong": "SHIELD_READ_WRITE_TMP=blok\n",
    "folder/file": "",
}
VERSION = "a published version cannot be changed, and an alias has no environment"
LIVE = "--follow shows lines as they come: --until"
NO_CONNECTION = "no connection to AWS: "
NO_REGION = "no AWS region: give --region, or set AWS_DEFAULT_REGION"
ONCE = "--hosts shows groups by target: remove --by, --lines and --follow"
ERRORS = {
    "alerts": NO_REGION,
    "alerts --follow": NO_REGION,
    "alerts nowhere.log": "nowhere.log is not a file",
    "alerts - -": "- is stdin, which can be read once",
    "alerts --stack a --log-group x": "give --log-group or --stack: not both",
    "alerts - --log-group x": "give files, or log groups and stacks: not both",
    "alerts - --since yesterday": "--since yesterday: write 30m, 12h, 7d, or a time such as 2026-11-24T13:37:00Z",
    "alerts - --since 1h --until 2h": "--until 2h is not after --since 1h",
    "alerts - --limit 0": "--limit 0: 1 to 10000",
    "alerts log --all --limit 3": "--limit and --all: give one of them",
    "alerts broken.gz": "broken.gz cannot be read: Not a gzipped file",
    "alerts log --since 0h": "--since 0h is not over yet",
    "alerts log --since 99999999999w": "--since 99999999999w: write 30m",
    "alerts log --since 0001-01-01T00:00:00+05:00": "--since 0001-01-01T00:00:00+05:00: write 30m",
    "alerts log --follow --until 1h": LIVE,
    "alerts log --follow --since 1h": LIVE,
    "alerts log --follow --log-group x": "give files, or log groups and stacks: not both",
    "alerts log nowhere --follow": "nowhere is not a file",
    "alerts log --hosts url": 'url, line 1: "https://x.example/" is a URL; use "x.example:443"',
    "alerts log --hosts comment": "it has no entry",
    "alerts log --hosts preset:paste": "there is no 'preset:paste'; use preset:exfiltration, preset:chat-webhooks",
    "alerts log --hosts missing": "missing cannot be read: No such file or directory",
    "alerts log --hosts preset:exfiltration --by function": ONCE,
    "alerts log --hosts preset:exfiltration --lines": ONCE,
    "alerts log --hosts preset:exfiltration --follow": ONCE,
    "report log --previous nowhere.json": "--previous nowhere.json cannot be read: No such file or directory",
    "report log --previous empty.json": "--previous empty.json: `report --json` did not write it",
    "report log --output x/y.html": "x/y.html cannot be written: No such file or directory",
    "set-mode checkout:prod read_handler=alert": VERSION,
    "set-mode arn:aws:lambda:eu-west-1:123456789012:function:checkout:2 read_handler=alert": VERSION,
    "set-mode 'check out' read_handler=alert": "check out is not a function's name or ARN",
    "set-mode checkout outbound=alert": "outbound=alert: unknown control; known are outbound_connectivity, ",
    "set-mode checkout read_handler=alrt": "read_handler=alrt: unknown mode; known are block, alert, allow, and de",
    "set-mode checkout read_handler": "read_handler: write control=mode",
    "set-mode checkout read_handler=alert read_handler=block": "read_handler is given twice",
    "set-mode checkout read_handler=alert": NO_REGION,
    "set-mode checkout read_handler=alert --region eu-west-1": "checkout: Unable to locate credentials",
    "set-mode checkout read_handler=alert --profile x": f"{NO_CONNECTION}The config profile (x) could not be found",
    "set-mode read_handler=alert": "name a function, a glob such as 'shop-*', --tag KEY=VALUE, or --all",
    "inventory --require shields": "--require shields: unknown; known are shield, layer",
    "layer --arch arm64 -o nowhere/layer.zip": "nowhere/layer.zip cannot be written: No such file or directory",
    "layer --arch arm64 -o folder": "folder exists and holds something else",
    "layer --arch arm64 -o folder --force": "folder cannot be written: Is a directory",
    "layer --arch arm64 -o a.zip --sbom a.zip": "--sbom a.zip is the layer's own file: name another",
    "render --format sam -p policy -n 'a b'": "--function a b: a function's name is 1 to 64 of A-Z a-z 0-9 _ -",
    "render --format sam --policy nowhere": "the policy file nowhere cannot be read: No such file or directory",
    "render --format sam policy": "a policy file is an option: write --policy policy",
    "explain": "there is no policy: set SHIELD_* variables, or name a file with --policy",
    "explain --policy wrong": '"blok" is not a mode',
    "explain --policy missing": "the policy file missing cannot be read: No such file",
    "decide connect x:y:z --policy policy": "x:y:z",
    "run cdk.out": "name the folder and the function: shielded-function run cdk.out Shop/Checkout",
    "drill": "name the folder and the function: shielded-function drill cdk.out Shop/Checkout",
    "fetch": "name a runtime, as in `shielded-function fetch nodejs22.x`",
    "fetch nodejs21.x": "nodejs21.x is not emulated: there are python3.11, ",
}
NO_SETTINGS = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_is_one_line(line: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert ERRORS[line] in says(command(*shlex.split(line), cwd=tmp_path, environment=NO_SETTINGS))
    assert {each.name for each in tmp_path.iterdir()} == {name.partition("/")[0] for name in FILES}, "nothing half done"
