"""`ShieldPolicy`: what a shielded function may do, as one frozen value.

Each field is one `SHIELD_*` environment variable, so whoever does not use the CDK sets the same thing by hand. What
a value means is asked of the C core, which also reads the variables inside the function: a policy that can be made
here is a policy that the function starts with.
"""

from __future__ import annotations

import re
import stringprep
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from encodings import idna
from functools import lru_cache
from typing import Any, Literal

from shielded_function_runtime import core
from shielded_function_runtime.core import Decision

__all__ = ["AwsScope", "Decision", "Mode", "OnFailure", "ShieldPolicy", "ShieldPolicyError"]

Mode = Literal["block", "alert", "allow"]
OnFailure = Literal["refuse", "run_unshielded"]
AwsScope = Literal["all", "none"]

# What a field holds, and so how it is written into its variable and read back.
_MODES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
_LISTS = ("allow_outbound", "allow_buckets", "allow_tmp", "allow_child_process")
_SWITCHES = ("check_server_name", "log_arguments")
# Left out of the environment when they are this: the core has no word for it.
_UNSET: Mapping[str, object] = {"executable_memory": None, "allow_buckets": ()}
# Written only when they differ from the core's own defaults: an environment has 4 KB in all.
_DEFAULTS: Mapping[str, str] = {
    "SHIELD_ALLOW_OUTBOUND": "",
    "SHIELD_ALLOW_AWS": "all",
    "SHIELD_CHECK_SERVER_NAME": "on",
    "SHIELD_UNUSUAL_NAMES": "allow",
    "SHIELD_ALLOW_TMP": "",
    "SHIELD_ALLOW_CHILD_PROCESS": "",
    "SHIELD_ON_FAILURE": "refuse",
    "SHIELD_LOG_ARGUMENTS": "on",
}
# Settings of the layer, of the function's place and of the engine, which are no part of a policy.
_NOT_POLICY = ("SHIELD_NEXT_WRAPPER", "SHIELD_ACCOUNT_ID", "SHIELD_STATE")


