"""The C core, from Python: it parses policies, decides about events and formats alerts.

The same code runs inside the function, so Python and the engine cannot disagree. It is a freestanding library,
one for each platform on which people synthesize, loaded with cffi in ABI mode: nothing is compiled at install.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, cast

from cffi import FFI

__all__ = ["CoreError", "Decision", "Policy", "PolicyError", "TargetError", "alert_line", "library_path", "parse"]

API_VERSION = 4  # native/core/api.h, SHIELD_API_VERSION

_DECLARATIONS = """
    struct policy;
    uint32_t shield_api_version(void);
    size_t shield_policy_size(void);
    int32_t shield_policy_parse(struct policy *p, const char *lines, size_t len,
                                const char *file, size_t file_len, char *error, size_t error_cap);
    size_t shield_policy_lines(const struct policy *p, char *out, size_t cap);
    size_t shield_aws_endpoints(const struct policy *p, char *out, size_t cap);
    int32_t shield_decide(const struct policy *p, const char *event, size_t event_len,
                          const char *target, size_t target_len, char *out, size_t cap);
    size_t shield_alert_line(const char *fields, size_t len, char *out, size_t cap);
"""
_SYSTEMS = {
    "linux": ("linux", "libshieldcore.so"),
    "darwin": ("macos", "libshieldcore.dylib"),
    "win32": ("windows", "shieldcore.dll"),
}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
"""The names of `platform.machine()`, in lower case, and those of the binaries' folders."""
_BINARIES = Path(__file__).parent / "binaries"
_ERROR_ROOM = 1024
_FIRST_ROOM = 16 * 1024


class CoreError(Exception):
    """The core's library is not available on this platform, or has another interface version."""


class PolicyError(ValueError):
    """A setting is wrong; the text names it and the fix, as the core words it."""


class TargetError(ValueError):
    """There is no such event, or the target of one is malformed."""


Action = Literal["deny", "alert", "allow", "unknown"]


@dataclass(frozen=True)
class Decision:
    """A policy's verdict on one event.

    Attributes:
        action: deny, alert (it happens, and one line says so) or allow. A policy with entries that are known only at
            deployment may also answer unknown (`ShieldPolicy.decide`); the core never does.
        policy: the policy that was asked, such as "outbound_connectivity".
        mode: that policy's mode: block, alert or allow; block where `deny_outbound` refuses it.
        reason: why, such as "listed", "aws", "always", "not_listed" or "deny_outbound".
        entry: the allow-list entry that admits it, or might (unknown), or that of `deny_outbound` which refuses it;
            empty when none does.
        allow: the entry that would admit it; empty when it is allowed already, or when no entry can.
    """

    action: Action
    policy: str
    mode: str
    reason: str
    entry: str
    allow: str

    @property
    def allowed(self) -> bool:
        """Does it happen without a word? In alert mode it happens too, but is reported."""
        return self.action == "allow"


class _Core(Protocol):
    """The library's functions, as `_DECLARATIONS` has them. A pointer is an opaque cffi object."""

    def shield_api_version(self) -> int: ...
    def shield_policy_size(self) -> int: ...
    def shield_policy_parse(
        self, p: object, lines: bytes, size: int, file: bytes, file_size: int, error: object, cap: int, /
    ) -> int: ...
    def shield_policy_lines(self, p: object, out: object, cap: int, /) -> int: ...
    def shield_aws_endpoints(self, p: object, out: object, cap: int, /) -> int: ...
    def shield_decide(
        self, p: object, event: bytes, event_size: int, target: bytes, target_size: int, out: object, cap: int, /
    ) -> int: ...
    def shield_alert_line(self, fields: bytes, size: int, out: object, cap: int, /) -> int: ...


_ffi: Any = FFI()
_ffi.cdef(_DECLARATIONS)


