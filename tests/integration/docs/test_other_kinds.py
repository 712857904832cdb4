"""The blocks of docs/guide/other-kinds.md that are no Python: servers that start through the shield, without events."""

from __future__ import annotations

import platform
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.running import PYTHON, whole_sandbox
from integration.docs.pages import ROOT, read_page
from integration.examples.image import build as build_image
from shielded_function import ShieldPolicy
from shielded_function_emulator.languages import find
from shielded_function_emulator.sandbox import Completed
from shielded_function_runtime.build.native import BINARIES, build

PAGE = read_page(ROOT / "docs" / "guide" / "other-kinds.md")
POLICY = ShieldPolicy(allow_outbound=["tcp://api.stripe.com:443"], allow_aws="none")
ENDPOINT = "127.0.0.1:8123"
DENIED = {"tmp": "EACCES", "program": "EACCES", "outbound": "EACCES"}
LATE = """const { configure } = require("./shield/nodejs/node_modules/shielded-function");
configure({ policy: { read_write_tmp: "block" } });
require("./index.js");
"""
NODE_SERVER = """\
const http = require("http"), fs = require("fs"), net = require("net"), { execFileSync } = require("child_process");
const [host, port] = process.env.AWS_LAMBDA_HTTP_ENDPOINT.split(":");
const attempts = {
  tmp: () => fs.writeFileSync("/tmp/x", "1"),
  program: () => execFileSync("/bin/true"),
  outbound: () => new Promise((done, fail) => net.connect(9, "192.0.2.1").on("error", fail).on("connect", done)),
};
const answer = async (request, response) => {
  let told = "done";
  try { await attempts[request.url.slice(1)](); } catch (error) { told = error.code; }
  response.end(told);
};
http.createServer(answer).listen(port, host);
"""
PYTHON_SERVER = """\
import errno, http.server, os, socket, subprocess
ATTEMPTS = {
    "/tmp": lambda: open("/tmp/x", "w"),
    "/program": lambda: subprocess.run(["/bin/true"]),
    "/outbound": lambda: socket.create_connection(("192.0.2.1", 9), 1),
}
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            ATTEMPTS[self.path]()
            told = "done"
        except OSError as error:
            told = errno.errorcode.get(error.errno, repr(error))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told.encode())
    def log_message(self, *_): pass
host, port = os.environ["AWS_LAMBDA_HTTP_ENDPOINT"].split(":")
http.server.HTTPServer((host, int(port)), Answer).serve_forever()
"""
# Starts the server, waits until it listens, as Lambda does, and asks for each attempt.
CLIENT = """\
import json, socket, subprocess, sys, time, urllib.request
server = subprocess.Popen(sys.argv[2:])
for _ in range(600):
    if server.poll() is not None:
        sys.exit(server.returncode)
    try:
        socket.create_connection(("127.0.0.1", 8123)).close()
        break
    except OSError:
        time.sleep(0.1)
asked = sys.argv[1].split(",")
print(json.dumps({a: urllib.request.urlopen(f"http://127.0.0.1:8123/{a}").read().decode() for a in asked}), flush=True)
server.terminate()
server.wait()
"""


def block(language: str) -> str:
    (found,) = [each.text for each in PAGE.blocks if each.language == language]
    return found


@pytest.fixture(scope="module")
def layer() -> Path:
    build([f"layer/{platform.machine()}"])
    return BINARIES / "layer" / platform.machine()


def serve(task: Path, command: Sequence[str], runtime: str, *, layers: Path) -> Completed:
    """What a server answers, in a sandbox where it is at /var/task, and the layers' folder at /opt."""
    (task / "client.py").write_text(CLIENT)
    mounts = {} if runtime == "python" else dict(find(runtime).mounts())
    client = PYTHON if runtime == "python" else "/usr/bin/python3"
    with whole_sandbox(task, layers, mounts=mounts) as sandbox:
        environment = {**POLICY.to_env(), "AWS_LAMBDA_HTTP_ENDPOINT": ENDPOINT}
        argv = [client, "/var/task/client.py", ",".join(DENIED), *command]
        return sandbox.run_command(argv, environment=environment)


@pytest.mark.parametrize("way", ["by the wrapper", "late"])
def test_a_web_function(way: str, layer: Path, tmp_path: Path) -> None:
    """Its entry point replaces the process. Loaded late, the shield finds Node.js's rings, and refuses."""
    if reason := find("nodejs24.x").missing():
        pytest.skip(reason)
    task, nothing = tmp_path / "task", tmp_path / "nothing"
    nothing.mkdir()
    shutil.copytree(layer, task / "shield")
    (task / "index.js").write_text(NODE_SERVER)
    (task / "shielded.cjs").write_text(block("javascript") if way == "by the wrapper" else LATE)
    done = serve(task, ["/var/lang/bin/node", "/var/task/shielded.cjs"], "nodejs24.x", layers=nothing)
    if way == "late":
        assert done.returncode == 78
        assert "this process uses io_uring already" in done.stderr
        return
    check(done, ["shop-web"])


def test_a_microvm(layer: Path, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(block("dockerfile"))
    (context / "server.py").write_text(PYTHON_SERVER)
    with zipfile.ZipFile(context / "layer.zip", "w") as archive:
        for file in sorted(path for path in layer.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(layer))
    image = build_image(context, tmp_path / "image")
    shield, interpreter, server = image.command
    assert (interpreter, server) == ("/usr/local/bin/python3", "/srv/server.py")
    task = image.root / "srv"  # the sandbox has no other folder for it
    check(serve(task, [shield, PYTHON, "/var/task/server.py"], "python", layers=image.root / "opt"), [])


def check(done: Completed, names: list[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert re.findall(r'"(\w+)": "(\w+)"', done.stdout) == list(DENIED.items())
    armed, *lines = done.shield_lines
    assert armed["event"] == "armed"
    assert {line.get("policy") for line in lines} >= {"read_write_tmp", "create_child_process", "outbound_connectivity"}
    assert [line["function"] for line in done.shield_lines if "function" in line][: len(names)] == names
