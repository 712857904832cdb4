"""`shielded-function learn`: policies from lines, beside the present ones, for people, files and CI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.alert_lines import alert, armed, at, connect, folded, lookup, program, tmp
from integration.cli import shop
from integration.cli.insights_account import Account, account, ago, denying
from integration.cli.moto_account import REGION
from integration.cli.running import command, says
from shielded_function.cli import learn
from shielded_function.cli.aws import Place
from shielded_function.cli.errors import CliError
from shielded_function.cli.learn import Options
from shielded_function.cli.log_groups import Where
from shielded_function.cli.present import InAssembly
from shielded_function.policy import ShieldPolicy

pytestmark = pytest.mark.promise("cli.learn")

LOG = [
    armed(at(20)),
    lookup("api.stripe.com", at(20)),
    connect("api.stripe.com", time=at(20), count=3, caller="libssl.so"),
    connect("api.stripe.com", time=at(22), caller="libssl.so"),
    tmp("/tmp/cache.json", at(21)),
    tmp("/tmp/3858f62230ac3c91-part", at(21)),
    connect(ip="169.254.169.254", port=80, time=at(21)),
]
OTHER = [connect("api.example.com", time=at(20), function="refund")]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(LOG) + "\n")
    return path


@pytest.fixture
def both(tmp_path: Path) -> Path:
    path = tmp_path / "both.jsonl"
    path.write_text("\n".join(LOG + OTHER) + "\n")
    return path


def test_a_table_for_people(log: Path) -> None:
    done = command("learn", log)
    assert done.returncode == 3, done.stderr
    said = done.stdout
    assert "1 cold starts, 3 days observed" in said
    assert "api.stripe.com:443" in said
    assert "/tmp/????????????????-part" in said
    assert "metadata-address" in said
    assert "in block mode, the learnt policy would still deny" in said
    with_it = (
        f"lets through all but 169.254.169.254:80: shielded-function learn {log} --accept '/tmp/????????????????-part'"
    )
    assert with_it in " ".join(said.split())


def test_many_kinds_of_many_functions(tmp_path: Path) -> None:
    """A screen or two, and how to have the rest."""
    lines = [
        connect(f"h{kind}.example", function=f"function-with-a-long-name-{n}", time=at(20), caller="_socket.so")
        for n in range(12)
        for kind in range(60)
    ]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    narrow = {"COLUMNS": "80"}
    said = command("learn", tmp_path / "log", environment=narrow).stdout
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("\n") < 400
    assert said.startswith("functions\n")
    assert "5 of 60: --all shows all" in said
    assert "its policy has 62 lines: --output FILE writes it, --all prints it" in said
    assert "2 functions more: --function NAME shows one of them, --all shows all" in said
    every = command("learn", tmp_path / "log", "--all", environment=narrow).stdout
    assert every.count('    "h59.example:443",') == 12


def test_as_a_file_that_the_other_commands_read(log: Path, tmp_path: Path) -> None:
    for name in ("checkout.toml", "checkout.yaml", "checkout.json"):
        done = command("learn", log, "--output", tmp_path / name)
        assert (done.returncode, done.stdout) == (3, f"{tmp_path / name}\n"), done.stderr
        assert "in block mode it denies what was seen: 169.254.169.254:80, /tmp/3858f62230ac3c91-part" in done.stderr
        policy = ShieldPolicy.from_file(tmp_path / name)
        assert policy == ShieldPolicy(
            allow_outbound=["api.stripe.com:443"], allow_aws="all", allow_tmp=["/tmp/cache.json"]
        )
    rendered = command("render", "--policy", tmp_path / "checkout.toml", "--format", "env")
    assert "SHIELD_ALLOW_OUTBOUND=api.stripe.com:443" in rendered.stdout
    decided = command("decide", "connect", "api.stripe.com:443", "--policy", tmp_path / "checkout.toml")
    assert decided.returncode == 0


def test_a_file_of_each_function(both: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    done = command("learn", both, "--output", folder)
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["checkout.toml", "refund.toml"]
    assert ShieldPolicy.from_file(folder / "refund.toml") == ShieldPolicy(
        allow_outbound=["api.example.com:443"], allow_aws="all"
    )


def test_python(both: Path) -> None:
    done = command("learn", both, "--function", "refund", "--format", "python")
    assert done.returncode == 0, done.stderr
    names: dict[str, object] = {}
    exec(done.stdout, names)
    assert names["policy"] == ShieldPolicy(allow_outbound=["api.example.com:443"], allow_aws="all")


def test_json(log: Path) -> None:
    (told,) = json.loads(command("learn", log, "--json").stdout)["functions"]
    assert (told["function"], told["cold_starts"], told["days"]) == ("checkout", 1, 3)
    assert told["policy"] == {"allow_outbound": ["api.stripe.com:443"], "allow_tmp": ["/tmp/cache.json"]}
    assert told["entries"][0]["evidence"] == {
        "count": 4, "first": at(20), "last": at(22), "days": 2, "callers": ["libssl.so"],
        "packages": [{"count": 4, "through": [], "object": "libssl.so"}],
        "first_version": "7", "last_version": "7", "place": "",
    }  # fmt: skip
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("/tmp/????????????????-part", 1)]
    assert [each["rule"] for each in told["decisions"]] == ["metadata-address"]
    assert {each["target"] for each in told["still_denied"]} == {
        "169.254.169.254:80", "/tmp/3858f62230ac3c91-part",
    }  # fmt: skip


SEARCH = program("/usr/sbin/ldconfig", allow="unshielded:/usr/sbin/ldconfig", caller="_posixsubprocess.cpython-311.so")
# What functions did in alert mode, the policy that is written, what `--accept` completes it, and the policy then.
COMPLETED = {
    "an upload in Python": (
        [tmp("/tmp/unkrnf7e"), tmp("/tmp/#")],
        {"presets": ["python-tempfile"]}, [], None,
    ),
    "a preset that has what another one has": (
        [tmp("/tmp/tvdc6ga6"), tmp("/tmp/2-symdb-pids")],
        {"presets": ["ddtrace"]}, [], None,
    ),
    "find_library": (
        [SEARCH],
        {"presets": ["python-tempfile"]},
        ["preset:find-library"], {"presets": ["find-library"]},
    ),
    "find_library, of a library that is not there": (
        [SEARCH, program("/usr/bin/gcc"), program("/usr/bin/ld"), tmp("/tmp/ccYv0PF1.res"), tmp("/tmp/tmp0t3z5qac")],
        {"presets": ["python-tempfile"]},
        ["preset:find-library"], {"presets": ["find-library"]},
    ),
    "an upload in Node.js": (
        [tmp("/tmp/gzq99fv9bw6kh7jf4q6xleqj5", caller="node")],
        {}, [f"/tmp/{'?' * 25}"], {"allow_tmp": [f"/tmp/{'?' * 25}"]},
    ),
    "git": (
        [program("/usr/bin/git"), tmp("/tmp/r"), tmp("/tmp/r/.git"), tmp("/tmp/r/.git/tk0IpfX")],
        {"allow_child_process": ["/usr/bin/git"]},
        ["/tmp/r/**"], {"allow_tmp": ["/tmp/r/**"], "allow_child_process": ["/usr/bin/git"]},
    ),
    "a program of a preset that was not run": (
        [tmp("/tmp/sqlite-3.49.1.0-0b5c-libsqlitejdbc.so")],
        {}, ["preset:sqlite-jdbc"], {"presets": ["sqlite-jdbc"]},
    ),
    "a preset that is the smallest of two": (
        [tmp("/tmp/libEGL.so"), tmp("/tmp/chromium"), program("/tmp/chromium")],
        {"allow_tmp": ["/tmp/chromium", "/tmp/libEGL.so"]},
        ["preset:sparticuz-chromium"], {"presets": ["sparticuz-chromium"]},
    ),
    "what looks like an attack is nobody's need": (
        [program("/tmp/miner"), connect(ip="169.254.169.254", port=80)],
        {}, [], None,
    ),
    "what only a source line lacks": ([alert("read_handler", path="/var/task/app.py")], {}, [], None),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLETED)
def test_a_policy_that_would_deny_something_says_so(tmp_path: Path, name: str) -> None:
    """Exit status 3, with the one command after which as much as can be accepted at once goes on."""
    lines, written, accept, then = COMPLETED[name]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    done = command("learn", tmp_path / "log", "--json")
    (told,) = json.loads(done.stdout)["functions"]
    denied = [each["target"] for each in told["still_denied"] if each["policy"] != "read_handler"]
    assert (told["policy"], told["accept"]) == (written, accept)
    assert (done.returncode, told["complete"]) == ((3, False) if denied else (0, True))
    assert command("learn", tmp_path / "log", "--output", tmp_path / "p.toml").returncode == done.returncode
    assert ("INCOMPLETE: in block mode it denies" in (tmp_path / "p.toml").read_text()) == bool(denied)
    said = command("learn", tmp_path / "log", "--output", tmp_path / "p.toml").stderr
    assert ("clear_tmp" in said) == any(each.startswith("/tmp/") for each in accept)
    if then is not None:
        options = [word for entry in accept for word in ("--accept", entry)]
        (told,) = json.loads(command("learn", tmp_path / "log", *options, "--json").stdout)["functions"]
        assert told["policy"] == then
        assert {each["target"] for each in told["still_denied"]} <= {"/usr/bin/gcc", "/usr/bin/ld"}


def test_an_offer_is_taken(log: Path, tmp_path: Path) -> None:
    arguments = ("learn", log, "--accept", "/tmp/????????????????-part", "--accept", "169.254.169.254:80")
    (told,) = json.loads(command(*arguments, "--json").stdout)["functions"]
    assert told["policy"]["allow_tmp"] == ["/tmp/????????????????-part", "/tmp/cache.json"]
    assert (told["offers"], told["decisions"], told["still_denied"]) == ([], [], [])
    said = says(command("learn", log, "--accept", "/tmp/**"))
    assert said == "--accept /tmp/**: it is not offered; offered is /tmp/????????????????-part, 169.254.169.254:80"


def test_a_mode_is_accepted_by_name(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(alert("executable_memory", path="/opt/libffi.so") + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert [each["policy"] for each in told["still_denied"]] == ["executable_memory"]
    arguments = ("learn", tmp_path / "log", "--accept", "executable_memory=allow", "--json")
    (told,) = json.loads(command(*arguments).stdout)["functions"]
    assert (told["policy"], told["still_denied"]) == ({"executable_memory": "allow"}, [])


SNAPPY = [f"/tmp/snappy-1.1.10-{each}-libsnappyjava.so" for each in ("0b5c", "77aa")]


def test_a_preset_takes_the_place_of_entries(tmp_path: Path) -> None:
    """What it admits needs no entry of its own; what is left does."""
    (tmp_path / "log").write_text("\n".join([*map(tmp, SNAPPY), tmp("/tmp/cache.json"), *OTHER]) + "\n")
    told, refund = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_tmp": ["/tmp/cache.json"], "presets": ["snappy-java"]}
    assert [(each["name"], each["settles"], each["evidence"]["count"]) for each in told["presets"]] == [
        ("snappy-java", SNAPPY, 2)
    ]
    assert (told["offers"], told["still_denied"]) == ([], [])
    assert (refund["presets"], "presets" in refund["policy"]) == ([], False)
    written = command("learn", tmp_path / "log", "--function", "checkout", "--format", "toml").stdout
    assert f'"snappy-java",  # 2 times on 1 day, 2026-11-20; settles {", ".join(SNAPPY)}\n' in written
    table = command("learn", tmp_path / "log").stdout
    assert "presets, in place of entries" in table
    assert "that the present policy admits" not in table
    assert 'presets = [\n    "snappy-java",\n]' in table
    # As before it was taken unasked:
    assert command("learn", tmp_path / "log", "--accept", "preset:snappy-java").returncode == 0


def test_what_a_preset_settles_beside_names_in_tmp(tmp_path: Path) -> None:
    """A program says nothing of the library: anybody runs uname."""
    lines = [program("/usr/bin/uname"), tmp("/tmp")]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_tmp": ["/tmp"], "allow_child_process": ["/usr/bin/uname"]}
    lines.append(tmp("/tmp/sqlite-3.49.1.0-0b5c-libsqlitejdbc.so"))
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"presets": ["sqlite-jdbc"]}
    assert told["presets"][0]["settles"] == ["/tmp", "/tmp/sqlite-3.49.1.0-0b5c-libsqlitejdbc.so", "/usr/bin/uname"]


def test_the_preset_for_pythons_tempfile(tmp_path: Path) -> None:
    """It is taken for the file with which tempfile tries /tmp: that has no glob of its own that is narrow."""
    log = tmp_path / "log"
    log.write_text("\n".join(map(tmp, ["/tmp/tmpk3j_x9a2.csv", "/tmp/tmpa1b2c3d4/out"])) + "\n")
    (told,) = json.loads(command("learn", log, "--json").stdout)["functions"]
    assert told["policy"] == {"allow_tmp": ["/tmp/tmp????????.csv", "/tmp/tmp????????/out"]}
    log.write_text(log.read_text() + tmp("/tmp/q7w_e2r9") + "\n")
    (told,) = json.loads(command("learn", log, "--json").stdout)["functions"]
    assert (told["policy"], told["still_denied"]) == ({"presets": ["python-tempfile"]}, [])


def test_a_preset_that_needs_executable_memory_is_offered(tmp_path: Path) -> None:
    lines = [tmp("/tmp/numba/index.nbi"), alert("executable_memory", allow="libllvmlite")]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_tmp": ["/tmp/numba/index.nbi"]}
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("preset:numba", 2)]
    asks = "what it is told to write into executable memory runs and it admits all that is in /tmp/numba/**"
    assert told["offers"][0]["why"].endswith(asks)
    assert (told["complete"], told["accept"]) == (False, ["preset:numba"])
    said = command("learn", tmp_path / "log").stdout
    assert "numba: the function is to set NUMBA_CACHE_DIR=/tmp/numba" in said
    (tmp_path / "present.toml").write_text('executable_memory = "block"\n')
    for present, kept in (((), {}), (("--policy", tmp_path / "present.toml"), {"executable_memory": "block"})):
        arguments = ("learn", tmp_path / "log", "--accept", "preset:numba", *present, "--json")
        (told,) = json.loads(command(*arguments).stdout)["functions"]
        assert (told["policy"], told["decisions"]) == ({**kept, "presets": ["numba"]}, [])
        assert (told["still_denied"], told["problem"]) == ([], "")


def test_executable_memory_is_somebodys_decision(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(alert("executable_memory", allow="libffi") + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    (decision,) = told["decisions"]
    assert (decision["rule"], decision["field"], decision["value"]) == (
        "executable-memory", "allow_executable_memory", "libffi",
    )  # fmt: skip
    (told,) = json.loads(command("learn", tmp_path / "log", "--accept", "libffi", "--json").stdout)["functions"]
    assert (told["policy"], told["decisions"]) == ({"allow_executable_memory": ["libffi"]}, [])


def test_who_asked_for_memory_offers_a_preset(tmp_path: Path) -> None:
    lines = [
        alert("executable_memory", through=("lightgbm", "app"), allow="libffi"),
        alert("executable_memory", through=("evil",), allow="libevil"),
    ]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("preset:lightgbm", 1)]
    assert told["policy"] == {}
    arguments = ("learn", tmp_path / "log", "--accept", "preset:lightgbm", "--json")
    (told,) = json.loads(command(*arguments).stdout)["functions"]
    assert told["policy"] == {"presets": ["lightgbm"]}
    (tmp_path / "present.toml").write_text('presets = ["lightgbm"]\n')
    arguments = ("learn", tmp_path / "log", "--policy", tmp_path / "present.toml", "--json")
    (told,) = json.loads(command(*arguments).stdout)["functions"]
    assert (told["offers"], told["presets"]) == ([], []), "it has it"


@pytest.mark.parametrize("through", [("urllib3", "requests", "app"), ("@smithy/core", "@aws-sdk/client-s3", "index")])
def test_which_packages_need_an_entry(tmp_path: Path, through: tuple[str, ...]) -> None:
    chain = " > ".join(reversed(through))
    (tmp_path / "log").write_text(connect("api.stripe.com", through=through, caller="_socket.so") + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["entries"][0]["evidence"]["packages"] == [{"count": 1, "through": list(through), "object": ""}]
    assert chain in command("learn", tmp_path / "log").stdout
    for form in ("toml", "yaml", "python"):
        written = command("learn", tmp_path / "log", "--format", form).stdout
        assert f"  # 1 time on 1 day, 2026-11-20, by _socket.so, for {chain}\n" in written


def test_random_names_become_a_glob(tmp_path: Path) -> None:
    names = [f"/tmp/jna{n}.tmp" for n in (1702347291, 8812345678)]
    (tmp_path / "log").write_text("\n".join(map(tmp, ["/tmp/app-a1b2c3", "/tmp/app-d4e5f6", *names])) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_tmp": ["/tmp/app-*"], "presets": ["jna"]}
    assert told["still_denied"] == []
    assert "for 2 names, such as /tmp/app-a1b2c3" in command("learn", tmp_path / "log", "--format", "toml").stdout


def test_the_page_shows_what_random_names_become(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "roll-out.md").read_text(encoding="utf-8")
    table = page.partition("| seen | learnt |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) == 8
    for seen, learnt in rows[:-1]:
        paths = re.findall(r"`(/tmp/[^`]+)`", seen)
        (tmp_path / "log").write_text("\n".join(map(tmp, paths)) + "\n")
        (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
        (entry,) = re.findall(r"`([^`]+)`", learnt)
        name, _, value = entry.partition("=")
        wanted = {name: json.loads(value)} if value else {"allow_tmp": [entry]}
        if learnt.startswith("nothing; offered is "):
            assert (told["policy"], [each["value"] for each in told["offers"]]) == ({}, [entry])
        else:
            assert told["policy"] == wanted, seen


def test_more_files_than_a_policy_takes(tmp_path: Path) -> None:
    paths = [f"/tmp/profile/{one}/{two}" for one in "abcdefghijklm" for two in "nopqrstuvwxy"]
    (tmp_path / "log").write_text("\n".join(map(tmp, paths)) + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    entries = told["policy"]["allow_tmp"]
    folded = [f"/tmp/profile/{one}/*" for one in "abc"]
    assert (told["problem"], told["still_denied"], len(entries)) == ("", [], 156 - 3 * 12 + 3)
    assert [entry for entry in entries if "*" in entry] == folded
    present = tmp_path / "present.toml"
    present.write_text(f"allow_tmp = {[f'/tmp/{n}' for n in range(125)]}\n".replace("'", '"'))
    (told,) = json.loads(command("learn", tmp_path / "log", "--policy", present, "--json").stdout)["functions"]
    assert (told["problem"], told["complete"], told["accept"]) == ("", False, ["/tmp/profile/**"])
    assert told["notes"][0].startswith("allow_tmp needs 156 entries, and there is room for 3: take a folder")
    assert [(each["value"], each["covers"]) for each in told["offers"]] == [("/tmp/profile/**", 156)]
    arguments = ("learn", tmp_path / "log", "--policy", present, "--accept", "/tmp/profile/**", "--json")
    (told,) = json.loads(command(*arguments).stdout)["functions"]
    assert (told["problem"], told["still_denied"], told["notes"]) == ("", [], [])
    assert told["policy"]["allow_tmp"][-1] == "/tmp/profile/**"


def test_a_preset_that_the_present_policy_has_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(map(tmp, SNAPPY)) + "\n")
    (tmp_path / "present.toml").write_text('presets = ["snappy-java"]\n')
    arguments = ("learn", tmp_path / "log", "--policy", tmp_path / "present.toml", "--json")
    (told,) = json.loads(command(*arguments).stdout)["functions"]
    assert (told["offers"], told["presets"], told["lacking"]) == ([], [], [])
    assert told["present"] == {"presets": ["snappy-java"]}


# The present policy


def test_added_to_the_present_policy(log: Path, tmp_path: Path) -> None:
    present = tmp_path / "present.toml"
    present.write_text('outbound_connectivity = "alert"\nallow_outbound = ["*.stripe.com"]\nallow_aws = ["sqs"]\n')
    (told,) = json.loads(command("learn", log, "--policy", present, "--json").stdout)["functions"]
    assert told["policy"] == {
        "allow_outbound": ["*.stripe.com"], "allow_aws": ["sqs"], "allow_tmp": ["/tmp/cache.json"],
    }  # fmt: skip
    done = command("learn", log, "--policy", present, "--format", "diff")
    assert done.returncode == 3, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["--- checkout (present)", "+++ checkout (learnt)"]
    assert '-outbound_connectivity = "alert"' in lines
    assert any(line.startswith('+    "/tmp/cache.json",  # 1 time on 1 day, 2026-11-21') for line in lines)
    assert not any(line.startswith(("+", "-")) and "stripe" in line for line in lines)


def test_aws_without_the_present_policy(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(connect("sqs.eu-west-1.amazonaws.com") + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_aws": ["sqs"]}
    assert "nothing is known of the services that it has" in told["notes"][0]
    granted = tmp_path / "granted.toml"
    granted.write_text('allow_aws = "granted"\n')
    for options in (("--granted",), ("--policy", granted)):
        (told,) = json.loads(command("learn", tmp_path / "log", "--json", *options).stdout)["functions"]
        assert [each["rule"] for each in told["decisions"]] == ["missing-grant"], options


def test_check_in_ci(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(each.replace('"count":3', '"count":1') for each in LOG) + "\n")
    enough = tmp_path / "enough.toml"
    enough.write_text('allow_outbound = ["api.stripe.com:443", "169.254.169.254:80"]\nallow_tmp = ["/tmp/**"]\n')
    done = command("learn", log, "--check", "--policy", enough)
    assert (done.returncode, done.stdout) == (0, "1 functions: their policies admit all that was observed\n")
    lacking = tmp_path / "lacking.toml"
    lacking.write_text('allow_outbound = ["api.stripe.com:443"]\nread_write_tmp = "allow"\n')
    done = command("learn", log, "--check", "--policy", lacking)
    assert done.returncode == 1
    assert "169.254.169.254:80" in done.stdout
    done = command("learn", log, "--check", "--policy", lacking, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["lacks"] is True
    assert [each["target"] for each in told["functions"][0]["lacking"]] == ["169.254.169.254:80"]
    assert told["functions"][0]["policy"]["read_write_tmp"] == "allow", "what is allowed stays allowed"


def test_check_fails_where_targets_are_unknown(tmp_path: Path) -> None:
    enough = tmp_path / "enough.toml"
    enough.write_text('allow_outbound = ["a.example:443"]\n')
    for name, lines in (("folded", [folded("outbound_connectivity", 7)]), ("counted", [connect("a.example", count=8)])):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        done = command("learn", tmp_path / name, "--check", "--policy", enough)
        assert done.returncode == 1
        assert "7 violations of outbound_connectivity were counted and not written" in done.stdout
    enough.write_text('outbound_connectivity = "allow"\n')
    assert command("learn", tmp_path / "folded", "--check", "--policy", enough).returncode == 0


def test_check_of_nothing_is_no_check(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("START\n")
    (tmp_path / "p.json").write_text("{}")
    said = says(command("learn", tmp_path / "log", "--check", "--policy", tmp_path / "p.json"))
    assert "1 lines hold none of the shield's; no line of the shield was found; --check has nothing to go by" in said


def test_check_says_what_only_a_deployment_can_tell(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(connect("sqs.eu-west-1.amazonaws.com") + "\n")
    (tmp_path / "p.toml").write_text('allow_aws = "granted"\n')
    done = command("learn", tmp_path / "log", "--check", "--policy", tmp_path / "p.toml")
    assert done.returncode == 0, done.stdout
    assert "what its policy may admit, by entries that are known only at deployment" in done.stdout
    assert "sqs.eu-west-1.amazonaws.com:443" in done.stdout


@pytest.mark.parametrize(("first", "second"), [("--json", "--output"), ("--check", "--output"), ("--json", "--format")])
def test_options_that_nobody_would_heed(log: Path, tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "p.json").write_text("{}")
    value = tmp_path / "x.toml" if second == "--output" else "python"
    said = says(command("learn", log, first, second, value, "--policy", tmp_path / "p.json"))
    assert said == f"{second} is for what is written, and {first} writes nothing: leave one out"


def test_s3_of_any_bucket_is_not_allowed_by_the_default(tmp_path: Path) -> None:
    """What is a decision to take is not in the policy that is printed."""
    (tmp_path / "log").write_text(connect("s3.eu-west-1.amazonaws.com") + "\n")
    (told,) = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert told["policy"] == {"allow_aws": "none"}
    assert [each["target"] for each in told["still_denied"]] == ["s3.eu-west-1.amazonaws.com:443"]


def test_more_entries_than_a_policy_takes(tmp_path: Path) -> None:
    """Somebody's 600 hosts keep nobody from learning of the others."""
    many = [connect(f"h.example{n}.com") for n in range(600)]
    (tmp_path / "log").write_text("\n".join([*many, *OTHER]) + "\n")
    checkout, refund = json.loads(command("learn", tmp_path / "log", "--json").stdout)["functions"]
    assert "more than 512 entries" in checkout["problem"]
    assert (len(checkout["still_denied"]), checkout["policy"]) == (600, {})
    assert refund["policy"] == {"allow_outbound": ["api.example.com:443"]}
    assert "what was learnt makes no policy" in command("learn", tmp_path / "log").stdout
    said = says(command("learn", tmp_path / "log", "--output", tmp_path / "policies"))
    assert said.startswith("checkout: what was learnt makes no policy")


