"""The engine's list of system calls (`native/engine/state/syscall_table.h`), the kernel's, and the tables of the first.

`python -m harness.system_calls` (in tests/) prints them for docs/security/test-matrix.md.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = ROOT / "runtime_layer" / "native" / "engine" / "state" / "syscall_table.h"
ARCHITECTURES = ("x86_64", "aarch64")

# What each judge looks at.
JUDGES = {
    "judge_open": "the opened object: is it in /tmp, the handler's source, or a process's memory",
    "judge_path": "the directory or object that the path leads to",
    "judge_socket": "the kind of socket",
    "judge_connect": "the address",
    "judge_listen": "never refused; a listening socket is not connected later",
    "judge_peer_name": "never refused; tells the name server that the program connected to",
    "judge_bind": "the path of a UNIX socket, the port of name servers",
    "judge_send": "the address, the name that a DNS query asks for, the server name in a connection's first bytes",
    "judge_receive": "never refused; DNS answers teach addresses",
    "judge_socket_option": "options that lead elsewhere than to the address; "
    "`UDP_SEGMENT` is one that this kernel does not have",
    "judge_write": "as judge_send, for descriptors that are watched; "
    "the first request for an invocation locks the handler's source",
    "judge_unread": "connections whose bytes are read before they leave: EINVAL, and programs copy instead",
    "judge_asynchronous": "ENOSYS: writes that could go to such a connection unread",
    "judge_copy": "never refused; the copy of a watched descriptor is watched too",
    "judge_exec": "the program, and that the shield is in it",
    "judge_map": "executable memory, and places that are the engine's",
    "judge_protect": "executable memory, and pages that are the engine's",
    "judge_unmap": "pages that are the engine's",
    "judge_attach": "executable memory, and places that are in use",
    "judge_personality": "executable memory",
    "judge_descriptor": "the descriptor that alerts are written to, and those that the gate is using",
    "judge_prctl": "options that filter, divert or move things that the engine relies on; all others pass",
    "judge_clone": "processes in new namespaces, such that share descriptors without memory, and "
    "threads of such that share memory without descriptors; "
    "`clone3` is a call that this kernel does not have",
    "judge_end": "never refused; alerts that were left out are told first",
    "judge_limit": "limits of another process; a program's own pass",
    "judge_escape": "refused: a way around the shield",
    "judge_ring": "a call that this kernel does not have, in alert mode too: calls through a ring are not seen",
}
# For which policies a call is looked at.
REASONS = {
    "FOR_OUTBOUND": "outbound_connectivity",
    "FOR_STREAMS": "outbound_connectivity",
    "FOR_FILES": "read_write_tmp, read_handler",
    "FOR_PATHS": "read_write_tmp, read_handler",
    "ALWAYS": "all, whatever their modes",
    "FOR_SAFETY": "any",
    "UNTIL_READY": "read_handler, until the first invocation",
}

_ENTRY = re.compile(r'(JUDGED|HARMLESS)\((\w+),\s*(?:"((?:[^"]|"\s*")*)"|([A-Z_| ]+),\s*(\w+))\)')


@dataclass(frozen=True)
class Entry:
    """One line of the list. `why` for a harmless call; `reasons` and `judge` for a judged one."""

    name: str
    architectures: tuple[str, ...]
    why: str = ""
    reasons: tuple[str, ...] = ()
    judge: str = ""


def entries() -> list[Entry]:
    """The list, in its own order. Raises ValueError for a line that is neither an entry nor a known directive."""
    return list(_entries(re.sub(r"/\*.*?\*/", "", LIST.read_text(), flags=re.DOTALL)))


def _entries(text: str) -> Iterator[Entry]:
    architectures = ARCHITECTURES
    for line in re.sub(r",\n\s+", ", ", text).splitlines():
        if line == "#ifdef __x86_64__":
            architectures = ("x86_64",)
        elif line == "#endif":
            architectures = ARCHITECTURES
        elif line.startswith("#undef ") or not line:
            continue
        elif found := _ENTRY.fullmatch(line):
            kind, name, why, reasons, judge = found.groups()
            if (kind == "HARMLESS") != (judge is None):
                raise ValueError(line)
            if judge is None:
                yield Entry(name, architectures, why=why)
            else:
                yield Entry(name, architectures, reasons=tuple(reasons.split(" | ")), judge=judge)
        else:
            raise ValueError(line)


def kernel_calls(architecture: str) -> dict[str, int]:
    """Every call in the kernel headers that the engine is compiled with: name to number."""
    spec = importlib.util.find_spec("ziglang")
    assert spec
    assert spec.origin
    folder = {"x86_64": "x86-linux-any", "aarch64": "aarch64-linux-any"}[architecture]
    header = Path(spec.origin).parent / "lib" / "libc" / "include" / folder / "asm" / "unistd_64.h"
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}


TABLES = """\
{counts} `{newest}`, number {number}, is the newest call in the kernel's headers.

## Judged

| call | for the policy | judged |
|---|---|---|
{judged}

## Harmless

| call | why |
|---|---|
{harmless}
"""


def _label(entry: Entry) -> str:
    return f"`{entry.name}`" + ("" if entry.architectures == ARCHITECTURES else " (x86_64)")


def _policies(entry: Entry) -> str:
    names = [REASONS[reason] for reason in entry.reasons]
    return "any" if "any" in names else "; ".join(names)


def _grouped(listed: list[Entry], key: str) -> Iterator[tuple[str, Entry]]:
    """Calls that share their row's text, in the order in which the list first has it."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in listed:
        groups.setdefault((getattr(entry, key), *entry.reasons), []).append(entry)
    for group in groups.values():
        yield ", ".join(_label(entry) for entry in group), group[0]


def counts() -> str:
    """How many calls of each architecture are judged, how many harmless."""
    listed = entries()
    parts: list[str] = []
    for architecture in ARCHITECTURES:
        of_it = [entry for entry in listed if architecture in entry.architectures]
        judged = sum(bool(entry.judge) for entry in of_it)
        parts.append(f"{architecture}: {len(of_it)} calls, {judged} judged, {len(of_it) - judged} harmless")
    return "; ".join(parts) + "."


def tables() -> str:
    """The judged calls and the harmless ones."""
    listed = entries()
    judged = [entry for entry in listed if entry.judge]
    newest, number = max(kernel_calls("x86_64").items(), key=lambda call: call[1])
    return TABLES.format(
        newest=newest,
        number=number,
        counts=counts(),
        judged="\n".join(f"| {c} | {_policies(e)} | {JUDGES[e.judge]} |" for c, e in _grouped(judged, "judge")),
        harmless="\n".join(
            f"| {calls} | {entry.why} |" for calls, entry in _grouped([e for e in listed if e.why], "why")
        ),
    )


if __name__ == "__main__":
    print(tables())