class ShieldPolicyError(ValueError):
    """A policy cannot be: the text names the field and the fix.

    Attributes:
        field: the field of `ShieldPolicy` that is wrong; empty when it is not one of them.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"ShieldPolicy.{field}: {reason}" if field else f"ShieldPolicy: {reason}")
        self.field = field


@dataclass(frozen=True)
class ShieldPolicy:
    """What a shielded function may do. The default blocks all four policies and admits AWS.

    Values are kept in canonical form: lower-case hosts, RFC 5952 addresses, no duplicates, lists as tuples.

    Attributes:
        outbound_connectivity: who may be resolved, connected to and sent to.
        allow_outbound: `host[:port]`, `*.domain[:port]`, `address[:port]`, `network/prefix[:port]`, `[v6]:port`. No
            port means any. `tcp://` or `udp://` in front means that protocol alone. International names are
            accepted, and kept in their xn-- form.
        allow_aws: "all" for the endpoints of every AWS service in the function's own region, "none", or a list of
            services as botocore calls them, such as `["s3", "dynamodb"]`.
        allow_buckets: names of S3 buckets. When there are any, S3 is the host names of these buckets
            (`name.s3.<region>...`) and nothing else, whatever `allow_aws` says of s3.
        check_server_name: whether the first TLS message on a TCP connection to an address that was allowed by name must
            name an allowed server.
        unusual_names: look-ups of names that only a wildcard admits, or that name any bucket, and that look like data:
            "allow" counts them, "alert" reports each, "block" refuses and reports it.
        read_write_tmp: use of files under /tmp.
        allow_tmp: path globs under /tmp. `*` and `?` match within a component, `**` across; `/tmp/cache/**` admits
            the directory and all that lies below it.
        create_child_process: starting programs.
        allow_child_process: absolute paths of programs; `unshielded:/path` lets one run that the shield cannot be
            put into, such as a static executable.
        read_handler: reading the handler's source once the function is ready.
        executable_memory: making memory executable; None leaves it to the runtime: allow for one that compiles as it
            runs (Node.js, Java, .NET), otherwise as strict as the strictest of the four policies.
        on_failure: when the shield cannot be armed, "refuse" to start, or "run_unshielded" and report it.
        log_arguments: whether alerts show the arguments of programs, which can hold secrets.

    Raises:
        ShieldPolicyError: a value is malformed.

    Example:
        >>> policy = ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_aws=["dynamodb"])
        >>> policy.decide("connect", "api.stripe.com:443").action
        'allow'
        >>> policy.decide("connect", "evil.example:443").action
        'deny'
    """

    outbound_connectivity: Mode = "block"
    allow_outbound: Sequence[str] = ()
    allow_aws: AwsScope | Sequence[str] = "all"
    allow_buckets: Sequence[str] = ()
    check_server_name: bool = True
    unusual_names: Mode = "allow"
    read_write_tmp: Mode = "block"
    allow_tmp: Sequence[str] = ()
    create_child_process: Mode = "block"
    allow_child_process: Sequence[str] = ()
    read_handler: Mode = "block"
    executable_memory: Mode | None = None
    on_failure: OnFailure = "refuse"
    log_arguments: bool = True

    def __post_init__(self) -> None:
        canonical = _read_lines(_parse(_write_lines(self._settings())).lines())
        for name, value in _values(canonical).items():
            object.__setattr__(self, name, value)

    @classmethod
    def alert(cls) -> ShieldPolicy:
        """Every policy in alert mode: nothing is stopped, and each violation is reported. For a first roll-out.

        `executable_memory` stays with the runtime, which then alerts where there is no JIT, and allows where there is.
        """
        return cls(
            outbound_connectivity="alert",
            read_write_tmp="alert",
            create_child_process="alert",
            read_handler="alert",
        )

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> ShieldPolicy:
        """The policy that a function with these variables has.

        Args:
            environment: all its variables; those of others are passed over.

        Raises:
            ShieldPolicyError: a SHIELD_ variable is unknown or malformed, or there is none. SHIELD_POLICY_FILE too,
                because the rest of the policy is in that file: use `from_lines` with both.
        """
        ours = {n: v for n, v in environment.items() if n.startswith("SHIELD_") and n not in _NOT_POLICY}
        if "SHIELD_POLICY_FILE" in ours:
            raise ShieldPolicyError(
                "", "SHIELD_POLICY_FILE: the rest of the policy is in that file; give its lines to from_lines"
            )
        for name, value in ours.items():
            _check_text(_field_of(name), value)
        return cls._from_settings(_parse(_write_lines(ours)))

    @classmethod
    def from_lines(cls, lines: str) -> ShieldPolicy:
        """The policy of a file of `NAME=value` lines, as `to_lines` writes it.

        Raises:
            ShieldPolicyError: a line is malformed; the text says which.
        """
        return cls._from_settings(_parse(lines, in_file=True))

    @classmethod
    def _from_settings(cls, parsed: core.Policy) -> ShieldPolicy:
        return cls(**_values(_read_lines(parsed.lines())))

    def allow_bucket(self, name: str, *more: str) -> ShieldPolicy:
        """The same policy with these S3 buckets added to `allow_buckets`.

        The first one narrows S3: to its buckets' host names, from those of any bucket.

        Raises:
            ShieldPolicyError: that is not a bucket's name, or not known before deployment.

        Example:
            >>> policy = ShieldPolicy().allow_bucket("uploads")
            >>> policy.decide("connect", "uploads.s3.us-east-1.amazonaws.com:443").action
            'allow'
            >>> policy.decide("connect", "theirs.s3.us-east-1.amazonaws.com:443").action
            'deny'
        """
        return replace(self, allow_buckets=(*self.allow_buckets, name, *more))

    def to_env(self) -> dict[str, str]:
        """The environment variables: the four modes always, the others where they differ from the default."""
        return {name: value for name, value in self._settings().items() if value != _DEFAULTS.get(name)}

    def to_lines(self) -> str:
        """The same as `to_env`, as the lines of a policy file (SHIELD_POLICY_FILE), for what does not fit 4 KB."""
        return _write_lines(self.to_env())

    def explain(self) -> dict[str, Any]:
        """What each field means, in words.

        Each value has `setting`, `given`, `value` and `meaning`; a list also has `entries`, each with `entry` and
        `meaning`.
        """
        explained = _parse(self.to_lines()).explain()
        return {field.name: explained[field.name] for field in fields(self)}

    def decide(self, event: str, target: str, *, region: str = "us-east-1", account: str = "") -> Decision:
        """What the policy makes of one event, as the engine in the function would decide it.

        Args:
            event: connect or udp (target `host:port`, `address:port` or `[v6]:port`), resolve (a host name), tmp (a
                path under /tmp), tmp-at-start (`runtime:path`, as `java21:/tmp/...`: before the function asks for its
                first event), exec or exec-static (a program's absolute path).
            target: what the event is about.
            region: the AWS region that the function runs in.
            account: its AWS account, twelve digits; when empty, AWS host names of any account are admitted.

        Raises:
            ValueError: there is no such event, or the target is malformed.
        """
        if event in ("connect", "udp", "resolve"):
            target = _to_ascii("target", target)
        place = {"AWS_REGION": _check_text("region", region)}
        if account:
            place["SHIELD_ACCOUNT_ID"] = _check_text("account", account)
        return _parse(_write_lines(place) + self.to_lines()).decide(event, target)

    def _settings(self) -> dict[str, str]:
        """All variables, in the order of the fields."""
        values = {field.name: _to_setting(field.name, getattr(self, field.name)) for field in fields(self)}
        return {f"SHIELD_{name.upper()}": value for name, value in values.items() if value is not None}


@lru_cache(maxsize=32)
def _parse(lines: str, in_file: bool = False) -> core.Policy:
    try:
        return core.parse(lines)
    except core.PolicyError as error:
        raise _translate(str(error), in_file) from error


_CORE_ERROR = re.compile(r"(?:line (?P<line>\d+): )?(?:(?P<setting>SHIELD_\w+): )?(?P<reason>.*)", re.DOTALL)


def _translate(message: str, in_file: bool) -> ShieldPolicyError:
    """The core speaks of variables and lines; whoever writes Python looks for the field."""
    found = _CORE_ERROR.fullmatch(message)
    assert found is not None  # the last group takes anything
    line, setting, reason = found["line"], found["setting"], found["reason"]
    field = _field_of(setting) if setting else ""
    where = [f"line {line}"] if in_file and line else []
    if field:
        where.append(f"environment variable {setting}")
    elif setting:
        reason = f"{setting}: {reason}"
    return ShieldPolicyError(field, f"{reason} ({', '.join(where)})" if where else reason)


def _field_of(setting: str) -> str:
    """The field that a variable sets; empty when it sets none."""
    name = setting.removeprefix("SHIELD_").lower()
    return name if name in ShieldPolicy.__dataclass_fields__ else ""


def _write_lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _read_lines(lines: str) -> dict[str, str]:
    # Not splitlines(): a path may hold what else that takes for the end of a line.
    return dict(line.split("=", 1) for line in lines.split("\n") if line)


def _to_setting(field: str, value: object) -> str | None:
    """A field's value as its variable has it. None: the variable is left out."""
    if field in _SWITCHES:
        if not isinstance(value, bool):
            raise ShieldPolicyError(field, f"{value!r} is not a boolean; use True or False")
        return "on" if value else "off"
    if field == "executable_memory" and value is None:
        return None
    if field in _LISTS:
        return _to_list(field, value) or (None if field in _UNSET else "")
    if field == "allow_aws" and not isinstance(value, str):
        return _to_list(field, value) or "none"
    if field == "allow_aws" and value not in ("all", "none"):
        raise ShieldPolicyError(field, f'{value!r} is not "all" or "none"; write services as a list: [{value!r}]')
    return _check_text(field, value)


def _to_list(field: str, value: object) -> str:
    if isinstance(value, str):
        raise ShieldPolicyError(field, f"{value!r} is one text; write a list: [{value!r}]")
    if not isinstance(value, Sequence):
        raise ShieldPolicyError(field, f"{value!r} is not a list of texts")
    return ",".join(_to_entry(field, entry) for entry in value)


def _to_entry(field: str, entry: object) -> str:
    if field == "allow_buckets":
        _check_bucket(field, entry)
    text = _check_text(field, entry)
    if field == "allow_outbound":
        text = _to_ascii(field, text)
    if field == "allow_aws" and text in ("all", "none"):
        raise ShieldPolicyError(field, f"{entry!r} is not a service; write {field}={entry!r}, without a list")
    if not text.strip(" \t"):
        raise ShieldPolicyError(field, "an entry is empty; leave it out")
    if "," in text:
        fix = "use ? in its place" if field == "allow_tmp" else "write one entry for each"
        raise ShieldPolicyError(field, f"{entry!r} has a comma, which separates entries; {fix}")
    return text


def _check_bucket(field: str, entry: object) -> None:
    """What the CDK has for a bucket, but is not its name."""
    if hasattr(entry, "bucket_name"):
        raise ShieldPolicyError(field, f"{entry!r} is a bucket, not its name; give it a bucket_name, and write that")
    if isinstance(entry, str) and "{Token[" in entry:
        raise ShieldPolicyError(
            field,
            f"{entry!r} is a CDK token; a policy must know the name: give the bucket a bucket_name, and write it",
        )


def _check_text(field: str, value: object) -> str:
    """One line of Unicode text: what an environment variable can hold, and a line of a policy file too."""
    if not isinstance(value, str):
        raise ShieldPolicyError(field, f"{value!r} is not text")
    if "{Token[" in value:
        raise ShieldPolicyError(
            field, f"{value!r} is a CDK token, which has no value before deployment; write the value itself"
        )
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in value if c != "\t"):
        raise ShieldPolicyError(field, f"{value!r} has a control character; take it out")
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ShieldPolicyError(field, f"{value!r} is not valid Unicode text; it holds a lone surrogate")
    return str.__str__(value)  # of an enumeration's member: its value


