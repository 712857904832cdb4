"""Reads the assets of a cloud assembly: folders and zip files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from .model import as_mapping


class Assets:
    """The file assets of one assembly; implements `model.Files`."""

    def __init__(self, sources: Mapping[str, Path]) -> None:
        """
        Args:
            sources: the source folder or file, by the asset's key in its bucket and by its hash.
        """
        self._sources = sources
        self._read: dict[tuple[Path, str], bytes | None] = {}

    def read(self, content: Any, name: str) -> bytes | None:
        """A file of an asset; see `model.Files`."""
        source = self._source(as_mapping(content))
        if (source, name) not in self._read:
            self._read[source, name] = _read_from(source, name)
        return self._read[source, name]

    def nested_template(self, url: Any) -> Path | None:
        """The file of a nested stack's template, by the `TemplateURL`, which ends in its asset's key."""
        text = url
        if isinstance(url, Mapping):
            joined = as_mapping(url).get("Fn::Join") or as_mapping(url).get("Fn::Sub")
            while isinstance(joined, list) and joined:
                joined = joined[-1]
            text = joined
        return self._sources.get(PurePosixPath(text).stem) if isinstance(text, str) else None

    def _source(self, content: Mapping[str, Any]) -> Path:
        key = content.get("S3Key")
        if isinstance(key, str):
            for name in (key, PurePosixPath(key).stem):
                source = self._sources.get(name)
                if source is not None and source.exists():
                    return source
        raise LookupError(f"the asset {key!r} is not in the cloud assembly")


def _read_from(source: Path, name: str) -> bytes | None:
    if source.is_dir():
        file = source / name
        return file.read_bytes() if file.is_file() else None
    try:
        with zipfile.ZipFile(source) as archive:
            return archive.read(name)
    except KeyError:
        return None
    except zipfile.BadZipFile as error:
        raise LookupError(f"{source} is not a zip file") from error
