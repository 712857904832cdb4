"""The policy itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from dataclasses import field as field_with
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shielded_function_runtime import core
from shielded_function_runtime.core import Decision

from ..errors import ShieldError, ShieldPolicyError
from ..keywords import by_name
from ..tokens import is_list_token
from . import comparing, composing, dates, files, known_at_deployment, meanings, presets
from .comparing import Loosening
from .core_parsing import parse, read_fields, read_lines, write_lines
from .denied_presets import expand_denied
from .explanation import Explanation
from .fields import (
    DEFAULT_SETTINGS,
    ENTRIES,
    GRANTED,
    KINDS,
    NOT_POLICY,
    AwsScope,
    Event,
    Mode,
    OnFailure,
    field_of,
    setting_of,
)
from .settings import Values, canonical, fields_of, read_values, unknown_entries
from .texts import check_text, to_ascii
from .unknown import describe, is_construct, meaning_of, placeholder_of

if TYPE_CHECKING:
    from constructs import IConstruct

    from .services import Service


_VALUES = "_values_of_fields"


@by_name("ShieldPolicy")
@dataclass(frozen=True, kw_only=True)
class ShieldPolicy:
    """The permissions of a shielded function.

    The default blocks everything except `read_handler`. In a CDK app it admits the AWS services of the role's grants.

    Values are kept in canonical form: lower-case hosts, RFC 5952 addresses, no duplicates, lists as tuples.

    The lists also accept values known only at deployment: CDK tokens, alone (`db.db_instance_endpoint_address`), in a
    text (`f"{db.db_instance_endpoint_address}:5432"`) or as a token list (`param.value_as_list`); `allow_outbound` and
    `allow_buckets` also accept constructs, which the shield resolves for each function. Such entries stay unchanged,
    after the known ones. The known part of an entry is checked at once, the rest by the core at the function's start:
    with a bad value, or an empty list, the function does not start, and one line tells why.

    Attributes:
        outbound_connectivity: hosts that may be resolved, connected to and sent to.
        allow_outbound: `host[:port]`, `*.domain[:port]`, `address[:port]`, `network/prefix[:port]`, `[v6]:port`.
            Without a port, every port is admitted. The prefix `tcp://` or `udp://` limits the protocol. International
            names are accepted, and stored in their xn-- form. ` by ` names the packages that should call the host, as
            in `api.stripe.com:443 by stripe or requests>app`: other packages' calls are reported, not blocked.
        deny_outbound: hosts and networks, in the form of `allow_outbound`, that are refused in every mode, even if
            another setting admits them. `preset:exfiltration` and `preset:chat-webhooks` are lists of this package. An
            entry of `allow_outbound` that one of these fully covers is an error. All values must be known at synthesis.
        allow_aws: "all" for the endpoints of every AWS service in the function's region, "none", or a list of services
            by botocore's names, such as `["s3", "dynamodb"]`. "granted", alone or in the list, means the grants of the
            function's role, which are known once the app is complete. None is the grants too, in a CDK app, or "all"
            with one warning where they are unknown. Outside of a CDK app None is "all": there is no role.
        allow_buckets: names of S3 buckets. With any, only the host names of these buckets (`name.s3.<region>...`) are
            admitted for S3, regardless of `allow_aws`.
        check_tls_name: whether the first TLS message on a TCP connection to an address that was allowed by name must
            name an allowed server.
        read_write_tmp: use of files under /tmp.
        allow_tmp: path globs under /tmp. `*` and `?` match within a component, `**` across; `/tmp/cache/**` admits
            the directory and everything below it.
        clear_tmp: whether files created in /tmp during an invocation are deleted before the next one, regardless of
            `read_write_tmp`, except paths of `allow_tmp`. Files of the initialization are kept. Files that extensions
            create after the first event are deleted too. Not for functions that run several invocations at once.
        create_child_process: starting programs.
        allow_child_process: absolute paths of programs; `unshielded:/path` admits one that cannot load the shield, such
            as a static executable.
        read_handler: reading the handler's source once the function is ready. "allow" by default, as code that logs
            exceptions reads it.
        executable_memory: making memory executable; None leaves it to the runtime: allow for one with a JIT compiler
            (Node.js, Java, .NET), otherwise as strict as the strictest of the four controls.
        allow_executable_memory: libraries, or programs, that may make memory executable, by the name in the alert: the
            file's name up to its first dot, without the hash that a wheel's tools add, such as "libllvmlite". The
            caller of mmap(2) or mprotect(2) counts, not the caller of that library.
        block_foreign_functions: whether the objects of `ctypes`, cffi, JNA, JPype and Fiddle are refused by name, in
            every mode of `executable_memory`, unless `allow_executable_memory` lists them: `_ctypes`, `_cffi_backend`,
            `jna`, `_jpype`, `fiddle`. Rarer bridges, such as koffi, are then refused in every mode too. It is only a
            hurdle: a copy under another name loads. Many libraries import ctypes, so test it first. Java 25 then
            refuses `sun.misc.Unsafe`, unless `java-unsafe` is listed.
        kernel_limits: whether resource limits of the kernel stand behind the shield from the first event on, against
            native code too: no program starts where `create_child_process` blocks with an empty list, and no file or
            memory file grows where `read_write_tmp` does so as well. Neither holds where a fact of the process forbids
            it, which the line `armed` tells.
        on_failure: when the shield cannot be armed, "refuse" to start, or "run_unshielded" and report it. None is
            "run_unshielded" where no mode is block, `clear_tmp` and `block_foreign_functions` are off and
            `deny_outbound` is empty, so that a roll-out never prevents a start; otherwise "refuse". A function with an
            unreadable policy never starts.
        log_arguments: whether alerts show the arguments of programs, which can hold passwords. By default they show
            only the program.
        presets: names of libraries, such as "matplotlib" (`shielded-function presets` lists them). The needs of each
            are added to the other fields at once, and only these reach the function: two policies with equal other
            fields are equal.
        until: the end date of alert mode, `2027-01-31` or a `date`: from that day the checks have the finding
            `expired`. Dates are not in a function's variables, and equality of
            policies ignores them.

    Raises:
        ShieldPolicyError: a value is malformed.

    Examples:
        >>> policy = ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_aws=["dynamodb"])
        >>> policy.decide("connect", "api.stripe.com:443").action
        'allow'
        >>> policy.decide("connect", "evil.example:443").action
        'deny'
    """

    outbound_connectivity: Mode = "block"
    allow_outbound: Sequence[str | IConstruct] = ()
    deny_outbound: Sequence[str] = ()
    allow_aws: AwsScope | Sequence[Service | AwsScope | str] | None = None
    allow_buckets: Sequence[str | IConstruct] = ()
    check_tls_name: bool = True
    read_write_tmp: Mode = "block"
    allow_tmp: Sequence[str] = ()
    clear_tmp: bool = False
    create_child_process: Mode = "block"
    allow_child_process: Sequence[str] = ()
    read_handler: Mode = "allow"
    executable_memory: Mode | None = None
    allow_executable_memory: Sequence[str] = ()
    block_foreign_functions: bool = False
    kernel_limits: bool = True
    on_failure: OnFailure | None = None
    log_arguments: bool = False
    presets: Sequence[presets.PresetName | str] = field_with(default=(), compare=False)
    until: str | date | None = field_with(default=None, compare=False)

    def __post_init__(self) -> None:
        expanded = expand_denied(presets.expand(self._fields()))
        values = canonical(read_values(expanded))
        until = dates.read_until(fields_of(values) | {"until": self.until})
        for name, value in {**fields_of(values), "presets": expanded["presets"], "until": until}.items():
            object.__setattr__(self, name, value)
        # Cached: asking a construct again for every question costs round trips to the CDK.
        object.__setattr__(self, _VALUES, values)

    @classmethod
    def report_only(cls, *, until: str | date | None = None) -> ShieldPolicy:
        """`ShieldPolicy()` in alert mode, for a roll-out: violations are reported, and none is blocked.

        `read_handler` stays "allow". The runtime still decides about `executable_memory`: it alerts without a JIT
        compiler, and allows with one.

        Args:
            until: the end date of alert mode, `2027-01-31`. Nothing changes automatically on that day.

        Raises:
            ShieldPolicyError: `until` is no date.
        """
        return cls(
            outbound_connectivity="alert",
            read_write_tmp="alert",
            create_child_process="alert",
            until=until,
        )

    @classmethod
    def from_env(cls, environment: Mapping[str, str], file: str | None = None) -> ShieldPolicy:
        """The policy of a function with these variables.

        Args:
            environment: all its variables; others than SHIELD_ are ignored.
            file: the lines of the file that SHIELD_POLICY_FILE names. Lists in both are joined, the environment's
                entries first; other settings in both must be equal.

        Raises:
            ShieldPolicyError: a SHIELD_ variable is unknown or malformed, or there is none, or SHIELD_POLICY_FILE is
                set without `file`, which has the rest of the policy.
        """
        ours = {n: v for n, v in environment.items() if n.startswith("SHIELD_") and n not in NOT_POLICY}
        if file is None and "SHIELD_POLICY_FILE" in ours:
            raise ShieldPolicyError(
                "", "SHIELD_POLICY_FILE: the rest of the policy is in that file; give its lines as from_env(..., file=)"
            )
        ours.pop("SHIELD_POLICY_FILE", None)
        for name, value in ours.items():
            check_text(field_of(name), value)
        settings = write_lines(ours)
        if not file:
            return cls._from_settings(parse(settings))
        if ours:
            parse(settings)  # parsed alone: an error in it has no line number
        return cls._from_settings(parse(file, in_file=True, beside=settings))

    @classmethod
    def from_lines(cls, lines: str) -> ShieldPolicy:
        """The policy of a file of `NAME=value` lines, as written by `to_lines`.

        Raises:
            ShieldPolicyError: a line is malformed.
        """
        return cls._from_settings(parse(lines, in_file=True))

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> ShieldPolicy:
        """The policy of a mapping by field, as from `to_dict`; absent fields have their default.

        Raises:
            ShieldPolicyError: there is no such field, or a value is malformed.

        Examples:
            >>> ShieldPolicy.from_dict({"allow_outbound": ["api.stripe.com:443"]}).allow_outbound
            ('api.stripe.com:443',)
        """
        return cls(**files.check_names(mapping))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> ShieldPolicy:
        """The policy of a file: YAML (.yaml, .yml), TOML (.toml) or JSON (.json) with the names of the fields.

        A file with another ending has the `NAME=value` lines of `to_lines`, where an unset `allow_aws` is "all". YAML
        needs the extra `yaml`.

        Raises:
            ShieldPolicyError: the file cannot be read, its content does not match its ending, or a field is unknown
                or malformed.
        """
        found = files.read_file(Path(path))
        if isinstance(found, str):
            return cls.from_lines(found)
        return cls.from_dict(found)

    @classmethod
    def _from_settings(cls, parsed: core.Policy) -> ShieldPolicy:
        values = read_fields(read_lines(parsed.lines()))
        return cls(**{**values, "allow_aws": values["allow_aws"] or "all"})

    def with_mode(self, mode: Mode, *, until: str | date | None = None) -> ShieldPolicy:
        """The policy with every mode except "allow" set to one: "alert" for a roll-out, "block" after it.

        A mode of "allow" stays, and so does `executable_memory=None`.

        Args:
            mode: the mode.
            until: the end date of "alert". Without it, an existing date stays, and is removed with another mode.

        Raises:
            ShieldPolicyError: there is no such mode or date.

        Examples:
            >>> ShieldPolicy(allow_tmp=["/tmp/cache/**"]).with_mode("alert").read_write_tmp
            'alert'
        """
        day = until or (self.until if mode == "alert" else None)
        return replace(self, **{**composing.with_modes(self._fields(), mode), "until": day})

    def __add__(self, additions: ShieldPolicy) -> ShieldPolicy:
        """The policy with the entries of the other's lists added.

        The other's `allow_aws` adds its services; None, "all" and "none" add nothing. Where it is unset here, they are
        added to "granted". The first bucket narrows S3 from any bucket to its listed ones.

        Raises:
            ShieldPolicyError: the other sets a field that is no list.

        Examples:
            >>> base = ShieldPolicy.report_only()
            >>> (base + ShieldPolicy(allow_outbound=["api.stripe.com:443"])).outbound_connectivity
            'alert'
        """
        if not isinstance(additions, ShieldPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        return replace(self, **composing.add(self._fields(), additions._fields(), ShieldPolicy()._fields()))

    def diff(self, other: ShieldPolicy) -> tuple[Loosening, ...]:
        """The fields in which this policy is looser than the other; empty when it is at least as strict.

        Modes are compared (block, alert, allow), `on_failure`, `check_tls_name`, `clear_tmp`, `kernel_limits`,
        `block_foreign_functions`, any change of `log_arguments`, every removed entry of `deny_outbound`, and, where
        neither mode is allow, every entry of the other lists: a host may be covered by a wildcard, an address by a
        network, a port by none, a path by a glob.
        Entries are covered one by one, so two that together cover a third do not. Values known only at deployment are
        compared as text, a construct by its path. A later or removed end date is a loosening of the modes in alert, or
        of the entry.

        Examples:
            >>> old = ShieldPolicy(allow_outbound=["*.example.com:443"])
            >>> [str(each) for each in ShieldPolicy(allow_outbound=["api.example.com:80"]).diff(old)]
            ['allow_outbound: api.example.com:80 was not admitted']
        """
        return comparing.find_loosenings(self._fields(), other._fields())

    def is_at_least_as_strict_as(self, other: ShieldPolicy) -> bool:
        """Whether this policy is at least as strict as the other: it admits nothing that the other does not."""
        return not self.diff(other)

    @property
    def unknown_entries(self) -> tuple[tuple[str, str | IConstruct], ...]:
        """(field, entry) of entries known only at deployment: tokens, constructs, and "granted" in allow_aws."""
        return unknown_entries(self._values())

    @property
    def is_known(self) -> bool:
        """Whether all values are known before deployment."""
        return not self.unknown_entries

    def to_env(self) -> dict[str, str]:
        """The environment variables: the four modes always, the others where they differ from the default.

        Presets have no variable: their entries are in the others.

        Values with tokens are texts with tokens.

        Raises:
            ShieldPolicyError: it has constructs or "granted", which the shield resolves for each function.
        """
        return {name: value for name, value in self._settings().items() if value != DEFAULT_SETTINGS.get(name)}

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, for `from_dict`, and for JSON, YAML or TOML where all values are known.

        TOML has no null: remove `executable_memory`, `on_failure` and `until` there when they are None.
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._fields().items()}

    def to_env_and_lines(self) -> tuple[dict[str, str], str]:
        """The policy in two parts, for a policy that exceeds an environment's 4 KB.

        Returns:
            The variables: modes, switches and values known only at deployment. And the lines of the file for
            SHIELD_POLICY_FILE: the known entries of the lists; empty for none. The function joins both, and so does
            `from_env`.

        Raises:
            ShieldPolicyError: it has constructs or "granted", which the shield resolves for each function.
        """
        values = self._values()
        unknown = self._unknown_settings(values)
        listed = {
            setting_of(field): values.known[setting_of(field)]
            for field in ENTRIES
            if isinstance(getattr(self, field), tuple) and values.known.get(setting_of(field))
        }
        environment = {
            name: unknown.get(name, value)
            for name, value in self.to_env().items()
            if name not in listed or name in unknown
        }
        return environment, write_lines(listed)

    def to_lines(self) -> str:
        """The settings of `to_env` as lines of a policy file (SHIELD_POLICY_FILE), for a policy above 4 KB.

        Raises:
            ShieldPolicyError: a value is known only at deployment.
        """
        for field, entry in self.unknown_entries:
            raise ShieldPolicyError(
                field,
                f"{describe(entry)!r} is known only at deployment, which a file cannot hold; put it into the "
                "environment: to_env(), or to_env_and_lines() for both",
            )
        return write_lines(self.to_env())

    def explain(self) -> tuple[Explanation, ...]:
        """The meaning of each field in words, followed by those of its entries.

        The meaning of an entry known only at deployment says so, and contains its known part.

        Examples:
            >>> [each.meaning for each in ShieldPolicy(allow_tmp=["/tmp/a/**"]).explain() if each.field == "allow_tmp"]
            ['these paths under /tmp may be used', 'this directory and all that lies below it']
        """
        mine, default = self._fields(), ShieldPolicy()._fields()
        rows: list[Explanation] = []
        for field, value in mine.items():
            entries = value if isinstance(value, tuple) else (GRANTED,) if value == GRANTED else ()
            shown, meaning = meanings.explain_value(field, ",".join(map(describe, entries)) if entries else value, mine)
            rows.append(Explanation(field, "", meaning, shown, value != default[field]))
            for entry in entries:
                added = ", ".join(presets.presets_with(self.presets, field, describe(entry)))
                meaning = meaning_of(field, entry) + (f" (preset {added})" if added else "")
                rows.append(Explanation(field, describe(entry), meaning))
        return tuple(rows)

    def decide(self, event: Event, target: str, *, region: str = "us-east-1", account: str = "") -> Decision:
        """The policy's decision about an event, equal to that of the engine in the function.

        The action is "unknown" where an entry known only at deployment might admit a target that the others deny; the
        reason is then "known_at_deployment", and `entry` is that entry.

        Args:
            event: connect or udp (target `host:port`, `address:port` or `[v6]:port`), resolve (a host name), tmp (a
                path under /tmp), tmp-at-start (`runtime:path`, as `java21:/tmp/...`: before the function asks for its
                first event), exec or exec-static (a program's absolute path), memory (the file of the
                library that makes memory executable).
            target: the target of the event.
            region: the function's AWS region.
            account: its AWS account, twelve digits; when empty, AWS host names of any account are admitted.

        Raises:
            ShieldError: there is no such event, or the target is malformed.
        """
        if event in ("connect", "udp", "resolve"):
            target = to_ascii("target", target)
        place = {"AWS_REGION": check_text("region", region)}
        if account:
            place["SHIELD_ACCOUNT_ID"] = check_text("account", account)
        question = known_at_deployment.Question(event, target, place, self._known(), self.unknown_entries)
        try:
            return known_at_deployment.decide(question)
        except core.TargetError as error:
            raise ShieldError("ShieldPolicy.decide", [str(error)]) from error

    def _fields(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _values(self) -> Values:
        return self.__dict__[_VALUES]

    def _known(self) -> Mapping[str, str]:
        """The settings of the function without values known only at deployment."""
        known = dict(self._values().known)
        if any(field == "allow_buckets" for field, _ in self.unknown_entries):
            # Without an entry, S3 would mean any bucket.
            known.setdefault(setting_of("allow_buckets"), placeholder_of("allow_buckets"))
        return known

    def _settings(self) -> dict[str, str]:
        """All variables, in the order of the fields."""
        values = self._values()
        unknown = self._unknown_settings(values)
        both = {name: [values.known.get(name), unknown.get(name)] for name in map(setting_of, KINDS)}
        return {
            name: ",".join(part for part in parts if part)
            for name, parts in both.items()
            if any(part is not None for part in parts)
        }

    def _unknown_settings(self, values: Values) -> dict[str, str]:
        """The variables with values known only at deployment."""
        return {
            setting_of(field): ",".join(_to_text(field, entry) for entry in entries)
            for field, entries in values.unknown.items()
            if entries
        }


def _to_text(field: str, entry: object) -> str:
    """An unknown entry in the form of a variable."""
    if is_construct(entry) or entry == GRANTED:
        shown = "the construct " + describe(entry) if is_construct(entry) else f'"{entry}"'
        raise ShieldPolicyError(
            field,
            f"{shown} is resolved for each function by the shield; give the policy to ShieldedFunction or Shield",
        )
    if is_list_token(entry):
        from aws_cdk import Fn

        return Fn.join(",", [str(entry)])
    return str(entry)


def check_policy(value: object) -> ShieldPolicy:
    """Returns the value if it is a policy, to check arguments.

    Raises:
        ShieldPolicyError: it is another type; the message names the fix.
    """
    if isinstance(value, ShieldPolicy):
        return value
    if isinstance(value, Mapping):
        fix = "write ShieldPolicy(...) with its fields, or ShieldPolicy.from_dict(...)"
    elif isinstance(value, str) and value in ("block", "alert"):
        fix = "write ShieldPolicy.report_only()" if value == "alert" else "write ShieldPolicy(), which blocks"
    elif isinstance(value, (str, PathLike)):
        fix = "write ShieldPolicy.from_file(...) for a file"
    elif value is ShieldPolicy or callable(value):
        fix = "call it: ShieldPolicy(...)"
    else:
        fix = "write ShieldPolicy(...)"
    raise ShieldPolicyError("", f"policy={value!r} is a {type(value).__name__}, not a ShieldPolicy; {fix}")