@pytest.mark.parametrize("line", [alert("read_handler", path="/var/task/app.py"), program("/usr/bin/uname"), SEARCH])
def test_what_programs_go_on_without_fails_no_check(tmp_path: Path, line: str) -> None:
    (tmp_path / "log").write_text(line + "\n")
    (tmp_path / "p.json").write_text("{}")
    assert command("learn", tmp_path / "log", "--check", "--policy", tmp_path / "p.json").returncode == 0


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop.synthesize(tmp_path_factory.mktemp("shop"))


def test_the_policies_of_an_assembly(assembly: Path) -> None:
    present = InAssembly(assembly, {"odd-name": "Shop/Checkout"})
    assert present.policy_of("quiet-one") is not None, "by its name"
    policy = ShieldPolicy(allow_aws=["cognito-identity", "cognito-idp", "sts"], read_handler="block")
    assert present.policy_of("odd-name") == policy, "by --place"
    checkout = next(f for f in present._functions if f.place.path == "Shop/Checkout")
    assert present.policy_of(f"Shop-{checkout.place.logical_id}-AbCdEfGh1234") == policy
    assert present.policy_of("somebody-elses") is None
    with pytest.raises(CliError, match="--place x=Shop/Nobody: no function has this path"):
        InAssembly(assembly, {"x": "Shop/Nobody"}).policy_of("x")


