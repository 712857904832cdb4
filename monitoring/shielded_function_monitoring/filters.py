r"""Which lines count, and where they are counted: the metric filters that the constructs put on a log group.

Each line that is a violation has `policy` and `count`, so one filter with the value `$.count` loses none.

>>> print(violations().render().replace(" && ", "\n"))
{ ($.function_shield IS TRUE)
($.count >= 1)
(($.count <= 1) || ($.event = "*") || ($.policy = "read_handler"))
($.policy = "*") }
>>> violations("read_write_tmp", mode="block").render().split(" && ")[2:]
['(($.count <= 1) || ($.event = "*"))', '($.policy = "read_write_tmp")', '($.mode = "block") }']

Metrics: one namespace, and one name, `Violations`. A filter publishes a value for the dimensions that it has and for
no other, and CloudWatch does not sum over dimensions: an alarm must name exactly those of the filter. A filter that
counts something narrower (a severity, an exception list) has its own metric name, as equal names would be added
up and a dimension cannot be a constant. The line's own `level` separates critical violations from others.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from .alert import MODES, POLICIES, START, Mode, Policy
from .pattern import Pattern, PatternError, all_of, any_of, exists, is_true, not_exists, number, text

NAMESPACE: Final = "ShieldedFunction"
"""The CloudWatch metric namespace of every metric made here."""
METRIC: Final = "Violations"
"""The metric of violations."""
METRIC_ARMED: Final = "Armed"
"""The metric of starts with the shield."""
VALUE: Final = "$.count"
"""The count that a line adds to its metric: itself, and the lines left out before it."""
BY_FUNCTION: Final = {"FunctionName": "$.function"}
"""The dimension of metrics for a part of the violations; the metric's name identifies the part."""
BY_LEVEL: Final = {"FunctionName": "$.function", "Level": "$.level"}
"""The dimensions of a function's violations."""
BY_POLICY: Final = {"FunctionName": "$.function", "Policy": "$.policy"}
"""The dimensions where violations are counted by control."""

Counted = Policy | Literal["start"]
"""The subjects of a line: a control, or `start` (a start that was refused, or went on without the shield)."""
COUNTED: Final[tuple[Counted, ...]] = (*POLICIES, START)

