"""Targets that never become entries by themselves: each rule names the problem, and the choices.

A rule examines one observation and returns the reason, or None. The rules run in this order, and the first reason
decides.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from .data_in_names import looks_like_data
from .evidence import made_by_python
from .observation import Observation
from .questions import UNSHIELDED, Question, address_of, questions_of

# Of clouds and container platforms; link-local as a whole is treated alike.
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"))
) | {ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("168.63.129.16")}
_METADATA_NAMES: Final = frozenset(
    ("instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal", "metadata.azure.internal")
)
_ANY_BUCKET: Final = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
"""S3 itself, in any region. In the function's own region it is found as a service."""
_PATH_LIMIT: Final = 1130
"""Bytes of a path in a line, at most; `...` behind them says that there were more (docs/reference/alert-lines.md)."""
# Run by ctypes.util.find_library (https://docs.python.org/3/library/ctypes.html#finding-shared-libraries): first
# ldconfig; where that finds nothing, or may not run, a compiler with its linker, then the linker alone.
LDCONFIG: Final = "/usr/sbin/ldconfig"
_COMPILER: Final = re.compile(
    r"/usr/(?:bin|lib(?:exec)?/gcc(?:/[^/]+)*)/(?:[\w-]+-)?(?:gcc|cc|ld|collect2)(?:[-.][\w.]+)?"
)
_OF_COMPILER: Final = re.compile(r"/tmp/cc[A-Za-z0-9]{6}\.[a-z.]+")
_PRIVATE_4: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "0.0.0.0/32")
_PRIVATE: Final = tuple(map(ipaddress.ip_network, (*_PRIVATE_4, "::/127", "fc00::/7")))
"""Networks that lead to no host of the internet: RFC 1918, RFC 6598, RFC 4193, and the machine itself."""
_WRITABLE: Final = ("/tmp/", "/dev/shm/", "/var/tmp/", "/proc/", "/memfd:", "memfd:")


@dataclass(frozen=True)
class Context:
    """Facts about the function besides the observation.

    Attributes:
        named: addresses that were also reached by a name, as `address_of` writes them, and the names.
        connected: names that were connected to, not only looked up.
        searching: Python's `find_library` was used.
        find_exfiltration: finds the entry of `preset:exfiltration` that a question is about; empty for none.
    """

    named: Mapping[str, Set[str]]
    connected: Set[str]
    searching: bool = False
    find_exfiltration: Callable[[Question], str] = lambda _: ""


Rule = Callable[[Observation, Context], "str | None"]


def _metadata(seen: Observation, context: Context) -> str | None:
    names = [name.rstrip(".").lower() for name in (seen.host, seen.sni)]
    if not any(map(_is_metadata, (seen.ip, *names))) and not _METADATA_NAMES.intersection(names):
        return None
    if seen.host and _is_metadata(seen.ip):
        return f"the name leads to {seen.ip}, where clouds hand out credentials: DNS rebinding looks like that"
    return (
        "clouds hand out credentials there, and Lambda does not: SDKs ask when they find no credentials "
        "(AWS_EC2_METADATA_DISABLED=true keeps them from it), and so does code that steals them"
    )


def _is_metadata(text: str) -> bool:
    address = address_of(text)
    return address is not None and (address in _METADATA or address.is_link_local)


def _exfiltration(seen: Observation, context: Context) -> str | None:
    if seen.policy != "outbound_connectivity":
        return None
    entry = next(filter(None, map(context.find_exfiltration, questions_of(seen))), "")
    if not entry:
        return None
    return f"{entry} is in preset:exfiltration: request bins, paste sites and tunnels, where anyone can receive data"


def _no_entry(seen: Observation, context: Context) -> str | None:
    if seen.policy != "outbound_connectivity" or seen.protocol in ("dns", "tcp", "udp", "tls", ""):
        return None
    return f"a socket of the kind {seen.protocol}, which no entry permits"


def _address_as_name(seen: Observation, context: Context) -> str | None:
    if not any(map(address_of, (seen.host, seen.sni))):
        return None
    return "an address stands where a name belongs, so its destination is unknown: no name server gives that"


def _any_bucket(seen: Observation, context: Context) -> str | None:
    if not _ANY_BUCKET.fullmatch(seen.sni or seen.host):
        return None
    return "the bucket is not in the host's name (path-style), and the host admits any customer's bucket"


def _cut_off(seen: Observation, context: Context) -> str | None:
    if not seen.path.endswith("...") or len(seen.path.encode("utf-8", "replace")) < _PATH_LIMIT:
        return None
    return "the line has only its beginning, so no entry can name it"


