"""`shielded-function learn`: policies from lines, beside the present ones, for people, files and CI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.alert_lines import alert, armed, at, connect, folded, lookup, program, tmp
from integration.cli.running import command, says
from integration.emulator.test_cloud_assembly import function
from shielded_function.cli.failures import CliError
from shielded_function.cli.present import InAssembly
from shielded_function.policy import ShieldPolicy

pytestmark = pytest.mark.promise("cli.learn")

LOG = [
    armed(at(20)),
    lookup("api.stripe.com", at(20)),
    *[connect("api.stripe.com", time=at(20), caller="libssl.so")] * 3,
    connect("api.stripe.com", time=at(22), caller="libssl.so"),
    tmp("/tmp/cache.json", at(21)),
    tmp("/tmp/3858f62230ac3c91-part", at(21)),
    connect(ip="169.254.169.254", port=80, time=at(21)),
]
OTHER = [connect("api.example.com", time=at(20), function="refund")]


class Learn:
    """`learn` of the lines in a file of this test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"

    def __call__(self, lines: Iterable[str], *options: str | Path) -> list[Any]:
        """What is learned of each function."""
        self.log.write_text("\n".join(lines) + "\n")
        return self.again(*options)

    def again(self, *options: str | Path) -> list[Any]:
        return json.loads(command("learn", self.log, *options, "--json").stdout)["functions"]

    def policy(self, text: str) -> Path:
        """A policy file."""
        (self.folder / "present.toml").write_text(text)
        return self.folder / "present.toml"


@pytest.fixture
def learned(tmp_path: Path) -> Learn:
    return Learn(tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").write_text("\n".join(LOG) + "\n")
    return tmp_path / "log"


def test_a_table_for_people(log: Path) -> None:
    done = command("learn", log)
    assert done.returncode == 3, done.stderr
    said = " ".join(done.stdout.split())
    for text in (
        "1 cold start, 3 days observed",
        "api.stripe.com:443",
        "metadata-address",
        "in block mode, the learned policy would still deny",
        f"lets through all but 169.254.169.254:80: shielded-function learn {log} --accept '/tmp/????????????????-part'",
        'in place of patterns in /tmp, --accept read_write_tmp=allow: read_write_tmp="allow" opens every file in /tmp',
    ):
        assert text in said


def test_many_kinds_of_many_functions(learned: Learn) -> None:
    """A screen or two, and how to have the rest."""
    where = [(kind, f"function-with-a-long-name-{n:02}") for n in range(12) for kind in range(2 if n else 60)]
    learned(connect(f"h{kind}.example", function=name, time=at(20), caller="_socket.so") for kind, name in where)
    narrow = {"COLUMNS": "80"}
    said = command("learn", learned.log, environment=narrow).stdout
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("\n") < 400
    assert said.startswith("functions\n")
    assert "5 of 60: --all shows all" in said
    assert "2 functions more: --function NAME shows one of them, --all shows all" in said
    every = command("learn", learned.log, "--all", environment=narrow).stdout
    assert (every.count("h59.example:443"), every.count("h1.example:443")) == (1, 12)


def test_as_a_file_that_the_other_commands_read(log: Path, tmp_path: Path) -> None:
    done = command("learn", log, "--output", tmp_path / "checkout.toml")
    assert (done.returncode, done.stdout) == (3, f"{tmp_path / 'checkout.toml'}\n"), done.stderr
    assert "in block mode it denies observed targets: 169.254.169.254:80, /tmp/3858f62230ac3c91-part" in done.stderr
    allowed = ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_tmp=["/tmp/cache.json"])
    assert ShieldPolicy.from_file(tmp_path / "checkout.toml") == allowed
    rendered = command("render", "--policy", tmp_path / "checkout.toml", "--format", "env")
    assert "SHIELD_ALLOW_OUTBOUND=api.stripe.com:443" in rendered.stdout
    assert command("decide", "connect", "api.stripe.com:443", "-p", tmp_path / "checkout.toml").returncode == 0


