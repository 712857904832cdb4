"""Names in /tmp that are learned as globs, those that are only offered, and those that stay as they are."""

from __future__ import annotations

import time

import pytest

from harness.alert_lines import program, tmp
from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.learning import Heading, write_toml
from shielded_function_monitoring.learning.tmp_names import plan
from shielded_function_monitoring.learning.wildcards import form_of
from unit.monitoring.learned import entries, learned_of, rules

pytestmark = pytest.mark.promise("cli.learn")


KNOWN = {
    "/tmp/tmpk3j_x9a2": "/tmp/tmp????????",
    "/tmp/tmpk3j_x9a2.csv": "/tmp/tmp????????.csv",
    "/tmp/tmpk3j_x9a2/out.csv": "/tmp/tmp????????/out.csv",
    "/tmp/tmp.Ab3dEf9hIj": "/tmp/tmp.??????????",
}
RANDOM = {
    "/tmp/tmpabcdefgh": "/tmp/tmp????????",  # nothing but letters: it may be a word
    "/tmp/tmpk3j_x9a2/0f8fad5b-d9cb-469f-a165-70867728950e": f"/tmp/tmp????????/{'?' * 36}",
    "/tmp/upload-Xy3aB9/part": "/tmp/upload-??????/part",
    "/tmp/report12345678901234567890.pdf": "/tmp/report*.pdf",
    "/tmp/0f8fad5b-d9cb-469f-a165-70867728950e/a": "/tmp/????????????????????????????????????/a",
    "/tmp/3858f62230ac3c915f300c664312c63f": f"/tmp/{'?' * 32}",
    "/tmp/3858f62230ac3c91.bin": f"/tmp/{'?' * 16}.bin",
    "/tmp/j/__a_3858f62230ac3c91.cache8j5c_5wn.tmp": "/tmp/j/__a_*.cache????????.tmp",
    "/tmp/j/state.jsonq7w_e2r9.tmp": "/tmp/j/state.json????????.tmp",
}


@pytest.mark.parametrize(("path", "glob"), (KNOWN | RANDOM).items())
def test_random_names_are_offered_a_glob(path: str, glob: str) -> None:
    """Those of a known library are learned as one."""
    learned = learned_of(tmp(path, count=2))
    assert ShieldPolicy(allow_tmp=[glob]).decide("tmp", path).action == "allow"
    if path in KNOWN:
        assert (entries(learned), learned.offers) == ([("allow_tmp", glob)], [])
        assert learned.entries[0].evidence.count == 2
        assert learned.entries[0].note.startswith(f"for 1 name, such as {path}: the name is random (")
        return
    assert entries(learned) == []
    (offer,) = learned.offers
    assert (offer.field, offer.value, offer.covers, offer.evidence.count) == ("allow_tmp", glob, 1, 2)
    assert offer.examples == (path,)
    accepted = learned_of(tmp(path), accept=[glob])
    assert (entries(accepted), accepted.offers) == ([("allow_tmp", glob)], [])


@pytest.mark.parametrize(
    "path", ["/tmp/cache.json", "/tmp/matplotlib-fontlist.json", "/tmp/v1.2.3/a", "/tmp/tmpdir", "/tmp/mydownload.tmp"]
)
def test_ordinary_names_are_not_random(path: str) -> None:
    assert form_of(path) is None


PROFILE = "/tmp/playwright_chromiumdev_profile-"
PROFILES = [f"{PROFILE}Uukvj6", f"{PROFILE}VP7K7B"]
REPOSITORY = [
    f"/tmp/r/repo/{each}" for each in (".git/tk0IpfX", ".git/objects/f3/tmp_obj_7L5LiB", ".git/HEAD", "file.txt")
]
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("seen", "values", "offered"),
    [
        # The file with which tempfile tries the directory: eight characters that no word has.
        (["/tmp/k3j_x9a2"], [], {"/tmp/????????": 1}),
        (["/tmp/xkqzpwmt"], [], {"/tmp/????????": 1}),
        (["/tmp/k3j_x9a2", "/tmp/tmpab12cd34.csv"], ["/tmp/tmp????????.csv"], {"/tmp/????????": 1}),
        (["/tmp/cache_v2", "/tmp/download"], ["/tmp/cache_v2", "/tmp/download"], {}),  # words, as far as anybody knows
        (["/tmp/download", "/tmp/#"], [], {"/tmp/#": 1, "/tmp/????????": 1}),  # beside an unnamed file it may be one
        # One name twice is one name, and one random name is no entry: it never comes again.
        (["/tmp/jna1702347291.tmp"] * 2, [], {"/tmp/jna*.tmp": 1}),
        # A glob takes what it covers: no entry is left that nothing needs.
        (["/tmp/up-a1b2c3d4", "/tmp/up-e5f6a7b8", "/tmp/up-readme", f"/tmp/up-{UUID}"], ["/tmp/up-*"], {}),
        # A repository is offered as a whole: of git's files the names are hashes, or random.
        (["/tmp/r", "/tmp/r/repo", *REPOSITORY], ["/tmp/r"], {"/tmp/r/repo/**": 5}),
        # So is a full folder of a random name.
        ([*PROFILES, *(f"{each}/a/{n}" for each in PROFILES for n in range(25))], [], {f"{PROFILE}??????/**": 52}),
        # Too little in common.
        (["/tmp/a8f3e2c1.csv", "/tmp/b7d2c1e8.csv"], [], {"/tmp/????????.csv": 2}),
        (["/tmp/x-a8f3e2c1", "/tmp/x-b7d2c1e8"], [], {"/tmp/x-????????": 2}),
        (["/tmp/gzq99fv9bw6kh7jf4q6xleqj5"], [], {f"/tmp/{'?' * 25}": 1}),  # formidable's
        (["/tmp/k7a9z3q2m8b1c4d6e5f0g1h2"], [], {f"/tmp/{'?' * 24}": 1}),
        # No name is random.
        (["/tmp/colors.json", "/tmp/config.json"], ["/tmp/colors.json", "/tmp/config.json"], {}),
        (["/tmp/file1.txt", "/tmp/file2.txt"], ["/tmp/file1.txt", "/tmp/file2.txt"], {}),
        (["/tmp/lib-1.2.3.so", "/tmp/lib-1.2.4.so"], ["/tmp/lib-1.2.3.so", "/tmp/lib-1.2.4.so"], {}),
    ],
)
def test_what_is_learned_of_several_names(seen: list[str], values: list[str], offered: dict[str, int]) -> None:
    learned = learned_of(*map(tmp, seen))
    assert entries(learned) == [("allow_tmp", value) for value in values]
    assert {each.value: each.covers for each in learned.offers} == offered


