"""Names in /tmp: those that are entries as they are, those with a pattern, and those that are one decision."""

from __future__ import annotations

import random
import secrets
import string
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from tempfile import _RandomNameSequence  # pyright: ignore[reportAttributeAccessIssue]

import pytest

from harness.alert_lines import armed, at, program, tmp
from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.learning import Evidence
from shielded_function_monitoring.learning.tmp_names import MOST_OFFERS, admits, plan
from unit.monitoring.learned import entries, learned_of, rules

pytestmark = pytest.mark.promise("cli.learn")

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
HEX = "3858f62230ac3c915f300c664312c63f"
ANY = "read_write_tmp=allow"


def offered_of(*lines: str) -> list[str]:
    """What is offered, without the offer that covers every name in /tmp, which is beside each of them."""
    offers = [each.value for each in learned_of(*lines).offers]
    assert offers[-1:] in ([], ["allow"])
    return offers[:-1]


# Nothing in these comes from a function that makes names.
FIXED = [
    "cache.json", "matplotlib/fontlist-v3.11.0.json.matplotlib-lock", "fontList.json", "v1.2.3/a", "cache-v2", "tmpdir",
    "download", "mydownload.tmp", "data.db-journal", "video.mp4", "__pycache__/a", "отчёт.csv", "#", "pdf/cfg",
    "my_data", ".pdfbox.cache", "catboost_info/learn",
]  # fmt: skip
# Certain forms: the pattern covers the next name too, so it is an entry at once.
TAKEN = {
    "tmpk3j_x9a2": "tmp????????",
    "tmpk3j_x9a2/out.csv": "tmp????????/out.csv",
    "tmp.Ab3dEf9hIj": "tmp.??????????",
    f"report-{UUID}.csv": "report-*.csv",
    f"out/{HEX}": f"out/{'?' * 32}",
    "poifiles/poi-sxssf-template1234567890123456789.xml": "poifiles/poi-sxssf-template*.xml",
}
# A pattern that is offered; empty where only every name in /tmp is.
OFFERED = {
    "order17.pdf": "order*.pdf",
    "_jinja2-cache-993/x.cache": "_jinja*/**",
    "report_20261202_081012.csv": "report_*.csv",
    "jna1702347291.tmp": "jna*.tmp",
    "exp_zqznnhmh.csv": "exp_????????.csv",
    "qmoympdv": "????????",
    "job-_ab1_cd2": "job-????????",
    "download.bin.e7aB12cd": "download.bin.*",
    "lib-1.2.3.so": "lib-*.so",
    "j/__a_3858f62230ac3c91.cache8j5c_5wn.tmp": "j/**",
    f"{UUID}/a": f"{'?' * 36}/**",
    "gzq99fv9bw6kh7jf4q6xleqj5": "",
    "1.csv": "",
    "٣.csv": "",
}


@pytest.mark.parametrize(("path", "pattern"), [*dict.fromkeys(FIXED, None).items(), *TAKEN.items(), *OFFERED.items()])
def test_one_name_seen_in_one_start(path: str, pattern: str | None) -> None:
    path, glob = f"/tmp/{path}", f"/tmp/{pattern}"
    learned = learned_of(armed(), *[tmp(path)] * 2)
    if path[5:] not in OFFERED:
        assert (entries(learned), learned.offers) == ([("allow_tmp", glob if pattern else path)], [])
        assert not pattern or learned.entries[0].note.startswith(f"for {path}: the name is random")
        return
    assert entries(learned) == []
    assert [(each.field, each.value, each.covers, each.evidence.count) for each in learned.offers] == [
        *([("allow_tmp", glob, 1, 2)] if pattern else []), ("read_write_tmp", "allow", 1, 2),
    ]  # fmt: skip
    accepted = learned_of(armed(), tmp(path), accept=[glob if pattern else ANY])
    mode = {} if pattern else {"read_write_tmp": "allow", "clear_tmp": True}
    assert (accepted.settings, accepted.offers) == (mode, [])
    assert entries(accepted) == ([("allow_tmp", glob)] if pattern else [])
    if pattern:
        assert ShieldPolicy(allow_tmp=[glob]).decide("tmp", path).action == "allow"


BASE62, BASE36 = string.ascii_letters + string.digits, string.ascii_lowercase + string.digits
_NAMES: Iterator[str] = _RandomNameSequence()


