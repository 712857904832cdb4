"""zip.h: whether an archive holds a file, against Python's own zipfile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest

from unit.core.native import Native

pytestmark = pytest.mark.promise("policy.parsers")

NAME = "pkg/Handler.class"


def archive(names: Sequence[str], comment: bytes = b"", compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as jar:
        for name in names:
            jar.writestr(name, f"what {name} holds")
        jar.comment = comment
    return made.getvalue()


def holds(native: Native, content: bytes, name: str = NAME) -> bool:
    memory = native.ffi.cast("unsigned char *", native.message.place(content))
    return bool(native.lib.zip_holds(memory, len(content), native.text(name)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("comment", [b"", b"built by hand", b"PK\x05\x06" * 30, b"x" * 65535])
def test_a_file_that_is_there(native: Native, compression: int, comment: bytes) -> None:
    content = archive(["META-INF/MANIFEST.MF", NAME, "pkg/Other.class"], comment, compression)
    assert holds(native, content)
    assert holds(native, b"#!/bin/sh\nexec java -jar $0\n" + content)


@pytest.mark.parametrize("comment", [b"", b"built by hand"])
def test_a_large_archive(native: Native, monkeypatch: pytest.MonkeyPatch, comment: bytes) -> None:
    """More than 65,535 files, as all dependencies in one jar can be, need records of ZIP64: here they come with two."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    content = archive([NAME, "pkg/Other.class"], comment)
    assert b"PK\x06\x07" in content
    assert holds(native, content)
    assert holds(native, b"#!/bin/sh\nexec java -jar $0\n" + content)
    assert not holds(native, content, "pkg/None.class")


@pytest.mark.parametrize("name", ["pkg/Handler", "Handler.class", "pkg/handler.class", "pkg/Handler.class/", ""])
def test_a_name_that_is_not_there(native: Native, name: str) -> None:
    assert not holds(native, archive([NAME]), name)


def test_what_a_file_holds_is_not_its_name(native: Native) -> None:
    inner = archive([NAME], compression=zipfile.ZIP_STORED)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as jar:
        jar.writestr("inner.jar", inner)
    assert not holds(native, made.getvalue())


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"PK\x05\x06" + bytes(18), bytes(100), b"not an archive" * 9])
def test_no_archive(native: Native, content: bytes) -> None:
    assert not holds(native, content)


def test_a_name_that_is_longer_than_the_archive(native: Native) -> None:
    content = archive([NAME])
    at = content.index(b"PK\x01\x02") + 28  # where the length of the first name is
    assert not holds(native, content[:at] + b"\xff\xff" + content[at + 2 :])