def test_one_of_several_functions(learned: Learn, tmp_path: Path) -> None:
    learned(LOG + OTHER)
    done = command("learn", learned.log, "--output", tmp_path / "policies")
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in (tmp_path / "policies").iterdir()) == ["checkout.toml", "refund.toml"]
    refund = ShieldPolicy(allow_outbound=["api.example.com:443"])
    assert ShieldPolicy.from_file(tmp_path / "policies" / "refund.toml") == refund
    done = command("learn", learned.log, "--function", "refund", "--format", "python")
    assert done.returncode == 0, done.stderr
    names: dict[str, object] = {}
    exec(done.stdout, names)
    assert names["policy"] == refund


def test_json(log: Path) -> None:
    (told,) = json.loads(command("learn", log, "--json").stdout)["functions"]
    assert (told["function"], told["cold_starts"], told["days"]) == ("checkout", 1, 3)
    assert told["policy"] == {"allow_outbound": ["api.stripe.com:443"], "allow_tmp": ["/tmp/cache.json"]}
    assert told["entries"][0]["evidence"] == {
        "count": 4, "first": at(20), "last": at(22), "days": 2, "callers": ["libssl.so"],
        "packages": [{"count": 4, "through": []}],
        "first_version": "7", "last_version": "7", "place": "", "starts": [at(20)], "pid": 17,
        "severity": "warning",
    }  # fmt: skip
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [(f"/tmp/{'?' * 16}-part", 1), ("allow", 1)]
    assert [each["rule"] for each in told["decisions"]] == ["metadata-address"]
    assert {each["target"] for each in told["still_denied"]} == {"169.254.169.254:80", "/tmp/3858f62230ac3c91-part"}


SQLITE = "/tmp/sqlite-3.49.1.0-0b5c-libsqlitejdbc.so"
SEARCH = program("/usr/sbin/ldconfig", allow="unshielded:/usr/sbin/ldconfig", caller="_posixsubprocess.cpython-311.so")
# What functions did in alert mode, the policy that is written, what `--accept` completes it, and the policy then.
COMPLETED = {
    "an upload in Python": ([tmp("/tmp/unkrnf7e"), tmp("/tmp/#")], {"presets": ["python-tempfile"]}, [], None),
    "a preset that has what another one has": (
        [tmp("/tmp/tvdc6ga6"), tmp("/tmp/2-symdb-pids")], {"presets": ["ddtrace"]}, [], None,
    ),
    "a search": ([SEARCH], {"presets": ["python-tempfile"]}, ["preset:find-library"], {"presets": ["find-library"]}),
    "a search of a library that is not there": (
        [SEARCH, program("/usr/bin/gcc"), program("/usr/bin/ld"), tmp("/tmp/ccYv0PF1.res"), tmp("/tmp/tmp0t3z5qac")],
        {"presets": ["python-tempfile"]}, ["preset:find-library"], {"presets": ["find-library"]},
    ),
    "git": (
        [program("/usr/bin/git"), tmp("/tmp/r"), tmp("/tmp/r/.git"), tmp("/tmp/r/.git/tk0IpfX")],
        {"allow_tmp": ["/tmp/r", "/tmp/r/.git"], "allow_child_process": ["/usr/bin/git"]},
        ["/tmp/r/**"], {"allow_tmp": ["/tmp/r/**"], "allow_child_process": ["/usr/bin/git"]},
    ),
    "a program of a preset that was not run": ([tmp(SQLITE)], {}, ["preset:sqlite-jdbc"], {"presets": ["sqlite-jdbc"]}),
    "a preset that is the smallest of two": (
        [tmp("/tmp/libEGL.so"), tmp("/tmp/chromium"), program("/tmp/chromium")],
        {"allow_tmp": ["/tmp/chromium"]},
        ["preset:sparticuz-chromium"], {"presets": ["sparticuz-chromium"]},
    ),
    "three libraries that ask for memory, one of them counted": (
        [
            *(alert("executable_memory", allow=each) for each in ("_cffi_backend", "libffi")),
            folded("executable_memory", 2, event="repeated", allow="libjax_common", details={"syscall": "mmap"}),
        ],
        {}, ["libffi", "preset:cffi", "preset:jax"],
        {"allow_executable_memory": ["libffi"], "presets": ["cffi", "jax"]},
    ),
    "what looks like an attack is nobody's need": (
        [program("/tmp/miner"), connect(ip="169.254.169.254", port=80)], {}, [], None,
    ),
    "what only a source line lacks": ([alert("read_handler", path="/var/task/app.py")], {}, [], None),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLETED)
