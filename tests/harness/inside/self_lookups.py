"""Runs inside the sandbox: `self_lookups.py <name>...` asks for each (where it ends in .arpa, its PTR).

Prints as JSON for each whether it was answered with something else than "no such name".
"""

from __future__ import annotations

import json
import sys

from questions import by_udp, query


def ask(name: str) -> bool:
    with by_udp(query(name, 12 if name.endswith(".arpa") else 1)) as s:
        return not s.recv(512)[3] & 15


print(json.dumps({name: ask(name) for name in sys.argv[1:]}))
