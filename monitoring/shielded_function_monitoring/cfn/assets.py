"""The file assets of a cloud assembly: folders and zip files."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any


class Assets:
    """The file assets of one directory with a manifest."""

    def __init__(self, directory: Path, sources: Mapping[str, Path]) -> None:
        """
        Args:
            directory: the directory.
            sources: the source folder or file, by the asset's key in its bucket and by its hash.
        """
        self.directory = directory
        self._sources = sources
        self._read: dict[tuple[Path, str], Sequence[bytes]] = {}

    def find(self, key: Any) -> Path:
        """The folder or file of an asset, by its `S3Key`.

        Raises:
            LookupError: the asset is not in the assembly.
        """
        for name in (key, PurePosixPath(key).stem) if isinstance(key, str) else ():
            if (source := self._sources.get(name)) is not None and source.exists():
                return source
        raise LookupError(f"the asset {key!r} is not in the cloud assembly")

    def read(self, content: Any, name: str) -> Sequence[bytes] | None:
        """A file of an asset.

        Args:
            content: a function's `Code`, or a layer's `Content`.
            name: the file's path in it.

        Returns:
            The file, if the asset has it. None: the asset is not in the assembly.
        """
        try:
            source = self.find(content.get("S3Key") if isinstance(content, Mapping) else None)
            if (source, name) not in self._read:
                self._read[source, name] = _read_from(source, name)
        except LookupError:
            return None
        return self._read[source, name]

    def nested_template(self, url: Any) -> Path | None:
        """The file of a nested stack's template, by its `TemplateURL`: text, or an expression, that ends in its key."""
        keys = (PurePosixPath(part).stem for part in reversed(re.split(r'[/"]', json.dumps(url))))
        return next((self._sources[key] for key in keys if key in self._sources), None)


def _read_from(source: Path, name: str) -> Sequence[bytes]:
    if source.is_dir():
        file = source / name
        return [file.read_bytes()] if file.is_file() else []
    try:
        with zipfile.ZipFile(source) as archive:
            return [archive.read(name)] if name in archive.namelist() else []
    except zipfile.BadZipFile as error:
        raise LookupError(f"{source} is not a zip file") from error