def test_a_policy_that_would_deny_something_says_so(learned: Learn, name: str) -> None:
    """Exit status 3, with the one command after which as much as can be accepted at once goes on."""
    lines, written, accept, then = COMPLETED[name]
    (told,) = learned(lines)
    denied = [each["target"] for each in told["still_denied"] if each["policy"] != "read_handler"]
    assert (told["policy"], told["accept"], told["complete"]) == (written, accept, not denied)
    done = command("learn", learned.log, "--output", learned.folder / "p.toml")
    assert done.returncode == (3 if denied else 0)
    assert ("INCOMPLETE: in block mode it denies" in (learned.folder / "p.toml").read_text()) == bool(denied)
    assert ("clear_tmp" in done.stderr) == any(each.startswith("/tmp/") for each in accept)
    if then is not None:
        (told,) = learned.again(*(word for entry in accept for word in ("--accept", entry)))
        assert told["policy"] == then
        assert {each["target"] for each in told["still_denied"]} <= {"/usr/bin/gcc", "/usr/bin/ld"}


def test_an_offer_is_taken(log: Path) -> None:
    arguments = ("learn", log, "--accept", "/tmp/????????????????-part", "--accept", "169.254.169.254:80")
    (told,) = json.loads(command(*arguments, "--json").stdout)["functions"]
    assert told["policy"]["allow_tmp"] == ["/tmp/????????????????-part", "/tmp/cache.json"]
    assert (told["offers"], told["decisions"], told["still_denied"]) == ([], [], [])
    offered = "/tmp/????????????????-part, 169.254.169.254:80, read_write_tmp=allow"
    expected = f"--accept /tmp/**: this entry is not offered; the offered entries are: {offered}"
    assert says(command("learn", log, "--accept", "/tmp/**")) == expected