def test_of_another_language_it_is_not_tempfiles() -> None:
    of_node = learned_of(*(tmp(path, caller="node") for path in ("/tmp/download", "/tmp/#")))
    assert (len(of_node.entries), of_node.offers) == (2, [])


LDCONFIG = program(
    "/usr/sbin/ldconfig", allow="unshielded:/usr/sbin/ldconfig", caller="_posixsubprocess.cpython-311.so"
)
COMPILER = ["/usr/bin/x86_64-linux-gnu-gcc-12", "/usr/bin/x86_64-linux-gnu-ld.bfd", "/usr/bin/gcc", "/usr/bin/ld"]


def test_what_find_library_runs_is_not_learned() -> None:
    """Without it, a compiler is a program like another."""
    files = ["/tmp/ccYv0PF1.res", "/tmp/cc9uR0Jz.cdtor.o"]
    learned = learned_of(LDCONFIG, *map(program, COMPILER), *map(tmp, files), program("/usr/bin/gccgo-doc"))
    assert entries(learned) == [("allow_child_process", "/usr/bin/gccgo-doc")]
    assert {(rule, target, value) for rule, target, value in rules(learned)} == {
        ("find-library", "/usr/sbin/ldconfig", "unshielded:/usr/sbin/ldconfig"),
        *(("find-library", path, path) for path in COMPILER),
        *(("find-library", path, "") for path in files),
    }
    assert "block mode goes another way" in next(each.reason for each in learned.findings if "ldconfig" in each.target)
    assert entries(learned_of(*map(program, COMPILER[2:]))) == [("allow_child_process", path) for path in COMPILER[2:]]
    java = program("/usr/sbin/ldconfig", allow="unshielded:/usr/sbin/ldconfig", caller="jspawnhelper")
    assert [rule for rule, _, _ in rules(learned_of(java))] == ["unshielded-program"]


ALIKE = [
    (["/tmp/jna1702347291.tmp", "/tmp/jna8812345678.tmp"], "/tmp/jna*.tmp"),
    (["/tmp/upload-Xy3aB9/part", "/tmp/upload-Zz1yX2/part"], "/tmp/upload-??????/part"),
    ([f"/tmp/.org.chromium.Chromium.{each}" for each in ("AbCdEf", "xYzAbC")], "/tmp/.org.chromium.Chromium.??????"),
    ([f"/tmp/up-{n * 7:08d}-0f8fad5b-d9cb-469f-a165-70867728950{n}" for n in (1, 2)], "/tmp/up-*"),
    (["/tmp/out/a8f3e2c1", "/tmp/out/b7d2c1e8"], "/tmp/out/*"),
    (["/tmp/report12345678901234567890.pdf", "/tmp/report1234567890123.pdf"], "/tmp/report*.pdf"),
]


@pytest.mark.parametrize(("paths", "glob"), ALIKE)
def test_what_was_seen_twice_is_learned_as_a_glob(paths: list[str], glob: str) -> None:
    learned = learned_of(*(tmp(path, caller="a.so") for path in paths), tmp("/tmp/cache.json"))
    assert entries(learned) == [("allow_tmp", value) for value in sorted((glob, "/tmp/cache.json"))]
    assert learned.offers == []
    (entry,) = (each for each in learned.entries if each.value == glob)
    assert entry.evidence.count == 2
    assert entry.note.startswith(f"for 2 names, such as {sorted(paths)[0]}, ")
    policy = ShieldPolicy(allow_tmp=[glob])
    assert all(policy.decide("tmp", path).action == "allow" for path in paths)
    text = write_toml({"allow_tmp": [glob]}, Heading.of(learned))
    assert "; for 2 names, such as " in text


def test_forged_names_cost_no_hours() -> None:
    """Each line another glob: only those are tried that cover most."""
    names = [f"/tmp/tmpa1b2c3{n % 90 + 10}.{n}" for n in range(1000)]
    names += [f"/tmp/{'-'.join(f'a{j}b{n}' for j in range(12))}" for n in range(500)]
    began = time.process_time()
    made = plan(names)
    assert time.process_time() - began < 10
    assert len({form.glob for form in made.taken.values()}) <= 256 + 32
