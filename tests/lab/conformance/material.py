"""Where other people's tests are kept, and how their archives are unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
CACHE = CHECKOUT / ".tools" / "conformance"


def unpack(archive: Path, folder: Path, wanted: tuple[str, ...], unwanted: tuple[str, ...] = ()) -> None:
    """The files below the archive's one folder whose paths begin with one of `wanted`, readable by everyone."""
    with tarfile.open(archive) as opened:
        for member in opened:
            member.name = member.name.partition("/")[2]
            if member.name.startswith(wanted) and not (unwanted and member.name.startswith(unwanted)):
                opened.extract(member, folder, filter="data")
