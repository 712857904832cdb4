"""Reads a cloud assembly into the model of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from shielded_function_monitoring.cfn.assembly import AssemblyError, CloudAssembly, load_json
from shielded_function_monitoring.cfn.template import as_mapping

from ..names import LEFT_OUT
from .finding import PLUGIN
from .templates import Assembly, read_functions, read_others

__all__ = ["LEFT_OUT", "AssemblyError", "read_assembly"]

_ACKNOWLEDGED: Final = "aws:cdk:acknowledged-rules"


def read_assembly(directory: Path, only: Iterable[Path] | None = None) -> Assembly:
    """Reads a whole cloud assembly, also stages and nested stacks.

    Args:
        directory: the folder, `cdk.out`.
        only: the templates to read, with their nested stacks; by default all.

    Raises:
        AssemblyError: it is no cloud assembly, or one of its files is missing or is not JSON.
    """
    read = CloudAssembly(directory, only)
    acknowledged: dict[str, dict[str, str]] = {}
    for path, data in _acknowledgements(read):
        for qualified, reason in as_mapping(data).items():
            plugin, _, rule = qualified.partition("::")
            if plugin == PLUGIN and rule:
                acknowledged.setdefault(rule, {})[path] = str(reason)
    return Assembly(
        directory.name,
        read.templates,
        [each for t in read.templates for each in read_functions(t, lambda path: read.types.get(path, ""))],
        acknowledged,
        [each for template in read.templates for each in read_others(template)],
    )


def _acknowledgements(read: CloudAssembly) -> Iterator[tuple[str, Any]]:
    """Those in metadata, and in the CDK's record of those on the app and on stages, which lack it."""
    for path, entries in read.metadata.items():
        yield from ((path, entry.get("data")) for entry in entries if entry.get("type") == _ACKNOWLEDGED)
    file = read.root / "validation-report.json"
    for report in (load_json(file).get("pluginReports") or []) if file.is_file() else ():
        for each in report.get("suppressedViolations") or []:
            reasons = {str(each.get("acknowledgedId", "")): str(each.get("reason", ""))}
            yield str(each.get("acknowledgedAt", "")), reasons