SNAPPY = [f"/tmp/snappy-1.1.10-{each}-libsnappyjava.so" for each in ("0b5c", "77aa")]
MEMORY, MODE = alert("executable_memory", allow="libffi"), alert("executable_memory", path="/opt/libffi.so")
ALERT, DENIES = 'outbound_connectivity = "alert"\n', 'deny_outbound = ["preset:exfiltration"]\n'
DENIED = [connect("webhook.site"), lookup("a.oast.fun"), connect("api.example.com")]
GRANTED = [connect("sqs.eu-west-1.amazonaws.com")]
MEANT = 'in allow_aws, "granted" means the grants of the role, which only a CDK app knows'
NO_GRANT = 'the role is granted nothing on the service sqs: grant it, or list it, as in allow_aws=["granted", "sqs"]'
LIGHTGBM = [
    alert("executable_memory", through=("lightgbm", "app"), allow="libffi"),
    alert("executable_memory", through=("evil",), allow="libevil"),
]
# Lines, options (a policy file is written with the text behind it), and what is learned: of lists, what names each row.
LEARNED: dict[str, tuple[list[str], tuple[str, ...], dict[str, object]]] = {
    "a mode": ([MODE], (), {"still_denied": ["/opt/libffi.so"], "accept": ["executable_memory=allow"]}),
    "a mode is accepted by name": (
        [MODE], ("--accept", "executable_memory=allow"), {"policy": {"executable_memory": "allow"}, "still_denied": []},
    ),
    "V8's flags, with the entry": (
        [alert("executable_memory", path="--expose-gc", allow="node-flags")],
        ("--accept", "node-flags"),
        {"policy": {"allow_executable_memory": ["node-flags"]}, "decisions": []},
    ),
    "who asked for memory offers a preset": (LIGHTGBM, (), {"policy": {}, "offers": ["preset:lightgbm"]}),
    "a preset for memory": (LIGHTGBM, ("--accept", "preset:lightgbm"), {"policy": {"presets": ["lightgbm"]}}),
    "a preset for memory it has": (LIGHTGBM, ("--policy", 'presets = ["lightgbm"]'), {"offers": [], "presets": []}),
    # A program says nothing of the library: anybody runs uname.
    "a program, and /tmp": (
        [program("/usr/bin/uname"), tmp("/tmp")], (),
        {"policy": {"allow_tmp": ["/tmp"], "allow_child_process": ["/usr/bin/uname"]}},
    ),
    "what a preset settles beside names in /tmp": (
        [program("/usr/bin/uname"), tmp("/tmp"), tmp(SQLITE)], (),
        {"policy": {"presets": ["sqlite-jdbc"]}, "settled": ["/tmp", SQLITE, "/usr/bin/uname"]},
    ),
    "a preset that the present policy has": (
        [*map(tmp, SNAPPY)], ("--policy", 'presets = ["snappy-java"]'),
        {"offers": [], "presets": [], "lacking": [], "present": {"presets": ["snappy-java"]}},
    ),
    # What is a decision to take is not in the policy that is printed.
    "S3 of any bucket": (
        [connect("s3.eu-west-1.amazonaws.com")], (),
        {"policy": {"allow_aws": "granted"}, "still_denied": ["s3.eu-west-1.amazonaws.com:443"], "complete": False},
    ),
    "AWS without the present policy": (GRANTED, (), {"policy": {"allow_aws": ["sqs", "granted"]}, "notes": [MEANT]}),
    "AWS beside a policy without it": (
        GRANTED, ("--policy", "clear_tmp = true"), {"policy": {"clear_tmp": True, "allow_aws": ["sqs", "granted"]}},
    ),
    # A start tells what it admitted; code can fake one. The lines, and what is never exceeded.
    **{
        f"AWS of starts: {name}": ([*starts, *more], (), {"policy": {"allow_aws": found} if found else {}})
        for name, starts, more, found in [
            ("all", [armed(aws="all")], [], "all"),
            ("none", [armed(aws="none")], [], "none"),
            ("a list", [armed(aws="dynamodb,s3")], [], ["dynamodb", "s3"]),
            ("a list, and more", [armed(aws="dynamodb")], GRANTED, ["dynamodb", "sqs"]),
            ("none, and more", [armed(aws="none")], GRANTED, ["sqs"]),
            ("all is faked", [armed(aws="dynamodb"), armed(at(20), aws="all")], [], ["dynamodb"]),
            ("a service is faked", [armed(aws="dynamodb"), armed(aws="dynamodb,sts")], [], ["dynamodb"]),
            ("a service that is none", [armed(aws="dynamodb,evil")], [], ["dynamodb"]),
            ("all, but more was reported", [armed(aws="all")], GRANTED, ["sqs", "granted"]),
            ("one does not tell", [armed(aws="dynamodb,sts"), armed()], [], "granted"),
            ("buckets", [armed(aws="dynamodb,s3", buckets=2)], [], ["dynamodb", "granted"]),
            ("all, and buckets", [armed(aws="all", buckets=2)], [], None),
            ("hosts", [armed(aws="dynamodb,s3", hosts=1)], [], ["dynamodb", "s3", "granted"]),
            ("none tells", [armed()], [], None),
        ]
    },
    "added to the present policy": (
        LOG, ("--policy", f'{ALERT}allow_outbound = ["*.stripe.com"]\nallow_aws = ["sqs"]\n'),
        {
            "policy": {"allow_outbound": ["*.stripe.com"], "allow_aws": ["sqs"], "allow_tmp": ["/tmp/cache.json"]},
            "admitted": 5,
        },
    ),
    "nothing that the present policy denies": (
        DENIED, ("--policy", ALERT + DENIES),
        {
            "policy": {"allow_outbound": ["api.example.com:443"], "deny_outbound": ["preset:exfiltration"]},
            "complete": True, "decisions": ["denied"] * 2,
        },
    ),
    "a host for exfiltration": (
        [connect("webhook.site")], (),
        {"policy": {}, "decisions": ["exfiltration"], "still_denied": ["webhook.site:443"], "accept": []},
    ),
    "AWS with --granted": (GRANTED, ("--granted",), {"decisions": ["missing-grant"], "reasons": [NO_GRANT]}),
    "AWS that is granted": (GRANTED, ("--policy", 'allow_aws = "granted"'), {"decisions": ["missing-grant"]}),
}  # fmt: skip
NAMED_BY = {"offers": "value", "decisions": "rule", "still_denied": "target", "lacking": "target", "presets": "value"}


