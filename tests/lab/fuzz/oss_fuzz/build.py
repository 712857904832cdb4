"""Builds every fuzz target as OSS-Fuzz asks: the program, its seeds, its words and its longest input in `$OUT`.

With Python's standard library alone, as that is all that OSS-Fuzz's image has.
"""

from __future__ import annotations

import os
import shlex
import sys
import zipfile
from pathlib import Path

from lab.fuzz.building import SEEDS, build_programs, dictionary_of, targets_here


def main() -> int:
    """Raises an error where a target does not compile."""
    out = Path(os.environ["OUT"])
    words = {name: shlex.split(os.environ[name]) for name in ("CC", "CXX", "CFLAGS", "CXXFLAGS", "LIB_FUZZING_ENGINE")}
    compiler, linker = words["CC"] + words["CFLAGS"], words["CXX"] + words["CXXFLAGS"]
    build_programs(targets_here(), out, compiler, linker, engine=words["LIB_FUZZING_ENGINE"])
    for target in targets_here():
        with zipfile.ZipFile(out / f"{target.name}_seed_corpus.zip", "w") as archive:
            for seed in sorted((SEEDS / target.name).glob("*")):
                archive.write(seed, seed.name)
        (out / f"{target.name}.options").write_text(f"[libfuzzer]\nmax_len = {target.max_len}\n")
        if target.words:
            (out / f"{target.name}.dict").write_text(dictionary_of(target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
