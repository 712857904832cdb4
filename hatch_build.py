"""The build hook: compiles `runtime_layer/native/` and puts the results into the wheel.

The wheel stays `py3-none-any`: it holds the same files for every platform, and Python picks at run time.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGE = Path("runtime_layer", "shielded_function_runtime")


def _load(root: Path) -> ModuleType:
    """`shielded_function_runtime.build.native`, without importing the distribution that is being built."""
    folder = root / _PACKAGE / "build"
    name = "shielded_function_build"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return importlib.import_module(f"{name}.native")


class NativeBuildHook(BuildHookInterface[Any]):
    """Runs for wheels and for editable installs; the sdist holds the sources only."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles, then names the results as artifacts: git ignores them, the wheel must not."""
        del version
        native = _load(Path(self.root))
        try:
            native.build(report=lambda result: self.app.display_info(f"native: {result.program.path}"))
        except native.BuildError as error:
            self.app.abort(str(error))
        binaries = (_PACKAGE / "binaries").as_posix()
        build_data["artifacts"] += [f"/{binaries}/{path}" for path in native.PATHS]