def _of(alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


# Each: a name as its function makes it. Many of the letters in the alphabet make many names that read like a word.
GENERATORS: dict[str, Callable[[], str]] = {
    "tempfile's probe": lambda: next(_NAMES),
    "tempfile": lambda: f"job-{next(_NAMES)}",
    "tempfile with an ending": lambda: f"exp_{next(_NAMES)}.csv",
    "mkdtemp of Node.js": lambda: f"job-{_of(BASE62, 6)}",
    "Math.random": lambda: f"x-{_of(BASE36, 9)}",
    "token_hex": lambda: f"rep-{secrets.token_hex(4)}",
    "createTempFile of Java": lambda: f"work{random.getrandbits(64)}.txt",
    "mktemp": lambda: f"tmp.{_of(BASE62, 10)}",
    "uuid": lambda: f"{uuid.uuid4()}.bin",
    "sha256": lambda: f"cache-{secrets.token_hex(32)}",
    "a time": lambda: time.strftime("report_%Y%m%d_%H%M%S.csv", time.gmtime(random.getrandbits(31))),
    "orders": lambda: f"order-{random.randrange(1000)}.pdf",
}
_DRAWS = 400


@pytest.mark.parametrize("name", GENERATORS)
def test_no_random_name_is_an_entry(name: str) -> None:
    """Alone, or one of several: but for a few of letters alone that read like a word, fewer than one of a hundred."""
    seen = Evidence(1, at(), at())
    draws = [f"/tmp/{GENERATORS[name]()}" for _ in range(_DRAWS)]
    alone = {path: plan({path: seen}) for path in draws}
    silent = [path for path, made in alone.items() if not made.taken and not made.offered]
    assert len(silent) < _DRAWS / 50, silent
    assert all(path.rpartition(".")[0 if path.endswith(".csv") else 2][5:].replace("_", "").isalpha() or "-" in path
               for path in silent)  # fmt: skip
    globs = {form.glob for made in alone.values() for form in (*made.taken.values(), *made.offered.values())}
    assert len(globs) <= 2, "one function has one pattern, and one for names of digits alone"
    for glob in globs:
        assert glob != "/tmp/*"
        if name != "orders" and "*" not in glob:
            assert sum(admits(glob, path) for path in draws) > _DRAWS * 0.95, "another start's names are admitted"
    together = plan(dict.fromkeys(draws, seen))
    assert sum(path not in together.taken and path not in together.offered for path in draws) <= len(silent)


GIT = [".git", ".git/HEAD", ".git/config", ".git/tk0IpfX", ".git/objects/f3/tmp_obj_7L5LiB", "file.txt"]
JOBLIB = ["output.pkl", "metadata.json", f"metadata.json.{HEX}-10-139673799393872"]
# Names that libraries were seen to use in two starts, and the one decision: patterns, or every name.
LIBRARIES: dict[str, tuple[list[str], list[str], list[str]]] = {
    "git in a folder of mkdtemp": (
        [f"repo-ZHWMKg/{each}" for each in GIT], [f"repo-myCeuN/{each}" for each in GIT], ["repo-??????/**"],
    ),
    "git in TemporaryDirectory": (
        [f"tmpk3j_x9a2/{each}" for each in GIT], [f"tmpq7w_e2r9/{each}" for each in GIT], ["tmp????????/**"],
    ),
    "joblib.Memory": (
        [f"joblib/app/f/{HEX}/{each}" for each in JOBLIB],
        [f"joblib/app/f/{HEX[::-1]}/{each.replace('10', '11')}" for each in JOBLIB], ["joblib/**"],
    ),
    "pytesseract": (
        ["tess_pgca96jf", "tess_pgca96jf_input.PNG", "tess_pgca96jf.txt"],
        ["tess_t5ydnfu_", "tess_t5ydnfu__input.PNG", "tess_t5ydnfu_.txt"],
        ["tess_*.PNG", "tess_????????", "tess_????????.txt"],
    ),
    "pikepdf": ([".pikepdf.a.pdf9k2mzq1x", ".pikepdf.b.pdfuut10kjg"], [".pikepdf.a.pdf7qm10zr2"],
                [".pikepdf.a.*", ".pikepdf.b.*"]),
    "npm's tmp": (["tmp-10-pPzxkMHXmoKF"], ["tmp-11-ogsB2xKqLwmq"], ["tmp-*"]),
    "a browser's profile": (
        [f"playwright_chromiumdev_profile-Uukvj6/a/{n}" for n in range(30)],
        [f"playwright_chromiumdev_profile-VP7K7B/a/{n}" for n in range(30)],
        ["playwright_chromiumdev_profile-??????/**"],
    ),
    "more than a person can judge": ([f"{one}{one}-1" for one in "abcdefghi"], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_learned_of_one_start_admits_the_other(name: str) -> None:
    first, second, patterns = LIBRARIES[name]
    lines = [
        [armed(at(day)), *(tmp(f"/tmp/{each}", at(day)) for each in seen)] for day, seen in ((20, first), (21, second))
    ]
    wanted = [f"/tmp/{each}" for each in patterns]
    assert offered_of(*lines[0]) == wanted
    accepted = learned_of(*lines[0], accept=wanted or [ANY])
    assert accepted.settings == ({} if patterns else {"read_write_tmp": "allow", "clear_tmp": True})
    allowed = [value for _, value in entries(accepted)]
    assert all(any(admits(glob, f"/tmp/{path}") for glob in allowed) for path in second), allowed
    varying = [each for each in wanted if set("*?") & set(each.split("/")[2]) and "/tmp/tmp????????" not in each]
    assert accepted.unproven == varying, "one start proves nothing about the next one"
    assert bool(accepted.incomplete) == bool(varying)
    both = learned_of(*lines[0], *lines[1], accept=wanted or [ANY])
    assert both.unproven == (["/tmp/.pikepdf.b.*"] if name == "pikepdf" else [])
    assert len(patterns) <= MOST_OFFERS


# Names of starts, and the entries: a start is what follows an `armed` line, or a log stream.
STARTS: list[tuple[list[Sequence[str]], list[str], list[str]]] = [
    ([["part-1", "part-2"], ["part-1", "part-2"]], ["part-1", "part-2"], []),
    ([["xkqzpwmt.so"], ["xkqzpwmt.so"]], ["xkqzpwmt.so"], []),
    # A snapshot of SnapStart repeats a name that initialization made: two starts have it, the next version has not.
    ([["app-ZHWMKg"], ["app-ZHWMKg"]], ["app-ZHWMKg"], []),
    # One of them has another name in each start: none of their form stays.
    ([["order-1.pdf", "order-2.pdf"], ["order-1.pdf", "order-3.pdf"]], [], ["order-*.pdf"]),
    # The process's number, and the day's, are those of another start by chance.
    ([["app-17.sock"], ["app-17.sock"]], [], ["app-*.sock"]),
    ([["report-2026-11-20.csv"], ["report-2026-11-20.csv"]], [], ["report-*.csv"]),
]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("starts", "values", "offered"), STARTS)
def test_what_two_starts_show(
    starts: list[Sequence[str]], values: list[str], offered: list[str], streams: bool
) -> None:
    lines = [
        line if not streams else f"2026-11-20T10:00:00+00:00 2026/11/20/[$LATEST]{n} {line}"
        for n, names in enumerate(starts)
        for line in (*([] if streams else [armed(at(20, n))]), *(tmp(f"/tmp/{name}", at(20, n)) for name in names))
    ]
    learned = learned_of(*lines)
    assert [value for _, value in entries(learned)] == [f"/tmp/{each}" for each in values]
    assert offered_of(*lines) == [f"/tmp/{each}" for each in offered]
    assert learned_of(armed(), *(line for line in lines if "armed" not in line)).entries == [] or streams


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


def test_forged_names_cost_no_hours() -> None:
    """Each line another pattern: only those are tried that cover most."""
    names = [f"/tmp/tmpa1b2c3{n % 90 + 10}.x{n}/{'a' * (n % 99)}" for n in range(2000)]
    names += [f"/tmp/d/{'-'.join(f'a{j}b{n}' for j in range(90))}" for n in range(1000)]
    names += [f"/tmp/d/{n:x}-{uuid.UUID(int=n)}{'z' * 900}" for n in range(1000)]
    began = time.process_time()
    made = plan(dict.fromkeys(names, Evidence(1, at(), at())))
    assert time.process_time() - began < 10
    assert len({form.glob for form in (*made.taken.values(), *made.offered.values())}) <= 256 + MOST_OFFERS
