"""What was recorded of the workloads: results.json, from which the tables of docs/guide/runtimes.md are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

from lab.workloads import packages
from lab.workloads.catalogue import WORKLOADS, Language, Workload
from lab.workloads.judging import Needs, needs_of
from lab.workloads.learning import Learned, learn
from lab.workloads.running import Functions, Run
from shielded_function import ShieldPolicy

FILE = Path(__file__).parent / "results.json"
WAYS = ("unshielded", "block", "alert", "listed")


@dataclass(frozen=True)
class Result:
    """A workload's four runs. `listed`: block mode with what it needs. `learned`: what became of `learn`'s policy."""

    workload: Workload
    version: str
    needs: Needs
    unshielded: Run
    block: Run
    alert: Run
    listed: Run
    learned: Learned

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        runs: dict[str, Any] = {way: getattr(self, way).to_json() for way in WAYS}
        head = {"language": self.workload.language, "name": self.workload.name, "version": self.version}
        return {**head, "needs": self.needs.to_json(), **runs, "learned": self.learned.to_json()}


def version_of(workload: Workload) -> str:
    """Of the package that it is about; empty where it comes with the runtime."""
    if workload.package == "-":
        return ""
    name = workload.package or workload.name
    if workload.language == "Python":
        return packages.python_version(name)
    return packages.node_version(name) if workload.language == "Node.js" else name.split(":")[2]


def run_all_ways(functions: Functions, workload: Workload) -> Result:
    """The four runs, one after the other, and what is learned from the log of the one in alert mode."""
    unshielded = functions.run(workload, None, {})
    block = functions.run(workload, ShieldPolicy(), {})
    alert, log = functions.observe(workload, ShieldPolicy.report_only(), {})
    asked = [each for each in alert.alerts if not any(fnmatch(each.allow, one) for one in workload.does_without)]
    needs = needs_of(workload.language, workload.packages, asked, workload.globs)
    # With nothing to list it would be the run in block mode again.
    listed = functions.run(workload, needs.policy(), needs.environment()) if needs.any else block
    learned = learn(functions, workload, unshielded, log)
    return Result(workload, version_of(workload), needs, unshielded, block, alert, listed, learned)


def read() -> tuple[dict[str, Any], dict[tuple[Language, str], Result]]:
    """What stands above the rows, and each row, in the order of the catalogue."""
    if not FILE.exists():
        return {}, {}
    recorded = cast("dict[str, Any]", json.loads(FILE.read_text(encoding="utf-8")))
    rows: Mapping[tuple[str, str], Any] = {(row["language"], row["name"]): row for row in recorded.pop("rows")}
    results: dict[tuple[Language, str], Result] = {
        (workload.language, workload.name): Result(
            workload,
            row["version"],
            Needs.of_json(row["needs"]),
            **{way: Run.of_json(row[way]) for way in WAYS},
            learned=Learned.of_json(row["learned"]),
        )
        for workload in WORKLOADS
        if (row := rows.get((workload.language, workload.name)))
    }
    return recorded, results


def write(head: Mapping[str, Any], results: Mapping[tuple[Language, str], Result]) -> None:
    """Writes the file; a row that the catalogue no longer has goes."""
    ordered = [results[key] for each in WORKLOADS if (key := (each.language, each.name)) in results]
    rows = ",\n".join(json.dumps(result.to_json(), ensure_ascii=False) for result in ordered)
    above = json.dumps(dict(head), indent=1)[:-2]
    new = FILE.with_suffix(".new")
    new.write_text(f'{above},\n "rows": [\n{rows}\n]}}\n', encoding="utf-8")
    new.replace(FILE)