@pytest.mark.parametrize("name", LEARNED)
def test_what_is_learned(learned: Learn, name: str) -> None:
    lines, options, expected = LEARNED[name]
    if "--policy" in options:
        options = ("--policy", str(learned.policy(options[1])))
    (told,) = learned(lines, *options)
    found = {**told, **{field: [each[key] for each in told[field]] for field, key in NAMED_BY.items()}}
    found["reasons"] = [each["reason"] for each in told["decisions"]]
    found["settled"] = [each for preset in told["presets"] for each in preset["examples"]]
    assert {field: found[field] for field in expected} == expected


def test_a_preset_takes_the_place_of_entries(learned: Learn) -> None:
    """What it admits needs no entry of its own; what is left does."""
    told, refund = learned([*map(tmp, SNAPPY), tmp("/tmp/cache.json"), *OTHER])
    assert told["policy"] == {"allow_tmp": ["/tmp/cache.json"], "presets": ["snappy-java"]}
    (preset,) = told["presets"]
    assert (preset["value"], preset["examples"], preset["evidence"]["count"]) == ("snappy-java", SNAPPY, 2)
    assert (told["offers"], told["still_denied"]) == ([], [])
    assert (refund["presets"], "presets" in refund["policy"]) == ([], False)
    written = command("learn", learned.log, "--function", "checkout", "--format", "toml").stdout
    assert f'"snappy-java",  # 2 times on 1 day, 2026-11-20; for {", ".join(SNAPPY)}: ' in written
    table = command("learn", learned.log).stdout
    assert "snappy-java" in table
    assert "that the present policy admits" not in table
    # As before it was taken unasked:
    assert command("learn", learned.log, "--accept", "preset:snappy-java").returncode == 0


def test_a_preset_that_needs_executable_memory_is_offered(learned: Learn) -> None:
    (told,) = learned([tmp("/tmp/numba/index.nbi"), alert("executable_memory", allow="libllvmlite")])
    assert told["policy"] == {"allow_tmp": ["/tmp/numba/index.nbi"]}
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("preset:numba", 2)]
    asks = "code that is written into executable memory runs and it admits all that is in /tmp/numba/**"
    assert told["offers"][0]["why"].endswith(asks)
    assert (told["complete"], told["accept"]) == (False, ["preset:numba"])
    assert "set NUMBA_CACHE_DIR=/tmp/numba" in told["offers"][0]["why"]
    present = ("--policy", learned.policy('executable_memory = "block"\n'))
    for options, kept in (((), {}), (present, {"executable_memory": "block"})):
        (told,) = learned.again("--accept", "preset:numba", *options)
        assert (told["policy"], told["decisions"]) == ({**kept, "presets": ["numba"]}, [])
        assert (told["still_denied"], told["problem"]) == ([], "")


