"""A function as people write them: it asks a provider, keeps the answer in /tmp, and lets a program do a part."""

import json
import os
import secrets
import subprocess
import tempfile
import urllib.request
from typing import Any

CACHE = "/tmp/rates.json"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{os.environ['PROVIDER']}/rates", timeout=10) as answer:
        rates = json.load(answer)
    with open(CACHE, "w") as file:
        json.dump(rates, file)
    with open(CACHE) as file:
        kept = json.load(file)
    if event.get("upload"):
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(b"a,b")
    if event.get("scratch"):
        use_scratch()
    program = subprocess.run(["/usr/bin/id", "-u"], capture_output=True, text=True, check=True)
    return {"rates": kept, "program": program.stdout.strip().isdigit()}


def use_scratch() -> None:
    """Names that no other start has, as libraries make them: a repository, a cache by hashes, a report, an order."""
    with tempfile.NamedTemporaryFile(prefix="exp_", suffix=".csv") as file:
        file.write(b"a,b")
    clone = tempfile.mkdtemp(prefix="clone-")
    subprocess.run(["/usr/bin/git", "init", "-q", clone], check=True)
    result = f"/tmp/memory/app/{secrets.token_hex(16)}"
    os.makedirs(result)
    for name in ("output.pkl", f"metadata.json.{secrets.token_hex(8)}-{os.getpid()}-{secrets.randbits(40)}"):
        with open(f"{result}/{name}", "w") as file:
            file.write("x")
    with open(f"/tmp/order-{secrets.randbelow(1000)}.pdf", "w") as file:
        file.write("x")
