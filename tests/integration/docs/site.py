"""`docs/stage_site.py`, as a module."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from integration.docs.pages import ROOT


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stage_site", ROOT / "docs" / "stage_site.py")
    assert spec
    assert spec.loader
    sys.modules["stage_site"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stage_site = _load()
