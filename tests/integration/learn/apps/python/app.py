"""A function as people write them: it asks a provider, keeps the answer in /tmp, and lets a program do a part."""

import json
import os
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
    program = subprocess.run(["/usr/bin/id", "-u"], capture_output=True, text=True, check=True)
    return {"rates": kept, "program": program.stdout.strip().isdigit()}
