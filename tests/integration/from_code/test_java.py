"""`configure` from Java, and the class that the build writes beside what a compiler makes of its source."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.running import prepare_tmp, whole_sandbox
from harness.thinning import long_but
from integration.from_code.conftest import HERE, events
from shielded_function_emulator.languages import java as java_language
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_runtime.build import java_class

BINDINGS = HERE.parents[2] / "runtime_layer" / "bindings" / "java"
NATIVE = HERE.parents[2] / "runtime_layer" / "native" / "bindings" / "java"
# By their versions, and where the sandbox shows them.
JAVAS = {f"java-{line}": home for line, home in java_language.homes().items()}
JAVA = next(iter(JAVAS), "")
COMPILERS = [home for home in JAVAS.values() if (home / "bin" / "javac").exists()]
needs_compiler = pytest.mark.skipif(not COMPILERS, reason=f"no Java compiler; {java_language.TOOLS.missing()}")

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def java_box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("java") / "code"
    task.mkdir()
    jar = layer / "java" / "lib" / "shielded-function.jar"
    compile_java(HERE / "java" / "Probe.java", task, "-cp", str(jar), "--release", "11")
    with whole_sandbox(task, layer, mounts=java_mounts()) as sandbox:
        yield sandbox


def java_mounts() -> dict[str, Path]:
    """Every Java, for a sandbox: `/var/java-21` and so on."""
    shown = [java_language.mounts_of(home, f"/var/{name}") for name, home in JAVAS.items()]
    return {at: path for mounts in shown for at, path in mounts.items()}


def compile_java(source: Path, out: Path, *options: str) -> None:
    command = [COMPILERS[0] / "bin" / "javac", "-Xlint:all", "-Werror", "-d", out, *options, source]
    subprocess.run(command, check=True)


def run(box: Sandbox, java: str, *steps: str) -> tuple[list[str], Completed]:
    prepare_tmp(box)
    command = [f"/var/{java}/bin/java", "-XX:-UsePerfData", "-Xshare:auto", "-XX:TieredStopAtLevel=1"]
    command += ["-cp", "/var/task:/opt/java/lib/shielded-function.jar", "Probe", *steps]
    done = box.run_command(command, environment={"_HANDLER": "Probe::main"})
    assert done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr}"
    return done.stdout.splitlines(), done


BAD = {
    "bad mode": 'read_write_tmp: "blok" is not a mode; use block, alert or allow',
    "bad field": "read_write_tmpp: there is no such setting; did you mean read_write_tmp?",
    "bad type": "read_write_tmp: the value is not a String, a Collection of String, or a Boolean",
    "bad entry": "allow_tmp: an entry with a comma is not one entry; write one for each, without commas",
    "bad text": "allow_tmp: the value has a control character or half a character; take it out",
    "half a character": "allow_tmp: the value has a control character or half a character; take it out",
    "bad option": "polcy: there is no such option; use policy, token, disable_analytics",
    "no policy": "policy: it is not a Map of fields such as read_write_tmp",
    "no map": 'the options are missing; give a Map with "policy" in it',
}


@pytest.mark.parametrize("java", long_but({JAVA}, JAVAS))
def test_bad_dictionaries_and_then_lists(java_box: Sandbox, java: str) -> None:
    done, ran = run(java_box, java, *BAD, "thrown", "tmp", "lists", "tmp", "fewer", "tmp", "stricter", "program")
    assert done == [
        *(f"java.lang.IllegalArgumentException: {reason}" for reason in BAD.values()),
        "java.lang.IllegalStateException: my own",
        *("ok", "ok", "ok"),
        "java.lang.IllegalArgumentException: allow_tmp: differs from the policy in force; a later call only makes "
        "modes stricter, so leave it out",
        *("ok", "ok", "EACCES"),
    ]
    assert events(ran) == ["armed", "tightened"]


def declared(home: Path, classes: Path) -> str:
    """What a class declares and does, as the JDK tells it: without the numbers of constants."""
    command = [home / "bin" / "javap", "-p", "-c", "-s", "-cp", classes, "shieldedfunction.ShieldedFunction"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in told.splitlines() if line.strip() and not line.startswith("Compiled from")]
    return re.sub(r"#\d+ +", "", "\n".join(lines))


def test_the_class_is_what_the_compiler_makes_of_the_source(layer: Path, tmp_path: Path) -> None:
    compile_java(BINDINGS / "ShieldedFunction.java", tmp_path / "compiled", "--release", "8", "-Xlint:-options")
    with zipfile.ZipFile(layer / "java" / "lib" / "shielded-function.jar") as jar:
        jar.extractall(tmp_path / "written")
        assert jar.namelist() == ["META-INF/MANIFEST.MF", "shieldedfunction/ShieldedFunction.class"]
    written = declared(COMPILERS[0], tmp_path / "written")
    assert "public static native void configure(java.util.Map<java.lang.String, ?>);" in written
    assert java_class.LIBRARY in written
    assert written == declared(COMPILERS[0], tmp_path / "compiled")


def test_the_places_in_the_interface_are_those_of_jni_h(tmp_path: Path) -> None:
    """jni.c declares what it needs of jni.h itself; here the JDK's own says whether it is right."""
    header = next(file for home in JAVAS.values() if (file := home / "include" / "jni.h").exists())
    interface = header.read_text().partition("struct JNINativeInterface_ {")[2].partition("};")[0]
    interface = re.sub(r"/\*.*?\*/|^#.*?$", "", interface, flags=re.DOTALL | re.MULTILINE)
    members = [m for m in interface.split(";") if m.strip()]
    names = [found[1] if (found := re.search(r"JNICALL \*(\w+)\)", member)) else "" for member in members]
    constants = dict(re.findall(r"^    ([A-Z_]+) = (\d+),?$", (NATIVE / "jni.c").read_text(), re.MULTILINE))
    assert len(constants) == 12
    places = {name.replace("_", "").lower(): int(place) for name, place in constants.items()}
    assert {names[place].lower(): place for place in places.values()} == places