def test_the_page_shows_what_random_names_become(learned: Learn) -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "roll-out.md").read_text(encoding="utf-8")
    table = page.partition("| seen | learned |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) == 10
    for seen, becomes in rows[:-1]:
        (told,) = learned(map(tmp, re.findall(r"`(/tmp/[^`]+)`", seen)))
        (entry,) = re.findall(r"`([^`]+)`", becomes)
        name, _, value = entry.partition("=")
        if becomes.startswith("nothing; offered is "):
            assert (told["policy"], [each["value"] for each in told["offers"]]) == ({}, [entry, "allow"])
        else:
            assert told["policy"] == ({name: json.loads(value)} if value else {"allow_tmp": [entry]}), seen


def test_more_files_than_a_policy_takes(learned: Learn) -> None:
    files = [f"/tmp/profile/{one}/{two}" for one in "abcdefghijklm" for two in "nopqrstuvwxy"]
    present = learned.policy(f"allow_tmp = {[f'/tmp/{n}' for n in range(125)]}\n".replace("'", '"'))
    (told,) = learned(map(tmp, [*files, "/tmp/one"]), "--policy", present)
    assert (told["problem"], told["complete"], told["accept"]) == ("", False, ["/tmp/profile/**"])
    assert told["policy"]["allow_tmp"][-1] == "/tmp/one"
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("/tmp/profile/**", 156), ("allow", 156)]
    (told,) = learned.again("--policy", present, "--accept", "/tmp/profile/**")
    assert (told["problem"], told["still_denied"], told["notes"]) == ("", [], [])
    assert told["policy"]["allow_tmp"][-2:] == ["/tmp/one", "/tmp/profile/**"]
    (told,) = learned.again("--policy", present, "--accept", "read_write_tmp=allow")
    assert (told["policy"]["read_write_tmp"], told["policy"]["clear_tmp"], told["complete"]) == ("allow", True, True)


ENOUGH = 'allow_outbound = ["api.stripe.com:443", "169.254.169.254:80"]\nallow_tmp = ["/tmp/**"]\n'
FOLDED = "7 violations of outbound_connectivity were counted and not written"
# Lines, the policy, the exit status of `--check`, and what is printed.
CHECKED: dict[str, tuple[list[str], str, int, tuple[str, ...]]] = {
    "enough": (
        LOG, ENOUGH, 0, ("1 functions: their policies admit all that was observed\n",),
    ),
    "lacking": (LOG, 'allow_outbound = ["api.stripe.com:443"]\nread_write_tmp = "allow"\n', 1, ("169.254.169.254:80",)),
    "folded": ([folded("outbound_connectivity", 7)], 'allow_outbound = ["a.example:443"]\n', 1, (FOLDED,)),
    "folded, of what is allowed": (
        [folded("outbound_connectivity", 7)], 'outbound_connectivity = "allow"\n', 0, (),
    ),
    "only a deployment can tell": (
        GRANTED, 'allow_aws = "granted"\n', 0,
        ("its policy may admit this, by entries known only at deployment", "sqs.eu-west-1.amazonaws.com:443"),
    ),
    "nothing": (
        ["START"], "", 2, ("1 lines hold none of the shield's; learn needs lines of the shield: did the functions",),
    ),
    # What programs go on without fails no check.
    "a source line": ([alert("read_handler", path="/var/task/app.py")], "", 0, ()),
    "uname": ([program("/usr/bin/uname")], "", 0, ()),
    "denied on purpose": (DENIED, 'allow_outbound = ["api.example.com:443"]\n' + DENIES, 0, ()),
    "ldconfig": ([SEARCH], "", 0, ()),
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKED)
def test_check_in_ci(learned: Learn, name: str) -> None:
    lines, policy, status, printed = CHECKED[name]
    learned.log.write_text("\n".join(lines) + "\n")
    arguments = ("learn", learned.log, "--check", "--policy", learned.policy(policy))
    done = command(*arguments)
    assert done.returncode == status, done.stderr
    said = says(done) if status == 2 else done.stdout
    assert all(text in said for text in printed)
    if status == 2:
        return
    told = json.loads(command(*arguments, "--json").stdout)
    assert told["lacks"] == bool(status)
    assert [each["target"] for each in told["functions"][0]["lacking"]] == ([*printed] if name == "lacking" else [])
    assert name != "enough" or (said,) == printed


def test_more_entries_than_a_policy_takes(learned: Learn) -> None:
    """Somebody's 600 hosts keep nobody from learning of the others."""
    checkout, refund = learned([*(connect(f"h.example{n}.com") for n in range(600)), *OTHER])
    assert "more than 512 entries" in checkout["problem"]
    assert (len(checkout["still_denied"]), checkout["policy"]) == (600, {})
    assert refund["policy"] == {"allow_outbound": ["api.example.com:443"]}
    assert "the learned entries make no valid policy" in command("learn", learned.log).stdout
    said = says(command("learn", learned.log, "--output", learned.folder / "policies"))
    assert said.startswith("checkout: the learned entries make no valid policy")


