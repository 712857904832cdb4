"""Writes `native/core/aws_table.h`, the AWS endpoint table that `native/core/aws.c` searches.

    python -m shielded_function_runtime.build.aws_table            writes the table
    python -m shielded_function_runtime.build.aws_table --check    exits with 1 when the table is out of date

The table is committed; it changes when botocore's pin does. Its shape serves size, as it is part of a library
that every cold start maps:

- A host name is mostly a *name* (`sqs`, `runtime.sagemaker`) in one of a few *patterns* (`N.R.D`: name, region,
  DNS suffix). A name points at a *shape*: the patterns it occurs in, each with the partitions where it does.
- An irregular host name is a pattern without a name (`B.s3.R.D`: a bucket in S3), with its services.
- Services, names, patterns and suffixes are pieces of one string, the *pool*.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .aws_endpoints import BOTOCORE_VERSION, Partition, Patterns, resolve
from .aws_labels import Token
from .generated_file import write_or_check

TABLE = Path(__file__).resolve().parents[2] / "native" / "core" / "aws_table.h"

_WIDTH = 104
# A service index with this bit is an offset into aws_lists, where several services share a host name.
_LIST = 0x8000
_NAMED = re.compile(
    rf"({Token.AT_HOME}?)([a-z0-9.-]+?)((?:-fips)?(?:\.dualstack)?"
    rf"(?:\.(?:{Token.REGION}|{Token.HOME}|{Token.PSEUDO}|global))?\.[{Token.DNS}{Token.DUAL_STACK}])"
)


class Pool:
    """One string that holds every text of the table; a text that occurs in another takes no room."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.text = ""
        for text in sorted(set(texts), key=lambda t: (-len(t), t)):
            if text not in self.text:
                self.text += text

    def at(self, text: str) -> int:
        return self.text.index(text)


@dataclass(frozen=True)
class Row:
    """A pattern: its partitions (one bit each), and its services unless it begins with a name."""

    pattern: str
    partitions: int
    services: frozenset[str]


@dataclass(frozen=True)
class Name:
    """The labels that stand for N in patterns: their owner, and (pattern, partitions) for each pattern it occurs in."""

    name: str
    services: frozenset[str]
    shape: tuple[tuple[str, int], ...]


def split(partitions: Sequence[Partition], patterns: Patterns) -> tuple[list[Row], list[Name]]:
    """Splits regular patterns into names and the patterns they occur in; the rest stay separate rows."""
    bits = {partition.id: 1 << i for i, partition in enumerate(partitions)}
    rows: list[Row] = []
    shapes: dict[str, dict[str, int]] = {}
    owners: dict[str, set[str]] = {}
    for pattern, by_partition in sorted(patterns.items()):
        mask = sum(bits[partition] for partition in by_partition)
        services = {service for group in by_partition.values() for service in group}
        regular = _NAMED.fullmatch(pattern)
        if regular:
            at_home, name, tail = regular.groups()
            shapes.setdefault(name, {})[f"{at_home}{Token.NAME}{tail}"] = mask
            owners.setdefault(name, set()).update(services)
        else:
            rows.append(Row(pattern, mask, frozenset(services)))
    everywhere = (1 << len(partitions)) - 1
    forms = sorted({form for shape in shapes.values() for form in shape})
    names = [Name(n, frozenset(owners[n]), tuple(sorted(shapes[n].items()))) for n in sorted(shapes)]
    return [Row(form, everywhere, frozenset()) for form in forms] + rows, names


def _numbers(declaration: str, values: Iterable[int | str]) -> str:
    """A C array, filled to the width."""
    lines, line = [f"{declaration} = {{"], "   "
    for value in values:
        if len(line) + len(str(value)) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([*lines, line, "};"])


def _commented(declaration: str, rows: Iterable[tuple[str, str]]) -> str:
    """A C array with a row and its meaning on each line, so that a change of the table can be reviewed."""
    return "\n".join([f"{declaration} = {{", *(f"    {row}, /* {meaning} */" for row, meaning in rows), "};"])


def _literal(declaration: str, text: str) -> str:
    """A C string, cut to the width."""
    lines = [f'    "{text[i : i + _WIDTH - 6]}"' for i in range(0, len(text), _WIDTH - 6)]
    return "\n".join([f"{declaration} =", *lines]) + ";"


