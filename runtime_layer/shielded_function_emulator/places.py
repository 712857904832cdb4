"""The folder of fetched tools: `.tools` in a checkout, a cache folder of the user's for an installed package."""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path | None:
    """The project's checkout, when this file lies in one; None in an installed package."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "hatch_build.py").is_file() and (folder / "runtime_layer").is_dir() else None


def tools_folder() -> Path:
    """`.tools` of the checkout, else `$XDG_CACHE_HOME/shielded-function`, else `~/.cache/shielded-function`.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    if (root := checkout()) is not None:
        return root / ".tools"
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has relative paths passed over.
    base = Path(given) if os.path.isabs(given) else Path(os.path.expanduser("~")) / ".cache"
    return base / "shielded-function"
