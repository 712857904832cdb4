"""Targets that never become entries by themselves: each rule names the problem, and the choices.

The rules are tried in the order of the table, and the first that fits decides.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping, Set
from typing import Final, NamedTuple

from .evidence import made_by_python
from .hosts import looks_like_data
from .questions import UNSHIELDED, Observation, Question, address_of, questions_of

# Of clouds and container platforms, besides the link-local ones.
_METADATA: Final = ("fd00:ec2::254", "fd00:ec2::23", "100.100.100.200", "168.63.129.16")
_METADATA_NAMES: Final = frozenset(
    ("instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal", "metadata.azure.internal")
)
_ANY_BUCKET: Final = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
"""S3 itself, in any region. In the function's own region it is found as a service."""
_LONGEST: Final = 1130
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


class Facts(NamedTuple):
    """Facts about the function besides the observation.

    Attributes:
        named: addresses that were also reached by a name, as `address_of` writes them, and the names.
        connected: names that were connected to, not only looked up.
        searching: Python's `find_library` was used.
        listed: finds the entry of `preset:exfiltration` that a question is about; empty for none.
    """

    named: Mapping[str, Set[str]]
    connected: Set[str]
    searching: bool = False
    listed: Callable[[Question], str] = lambda _: ""

    @classmethod
    def of(cls, every: Collection[Observation], listed: Callable[[Question], str]) -> Facts:
        """The facts that all observations show."""
        reached = [each for each in every if each.protocol != "dns"]
        named: dict[str, set[str]] = {}
        for each in reached:
            if each.host and each.ip:
                named.setdefault(str(address_of(each.ip)), set()).add(each.host)
        connected = {each.name for each in reached if each.port} - {""}
        return cls(named, connected, any(map(is_search, every)), listed)


def _is_metadata(text: str) -> bool:
    address = address_of(text)
    return address is not None and (str(address) in _METADATA or address.is_link_local)


def _asks_metadata(seen: Observation, facts: Facts) -> bool:
    names = [name.rstrip(".").lower() for name in (seen.host, seen.sni)]
    return any(map(_is_metadata, (seen.ip, *names))) or bool(_METADATA_NAMES.intersection(names))


def _other_names(seen: Observation, facts: Facts) -> str:
    return "" if seen.name else ", ".join(sorted(facts.named.get(str(address_of(seen.ip)), ()))[:3])


def _is_public(seen: Observation, facts: Facts) -> bool:
    address = None if seen.name else address_of(seen.ip)
    return address is not None and not any(address in network for network in _PRIVATE)


def _only_looked_up(seen: Observation, facts: Facts) -> bool:
    return (not seen.port or seen.protocol == "dns") and seen.name not in facts.connected


def is_search(seen: Observation) -> bool:
    """Whether it is the first step of Python's `find_library`."""
    return seen.policy == "create_child_process" and seen.path == LDCONFIG and made_by_python(seen.evidence)


_OUTBOUND, _PROGRAM, _MEMORY = "outbound_connectivity", "create_child_process", "executable_memory"

