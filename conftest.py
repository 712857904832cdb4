"""Before any test imports aws_cdk: a Node.js that jsii supports, so that plain `pytest` works like `make test`."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

_node = runpy.run_path(str(Path(__file__).parent / "constructs" / "shielded_function" / "cli" / "node.py"))
os.environ.update(_node["environment_with"](_node["choose"]()))
