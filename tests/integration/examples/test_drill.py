"""`shielded-function drill`: real incidents in two of the examples' functions, and what cannot be drilled."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import lief
import pytest

from integration.cli.running import command, says, shell
from integration.docs.pages import ROOT, read_page
from integration.emulator.conftest import PACKAGE
from integration.examples.conftest import Assembly
from shielded_function_emulator.cloud_assembly import CloudAssembly, InlineCode
from shielded_function_emulator.incidents import FOLDER, TAKEN, IncidentError, find, incidents, kinds, step_of, title_of
from shielded_function_emulator.incidents.drilling import play
from shielded_function_emulator.incidents.staging import stage, static_program
from shielded_function_emulator.kernel import machine
from shielded_function_emulator.languages import find as find_runtime
from shielded_function_emulator.languages import python

pytestmark = [
    pytest.mark.promise("cli.drill"),
    pytest.mark.skipif(machine() != "x86_64", reason="the examples' functions are for x86_64"),
]

NODE = "Live/Events/SendText"
FACTS = ("id", "name", "when", "ecosystem", "package", "did", "source", "differs")


@pytest.fixture(scope="module")
def told(assembly: Assembly, namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The example of docs/guide/before-you-deploy.md: a worm of npm by its twin in Python, and calls that pass."""
    (block,) = (one for one in read_page(ROOT / "docs/guide/before-you-deploy.md").blocks if one.elsewhere)
    folder = tmp_path_factory.mktemp("drill")
    (folder / "cdk.out").symlink_to(assembly("checkout"))
    done = shell(block.text, folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "drill.json").read_text())


def incident(told: dict[str, Any], name: str) -> Any:
    return next(each for each in told["incidents"] if each["id"] == name)


def test_a_worm_in_a_python_function(told: dict[str, Any]) -> None:
    assert (told["function"], told["differences"]) == ("Checkout/Shielded", [])
    worm = incident(told, "shai-hulud-2")
    assert worm["outcome"] == "stopped"
    assert [(each["behaviour"], each["shielded"], each["stopped_by"]) for each in worm["behaviours"]] == [
        ("get /tmp/bun from bun.sh:443, run it", "stopped", ["outbound_connectivity"]),
        ("get /tmp/trufflehog from github.com:443, run it", "stopped", ["outbound_connectivity"]),
        ("call secretsmanager with the role's keys", "stopped", ["outbound_connectivity"]),
        ("send credentials to api.github.com:443", "stopped", ["outbound_connectivity"]),
        ("delete /tmp/drill-precious", "stopped", ["read_write_tmp"]),
    ]
    assert {each["unshielded"] for each in worm["behaviours"]} == {
        "happened: it wrote to the log",
        "happened: the receiver got it",
        "happened: the file is gone",
    }
    fired = {each["alarm"]: each["actions"] for each in worm["alarms"]}
    assert set(fired) == {"shield-critical-Checkout-Shielded", "shield-rest-Checkout-Shielded"}
    assert all(":Checkout-Alarms" in action for actions in fired.values() for action in actions)
    assert told["summary"] == (
        "Of 3 incidents, 2 are replayed: the shield stops 1, stops 0 in part, and lets 1 pass. "
        "Originals that were install scripts, replayed as imports: 1."
    )


def test_what_no_control_stops(told: dict[str, Any]) -> None:
    """Data in the response, data that are changed in the process; native code is not played."""
    for name in ("chalk", "response"):
        found = incident(told, name)
        assert [each["shielded"] for each in found["behaviours"]] == ["happened"]
        assert (found["outcome"], found["alarms"]) == ("passed", [])
    assert {incident(told, "xz")[name] or None for name in ("behaviours", "alarms")} == {None}
    assert incident(told, "xz")["outcome"] == "not run"


@pytest.mark.usefixtures("namespaces")
@pytest.mark.long
def test_what_a_wider_policy_lets_through_in_a_node_function(assembly: Assembly, tmp_path: Path) -> None:
    """One host is allowed: the incident is stopped in part only, which is not what was expected."""
    if missing := find_runtime("nodejs22.x").missing():
        pytest.skip(missing)
    expect = tmp_path / "expect.toml"
    expect.write_text('eslint-scope = "stopped"\nchalk = "passed"\nxz = "not run"\n')
    chosen = ("--incident", "eslint-scope", "--incident", "chalk", "--expect", expect)
    wider = ("--env", "SHIELD_ALLOW_OUTBOUND=pastebin.com:443,c.statcounter.com:443")
    done = command("drill", assembly("sixty_functions"), NODE, *chosen, *wider, environment={"COLUMNS": "80"})
    assert done.returncode == 1, done.stderr
    assert "eslint-scope: partly (1 of 2)" in done.stderr
    assert "differs: eslint-scope: expected stopped, it is partly\n" in done.stdout
    assert "chalk: expected" not in done.stdout
    assert max(map(len, done.stdout.splitlines()[:12])) <= 80
    for said in ("run code from pastebin.com:443: happened", "send .npmrc to c.statcounter.com:443: happened"):
        assert said in done.stdout
    assert "no alarm fires for chalk" in done.stdout
    read = CloudAssembly(assembly("sixty_functions"))
    for place in read.functions():
        properties = read.resolver(place.stack).template["Resources"][place.logical_id]["Properties"]
        if str(properties.get("Runtime")).startswith("java"):
            said = says(command("drill", assembly("sixty_functions"), place.path))
            assert said.endswith(f"{properties['Runtime']} is not supported yet")
            return
    raise AssertionError("the example has no function in Java")


