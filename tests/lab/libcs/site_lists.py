"""The tool that prints what discovery for an architecture finds in a file."""

from __future__ import annotations

from pathlib import Path

from harness.compiling import compile_c
from shielded_function_runtime.build.native import NATIVE

_DISCOVERY = ("sites", "incoming_edges", "code_region", "decode")


def compile_list_sites(architecture: str, out: Path) -> Path:
    sources = [Path(__file__).parent / "c" / "list_sites.c", NATIVE / "core" / "text.c", NATIVE / "core" / "memory.c"]
    sources += [NATIVE / "engine" / "sites" / "elf_image.c"]
    sources += [f for f in (NATIVE / "engine" / "sites" / architecture).glob("*.c") if f.stem in _DISCOVERY]
    return compile_c(sources, out, "-O2")
