"""Runs inside the sandbox: `limits.py FIRST...` starts programs, behind that, under each limit of getrlimit(2)."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

MB = 1 << 20
MEMORY = [0, 4096, *(size * MB for size in (1, 4, 8, 10, 11, 12, 13, 14, 15, 16, 20, 24, 28, 32, 36, 40, 56, 64, 512))]
VALUES = {"AS": MEMORY, "DATA": MEMORY, "NOFILE": [*range(10), 768, 1001], "STACK": [0, 4096, 32768, 131072, MB]}
READS = "try: print(open('/tmp/there').read())\nexcept OSError as error: print(error)"
PROGRAMS = {
    "python": [sys.executable, "-S", "-c", READS],
    "shell": ["/bin/sh", "-c", "read what < /tmp/there; echo $what"],
    "large": ["/var/task/large"],  # large_program.c
}


def start(command: list[str], limit: int, value: int) -> tuple[int, str, str]:
    def lower() -> None:
        hard = resource.getrlimit(limit)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (least, least))

    try:
        done = subprocess.run(command, preexec_fn=lower, capture_output=True, text=True, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return 0, "", f"{error}"
    events = [event for event in ("armed", "refused") if f'"event":"{event}"' in done.stderr]
    return done.returncode, done.stdout.strip(), "".join(events)


if __name__ == "__main__":
    limits = {name.removeprefix("RLIMIT_"): getattr(resource, name) for name in dir(resource) if "RLIMIT_" in name}
    print(
        json.dumps(
            {
                f"{program} {name} {value}": start([*sys.argv[1:], *command], limit, value)
                for program, command in PROGRAMS.items()
                for name, limit in limits.items()
                for value in VALUES.get(name, [0, 1, 4096])
            }
        )
    )