Severity = Literal["critical", "warning", "notice"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""How urgent a violation is, the most urgent first."""

Class = Literal["critical", "rest"]
LEVELS: Final[Mapping[Class, str]] = {"critical": "ERROR", "rest": "WARN"}
"""By class, the `level` of a violation's line. The level is known wherever logs are read, and each line has one."""

# An unlisted connection or program means that unexpected code ran, where the policy is more than a trial.
_CRITICAL_WHERE_BLOCKED: Final[tuple[Policy, ...]] = ("outbound_connectivity", "create_child_process")
_ALWAYS_CRITICAL: Final[tuple[Counted, ...]] = (START, "self_protection")
# A library that gets no executable memory may end the process.
_WARNING_WHEN_BLOCKED: Final[Policy] = "executable_memory"

_PROGRAMS: Final = "create_child_process"
PLATFORM_PROGRAMS: Final = ("/usr/bin/getconf", "/usr/bin/lsb_release", "/usr/bin/uname", "/usr/sbin/ldconfig")
"""Programs that only describe the machine, as `details.path` has them: libraries run them as they are imported, and
go on without. Their start is a notice in any mode, which no default alarm counts, unless its line stands for others too
(`count` above 1). Where such a start is `repeated`, the line stands for these programs alone."""

_CASES: Final = (("block", True), ("alert", True), ("alert", False))
"""The modes of a line, each with whether its policy blocks a control."""
# Characters of a function's name (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html).
_MAX_NAME: Final = 64
_HOST: Final = re.compile(r"[a-z0-9*_-]+(\.[a-z0-9*_-]+)*")


@dataclass(frozen=True)
class Exceptions:
    """Violations that do not count. `*` stands for any characters, as in CloudWatch's texts, `/` and `.` included.

    Attributes:
        hosts: names (`telemetry.example`, `*.telemetry.example`) or single addresses.
        paths: absolute paths of files (`/tmp/cache/*`).
        programs: absolute paths of programs.
    """

    hosts: Sequence[str] = ()
    paths: Sequence[str] = ()
    programs: Sequence[str] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            values: object = getattr(self, field.name)
            if isinstance(values, str) or not isinstance(values, Sequence):
                raise PatternError(f"except_{field.name}: {values!r} is not a list; write [{values!r}]")
            read = _READERS[field.name]
            cleaned = tuple(dict.fromkeys(read(f"except_{field.name}", value) for value in values))
            object.__setattr__(self, field.name, cleaned)

    def __bool__(self) -> bool:
        return bool(self.hosts or self.paths or self.programs)

    def problems(self, policy: Counted) -> list[str]:
        """An error for each exception that has no effect on a control."""
        given = [field.name for field in fields(self) if getattr(self, field.name)]
        return [
            f"except_{name}: it means nothing for {policy}, only for {', '.join(_EXCEPTIONS[name])}: take it out"
            for name in given
            if policy not in _EXCEPTIONS[name]
        ]


_EXCEPTIONS: Final[dict[str, tuple[Policy, ...]]] = {
    "hosts": ("outbound_connectivity",),
    "paths": ("read_write_tmp", "read_handler", "executable_memory"),
    "programs": ("create_child_process",),
}


PACKAGE: Final = "package"
"""`reason` of a call that an entry of `allow_outbound` allows, through none of the entry's packages. It is a notice,
which no default alarm counts."""
LEVEL_OF_PACKAGE: Final = "INFO"
"""The `level` of these lines, and of no other violation's."""

_NOT_REPEATED: Final = any_of(not_exists("$.event"), text("$.event", "!=", "repeated"))
_NOT_OF_PACKAGE: Final = text("$.level", "!=", LEVEL_OF_PACKAGE)
"""By the level, as a pattern has 1,024 characters, and names the functions that share a log group."""


# Each pattern names `$.count`: a metric's value is to be "the name of the field that you specified in the filter
# pattern", as CloudFormation's reference has it (AWS::Logs::MetricFilter MetricTransformation, MetricValue).
_HANDLER: Final = "read_handler"


def _ours(*, handler: bool = True) -> list[Pattern]:
    """The shield's own lines: only events, and reads of the handler (`handler`), stand for several violations."""
    several = [exists("$.event"), *([text("$.policy", "=", _HANDLER)] if handler else [])]
    return [is_true("$.function_shield"), number("$.count", ">=", 1), any_of(number("$.count", "<=", 1), *several)]


def violations(
    policy: Counted | None = None,
    *,
    without: Sequence[Counted] = (),
    mode: Mode | None = None,
    severity: Severity | None = None,
    except_hosts: Sequence[str] = (),
    except_paths: Sequence[str] = (),
    except_programs: Sequence[str] = (),
    except_packages: bool = False,
    by_level: bool = False,
) -> Pattern:
    """The lines that report a violation.

    Without a control it counts every control's, and the start that was refused or went on unshielded. The armed line,
    written at every good start, never counts.

    An exception does not apply to a line that stands for more than itself (`count` above 1, and `folded`
    lines): the omitted lines are not known. A `repeated` line does not count where something is excepted: another line
    of its second told of each that it stands for. A connection by address has no host, and counts. TLS that names
    another host than the excepted one counts.

    Args:
        policy: only those against one control, or `start`.
        without: not those against these.
        mode: only those of one mode; starts have none.
        severity: only those of one, by their own word, as it depends on the function's policy (`severity_of`).
        except_hosts: not connections to these hosts.
        except_paths: not the use of these files.
        except_programs: not the start of these programs.
        except_packages: not the violations whose reason is `PACKAGE`.
        by_level: for a filter whose dimension is the level: a printed line with a made-up level makes no metric.

    Raises:
        PatternError: no such control or mode, an exception that is malformed or means nothing for the control, or no
            line is of this severity.
    """
    exceptions = Exceptions(except_hosts, except_paths, except_programs)
    for name in (*([] if policy is None else [policy]), *without):
        if name not in COUNTED:
            raise PatternError(f"policy: {name!r} is not one of {', '.join(COUNTED)}")
    if mode is not None and mode not in MODES:
        raise PatternError(f"mode: {mode!r} is not one of {', '.join(MODES)}")
    problems = exceptions.problems(policy) if policy is not None else []
    if problems:
        raise PatternError("; ".join(problems))
    left: list[Counted] = [name for name in COUNTED if policy in (None, name) and name not in without]
    possible = {severity_of(name, mode, blocks=blocks) for name in left for mode, blocks in _CASES}
    if severity is not None and severity not in possible:
        raise PatternError(f"severity: every control that can be {severity} has its own alarm")
    conditions = [
        *_ours(handler=_HANDLER in left and severity != "critical"),
        exists("$.policy") if policy is None else text("$.policy", "=", policy),
        *([] if severity is None else [text("$.severity", "=", severity)]),
        *(text("$.policy", "!=", name) for name in without),
        *([] if mode is None else [text("$.mode", "=", mode)]),
        *_excepting(exceptions, policy),
        *([_NOT_OF_PACKAGE] if except_packages and not by_level else []),
        *([any_of(*(text("$.level", "=", level) for level in LEVELS.values()))] if by_level else []),
    ]
    return all_of(*conditions)


def armed() -> Pattern:
    """The line that the shield writes at every good start."""
    return all_of(is_true("$.function_shield"), text("$.event", "=", "armed"))


def violations_by_policy() -> Pattern:
    """The lines that report a violation, each control by its name.

    For a filter whose dimension is the control: a printed line with a made-up control makes no metric.
    `PLATFORM_PROGRAMS` and `PACKAGE` do not count.
    """
    named = any_of(*(text("$.policy", "=", name) for name in COUNTED))
    return all_of(*_ours(), named, *_excepting(Exceptions(programs=PLATFORM_PROGRAMS), None), _NOT_OF_PACKAGE)


def of_functions(pattern: str, names: Sequence[str]) -> str:
    """A rendered pattern that holds for the lines of these functions alone.

    A function can print lines that look like the shield's, with any name in them. CloudWatch may disable a filter that
    sees 1,000 different values of its dimensions within an hour
    (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html): a filter that took
    any name would be disabled by code that prints a thousand lines, and every alarm with it.

    >>> of_functions('{ ($.count >= 1) && ($.policy = "*") }', ["checkout"])
    '{ ($.function = "checkout") && ($.count >= 1) && ($.policy = "*") }'
    """
    named = [f'($.function = "{name}")' for name in names]
    condition = named[0] if len(named) == 1 else f"({' || '.join(named)})"
    return f"{{ {condition} && {pattern.removeprefix('{ ')}"


def longest_of_functions(pattern: str, names: Sequence[str]) -> int:
    """The characters of the pattern of `of_functions` when the names are known; `${...}` is one that is not yet."""
    return len(of_functions(pattern, ["x" * _MAX_NAME if "${" in name else name for name in names]))


def severity_of(
    policy: Counted, mode: str | None, path: str = "", reason: str = "", *, blocks: bool = False
) -> Severity:
    """How severe a violation of a control in a mode is.

    critical: a refused or unshielded start, an attack on the shield, a blocked connection or program, and one that went
    through where the policy blocks another control. warning: other violations that were only reported, and blocked
    executable memory. notice: the rest, and `PLATFORM_PROGRAMS` and `PACKAGE` in any mode.

    >>> severity_of("outbound_connectivity", "block"), severity_of("outbound_connectivity", "alert")
    ('critical', 'warning')
    >>> severity_of("outbound_connectivity", "alert", blocks=True)
    'critical'
    >>> severity_of("create_child_process", "block", "/usr/bin/uname")
    'notice'
    >>> severity_of("executable_memory", "block"), severity_of("read_write_tmp", "block")
    ('warning', 'notice')

    Args:
        policy: the control.
        mode: block or alert.
        path: that of a program.
        reason: the line's.
        blocks: whether the function's policy sets a control to block. A line does not tell: it has its own `severity`.
    """
    if (policy == _PROGRAMS and path in PLATFORM_PROGRAMS) or reason == PACKAGE:
        return "notice"
    if policy in _ALWAYS_CRITICAL or (policy in _CRITICAL_WHERE_BLOCKED and (blocks or mode == "block")):
        return "critical"
    return "warning" if mode == "alert" or policy == _WARNING_WHEN_BLOCKED else "notice"


def level_of(policy: Counted, mode: str | None, path: str = "", reason: str = "", *, blocks: bool = False) -> str:
    """The `level` of a violation's line: ERROR where its severity is critical, INFO of `PACKAGE`, WARN otherwise.

    >>> level_of("outbound_connectivity", "block"), level_of("read_write_tmp", "block")
    ('ERROR', 'WARN')
    """
    if reason == PACKAGE:
        return LEVEL_OF_PACKAGE
    return LEVELS["critical" if severity_of(policy, mode, path, blocks=blocks) == "critical" else "rest"]


def metric_name(name: str | None = None) -> str:
    """The metric of violations, or of those that a filter with a name counts.

    >>> metric_name(), metric_name("outbound_connectivity")
    ('Violations', 'Violations-outbound_connectivity')
    """
    return METRIC if name is None else f"{METRIC}-{name}"


def fleet_query(
    metric: str = METRIC, level: str | None = None, *, by: str | None = "FunctionName", limit: int | None = None
) -> str:
    """Metrics Insights: a metric over all functions of an account and region.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html

    >>> fleet_query()
    'SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName) GROUP BY FunctionName ORDER BY SUM() DESC'
    >>> print(fleet_query(level="ERROR", by=None))
    SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName, Level) WHERE Level = 'ERROR'

    Args:
        metric: its name.
        level: of a metric by level, which one.
        by: the dimension to sum by, the largest first; None sums all.
        limit: how many functions at most.
    """
    name = metric if metric.isalnum() else f'"{metric}"'
    dimensions: dict[str, None] = dict.fromkeys(["FunctionName", *(["Level"] if level else []), *([by] if by else [])])
    parts = [f'SELECT SUM({name}) FROM SCHEMA("{NAMESPACE}", {", ".join(dimensions)})']
    parts += [f"WHERE Level = '{level}'"] if level else []
    parts += [f"GROUP BY {by} ORDER BY SUM() DESC"] if by else []
    return " ".join([*parts, *([] if limit is None else [f"LIMIT {limit}"])])


def _excepting(exceptions: Exceptions, policy: Counted | None) -> list[Pattern]:
    """The condition beside the control, for each kind of exception."""
    found: list[Pattern] = []
    for name, counts in (
        ("hosts", _other_host(exceptions.hosts)),
        ("paths", _other_path(exceptions.paths)),
        ("programs", _other_path(exceptions.programs)),
    ):
        if not counts:
            continue
        # A line of another control is not asked about its host.
        others = [] if policy else [all_of(*(text("$.policy", "!=", known) for known in _EXCEPTIONS[name]))]
        many = number("$.count", ">", 1)
        if name == "programs" and set(exceptions.programs) <= set(PLATFORM_PROGRAMS):
            found.append(any_of(*others, *counts, all_of(many, _NOT_REPEATED)))
        else:
            found.append(any_of(*others, all_of(_NOT_REPEATED, any_of(*counts, many))))
    return found


def _other_host(hosts: Sequence[str]) -> list[Pattern]:
    if not hosts:
        return []
    addresses = [host for host in hosts if _is_address(host)]
    names = [host for host in hosts if host not in addresses]
    by_address = not_exists("$.details.host")
    if addresses:
        others = all_of(*(text("$.details.ip", "!=", address) for address in addresses))
        by_address = all_of(by_address, any_of(not_exists("$.details.ip"), others))
    if not names:
        return [exists("$.details.host"), exists("$.details.sni"), by_address]
    other = [all_of(*(text(f"$.details.{key}", "!=", name) for name in names)) for key in ("host", "sni")]
    return [by_address, *other]


def _other_path(paths: Sequence[str]) -> list[Pattern]:
    if not paths:
        return []
    return [not_exists("$.details.path"), all_of(*(text("$.details.path", "!=", path) for path in paths))]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _exception_host(field: str, value: object) -> str:
    """A host as the lines have it: lower case, no dot at its end."""
    if not isinstance(value, str):
        raise PatternError(f"{field}: {value!r} is not a text")
    host = value.strip().lower().removesuffix(".")
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    if not _HOST.fullmatch(host):
        raise PatternError(
            f"{field}: {value!r} is no host: write a name, *.name or one address, without port or scheme"
        )
    if not host.replace("*", "").replace(".", ""):
        raise PatternError(f"{field}: {value!r} excepts every host: leave the alarm out instead")
    return host


def _exception_path(field: str, value: object) -> str:
    """A path as a text of CloudWatch's, where one `*` crosses folders already."""
    if not isinstance(value, str):
        raise PatternError(f"{field}: {value!r} is not a text")
    path = re.sub(r"\*+", "*", value)
    if not path.startswith("/") or path == "/*":
        raise PatternError(f"{field}: {value!r} is no absolute path of less than everything: write /tmp/cache/*")
    if "?" in path or any(ord(character) < 0x20 for character in path):
        raise PatternError(f"{field}: {value!r}: a filter pattern has no ? and no control characters: write *")
    return path


_READERS: Final = {
    "hosts": _exception_host,
    "paths": _exception_path,
    "programs": _exception_path,
}
