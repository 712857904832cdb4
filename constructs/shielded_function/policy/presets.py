"""Entries that well-known libraries need in a policy, by name: one table.

A preset is expanded when a policy is made, into fields that can be written by hand. The function's environment holds
those fields alone, and the core in the function does not know presets.

Each row is as narrow as the library allows: of /tmp one component with the prefix that the library gives its names, or
with their fixed length, and never a host. tests/lab/presets runs each library with its row, and without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_with
from difflib import get_close_matches
from typing import Any, Final, Literal

from ..errors import ShieldPolicyError
from .texts import check_text


@dataclass(frozen=True)
class Preset:
    """One library's needs.

    Attributes:
        language: the language of its functions.
        versions: the tested versions.
        why: one sentence.
        allow_tmp: entries that it adds to `allow_tmp`.
        allow_child_process: entries that it adds to `allow_child_process`.
        allow_executable_memory: entries that it adds to `allow_executable_memory`.
        environment: variables that the function must set; the preset does not set them.
        package: for Python, the package in a function's code that requires it; empty where most uses of the library
            need nothing.
    """

    language: Literal["Java", "Node.js", "Python"]
    versions: str
    why: str
    allow_tmp: tuple[str, ...] = ()
    allow_child_process: tuple[str, ...] = ()
    allow_executable_memory: tuple[str, ...] = ()
    environment: Mapping[str, str] = field_with(default_factory=dict[str, str])
    package: str = ""

    def adds(self) -> dict[str, list[str]]:
        """Its entries, by field."""
        return {field: list(getattr(self, field)) for field in _LISTS if getattr(self, field)}

    def entries(self) -> list[tuple[str, str]]:
        """Its entries, as pairs of a field and an entry."""
        return [(field, each) for field, entries in self.adds().items() for each in entries]

    @property
    def meaning(self) -> str:
        """The reason, and the variables that the function must set."""
        wanted = ", ".join(f"{name}={value}" for name, value in self.environment.items())
        return self.why + (f"; set {wanted}" if wanted else "")


PresetName = Literal[
    "accp",
    "aws-crt",
    "catboost",
    "cffi",
    "chromium",
    "ctypes",
    "ddtrace",
    "find-library",
    "gitpython",
    "grpc-netty",
    "imageio",
    "imageio-ffmpeg",
    "jax",
    "jna",
    "jnr-ffi",
    "jpype",
    "lightgbm",
    "lz4-java",
    "matplotlib",
    "netty-epoll",
    "netty-tcnative",
    "numba",
    "openpyxl",
    "platform-calls",
    "poi",
    "polars",
    "prophet",
    "pulp",
    "python-tempfile",
    "snappy-java",
    "sparticuz-chromium",
    "sqlite-jdbc",
    "swc",
    "zstd-jni",
]

_LISTS: Final = ("allow_tmp", "allow_child_process", "allow_executable_memory")


def _in_code(path: str) -> tuple[str, str]:
    """Where a package's file is: in the function's own code, or in a layer."""
    return f"/var/task/{path}", f"/opt/python/{path}"


PRESETS: Final[Mapping[str, Preset]] = {
    "accp": Preset(
        "Java",
        "AmazonCorrettoCryptoProvider 2.4.1",
        "unpacks its native library into its own folder",
        allow_tmp=("/tmp/amazonCorrettoCryptoProviderNativeLibraries.*/**",),
    ),
    "aws-crt": Preset(
        "Java",
        "aws-crt 0.38.1",
        "unpacks its native library; without the variable it also runs `ldd`, which should not be allowed",
        allow_tmp=("/tmp/AWSCRT_*libaws-crt-jni.so",),
        environment={"JAVA_TOOL_OPTIONS": "-Daws.crt.libc=glibc"},
    ),
    "catboost": Preset(
        "Python",
        "catboost 1.2.10",
        'keeps its log where `train_dir="/tmp/catboost_info"` says',
        allow_tmp=("/tmp/catboost_info/**",),
    ),
    "cffi": Preset(
        "Python",
        "cffi 2.1.1",
        "`ffi.callback` writes a few instructions for each callback",
        allow_executable_memory=("_cffi_backend",),
    ),
    "chromium": Preset(
        "Python",
        "Chromium 156",
        "keeps its profile where `--user-data-dir=/tmp/chromium` says; its program has to be listed too. It asks "
        "Google for updates unless `--host-resolver-rules=MAP clients2.google.com ~NOTFOUND, MAP "
        "update.googleapis.com ~NOTFOUND` stops it; where there is IPv6, its test for that stays refused, and reported",
        allow_tmp=("/tmp", "/tmp/chromium/**", "/tmp/.org.chromium.Chromium.*", "/tmp/org.chromium.Chromium.*/**"),
        environment=dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), "/tmp/chromium"),
    ),
    "ctypes": Preset(
        "Python",
        "CPython 3.11",
        "callbacks from C (`CFUNCTYPE`) are a few instructions each, where libffi has no static trampolines",
        allow_executable_memory=("libffi",),
    ),
    "ddtrace": Preset(
        "Python",
        "ddtrace 4.16.0",
        "notes its processes in a file, and tries /tmp as the standard library does",
        allow_tmp=("/tmp/????????", "/tmp/*-symdb-pids"),
    ),
    "find-library": Preset(
        "Python",
        "CPython 3.11",
        "`ctypes.util.find_library` asks ldconfig, which is static, and else a compiler, by a temporary file; "
        "`python-tempfile` alone lets it go on, without its answer",
        allow_tmp=("/tmp/????????", "/tmp/tmp????????"),
        allow_child_process=("unshielded:/usr/sbin/ldconfig",),
    ),
    "gitpython": Preset(
        "Python",
        "gitpython 3.2.1",
        "runs git, for repositories below /tmp/git",
        allow_tmp=("/tmp/git/**",),
        allow_child_process=("/usr/bin/git",),
    ),
    "grpc-netty": Preset(
        "Java",
        "grpc-netty-shaded 1.69.0",
        "unpacks its native transport and its TLS library",
        allow_tmp=(
            "/tmp/libio_grpc_netty_shaded_netty_transport_native_epoll_*.so",
            "/tmp/libio_grpc_netty_shaded_netty_tcnative_*.so",
        ),
    ),
    "imageio": Preset(
        "Java",
        "a JVM of version 21",
        "`javax.imageio` keeps a file for each stream, unless `ImageIO.setUseCache(false)` is called",
        allow_tmp=("/tmp/imageio*.tmp",),
    ),
    "imageio-ffmpeg": Preset(
        "Python",
        "imageio-ffmpeg 0.8.1",
        "runs the program that comes with it; the files that it writes have to be listed too",
        allow_child_process=_in_code("imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v9.0.2"),
    ),
    "jax": Preset(
        "Python",
        "jax 0.10.2, jaxlib 0.10.2",
        "compiles functions to machine code; without it, the process ends with a segmentation fault",
        allow_executable_memory=("libjax_common",),
        package="jax",
    ),
    "jna": Preset(
        "Java",
        "jna 5.17.0",
        "unpacks its native library, and looks in /tmp for those that it left; its run of ldconfig stays refused",
        allow_tmp=("/tmp", "/tmp/jna*.tmp"),
    ),
    "jnr-ffi": Preset(
        "Java",
        "jnr-ffi 2.2.17",
        "unpacks its native library",
        allow_tmp=("/tmp/jffi*.so",),
    ),
    "jpype": Preset(
        "Python",
        "jpype1 1.7.1, a JVM of version 21",
        "starts a JVM in the process, which compiles, and keeps its counters in /tmp",
        allow_tmp=("/tmp/hsperfdata_*/**",),
        allow_executable_memory=("libjvm",),
        package="jpype",
    ),
    "lightgbm": Preset(
        "Python",
        "lightgbm 4.7.0",
        "registers a callback for its log when it is imported",
        allow_executable_memory=("libffi",),
        package="lightgbm",
    ),
    "lz4-java": Preset(
        "Java",
        "lz4-java 1.8.0",
        "unpacks its native library, and looks in /tmp for those that it left",
        allow_tmp=("/tmp", "/tmp/liblz4-java-*.so", "/tmp/liblz4-java-*.so.lck"),
    ),
    "matplotlib": Preset(
        "Python",
        "matplotlib 3.11.2",
        "keeps its list of fonts where the variable says, and asks fontconfig for fonts where that is installed",
        allow_tmp=("/tmp/matplotlib/**",),
        allow_child_process=("/usr/bin/fc-list",),
        environment={"MPLCONFIGDIR": "/tmp/matplotlib"},
    ),
    "netty-epoll": Preset(
        "Java",
        "netty 4.1.118",
        "unpacks its native transport",
        allow_tmp=("/tmp/libnetty_transport_native_epoll_*.so",),
    ),
    "netty-tcnative": Preset(
        "Java",
        "netty-tcnative-boringssl-static 2.0.70",
        "unpacks its TLS library",
        allow_tmp=("/tmp/libnetty_tcnative_*.so",),
    ),
    "numba": Preset(
        "Python",
        "numba 0.68.1, llvmlite 0.50.0",
        "compiles functions to machine code as they are called, and keeps it (`cache=True`) where the variable says; "
        "llvmlite registers callbacks when it is imported",
        allow_tmp=("/tmp/numba/**",),
        allow_executable_memory=("libffi", "libllvmlite"),
        environment={"NUMBA_CACHE_DIR": "/tmp/numba"},
        package="numba",
    ),
    "openpyxl": Preset(
        "Python",
        "openpyxl 3.1.5",
        "writes each sheet to a temporary file, and tries /tmp as the standard library does",
        allow_tmp=("/tmp/????????", "/tmp/openpyxl.*"),
    ),
    "platform-calls": Preset(
        "Python",
        "CPython 3.11",
        "`platform.processor()`, which openai, stripe, azure and others call as they are imported, runs `uname -p`; "
        "refused, it goes on",
        allow_child_process=("/usr/bin/getconf", "/usr/bin/uname"),
    ),
    "poi": Preset(
        "Java",
        "poi-ooxml 5.4.0",
        "streams workbooks through temporary files in its own folder",
        allow_tmp=("/tmp/poifiles/**",),
    ),
    "polars": Preset(
        "Python",
        "polars 2.1.0",
        "writes a few instructions that identify the processor, when it is imported; with the function's own "
        "`POLARS_SKIP_CPU_CHECK=1` it needs nothing",
        allow_executable_memory=("libffi",),
        package="polars",
    ),
    "prophet": Preset(
        "Python",
        "prophet 1.5.0, cmdstanpy 1.3.2",
        "fits by a program that comes with it, over temporary files, and imports matplotlib",
        allow_tmp=("/tmp/????????", "/tmp/tmp????????*/**", "/tmp/matplotlib/**"),
        allow_child_process=(
            "/usr/bin/fc-list",
            "/usr/bin/uname",
            *_in_code("prophet/stan_model/prophet_model.bin"),
        ),
        environment={"MPLCONFIGDIR": "/tmp/matplotlib"},
    ),
    "pulp": Preset(
        "Python",
        "pulp 3.3.2",
        "solves by CBC, a program that comes with it, over files whose names are UUIDs",
        allow_tmp=(f"/tmp/{'?' * 32}-pulp.*",),
        allow_child_process=(
            *_in_code("pulp/solverdir/cbc/linux/i64/cbc"),
            *_in_code("pulp/solverdir/cbc/linux/arm64/cbc"),
        ),
    ),
    "python-tempfile": Preset(
        "Python",
        "CPython 3.11",
        "temporary files and folders of the standard library: any name of eight characters, with which it tries /tmp "
        "once a process, and the names that it gives unasked",
        allow_tmp=("/tmp/????????", "/tmp/#", "/tmp/tmp????????*/**"),
    ),
    "snappy-java": Preset(
        "Java",
        "snappy-java 1.1.10.7",
        "unpacks its native library",
        allow_tmp=("/tmp/snappy-*-libsnappyjava.so",),
    ),
    "sparticuz-chromium": Preset(
        "Node.js",
        "@sparticuz/chromium 153.0.0, playwright-core 1.65.1, puppeteer-core 24.43.1",
        "unpacks a browser with its libraries and fonts, and keeps profiles there; nothing is to be set",
        allow_tmp=(
            "/tmp/chromium",
            "/tmp/libEGL.so",
            "/tmp/libGLESv2.so",
            "/tmp/libvk_swiftshader.so",
            "/tmp/libvulkan.so.1",
            "/tmp/vk_swiftshader_icd.json",
            "/tmp/locales",
            "/tmp/al2023/**",
            "/tmp/fonts/**",
            "/tmp/fonts-cache/**",
            "/tmp/.org.chromium.Chromium.*",
            "/tmp/playwright-artifacts-??????/**",
            "/tmp/playwright_chromiumdev_profile-??????/**",
            "/tmp/puppeteer_dev_chrome_profile-??????/**",
        ),
        allow_child_process=("/tmp/chromium",),
    ),
    "sqlite-jdbc": Preset(
        "Java",
        "sqlite-jdbc 3.49.1.0",
        "unpacks its native library, looks in /tmp for those that it left, and asks `uname` for Android",
        allow_tmp=("/tmp", "/tmp/sqlite-*-libsqlitejdbc.so", "/tmp/sqlite-*-libsqlitejdbc.so.lck"),
        allow_child_process=("/usr/bin/uname",),
    ),
    "swc": Preset(
        "Node.js",
        "@swc/core 1.16.22",
        "copies its native library into its own folder for each version",
        allow_tmp=("/tmp/swc-native-*/**",),
    ),
    "zstd-jni": Preset(
        "Java",
        "zstd-jni 1.5.7-2",
        "unpacks its native library",
        allow_tmp=("/tmp/libzstd-jni-*.so",),
    ),
}


def expand(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a policy with the entries of its presets; `presets` becomes a tuple without duplicates.

    Raises:
        ShieldPolicyError: there is no such preset.
    """
    names = _check_names(fields["presets"])
    expanded = {**fields, "presets": names}
    for name in names:
        preset = PRESETS[name]
        for field in _LISTS:
            # A value that is no list is an error when the field is read.
            if (entries := getattr(preset, field)) and isinstance(expanded[field], (list, tuple)):
                expanded[field] = (*expanded[field], *(each for each in entries if each not in expanded[field]))
    return expanded


