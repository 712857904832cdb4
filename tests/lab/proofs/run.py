"""`make proofs`: properties of the core, proved by CBMC for every input up to a size.

Each proof is a C file beside this one. CBMC looks at all its executions at once: for reads and writes out of bounds,
overflow, loops that run longer than the bound says, and the file's own assertions. CBMC is Debian 13's, fetched by
the machine's own apt, and run with that release's C library; nothing is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.arm64.packages import Packed
from lab.libcs.fetch import Unavailable, root_of
from lab.libcs.releases import LIBCS, Package

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[2] / "runtime_layer" / "native" / "core"
SECONDS = 600  # for one proof, of which the longest needs 20 on a quiet machine
_ZLIB, _LIBC, _LIBGCC = (
    next(p for libc in LIBCS if libc.id == "glibc-2.41-x86_64" for p in libc.packages if p.name == name)
    for name in ("zlib1g", "libc6", "libgcc-s1")
)
CBMC = Packed(
    "cbmc",
    "x86_64",
    "trixie",
    (
        Package(
            "pool/main/c/cbmc/cbmc_6.6.0-4_amd64.deb",
            "02560859a17049c976961c232c4fc58f0747b57f9b751a466b1f368a438b0e41",
        ),
        Package(
            "pool/main/m/minisat2/minisat_2.2.1-8_amd64.deb",
            "0b3a870202e022bea8b04d140ded40d9137363566706750b4540518bc0eb63d7",
        ),
        Package(
            "pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb",
            "ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0",
        ),
        _LIBGCC,
        _LIBC,
        _ZLIB,
    ),
    only=("usr/bin/cbmc", "*/lib*.so*", "*/ld-linux-*"),
)


@dataclass(frozen=True)
class Proof:
    """One property.

    Attributes:
        name: of its C file.
        bound: the inputs that it is proved for.
        says: the property.
        product: the sources of the core that it is about, without `.c`.
        longest: LONGEST in the C file, in bytes.
        loops: how often the loops run that no constant bounds. One that could run longer fails the proof.
    """

    name: str
    bound: str
    says: str
    product: tuple[str, ...]
    longest: int = 0
    loops: str = ""


@dataclass
class Outcome:
    """Of one proof. `failed`: the properties that do not hold, or why there is no answer."""

    name: str
    bound: str
    says: str
    checks: int
    seconds: float
    failed: list[str]


PROOFS = (
    Proof("glob", "pattern and path: 3 bytes", "matches exactly as defined", ("glob", "text"), 3, "glob_match.0:18"),
    Proof("number", "5 bytes", "reads exactly the decimal numbers; pieces are whole", ("text",), 5),
    Proof("tls", "48 bytes", "within bounds; the name lies in the bytes", ("tls", "text"), 48),
    Proof("names", "10 bytes, at any place", "a DNS name is walked within bounds, and ends", ("text", "endpoint"), 10),
    Proof(
        "tighten",
        "any modes and switches; lists of 2 bytes",
        "no verdict gets looser",
        (
            *("setting_table", "setting_lists", "setting_entries", "setting_reader", "suggest", "policy", "verdict"),
            *("runtime_profile", "glob", "text", "object_names", "packages", "endpoint", "aws", "learned_addresses"),
        ),
        loops="text_next.0:3,has_entry.0:4,has_entries.0:4,memcmp.0:33",
    ),
)
_LONGEST_CONSTANT = 34  # the names of settings, and their rows


def preprocess(source: Path, folder: Path, proof: Proof) -> str:
    """CBMC would ask for gcc; zig is always here."""
    made = folder / f"{source.stem}{'.proof' if source.parent == HERE else ''}.i"
    names = [f"-D__builtin_{name}={name}" for name in ("memcmp", "memcpy", "memset")]
    command = [sys.executable, "-m", "ziglang", "cc", "-E", "-std=gnu11", f"-DLONGEST={proof.longest}", *names]
    subprocess.run([*command, str(source), "-o", str(made)], check=True)
    return str(made)


def prove(root: Path, proof: Proof) -> Outcome:
    """Runs CBMC."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shield-proof-") as scratch:
        sources = [HERE / f"{proof.name}.c", *(CORE / f"{name}.c" for name in proof.product)]
        made = [preprocess(source, Path(scratch), proof) for source in sources]
        command = [str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path"]
        command += [f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib", str(root / "usr/bin/cbmc"), *made]
        command += ["--drop-unused-functions", "--slice-formula", "--unwinding-assertions", "--unwind"]
        command += [str(proof.longest + 2 if proof.longest else _LONGEST_CONSTANT)]
        command += ["--unwindset", proof.loops] if proof.loops else []
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
            said = done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            said = f"no answer within {SECONDS} seconds"
    failed = [line.strip() for line in said.splitlines() if line.endswith(": FAILURE")]
    counted = re.search(r"^\*\* (\d+) of (\d+) failed", said, flags=re.MULTILINE)
    if not counted or (counted.group(1) == "0") != ("VERIFICATION SUCCESSFUL" in said) or counted.group(2) == "0":
        failed = failed or said.strip().splitlines()[-3:]
    checks = int(counted.group(2)) if counted else 0
    return Outcome(proof.name, proof.bound, proof.says, checks, time.monotonic() - start, failed)


def show(outcomes: list[Outcome], console: Console) -> None:
    """A table of 80 columns, then each property that does not hold."""
    table = Table(box=None, pad_edge=False)
    for title in ("proof", "inputs, up to", "property", "checks", "seconds", ""):
        table.add_column(title, justify="right" if title in ("checks", "seconds") else "left")
    for o in outcomes:
        mark = "[red]FAILED[/]" if o.failed else "[green]proved[/]"
        table.add_row(o.name, o.bound, o.says, str(o.checks), f"{o.seconds:.0f}", mark)
    console.print(table)
    for o in outcomes:
        for line in o.failed:
            console.print(f"{o.name}: {line}", soft_wrap=True, highlight=False, markup=False)


def main() -> int:
    """0: all proved; 1: one does not hold, or has no answer; 2: CBMC cannot be fetched."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    names = [proof.name for proof in PROOFS]
    parser.add_argument("--proof", action="append", choices=names, help="only this one (may be given again)")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json, width=None if sys.stdout.isatty() else 80)
    try:
        root = root_of(CBMC)
    except Unavailable as error:
        console.print(f"CBMC is needed: {error}", highlight=False)
        return 2
    wanted = [proof for proof in PROOFS if not arguments.proof or proof.name in arguments.proof]
    outcomes: list[Outcome] = []
    with ThreadPool(min(2, os.cpu_count() or 1)) as pool, console.status("") as status:
        status.update(f"0 of {len(wanted)}")
        for outcome in pool.imap(partial(prove, root), wanted):
            outcomes.append(outcome)
            status.update(f"{len(outcomes)} of {len(wanted)}: {outcome.name}")
    if arguments.json:
        print(json.dumps([asdict(o) for o in outcomes]))
    else:
        show(outcomes, console)
    return 1 if any(o.failed for o in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
