"""`configure`: the shield from a function's own code, for those who deploy without the construct.

    import shielded_function_runtime

    shielded_function_runtime.configure({
        "policy": {"outbound_connectivity": "block", "allow_outbound": ["api.stripe.com:443"]},
    })

The dictionary becomes `SHIELD_NAME=value` lines, as they would stand in the environment; the engine reads them. Only
the standard library is needed, and the engine is loaded by the first call.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["ConfigurationError", "configure"]

_OPTIONS = ("policy", "token", "disable_analytics")
_REASON_ROOM = 512


class ConfigurationError(ValueError):
    """The configuration cannot be put in force, and nothing has changed; the text names the field and the fix."""


def configure(options: Mapping[str, Any]) -> None:
    """Arms the shield in this process, or makes the modes in force stricter.

    Args:
        options: `policy`, a dictionary with the fields of `ShieldPolicy`: modes as text, lists as lists of text or as
            one text with commas, switches as booleans. A mode that is left out is `block` in the first call,
            `read_handler` is `allow`. In a later call it stays as it is, as does a field that is None: that call only
            makes modes stricter, and may switch clear_tmp, block_foreign_functions and kernel_limits on. Lists and
            other switches are left out there, or the same. The limits of the kernel hold from the next request for an
            event on. This function imports ctypes, which block_foreign_functions then cannot refuse.
            `token` and `disable_analytics` are accepted for the sake of FunctionShield's users, and ignored: nothing is
            ever sent anywhere.

    Raises:
        ConfigurationError: a field is unknown, malformed, looser than the policy in force, or another list; or the
            process cannot be shielded, and its policy does not say run_unshielded.
    """
    _call(_lines(options).encode())


def _lines(options: object) -> str:
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"the options are {_named(options)}, not a dictionary with policy in it")
    for name in options:
        if name not in _OPTIONS:
            raise ConfigurationError(f"{name}: there is no such option; use {', '.join(_OPTIONS)}")
    policy = options.get("policy")
    if not isinstance(policy, Mapping):
        raise ConfigurationError(f"policy: it is {_named(policy)}, not a dictionary of fields such as read_write_tmp")
    settings = {name: _value(name, value) for name, value in policy.items() if value is not None}
    return "".join(f"SHIELD_{name.upper()}={value}\n" for name, value in settings.items())


def _value(field: object, value: object) -> str:
    """A field's value as its variable has it."""
    if (
        not isinstance(field, str)
        or not field.replace("_", "a").isalpha()
        or not field.isascii()
        or field != field.lower()
    ):
        raise ConfigurationError(f"{field}: a field's name is lower-case letters and underscores, as in read_write_tmp")
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return _text(field, value)
    if not isinstance(value, Sequence) or isinstance(value, (bytes, bytearray)):
        raise ConfigurationError(f"{field}: it is {_named(value)}, not text, a list of text, or a boolean")
    return ",".join(_entry(field, entry) for entry in value)


def _entry(field: str, entry: object) -> str:
    if not isinstance(entry, str):
        raise ConfigurationError(f"{field}: an entry is {_named(entry)}, not text")
    if "," in entry or not entry.strip():
        raise ConfigurationError(f"{field}: {entry!r} is not one entry; write one for each, without commas")
    return _text(field, entry)


def _text(field: str, value: str) -> str:
    if any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in value):
        raise ConfigurationError(f"{field}: {value!r} has a control character or half a character; take it out")
    return value


def _named(value: object) -> str:
    return "missing" if value is None else type(value).__name__


def _call(lines: bytes) -> None:
    try:
        import ctypes
    except ImportError as error:
        raise ConfigurationError(
            "configure needs ctypes, which cannot be imported; where block_foreign_functions refuses it, list _ctypes "
            f"in allow_executable_memory, or give the whole policy in the environment ({error})"
        ) from error

    reason = ctypes.create_string_buffer(_REASON_ROOM)
    if _engine()(lines, ctypes.c_uint64(len(lines)), reason, ctypes.c_uint64(_REASON_ROOM)):
        raise ConfigurationError(reason.value.decode(errors="replace"))


def _engine() -> Any:
    """The engine's one function: of the library that the wrapper preloaded, or else of the layer's."""
    import ctypes

    loaded = ctypes.CDLL(None)
    if hasattr(loaded, "shield_configure"):
        return loaded.shield_configure
    library = _library()
    try:
        return ctypes.CDLL(library).shield_configure
    except OSError as error:
        raise ConfigurationError(f"the shield cannot be loaded: {error}") from error


def _library() -> str:
    """Beside this package in the layer (/opt), or in a development package's own binaries."""
    here = os.path.dirname(os.path.abspath(__file__))
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    for root in (os.path.dirname(os.path.dirname(here)), os.path.join(here, "binaries", "layer", machine)):
        library = os.path.join(root, "shielded-function", "libshield.so")
        if os.path.isfile(library):
            return library
    raise ConfigurationError(
        f"there is no shield for {platform.system()} on {platform.machine()} beside {here}: attach the "
        "shielded-function layer of the function's architecture"
    )
