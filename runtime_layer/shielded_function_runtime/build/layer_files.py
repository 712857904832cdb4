"""The layer's files besides compiled programs: `configure` for Python, Node.js and Java.

`FILES` is the whole table. Each file is the same for both architectures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .java_class import jar

_RUNTIME_LAYER = Path(__file__).resolve().parents[2]
_PACKAGE = _RUNTIME_LAYER / "shielded_function_runtime"
_BINDINGS = _RUNTIME_LAYER / "bindings"


@dataclass(frozen=True)
class LayerFile:
    """A file of the layer.

    Attributes:
        path: where it goes in the layer, and so below /opt.
        content: makes its bytes.
        source: the file that it is made from; None: it is written by the build itself.
    """

    path: str
    content: Callable[[], bytes]
    source: Path | None = None


def _copied(path: str, source: Path) -> LayerFile:
    return LayerFile(path, partial(Path.read_bytes, source), source)


# Lambda has /opt/python on PYTHONPATH, /opt/nodejs/node_modules on NODE_PATH and /opt/java/lib/* on Java's class path:
# https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
FILES = (
    *(
        _copied(f"python/shielded_function_runtime/{name}", _PACKAGE / name)
        for name in ("__init__.py", "configuring.py", "py.typed")
    ),
    *(
        _copied(f"nodejs/node_modules/shielded-function/{name}", _BINDINGS / "node" / name)
        for name in ("index.d.ts", "index.js", "package.json")
    ),
    _copied("shielded-function/node_callers.cjs", _BINDINGS / "node" / "node_callers.cjs"),
    LayerFile("java/lib/shielded-function.jar", jar),
)