def render(partitions: Sequence[Partition], patterns: Patterns) -> str:
    """The table as C, from the result of `aws_endpoints.resolve`."""
    rows, names = split(partitions, patterns)
    services = sorted({service for by in patterns.values() for group in by.values() for service in group})
    prefixes = sorted((prefix, i) for i, partition in enumerate(partitions) for prefix in partition.prefixes)
    pool = Pool(
        [
            *services,
            *(name.name for name in names),
            *(row.pattern for row in rows),
            *(prefix for prefix, _ in prefixes),
            *(text for p in partitions for text in (p.home, p.dns, p.dual_stack, p.pseudo)),
        ]
    )

    def piece(text: str) -> str:
        return f"{{{pool.at(text)}, {len(text)}}}"

    lists: list[int] = []
    known: dict[frozenset[str], int] = {frozenset(): 0}

    def owner(owners: frozenset[str]) -> int:
        if len(owners) == 1:
            return services.index(next(iter(owners)))
        if owners not in known:
            known[owners] = len(lists) | _LIST
            lists.extend([len(owners), *sorted(services.index(s) for s in owners)])
        return known[owners]

    row_index = {row.pattern: i for i, row in enumerate(rows)}
    shapes = sorted({name.shape for name in names})
    shape_bytes: list[int] = []
    shape_at: dict[tuple[tuple[str, int], ...], int] = {}
    for shape in shapes:
        shape_at[shape] = len(shape_bytes)
        shape_bytes.extend([len(shape), *(n for form, mask in shape for n in (row_index[form], mask))])
    name_rows = [f"{{{piece(n.name)}, {owner(n.services)}, {shape_at[n.shape]}}}" for n in names]
    pattern_rows = [
        (
            f"{{{piece(r.pattern)}, {owner(r.services)}, {r.partitions:#04x}}}",
            f"{r.pattern}  {', '.join(sorted(r.services))}".rstrip(),
        )
        for r in rows
    ]
    partition_rows = [
        (f"{{{', '.join(map(piece, (p.home, p.dns, p.dual_stack, p.pseudo)))}}}", f"{p.id}, {p.home}")
        for p in partitions
    ]
    prefix_rows = [(f"{{{piece(prefix)}, {i}}}", prefix) for prefix, i in prefixes]
    blocks = [
        f"/* AWS service endpoints, from botocore {BOTOCORE_VERSION}. Written by build/aws_table.py: do not edit.\n"
        " *\n"
        f" * Partitions, in bit order: {', '.join(p.id for p in partitions)}.\n"
        " */",
        "enum {\n"
        f"    AWS_SERVICES = {len(services)},\n"
        f"    AWS_NAMES = {len(names)},\n"
        f"    AWS_PATTERNS = {len(rows)},\n"
        f"    AWS_PARTITIONS = {len(partitions)},\n"
        f"    AWS_REGION_PREFIXES = {len(prefixes)},\n"
        f"    AWS_DEFAULT_PARTITION = {[p.id for p in partitions].index('aws')},\n"
        f"    AWS_S3 = {services.index('s3')},\n"
        f"    AWS_LIST = {_LIST:#x},\n"
        "};",
        _literal("static const char aws_pool[]", pool.text),
        _numbers("static const struct piece aws_services[AWS_SERVICES]", map(piece, services)),
        _numbers(f"static const uint16_t aws_lists[{len(lists)}]", lists),
        _numbers(f"static const uint8_t aws_shapes[{len(shape_bytes)}]", shape_bytes),
        _numbers("static const struct aws_name aws_names[AWS_NAMES]", name_rows),
        _commented("static const struct aws_pattern aws_patterns[AWS_PATTERNS]", pattern_rows),
        _commented("static const struct aws_partition aws_partitions[AWS_PARTITIONS]", partition_rows),
        _commented("static const struct aws_prefix aws_prefixes[AWS_REGION_PREFIXES]", prefix_rows),
    ]
    return "\n\n".join(blocks) + "\n"


def table_version() -> str:
    """The botocore version that the table was written from; empty when there is none."""
    found = (
        re.search(r"from botocore (\S+)\. Written by", TABLE.read_text(encoding="ascii")) if TABLE.exists() else None
    )
    return found[1] if found else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the table; the exit status is 1 when a check finds it out of date."""
    return write_or_check("shielded_function_runtime.build.aws_table", TABLE, lambda: render(*resolve()), arguments)


if __name__ == "__main__":
    sys.exit(main())