def library_path(system: str = sys.platform, machine: str = "") -> Path:
    """Where the core for a platform is.

    Args:
        system: as `sys.platform` has it.
        machine: as `platform.machine()` has it; this machine's when empty.

    Raises:
        CoreError: there is none for the platform, or it was not built.
    """
    machine = machine or platform.machine()
    name = f"{system} on {machine}"
    if system not in _SYSTEMS or machine.lower() not in MACHINES:
        raise CoreError(f"there is no shield core for {name}: use Linux, macOS or Windows on x86_64 or arm64")
    folder, file = _SYSTEMS[system]
    path = _BINARIES / "core" / f"{folder}-{MACHINES[machine.lower()]}" / file
    if not path.is_file():
        raise CoreError(
            f"the shield core for {name} is missing ({path}): reinstall shielded-function, or in a checkout run "
            "`python -m shielded_function_runtime.build`"
        )
    return path


@cache
def _core() -> _Core:
    path = library_path()
    try:
        library = cast("_Core", _ffi.dlopen(str(path)))
        version = library.shield_api_version()
    except (OSError, AttributeError) as error:
        raise CoreError(f"the shield core cannot be loaded: {error}") from error
    if version != API_VERSION:
        raise CoreError(
            f"the shield core {path} has interface {version}, not {API_VERSION}: reinstall shielded-function, or in "
            "a checkout run `python -m shielded_function_runtime.build`"
        )
    return library


def _written(write: Callable[[object, int], int]) -> bytes:
    """The output of a function of the core, with as much room as it needs."""
    room = _FIRST_ROOM
    while True:
        out = _ffi.new("char[]", room)
        used = write(out, room)
        if used <= room:
            return bytes(_ffi.buffer(out, used))
        room *= 4


class Policy:
    """A parsed policy, in the core's own memory. Made by `parse`."""

    def __init__(self, handle: object, memory: object) -> None:
        self._handle = handle
        self._memory = memory  # the handle does not keep it alive

    def lines(self) -> str:
        """The settings that were given, in canonical form: `NAME=value` lines."""
        return _written(lambda out, room: _core().shield_policy_lines(self._handle, out, room)).decode()

    def aws_endpoints(self) -> list[str]:
        """The AWS endpoints that the policy admits in its AWS_REGION.

        Where a name is left open stands a token in capitals: L (a label, or the rest of one), B (a bucket), C (a cell's
        number), Z (a zone of S3 Express), and A (an account, where SHIELD_ACCOUNT_ID is not set).
        """
        return _written(lambda out, room: _core().shield_aws_endpoints(self._handle, out, room)).decode().splitlines()

    def decide(self, event: str, target: str) -> Decision:
        """The policy's verdict on one event.

        Args:
            event: connect or udp (target `host:port`, `address:port` or `[v6]:port`), resolve (a host name), tmp (a
                path under /tmp), tmp-at-start (`runtime:path`, as `java21:/tmp/...`: before the function asks for its
                first event), exec or exec-static (a program's absolute path).
            target: the subject of the event.

        Raises:
            TargetError: there is no such event, or the target is malformed.
        """
        name, subject = _encode("event", event), _encode("target", target)
        room = 8 * len(subject) + _ERROR_ROOM  # both entry and allow repeat the target, escaped
        out = _ffi.new("char[]", max(room, _FIRST_ROOM))
        failed = _core().shield_decide(self._handle, name, len(name), subject, len(subject), out, len(out))
        said = bytes(_ffi.string(out)).decode()
        if failed:
            raise TargetError(said)
        return Decision(**json.loads(said))


