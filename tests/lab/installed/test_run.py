"""`shielded-function run` from the wheel, in a new environment: no checkout, no PATH, a home of its own.

In an empty home, with no Node.js, Java, Maven, npm or compiler, a function of each language runs. The time it took is
printed and not judged: a machine under load takes longer.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from integration.cli import shop
from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import run
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a virtual environment with `shielded-function[run]`, whose files lost their modes."""
    with Sandbox():
        pass  # skips where this machine gives no namespaces
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}[run]"]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ("shielded_function_emulator/bootstrap.sh", "shielded_function_runtime/binaries"):
        for file in [packages / name, *(packages / name).rglob("*")]:
            if file.is_file():
                file.chmod(0o644)
    return folder


def test_a_function_is_tried_out(installed: Path, tmp_path: Path) -> None:
    assembly, cache = shop.synthesize(tmp_path), tmp_path / "cache"
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/"), "XDG_CACHE_HOME": str(cache)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [str(installed / "bin" / "shielded-function"), "run", str(assembly), *arguments]
        event = json.dumps(shop.EVENT)
        return subprocess.run(
            program, cwd="/", env=environment, input=event, capture_output=True, text=True, check=False
        )

    # as docs/guide/command-line.md and first-quarter.md have it
    first = run("Shop/Checkout", "--event", "-", "--json")
    assert first.returncode == 3, first.stdout + first.stderr
    (line,) = first.stderr.splitlines()
    assert line.startswith("shielded-function: fetching AWS's Lambda runtime interface emulator")
    assert line.endswith(f"into {cache / 'shielded-function'}")
    told = json.loads(first.stdout)
    policies = {"outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler"}
    assert {alert["policy"] for alert in told["alerts"]} == policies
    assert [said.partition(":")[0] for said in told["result"].values()] == ["failed"] * 6
    assert told["alarms"][0]["after"] == "ALARM"

    again = run("Shop/Checkout", "--event", "-", "--alert")
    assert (again.returncode, again.stderr) == (3, "")
    assert "collector.evil.example:80" in again.stdout


ABSENT = (
    "node*",
    "npm*",
    "npx*",
    "corepack",
    "java*",
    "mvn*",
    "python3*",
    "pip*",
    "c++",
    "cc",
    "g++*",
    "gcc*",
    "clang*",
)
NODE = """
export const handler = (urls) => Promise.all(urls.map((url) =>
  fetch(url, { method: "POST", body: "x" }).then((r) => r.text(), (error) => `${error.cause ?? error}`)));
"""
PYTHON = """
import urllib.request

def ask(url):
    try:
        return urllib.request.urlopen(url, b"x").read().decode()
    except OSError as error:
        return str(error)

def handler(urls, context):
    return [ask(url) for url in urls]
"""
JAVA = """
import java.net.*;
import java.util.*;

public class App {
    static String ask(String url) {
        try (var answer = URI.create(url).toURL().openStream()) {
            return new String(answer.readAllBytes());
        } catch (java.io.IOException error) {
            return error.toString();
        }
    }

    public static List<String> handle(List<String> urls) {
        return urls.stream().map(App::ask).toList();
    }
}
"""
RUNTIMES = {
    "Node": (lambda_.Runtime.NODEJS_22_X, "index.handler", "index.mjs", NODE),
    "Python": (lambda_.Runtime.PYTHON_3_13, "index.handler", "index.py", PYTHON),
    "Java": (lambda_.Runtime.JAVA_21, "App::handle", "App.java", JAVA),
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function of each language, which may call one host."""
    folder = tmp_path_factory.mktemp("three")
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Three")
    policy = ShieldPolicy(allow_outbound=["api.good.example:443", "api.good.example:80"])
    for name, (runtime, handler, file, code) in RUNTIMES.items():
        source = folder / name
        source.mkdir(mode=0o755)
        (source / file).write_text(code)
        if name == "Java":
            run([java.oldest_compiler(), "--release", "17", source / file])
        more = shop.props() | {"runtime": runtime, "handler": handler, "memory_size": 512}
        ShieldedFunction(stack, name, code=lambda_.Code.from_asset(str(source)), policy=policy, **more)
    app.synth()
    return folder / "cdk.out"


@pytest.mark.parametrize("name", RUNTIMES)
def test_an_empty_machine_runs_it(installed: Path, assembly: Path, tmp_path: Path, name: str) -> None:
    """The shield decides before the reply that every host has."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for file in [*Path("/bin").iterdir(), *Path("/usr/bin").iterdir()]:
        if not (programs / file.name).exists() and not any(fnmatch.fnmatch(file.name, one) for one in ABSENT):
            (programs / file.name).symlink_to(file)
    # How the registries are reached is the machine's.
    kept = ("PIP_", "npm_config_", "NODE_EXTRA_CA_CERTS", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_")
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    home = Path.home()
    environment |= {"PATH": str(programs), "HOME": str(tmp_path), "NPM_CONFIG_USERCONFIG": str(home / ".npmrc")}
    (tmp_path / "reply.json").write_text('{"paid": true}')
    urls = ["https://api.good.example/", "http://api.good.example/", "https://evil.example/"]
    program = [str(installed / "bin" / "shielded-function"), "run", str(assembly), f"Three/{name}", "--json"]
    program += ["--event", "-", "--reply", f"*.example={tmp_path / 'reply.json'}"]
    begun = time.monotonic()
    done = subprocess.run(
        program, env=environment, input=json.dumps(urls), capture_output=True, text=True, check=False, cwd=tmp_path
    )
    print(f"{name}: {time.monotonic() - begun:.0f} s\n{done.stderr}")
    assert done.returncode == 3, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["result"][:2] == ['{"paid": true}'] * 2, told
    assert told["result"][2] != '{"paid": true}'
    assert {alert["details"].get("host") for alert in told["alerts"]} == {"evil.example"}
    assert done.stderr.startswith("shielded-function: fetching AWS's Lambda runtime interface emulator")
    assert all(line.startswith("shielded-function: ") for line in done.stderr.splitlines()), "one line each"