def test_check_against_an_assembly(assembly: Path, log: Path) -> None:
    done = command("learn", log, "--check", "--assembly", assembly, "--place", "checkout=Shop/Checkout")
    assert done.returncode == 1
    assert "checkout: its policy lacks" in done.stdout
    done = command("learn", log, "--check", "--assembly", assembly)
    assert done.returncode == 1
    assert "checkout: its policy is not known" in done.stdout


# Several runs


def test_runs_are_kept_and_merged(log: Path, tmp_path: Path) -> None:
    saved, later = tmp_path / "first.json", tmp_path / "later.jsonl"
    assert command("learn", log, "--save", saved).returncode == 3
    later.write_text(
        "\n".join([armed(at(24)), connect("api.stripe.com", time=at(24)), folded("read_write_tmp", 2, at(24))])
    )
    (told,) = json.loads(command("learn", later, "--merge", saved, "--json").stdout)["functions"]
    assert told["cold_starts"] == 2
    assert told["entries"][0]["evidence"]["count"] == 5
    assert told["entries"][0]["evidence"]["days"] == 3
    assert len(told["incomplete"]) == 3
    (alone,) = json.loads(command("learn", "--merge", saved, "--json").stdout)["functions"]
    assert alone["entries"][0]["evidence"]["count"] == 4
    assert "the same run is given twice" in says(command("learn", "--merge", saved, "--merge", saved))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--check",), "--check compares with the present policy: give --policy FILE or --assembly cdk.out"),
        (("--format", "diff"), "--format diff compares with the present policy"),
        (("--policy", "a", "--assembly", "b"), "give --policy or --assembly: not both"),
        (("--policy", "nowhere.toml"), "the policy file nowhere.toml cannot be read"),
        (("--assembly", "."), "manifest.json cannot be read"),
        (("--place", "a=b"), "--place names a function of --assembly"),
        (("--merge", "nowhere.json"), "--merge nowhere.json cannot be read"),
        (("--merge", "odd.json"), "--merge odd.json: it is not what `learn --save` writes"),
        (("--format", "toml"), "one function at a time, found checkout, refund: choose one with --function"),
        (("--output", "x/y.toml", "--function", "refund"), "x/y.toml cannot be written: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(both: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "odd.json").write_text("{}")
    assert said in says(command("learn", both, *arguments, cwd=tmp_path))


def test_a_forged_function_name_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(connect("a.example", function="../../evil") + "\n")
    said = says(command("learn", tmp_path / "log", "--output", tmp_path / "out"))
    assert said == "'../../evil' is no name for a file: choose functions with --function"
    assert list((tmp_path / "out").iterdir()) == []


def test_no_line_of_the_shield(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("START\n")
    done = command("learn", tmp_path / "log")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        f"shielded-function: {tmp_path}/log: 1 lines hold none of the shield's",
        "shielded-function: no line of the shield was found",
    ]


# AWS


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account(monkeypatch) as made:
        yield made


def test_from_a_log_group(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write("/aws/lambda/checkout", [armed(ago(days=3)), connect("api.stripe.com", time=ago(days=3), count=3),
                                       connect("api.stripe.com", time=ago(hours=1))])  # fmt: skip
    assert learn.run(Where(log_groups=["/aws/lambda/checkout"], place=Place(REGION)), Options(), json=True) == 3
    (told,) = json.loads(capsys.readouterr().out)["functions"]
    assert told["policy"] == {"allow_outbound": ["api.stripe.com:443"]}
    assert told["entries"][0]["evidence"]["days"] == 2
    (asked,) = aws.asked
    assert asked["endTime"] - asked["startTime"] == 14 * 86400


def test_the_missing_action_is_named(aws: Account) -> None:
    aws.write("/aws/lambda/checkout", [connect("api.stripe.com", time=ago(hours=1))])
    aws.refuse = denying("StartQuery")
    with pytest.raises(CliError, match="you need logs:StartQuery"):
        learn.run(Where(log_groups=["/aws/lambda/checkout"], place=Place(REGION)), Options(), json=True)