def presets_with(names: Sequence[str], field: str, entry: str) -> list[str]:
    """The presets among these that add an entry to a field."""
    return [name for name in names if entry in PRESETS[name].adds().get(field, ())]


def explain(names: Sequence[str]) -> dict[str, Any]:
    """The meaning of the field `presets`, for `ShieldPolicy.explain`."""
    return {
        "value": ",".join(names),
        "meaning": "the needs of these libraries are in the fields above" if names else "no library's needs were added",
        "entries": [{"entry": name, "meaning": PRESETS[name].meaning} for name in names],
    }


def mark(explained: dict[str, Any], names: Sequence[str]) -> None:
    """Adds the presets of entries to the explanation of `ShieldPolicy.explain`."""
    for field, explanation in explained.items():
        for entry in explanation.get("entries", ()):
            if found := presets_with(names, field, entry["entry"]):
                entry["meaning"] += f" (preset {', '.join(found)})"


def _check_names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ShieldPolicyError("presets", f"{value!r} is one text; write a list: [{value!r}]")
    if not isinstance(value, Sequence):
        raise ShieldPolicyError("presets", f"{value!r} is not a list of names")
    names = [check_text("presets", each).strip(" \t").lower() for each in value]
    for name in names:
        if name not in PRESETS:
            near = get_close_matches(name, PRESETS)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise ShieldPolicyError("presets", f"there is no {name!r}; {meant}there are {', '.join(PRESETS)}")
    return tuple(dict.fromkeys(names))