# RFC 5892 gave these four a meaning of their own; the standard library's IDNA 2003 would turn them into other names,
# as it would let characters newer than itself (stringprep's table A.1) through unmapped.
_DEVIATING = frozenset("\u00df\u03c2\u200c\u200d")


_PROTOCOL = re.compile("(tcp|udp)://", re.IGNORECASE)


def _to_ascii(field: str, entry: str) -> str:
    """`bücher.example:443` as `xn--bcher-kva.example:443` (RFC 3490). ASCII is left to the core."""
    if entry.isascii():
        return entry
    prefix = _PROTOCOL.match(entry)
    protocol = prefix[0] if prefix else ""
    host, colon, port = entry[len(protocol) :].partition(":")
    if any(c in _DEVIATING or stringprep.in_table_a1(c) for c in host):
        reason = "has a character that versions of IDNA read differently"
    else:
        try:
            labels = re.split("[.\u3002\uff0e\uff61]", host)
            ascii_host = ".".join(idna.ToASCII(label).decode() if label else "" for label in labels)
            return protocol + ascii_host + colon + port
        except UnicodeError as fault:
            reason = f"is not an international host name ({fault})"
    raise ShieldPolicyError(field, f"{entry!r} {reason}; write the name in its xn-- form")


def _values(settings: Mapping[str, str]) -> dict[str, Any]:
    """The fields that canonical settings give."""
    values: dict[str, Any] = dict(_UNSET)
    for setting, value in settings.items():
        field = _field_of(setting)
        if field in _LISTS or (field == "allow_aws" and value not in ("all", "none")):
            values[field] = tuple(value.split(",")) if value else ()
        elif field in _SWITCHES:
            values[field] = value == "on"
        elif field:
            values[field] = value
    return values