# The rule's name, the control (empty for any), the test, and the reason, where `{}` stands for the test's result.
_RULES: Final[tuple[tuple[str, str, Callable[[Observation, Facts], object], str], ...]] = (
    ("self-protection", "self_protection", lambda seen, _: True,
     "the shield itself was touched: no program does that by accident"),
    ("read-handler", "read_handler", lambda seen, _: True,
     "the function's source was read: tracebacks do that, and go on without their lines of source when it is blocked; "
     "there is no list, only the mode"),
    ("executable-memory", _MEMORY, lambda seen, _: seen.allow == "node-flags",
     "V8's flags were changed: some let JavaScript read and write all memory of the process"),
    ("executable-memory", _MEMORY, lambda seen, _: seen.allow,
     "{} made memory executable: it compiles, or calls back; all that it writes there can run"),
    ("executable-memory", _MEMORY, lambda seen, _: True,
     "memory was made executable, and no library is known that did: there is no entry, only the mode"),
    ("metadata-address", "", lambda seen, _: seen.ip if seen.host and _is_metadata(seen.ip) else "",
     "the name leads to {}, where clouds hand out credentials: DNS rebinding looks like that"),
    ("metadata-address", "", _asks_metadata,
     "clouds hand out credentials there, and Lambda does not: SDKs ask when they find no credentials "
     "(AWS_EC2_METADATA_DISABLED=true keeps them from it), and so does code that steals them"),
    ("exfiltration", _OUTBOUND, lambda seen, facts: next(filter(None, map(facts.listed, questions_of(seen))), ""),
     "{} is in preset:exfiltration: request bins, paste sites and tunnels, where anyone can receive data"),
    ("no-entry", _OUTBOUND, lambda seen, _: "" if seen.protocol in ("dns", "tcp", "udp", "tls") else seen.protocol,
     "a socket of the kind {}, which no entry permits"),
    ("cut-off", "", lambda seen, _: seen.path.endswith("...") and len(seen.path.encode(errors="replace")) >= _LONGEST,
     "the line has only its beginning, so no entry can name it"),
    ("address-as-name", "", lambda seen, _: address_of(seen.host) or address_of(seen.sni),
     "an address stands where a name belongs, so its destination is unknown: no name server gives that"),
    ("any-bucket", "", lambda seen, _: _ANY_BUCKET.fullmatch(seen.name),
     "the bucket is not in the host's name (path-style), and the host admits any customer's bucket"),
    ("wildcard-in-name", "", lambda seen, _: set("*?,") & set(seen.path + seen.sni + seen.host),
     "it has * ? or a comma in it, which an entry would take as a wildcard or as its end"),
    ("program-in-tmp", _PROGRAM, lambda seen, _: seen.path.startswith(_WRITABLE),
     "the program lies where the function can write, so it may be anything: ship it in the package or a layer"),
    ("find-library", _PROGRAM, lambda seen, _: is_search(seen),
     "find_library asks it where a library is; block mode goes another way than alert mode: refused, it tries a "
     "compiler, by a temporary file, and then its caller loads the library by its file's name"),
    ("find-library", _PROGRAM, lambda seen, facts: facts.searching and _COMPILER.fullmatch(seen.path),
     "find_library looks for a library with it; refused, it goes on, and its caller loads the library by name"),
    ("find-library", "read_write_tmp", lambda seen, facts: facts.searching and _OF_COMPILER.fullmatch(seen.path),
     "the file is the compiler's, which find_library ran: block mode does not start it"),
    ("unshielded-program", _PROGRAM, lambda seen, _: seen.allow.startswith(UNSHIELDED),
     "the shield cannot be put into this program: with the entry it runs outside of every control"),
    ("address-with-name", _OUTBOUND, _other_names,
     "the address is also {}'s, reached by name: a client that kept the address, or one that evades the list of names; "
     "list the address only if you know which"),
    ("looks-like-data", "", lambda seen, _: seen.name and looks_like_data(seen.name),
     "the name looks like data: looking it up hands it to the owner of the name server"),
    ("only-looked-up", _OUTBOUND, lambda seen, facts: not seen.name and _only_looked_up(seen, facts),
     "no port is known, and an entry without one would admit any"),
    ("only-looked-up", _OUTBOUND, _only_looked_up,
     "it was looked up and never connected to: names carry data, and an entry for it would admit any port; list it if "
     "the function needs the look-up"),
    ("address-without-name", _OUTBOUND, _is_public,
     "a public address without a name: the host behind it is not known; list it only if you know which it is"),
)  # fmt: skip
RULES: Final = tuple(dict.fromkeys(name for name, *_ in _RULES))


def judge(seen: Observation, facts: Facts) -> tuple[str, str] | None:
    """The name of the rule that keeps it from becoming an entry, and its reason; None without one."""
    for name, policy, fits, reason in _RULES:
        if policy in ("", seen.policy) and (found := fits(seen, facts)):
            return name, reason.format(found)
    return None