@pytest.mark.usefixtures("namespaces")
def test_what_does_not_happen_unshielded_shows_nothing() -> None:
    """A name that is too long cannot be asked for, with or without a shield."""
    behaviour = {"do": "resolve", "take": "env", "host": f"{'a' * 64}.example"}
    with pytest.raises(IncidentError, match=r"^chalk: unshielded too, it did not send credentials in names under a+\."):
        play({**find("chalk"), "behaviours": [behaviour]}, PACKAGE, python.THIS)


@pytest.mark.parametrize(
    ("function", "more", "said"),
    [
        ("Checkout/Shielded", ("--incident", "shai-hulu"), "no incident shai-hulu; did you mean shai-hulud?"),
        ("Checkout/Shielded", ("--incident", "???"), "no incident ???; there are: event-stream, "),
        ("Checkout/Nobody", (), "no function Checkout/Nobody in "),
        ("Checkout/Unshielded", (), "Checkout/Unshielded has no shield: there is nothing to drill"),
        ("Checkout/Shielded", ("--expect", "/nowhere.toml"), "/nowhere.toml cannot be read: "),
    ],
)
def test_what_cannot_be_drilled(assembly: Assembly, function: str, more: tuple[str, ...], said: str) -> None:
    assert says(command("drill", assembly("checkout"), function, *more)).startswith(said)


def test_expectations_that_are_wrong(assembly: Assembly, tmp_path: Path) -> None:
    expect = tmp_path / "expect.toml"
    for text, said in (
        ('axios = "blocked"', "axios: 'blocked' is not one of stopped, partly, passed, not run"),
        ('axio = "stopped"', "no incident axio; did you mean axios?"),
        ("axios", f"{expect} cannot be read: "),
    ):
        expect.write_text(text)
        assert said in says(command("drill", assembly("checkout"), "Checkout/Shielded", "--expect", expect))
    assert says(command("drill")).startswith("name the folder and the function: ")


def test_the_list() -> None:
    told = json.loads(command("drill", "--list", "--json").stdout)["incidents"]
    assert [each["id"] for each in told] == list(incidents())
    shown = command("drill", "--list", environment={"COLUMNS": "80"}).stdout
    assert all(each["source"][:30] in shown for each in told)
    assert max(map(len, shown.splitlines())) <= 80


def test_each_incident_is_complete() -> None:
    """What a plan may have, both languages read."""
    behaviours = [behaviour for incident in incidents().values() for behaviour in incident["behaviours"]]
    assert {behaviour["do"] for behaviour in behaviours} == set(kinds())
    for id, incident in incidents().items():
        assert set(incident) == {"year", "behaviours", *FACTS}, id
        assert all(incident[name] for name in FACTS), id
        assert incident["year"] == 0 or 2018 <= incident["year"] <= 2030
        assert incident["source"].startswith("https://") if incident["year"] else (ROOT / incident["source"]).is_file()
        assert incident["when"] in ("install", "build", "start", "import", "call")
        assert incident["did"].endswith(".")
        assert incident["differs"].endswith(".")
        assert len(incident["did"]) <= 110, f"{id}: one sentence"
        assert bool(incident["behaviours"]) != incident["differs"].startswith("Not run: ")
    for behaviour in behaviours:
        assert set(behaviour) - {"do"} == set(re.findall(r"\{(\w+)\}", kinds()[behaviour["do"]]["title"])), behaviour
        assert behaviour.get("take", "env") in TAKEN
        assert title_of(behaviour)
    python, node = ((FOLDER / name).read_text() for name in ("payload.py", "payload.cjs"))
    steps = [step_of(behaviour, 0, "eu-west-1") for behaviour in behaviours]
    for name in {name for step in steps for name in step} - {"do", "service", "bucket"}:
        assert re.search(rf'step\["{name}"|"{name}" in step|step\.get\("{name}"', python), name
        assert re.search(rf"step\.{name}\b|\{{ [^}}]*\b{name}\b[^}}]* \}} = step;", node), name
    for hook in {step["hook"] for step in steps if "hook" in step}:
        assert f'"{hook}": {hook}' in python
        assert re.search(rf"\n  (async )?{hook}\(step\)", node)


