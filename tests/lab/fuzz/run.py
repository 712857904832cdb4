"""`make fuzz`: a bounded round of every fuzz target, and the decoder against objdump.

Each target starts from its seeds (tests/lab/fuzz/seeds) and from what earlier rounds found (.fuzz/corpus), and what it
finds is kept there. A crash is a file that can be run again: the command is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.fuzz import elf_seeds, objdump
from lab.fuzz.building import (
    SEEDS,
    WORKSHOP,
    X86_64_ONLY,
    Target,
    ToolMissing,
    build_fuzzer,
    dictionary_of,
    targets_here,
)

CORPUS = WORKSHOP / "corpus"
CRASHES = WORKSHOP / "crashes"
SLOWEST = 20  # seconds for one input: an endless loop is a crash too
OBJDUMP = "objdump"


@dataclass
class Round:
    """What came of one target."""

    target: str
    runs: int = 0
    seconds: float = 0.0
    edges: int = 0
    corpus: int = 0
    corpus_bytes: int = 0
    crash: str = ""
    again: str = ""


def seed_folders(target: Target) -> list[Path]:
    """Committed seeds, and those that are compiled."""
    folders = [SEEDS / target.name]
    if elf_seeds.needed_by(target.name):
        folders.append(WORKSHOP / "seeds" / target.name)
        elf_seeds.make(target.name, folders[-1])
    return [folder for folder in folders if folder.is_dir()]


def dictionary(target: Target) -> list[str]:
    """The option that gives libFuzzer the target's words."""
    if not target.words:
        return []
    path = WORKSHOP / f"{target.name}.dict"
    path.write_text(dictionary_of(target))
    return [f"-dict={path}"]


def fuzz(target: Target, program: Path, seconds: int) -> Round:
    """One round of one target."""
    corpus = CORPUS / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={target.max_len}", f"-timeout={SLOWEST}", "-rss_limit_mb=4096"]
    options += ["-print_final_stats=1", f"-artifact_prefix={CRASHES}/{target.name}-", *dictionary(target)]
    start = time.monotonic()
    done = subprocess.run(
        [str(program), *options, str(corpus), *map(str, seed_folders(target))],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    result = read_log(target.name, done.stderr)
    result.seconds = time.monotonic() - start
    result.corpus = sum(1 for _ in corpus.iterdir())
    result.corpus_bytes = sum(path.stat().st_size for path in corpus.iterdir())
    if done.returncode != 0:
        written = re.search(r"Test unit written to (\S+)", done.stderr)
        log = CRASHES / f"{target.name}.log"
        log.write_text(done.stderr)
        result.crash = str(log)
        result.again = shlex.join([str(program), written.group(1)]) if written else f"less {log}"
    return result


def read_log(name: str, log: str) -> Round:
    """libFuzzer's figures."""
    coverage = re.findall(r"\bcov: (\d+)", log)
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", log) or re.search(r"Done (\d+) runs", log)
    counts = re.findall(r"^#(\d+)", log, flags=re.MULTILINE)
    return Round(
        name,
        runs=int(runs.group(1)) if runs else int(counts[-1]) if counts else 0,
        edges=int(coverage[-1]) if coverage else 0,
    )


def minimise(target: Target, program: Path) -> None:
    """Keeps the smallest part of the corpus that reaches as much."""
    corpus, smaller = CORPUS / target.name, CORPUS / f"{target.name}.new"
    if not corpus.is_dir():
        return
    shutil.rmtree(smaller, ignore_errors=True)
    smaller.mkdir()
    subprocess.run([str(program), "-merge=1", str(smaller), str(corpus)], capture_output=True, check=True)
    shutil.rmtree(corpus)
    smaller.rename(corpus)


def fuzz_all(targets: list[Target], arguments: argparse.Namespace, console: Console) -> list[Round]:
    """All targets, some at a time."""
    columns = (
        TextColumn("{task.fields[target]:12}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {t.name: progress.add_task("waits", target=t.name, total=None, start=False) for t in targets}

        def one(target: Target) -> Round:
            task: TaskID = tasks[target.name]
            progress.start_task(task)
            progress.update(task, description="compiles")
            program = build_fuzzer(target, WORKSHOP / "bin")
            progress.update(task, description=target.about)
            if arguments.minimise:
                minimise(target, program)
            result = fuzz(target, program, arguments.seconds)
            progress.update(task, total=1, completed=1, description="CRASHED" if result.crash else "done")
            return result

        with ThreadPoolExecutor(arguments.jobs) as pool:
            return list(pool.map(one, targets))


def show(rounds: list[Round], console: Console) -> None:
    """A table, and how to see each crash again."""
    table = Table(box=None)
    for name in ("target", "runs", "seconds", "runs/s", "edges", "corpus", "KB", ""):
        table.add_column(name, justify="left" if name in ("target", "") else "right")
    for r in rounds:
        rate = f"{r.runs / r.seconds:,.0f}" if r.seconds else ""
        kilobytes = f"{r.corpus_bytes / 1024:,.0f}"
        outcome = "[red]CRASHED[/]" if r.crash else "[green]ok[/]"
        table.add_row(
            r.target, f"{r.runs:,}", f"{r.seconds:.0f}", rate, f"{r.edges:,}", f"{r.corpus:,}", kilobytes, outcome
        )
    console.print(table)
    for r in rounds:
        if r.crash:
            console.print(f"{r.target}: {r.crash}\n  again: {r.again}", soft_wrap=True, highlight=False)


def parse() -> argparse.Namespace:
    """The command line."""
    names = [*(t.name for t in targets_here()), *([OBJDUMP] if X86_64_ONLY else [])]
    parser = argparse.ArgumentParser(description="A bounded round of the fuzz targets.")
    parser.add_argument("--seconds", type=int, default=25, help="for each target (default: 25), twice that for objdump")
    parser.add_argument("--target", action="append", choices=names, help="only this one (may be given again)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time (default: 2)")
    parser.add_argument("--all", action="store_true", help="objdump: every file of the machine")
    parser.add_argument("--minimise", action="store_true", help="first make the kept corpus as small as it can be")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    arguments.target = arguments.target or names
    return arguments


def main() -> int:
    """0: nothing found; 1: a crash or a fault; 2: something is missing."""
    arguments = parse()
    console = Console(stderr=arguments.json)
    targets = [t for t in targets_here() if t.name in arguments.target]
    try:
        rounds = fuzz_all(targets, arguments, console)
        compared = (
            objdump.compare_all(None if arguments.all else 2 * arguments.seconds, console)
            if OBJDUMP in arguments.target
            else None
        )
    except ToolMissing as error:
        console.print(str(error), highlight=False)
        return 2
    if arguments.json:
        print(json.dumps({"targets": [asdict(r) for r in rounds], OBJDUMP: asdict(compared) if compared else None}))
    else:
        show(rounds, console)
        if compared:
            objdump.show(compared, console)
    return 1 if any(r.crash for r in rounds) or (compared and compared.faults) else 0


if __name__ == "__main__":
    sys.exit(main())