def _also_named(seen: Observation, context: Context) -> str | None:
    names = context.named.get(str(address_of(seen.ip)))
    if seen.policy != "outbound_connectivity" or seen.host or seen.sni or not names:
        return None
    return (
        f"the address is also {', '.join(sorted(names)[:3])}'s, reached by name: a client that kept the address, or "
        "one that evades the list of names; list the address only if you know which"
    )


def _no_name(seen: Observation, context: Context) -> str | None:
    address = None if seen.host or seen.sni else address_of(seen.ip)
    if seen.policy != "outbound_connectivity" or address is None or any(address in network for network in _PRIVATE):
        return None
    return "a public address without a name: the host behind it is not known; list it only if you know which it is"


def _data(seen: Observation, context: Context) -> str | None:
    name = seen.sni or seen.host
    if not name or not looks_like_data(name):
        return None
    return "the name looks like data: looking it up hands it to the owner of the name server"


def _glob_as_name(seen: Observation, context: Context) -> str | None:
    if seen.policy == "read_handler" or not set("*?,") & set(seen.path + seen.sni + seen.host):
        return None
    return "it has * ? or a comma in it, which an entry would take as a wildcard or as its end"


def _only_looked_up(seen: Observation, context: Context) -> str | None:
    name = seen.sni or seen.host
    if seen.policy != "outbound_connectivity" or (seen.port and seen.protocol != "dns") or name in context.connected:
        return None
    if not name:
        return "no port is known, and an entry without one would admit any"
    return (
        "it was looked up and never connected to: names carry data, and an entry for it would admit any port; list it "
        "if the function needs the look-up"
    )


def is_search(seen: Observation) -> bool:
    """Whether it is the first step of Python's `find_library`."""
    return seen.policy == "create_child_process" and seen.path == LDCONFIG and made_by_python(seen.evidence)


def _find_library(seen: Observation, context: Context) -> str | None:
    if not context.searching:
        return None
    if is_search(seen):
        return (
            "find_library asks it where a library is; block mode goes another way than alert mode: refused, it tries a "
            "compiler, by a temporary file, and then its caller loads the library by its file's name"
        )
    if seen.policy == "create_child_process" and _COMPILER.fullmatch(seen.path):
        return "find_library looks for a library with it; refused, it goes on, and its caller loads the library by name"
    if seen.policy == "read_write_tmp" and _OF_COMPILER.fullmatch(seen.path):
        return "the file is the compiler's, which find_library ran: block mode does not start it"
    return None


def _in_tmp(seen: Observation, context: Context) -> str | None:
    if seen.policy != "create_child_process" or not seen.path.startswith(_WRITABLE):
        return None
    return "the program lies where the function can write, so it may be anything: ship it in the package or a layer"


def _static(seen: Observation, context: Context) -> str | None:
    if seen.policy != "create_child_process" or not seen.allow.startswith(UNSHIELDED):
        return None
    return "the shield cannot be put into this program: with the entry it runs outside of every control"


def _handler(seen: Observation, context: Context) -> str | None:
    if seen.policy != "read_handler":
        return None
    return (
        "the function's source was read: tracebacks do that, and go on without their lines of source when it is "
        "blocked; there is no list, only the mode"
    )


def _memory(seen: Observation, context: Context) -> str | None:
    if seen.policy != "executable_memory":
        return None
    if seen.allow == "node-flags":
        return "V8's flags were changed: some let JavaScript read and write all memory of the process"
    if seen.allow:
        return f"{seen.allow} made memory executable: it compiles, or calls back; all that it writes there can run"
    return "memory was made executable, and no library is known that did: there is no entry, only the mode"


def _itself(seen: Observation, context: Context) -> str | None:
    if seen.policy != "self_protection":
        return None
    return "the shield itself was touched: no program does that by accident"


RULES: Final[Mapping[str, Rule]] = {
    "self-protection": _itself,
    "read-handler": _handler,
    "executable-memory": _memory,
    "metadata-address": _metadata,
    "exfiltration": _exfiltration,
    "no-entry": _no_entry,
    "cut-off": _cut_off,
    "address-as-name": _address_as_name,
    "any-bucket": _any_bucket,
    "wildcard-in-name": _glob_as_name,
    "program-in-tmp": _in_tmp,
    "find-library": _find_library,
    "unshielded-program": _static,
    "address-with-name": _also_named,
    "looks-like-data": _data,
    "only-looked-up": _only_looked_up,
    "address-without-name": _no_name,
}


def judge(seen: Observation, context: Context) -> tuple[str, str] | None:
    """The rule that keeps it from becoming an entry, and its reason; None without one."""
    for name, rule in RULES.items():
        reason = rule(seen, context)
        if reason is not None:
            return name, reason
    return None