NODE_22 = "nodejs22.x"
REQUIRED = 'process.getBuiltinModule("node:module").createRequire("/var/task/")("./node_modules/drill-chalk/index.cjs")'
# Runtime, handler, files; the file that ends anew, and how, or the error.
STAGED: list[tuple[str, str, dict[str, str], tuple[str, str] | str]] = [
    ("python3.13", "app.handler", {"app.py": "x = 1"}, ("app.py", "\nimport drill_chalk\n")),
    ("python3.13", "a.b.handler", {"a/b/__init__.py": ""}, ("a/b/__init__.py", "\nimport drill_chalk\n")),
    (NODE_22, "src/index.handler", {"src/index.js": "1"}, ("src/index.js", f"\n{REQUIRED}\n")),
    (NODE_22, "index.handler", {"index.mjs": "1"}, ("index.mjs", f"\n{REQUIRED}\n")),
    (NODE_22, "a.handler", {"index.py": ""}, r"there is no a\.js or a\.mjs or a\.cjs or a/index\.js$"),
]  # fmt: skip


@pytest.mark.parametrize(("runtime", "handler", "files", "ends"), STAGED)
def test_where_the_dependency_is_imported(
    tmp_path: Path, runtime: str, handler: str, files: dict[str, str], ends: tuple[str, str] | str
) -> None:
    code, task = tmp_path / "code", tmp_path / "task"
    for name, text in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
        (code / name).chmod(0o444)
    package = replace(PACKAGE, code=code, runtime=runtime, handler=handler)
    plan = {"nonce": "drill00", "when": "import", "steps": []}
    if isinstance(ends, str):
        with pytest.raises(IncidentError, match=ends):
            stage(package, find("chalk"), plan, task)
        return
    stage(package, find("chalk"), plan, task)
    file, end = ends
    assert (task / file).read_text() == files[file] + end
    assert (task / "drill-secrets" / ".npmrc").is_file()


@pytest.mark.parametrize(("runtime", "when", "file", "ends"), [
    ("python3.13", "start", "chalk.pth", "\nimport drill_chalk\n"),
    ("python3.13", "call", "app.py", "\nimport drill_chalk; drill_chalk.play()\n"),
    (NODE_22, "start", "app.js", f"\n{REQUIRED}\n"),
    (NODE_22, "call", "app.js", f"\n{REQUIRED}.play()\n"),
])  # fmt: skip
def test_when_the_dependency_plays(tmp_path: Path, runtime: str, when: str, file: str, ends: str) -> None:
    code = {"python3.13": "app.py", NODE_22: "app.js"}[runtime]
    package = replace(PACKAGE, code=InlineCode(code, ""), runtime=runtime, handler="app.handler")
    stage(package, find("chalk"), {"nonce": "drill00", "when": when, "steps": []}, tmp_path)
    assert (tmp_path / file).read_text() == ends


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_static_program(tmp_path: Path, architecture: str) -> None:
    """One segment, no interpreter, no library: the kernel alone runs it, where the machine is the same."""
    program = tmp_path / "program"
    program.write_bytes(static_program(architecture, '{"ran":3}'))
    program.chmod(0o755)
    parsed = lief.ELF.parse(str(program))
    assert parsed
    assert [(segment.type, segment.virtual_size) for segment in parsed.segments] == [
        (lief.ELF.Segment.TYPE.LOAD, program.stat().st_size)
    ]
    assert not parsed.has_interpreter
    if architecture == machine():
        done = subprocess.run([program], capture_output=True, text=True, check=True)
        assert (done.stdout, json.loads(done.stderr)) == ("", {"ran": 3})


def test_no_host_is_allowed() -> None:
    """An incident that needs an allowed host is not run without one, and says so."""
    for allowed in ("", "10.0.0.0/8:443", "*.example.com:443", "api.example.com:443 by requests"):
        package = replace(PACKAGE, environment={"SHIELD_ALLOW_OUTBOUND": allowed})
        told, log = play(find("allowed-host"), package, python.THIS)
        assert (told["outcome"], told["differs"], log) == (
            "not run",
            "Not run: the policy lists no host by its name.",
            (),
        )


@pytest.mark.usefixtures("namespaces")
def test_a_bucket_of_somebody_else_where_all_of_s3_is_allowed(assembly: Assembly) -> None:
    """By default the policy has none of the function's, and so none of others."""
    given = ("drill", assembly("checkout"), "Checkout/Shielded", "--incident", "bucket", "--json")
    for more, outcome in (((), "stopped"), (("--env", "SHIELD_ALLOW_AWS=dynamodb,s3"), "passed")):
        done = command(*given, *more)
        assert done.returncode == 0, done.stderr
        assert [each["outcome"] for each in json.loads(done.stdout)["incidents"]] == [outcome]
