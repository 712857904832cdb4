"""`docs/stage_site.py` and `docs/words.py`, as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from integration.docs.pages import ROOT


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stage_site = _load("stage_site")
words = _load("words")