def shielded(path: str, host: str, **properties: Any) -> dict[str, Any]:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield", "SHIELD_ALLOW_OUTBOUND": host}
    made = function(Environment={"Variables": variables}, **properties)
    return {**made, "Metadata": {"aws:cdk:path": f"{path}/Resource"}}


def write_assembly(folder: Path, *stacks: tuple[str, str, dict[str, Any]]) -> Path:
    """A `cdk.out` of stacks: the construct path, the name, and the resources of each; `In` may be nested."""
    artifacts: dict[str, Any] = {}
    for number, (path, name, resources) in enumerate(stacks):
        (folder / f"{number}.json").write_text(json.dumps({"Resources": resources}))
        told = {"templateFile": f"{number}.json", "stackName": name}
        artifacts[f"a{number}"] = {"type": "aws:cloudformation:stack", "displayName": path, "properties": told}
    artifacts["assets"] = {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}
    (folder / "assets.json").write_text(json.dumps({"files": {"a" * 64: {"source": {"path": "nested.json"}}}}))
    (folder / "nested.json").write_text(json.dumps({"Resources": {"Pay": shielded("Shop/In/Pay", "a.example")}}))
    (folder / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    return folder


def cloud_assembly(folder: Path) -> Path:
    """A `cdk.out` of the stack Shop, with a nested one."""
    url = {"TemplateURL": {"Fn::Sub": f"https://s3/assets/{'a' * 64}.json"}}
    path = {"aws:cdk:path": "Shop/In.NestedStack/In.NestedStackResource"}
    resources = {
        "Pay": shielded("Shop/Pay", "a.example"),
        "Quiet": shielded("Shop/Quiet", "a.example", FunctionName="quiet-one"),
        "Wrong": shielded("Shop/Wrong", "a b"),
        "In": {"Type": "AWS::CloudFormation::Stack", "Metadata": path, "Properties": url},
    }
    return write_assembly(folder, ("Shop", "Shop", resources))


def test_the_policies_of_an_assembly(tmp_path: Path) -> None:
    present = InAssembly(cloud_assembly(tmp_path), {"odd-name": "Shop/Pay", "x": "Shop/Nobody"})
    for name in ("quiet-one", "odd-name", "Shop-Pay-AbCdEfGh1234", "Shop-In-1QWE-Pay-AbCdEfGh1234"):
        assert present.policy_of(name) == ShieldPolicy(allow_aws="all", allow_outbound=["a.example"]), name
    assert present.policy_of("somebody-elses") is None
    for name, said in {
        "x": "--place x=Shop/Nobody: no function has this path",
        "Pay": "Pay is ambiguous: it may be any of Shop/Pay, Shop/In/Pay: give --place Pay=PATH",
        "Wrong": "Shop/Wrong: its policy is wrong: ",
    }.items():
        with pytest.raises(CliError, match=said):
            present.policy_of(name)


LONG = "AVeryLongNameOfAStackIndeed"
PROCESSOR = "ProcessorOfPaymentsWithAVeryLongName12345678"
# The names of stacks by construct path, the logical id in each, a function's name, and the stack that has it.
NAMES: dict[str, tuple[dict[str, str], str, str, str | None]] = {
    "run's": ({"Shop": "Shop"}, "Fetch84857CE8", "Shop-Fetch84857CE8", "Shop"),
    "CloudFormation's": ({"Shop": "Shop"}, "Fetch84857CE8", "Shop-Fetch84857CE8-AbCdEfGh1234", "Shop"),
    "another stack that begins alike": ({"ShopEU": "ShopEU"}, "Fetch84857CE8", "Shop-Fetch84857CE8-AbCdEfGh1234", None),
    "the one of two": (
        {"ShopEU": "ShopEU", "Shop": "Shop"}, "Fetch84857CE8", "Shop-Fetch84857CE8-AbCdEfGh1234", "Shop",
    ),
    "a stack with a name of its own": ({"Shop": "acme-shop"}, "Pay", "acme-shop-Pay-AbCdEfGh1234", "Shop"),
    "the construct's path is no name then": ({"Shop": "acme-shop"}, "Pay", "Shop-Pay-AbCdEfGh1234", None),
    "a stage's": ({"Prod/Shop": "Prod-Shop"}, "Pay", "Prod-Shop-Pay-AbCdEfGh1234", "Prod/Shop"),
    "a beginning of the logical id": ({"Shop": "Shop"}, "Payment", "Shop-Pay-AbCdEfGh1234", None),
    "both cut to 24": ({"S": LONG}, PROCESSOR, f"{LONG[:24]}-{PROCESSOR[:24]}-AbCdEfGh1234", "S"),
    "all cut to 64": ({"S": "Shop"}, PROCESSOR + "X" * 8, f"Shop-{PROCESSOR}XX-AbCdEfGh1234"[:64], "S"),
    "cut, and of another stack": ({"S": "Other" + LONG}, PROCESSOR, f"{LONG[:24]}-{PROCESSOR[:24]}-AbCdEfGh1234", None),
    "short, so it was not cut": ({"S": LONG}, PROCESSOR, f"{LONG[:5]}-{PROCESSOR[:5]}-AbCdEfGh1234", None),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_a_function_is_found_by_its_exact_name(tmp_path: Path, case: str) -> None:
    """Another stack's function, with the same logical id, has another policy."""
    stacks, logical_id, name, expected = NAMES[case]
    made = ((path, stack, {logical_id: shielded(f"{path}/F", f"{stack}.example")}) for path, stack in stacks.items())
    present = InAssembly(write_assembly(tmp_path, *made))
    found = present.policy_of(name)
    assert (found and found.allow_outbound) == (expected and (f"{stacks[expected].lower()}.example",))
    assert f"--place {name}={next(iter(stacks))}/F" in present.hint(name)


def test_a_function_that_the_assembly_does_not_name(log: Path, tmp_path: Path) -> None:
    arguments = ("learn", log, "--assembly", cloud_assembly(tmp_path))
    assert "the present policy of checkout is unknown: add --place checkout=Shop/" in command(*arguments).stderr
    for place, said in ((("--place", "checkout=Shop/Pay"), "lacks"), ((), "is unknown")):
        done = command(*arguments, "--check", *place)
        assert done.returncode == 1, done.stderr
        assert f"checkout: its policy {said}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--check",), "--check compares with the present policy: give --policy FILE or --assembly cdk.out"),
        (("--policy", "a", "--assembly", "b"), "give --policy or --assembly: not both"),
        (("--policy", "nowhere.toml"), "the policy file nowhere.toml cannot be read"),
        (("--assembly", "."), "manifest.json cannot be read"),
        (("--place", "a=b"), "--place names a function of --assembly"),
        (("--output", "x.YAML"), "--output x.YAML: learn writes TOML or Python: give the name the ending .toml or .py"),
        (("--output", "x.txt"), "--output x.txt: learn writes TOML or Python"),
        (("--json", "--output", "x"), "--output formats a written policy, and --json writes none: remove one of them"),
        (("--check", "--output", "x"), "--output formats a written policy, and --check writes none"),
        (("--json", "--format", "python"), "--format formats a written policy, and --json writes none"),
        (("--format", "toml"), "one function at a time, found checkout, refund: choose one with --function"),
        (("--output", "x/y.toml", "--function", "refund"), "x/y.toml cannot be written: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "log").write_text("\n".join(LOG + OTHER) + "\n")
    assert said in says(command("learn", "log", *arguments, cwd=tmp_path))


def test_a_log_of_no_use(tmp_path: Path) -> None:
    """A forged name of a function is no path; and a function may do nothing that is reported."""
    (tmp_path / "log").write_text(connect("a.example", function="../../evil") + "\n")
    said = says(command("learn", tmp_path / "log", "--output", tmp_path / "out"))
    assert said == "'../../evil' is not usable as a file name: choose functions with --function"
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "log").write_text(armed(aws="none") + "\n")
    assert command("learn", tmp_path / "log").returncode == 0