def parse(lines: str, file: str = "") -> Policy:
    """Reads `NAME=value` lines: SHIELD_* settings, and AWS_REGION.

    Args:
        file: the lines of a policy file, where `lines` are those of the environment. Lists that both give are joined;
            other settings that both give must be the same.

    Raises:
        PolicyError: a setting is unknown, given twice or malformed, or there is none; the text names it and the fix.
        CoreError: there is no core for this platform.
    """
    text, more = _encode("policy", lines, PolicyError), _encode("policy", file, PolicyError)
    core = _core()
    size = core.shield_policy_size()
    memory = _ffi.new("uint64_t[]", (size + 7) // 8)  # words, for the alignment
    handle = _ffi.cast("struct policy *", memory)
    error = _ffi.new("char[]", _ERROR_ROOM)
    if core.shield_policy_parse(handle, text, len(text), more, len(more), error, _ERROR_ROOM):
        raise PolicyError(bytes(_ffi.string(error)).decode(errors="replace"))
    return Policy(handle, memory)


def alert_line(
    *,
    policy: str,
    mode: str,
    function: str | bytes = "",
    version: str | bytes = "",
    region: str | bytes = "",
    account: str | bytes = "",
    count: int = 1,
    host: str | bytes = "",
    ip: str = "",
    port: int = 0,
    protocol: str | bytes = "",
    sni: str | bytes = "",
    path: str | bytes = "",
    syscall: str | bytes = "",
    arguments: Sequence[str | bytes] = (),
    object: str | bytes = "",
    code: str | bytes = "",
    file: str | bytes = "",
    line: int = 0,
    packages: Sequence[str | bytes] = (),
    pid: int = 0,
    allow: str | bytes = "",
    trace: str | bytes = "",
    reason: str | bytes = "",
    seconds: int = 0,
    micros: int = 0,
) -> str:
    """The line that an engine would write for these facts, without its newline; empty facts are left out.

    Args:
        policy: such as "outbound_connectivity".
        mode: block or alert.
        function: its name; `version`, `region` and `account` are the function's too.
        count: 1, and as many more as were left out before it against the same policy in the same mode.
        ip: in any spelling.
        arguments: of a program; at most 16 are written.
        object: the library that the call came from.
        code: the function in the source that made the call, in this `file` and `line`.
        packages: through which it was made, from the one that holds that place outward; without any, there is no place.
        allow: the allow-list entry that would admit it.
        trace: the X-Ray trace of the event that is handled.
        reason: `package`, of a call that is allowed and came through other packages; not written beside a path.
        seconds: since the epoch; `micros` are its microseconds.

    Raises:
        ValueError: a fact is malformed, or holds a NUL.
    """
    facts: list[tuple[str, str | bytes | int]] = [
        ("policy", policy),
        ("mode", mode),
        ("function", function),
        ("version", version),
        ("region", region),
        ("account", account),
        ("count", count),
        ("host", host),
        ("ip", ip),
        ("port", port),
        ("protocol", protocol),
        ("sni", sni),
        ("path", path),
        ("syscall", syscall),
        *(("argument", argument) for argument in arguments),
        ("object", object),
        ("code", code),
        ("file", file),
        ("line", line),
        *(("package", package) for package in packages),
        ("pid", pid),
        ("allow", allow),
        ("trace", trace),
        ("reason", reason),
        ("seconds", seconds),
        ("micros", micros),
    ]
    may_be_empty = ("argument", "package")
    fields = [_field(name, value) for name, value in facts if name in may_be_empty or value not in ("", b"")]
    text = b"\0".join(fields)
    written = _written(lambda out, room: _core().shield_alert_line(text, len(text), out, room))
    if not written:
        _refuse_fields(fields)
    return written.decode().rstrip("\n")


def _field(name: str, value: str | bytes | int) -> bytes:
    try:
        raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(f"{name}: {value!r} holds half a character, which is no text") from None
    if b"\0" in raw:
        raise ValueError(f"{name}: {value!r} holds a NUL, which no path, name or argument can")
    return name.encode() + b"=" + raw


def _refuse_fields(fields: Sequence[bytes]) -> NoReturn:
    for field in fields:
        if not _core().shield_alert_line(field, len(field), _ffi.new("char[]", 4096), 4096):
            name, _, value = field.decode(errors="replace").partition("=")
            raise ValueError(f"{name}: {value!r} is not valid in an alert")
    raise ValueError("these are not the facts of an alert")


def _encode(name: str, text: str, error: type[ValueError] = TargetError) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as fault:
        raise error(f"{name}: {text!r} is not valid Unicode text; it holds a lone surrogate") from fault
