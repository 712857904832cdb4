"""Carries out a Dockerfile in a folder, as far as the examples' go: no container runtime, and no base image.

FROM makes an empty file system with the folders of AWS's base images, COPY copies, and RUN runs here with the paths of
the image changed to those of the folder.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TASK_ROOT = "/var/task"


@dataclass
class Stage:
    """A file system that a FROM begins, and the CMD."""

    base: str
    root: Path
    command: tuple[str, ...] = ()


def build(context: Path, into: Path) -> Stage:
    """The last stage of the Dockerfile in a folder.

    Raises:
        ValueError: an instruction that is not known here.
    """
    stage, stages = Stage("", into), dict[str, Stage]()
    for line in (context / "Dockerfile").read_text().splitlines():
        instruction, _, rest = line.replace("${LAMBDA_TASK_ROOT}", TASK_ROOT).partition(" ")  # set by the base images
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = stages[name] = Stage(base, into / f"stage-{len(stages)}")
            for folder in (TASK_ROOT, "/opt"):
                (stage.root / folder[1:]).mkdir(parents=True)
        elif instruction == "COPY":
            *options, source, target = rest.split()
            root = stages[options[0].removeprefix("--from=")].root if options else context
            _copy(root / source.lstrip("/"), stage.root / target.lstrip("/"), into_folder=target.endswith("/"))
        elif instruction == "RUN":
            inside = re.sub(r"(?<=\s)/(?=\w)", f"{stage.root}/", rest)
            environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
            command = ["/bin/sh", "-euc", inside]
            subprocess.run(command, cwd=stage.root, env=environment, check=True, timeout=60)
        elif instruction == "CMD":
            stage.command = tuple(json.loads(rest))
        elif line and not line.startswith("#"):
            raise ValueError(f"{context}/Dockerfile: {instruction} is not known here")
    return stage


def _copy(source: Path, target: Path, *, into_folder: bool) -> None:
    (target if into_folder else target.parent).mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
