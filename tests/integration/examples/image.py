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
    stages: list[Stage] = []
    names: dict[str, Stage] = {}
    for line in (context / "Dockerfile").read_text().splitlines():
        instruction, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            names[name] = Stage(base, into / f"stage-{len(stages)}")
            stages.append(names[name])
            for folder in (TASK_ROOT, "/opt"):
                (names[name].root / folder[1:]).mkdir(parents=True)
        elif instruction == "COPY":
            _copy(rest, context, names, stages[-1].root)
        elif instruction == "RUN":
            _run(rest, stages[-1].root)
        elif instruction == "CMD":
            stages[-1].command = tuple(json.loads(rest))
        else:
            raise ValueError(f"{context}/Dockerfile: {instruction} is not known here")
    return stages[-1]


def _copy(arguments: str, context: Path, names: dict[str, Stage], root: Path) -> None:
    source, target = re.sub(r"--from=\S+ ", "", arguments).split()
    from_stage = re.match(r"--from=(\S+) ", arguments)
    place = (names[from_stage[1]].root if from_stage else context) / source.lstrip("/")
    target = target.replace("${LAMBDA_TASK_ROOT}", TASK_ROOT)  # set by the base images
    destination = root / target.lstrip("/")
    (destination if target.endswith("/") else destination.parent).mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.copytree(place, destination, dirs_exist_ok=True)
    else:
        shutil.copy(place, destination / place.name if target.endswith("/") else destination)


def _run(command: str, root: Path) -> None:
    inside = re.sub(r"(?<=\s)/(?=\w)", f"{root}/", command)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    subprocess.run(["/bin/sh", "-euc", inside], cwd=root, env=environment, check=True, timeout=60)
