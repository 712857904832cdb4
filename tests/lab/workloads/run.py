"""`make workloads`: every workload in the four ways, and under what `learn` made of it, into results.json,
which docs/guide/runtimes.md sums up.

Exit status 1: a workload ended, hung or failed in a way that is not a permission error. 2: nothing could be run.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

from harness import programs
from harness.needs import fetch_all
from lab.workloads import packages, page, results
from lab.workloads.catalogue import WORKLOADS, Language, Workload
from lab.workloads.judging import behaviour_of, differs
from lab.workloads.running import Functions
from shielded_function_emulator import machine
from shielded_function_emulator.languages.parts import Unavailable, alone
from shielded_function_emulator.sandbox import SandboxError


def _code(languages: Sequence[Language], scratch: Path) -> dict[Language, Path]:
    """The code of each language's functions, as Lambda unpacks it. Raises LookupError where it cannot be made."""
    made: dict[Language, Path] = {}
    for language in languages:
        if reason := packages.PARTS[language].missing():
            raise LookupError(reason)
        into = scratch / language.replace(".", "")
        made[language] = packages.code_of(language, into)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = _arguments(argv)
    _, known = results.read()
    chosen = [
        workload
        for workload in WORKLOADS
        if options.language in (None, workload.language)
        and not (options.new and (workload.language, workload.name) in known)
        and (not options.names or any(fnmatch.fnmatch(workload.name, name) for name in options.names))
    ]
    if not chosen:
        print("no workload has such a name", file=sys.stderr)
        return 2
    languages: list[Language] = list(dict.fromkeys(workload.language for workload in chosen))
    servers = dict.fromkeys(name for workload in chosen for name in workload.servers)
    parts = [programs.PARTS_OF_WORKLOADS[name] for name in servers if name in programs.PARTS_OF_WORKLOADS]
    fetch_all([*(packages.PARTS[language] for language in languages), *parts])
    try:
        with tempfile.TemporaryDirectory(prefix="workloads-") as scratch, ExitStack() as stack:
            functions = stack.enter_context(Functions(_code(languages, Path(scratch))))
            bad = [workload.name for workload in chosen if not _run(functions, workload)]
    except (LookupError, SandboxError, Unavailable) as error:
        print(f"the workloads could not be run: {error}", file=sys.stderr)
        return 2
    print(f"{len(chosen)} workloads, {len(bad)} with a defect: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


def _run(functions: Functions, workload: Workload) -> bool:
    """Runs one, and keeps it at once: a round takes long. Whether it is as it should be."""
    begun = time.monotonic()
    result = results.run_all_ways(functions, workload)
    with alone("results", packages.KEPT):
        _, rows = results.read()
        head = {"date": datetime.now(timezone.utc).date().isoformat(), "machine": machine.architecture()}
        results.write(head, {**rows, (workload.language, workload.name): result})
    behaviour = behaviour_of(result.unshielded, result.block)
    odd = [text for run in (result.alert, result.listed) if (text := differs(result.unshielded, run))]
    seconds = time.monotonic() - begun
    told = f"{page.needs_text(result)} / learned: {result.learned.verdict} {result.learned.why}"
    print(f"{workload.language:8} {workload.name:28} {behaviour:8} {told} ({seconds:.0f} s)", *odd)
    sys.stdout.flush()
    return behaviour != "defect" and not odd


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make workloads", description=__doc__)
    parser.add_argument("--language", choices=list(packages.PARTS), help="of this language alone")
    parser.add_argument("--new", action="store_true", help="those alone that have no row yet, as after an interruption")
    parser.add_argument("names", nargs="*", help="of these names alone: names or globs; the other rows stay")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
