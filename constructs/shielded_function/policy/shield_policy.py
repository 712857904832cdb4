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
from ..renamed import by_name
from . import comparing, composing, dates, files, known_at_deployment, presets
from .comparing import Loosening
from .dates import Dated, Until
from .denied_presets import expand_denied
from .explaining import Explanation
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
from .parsing import parse, read_fields, read_lines, write_lines
from .texts import check_text, to_ascii
from .unknown import describe, is_construct, is_list_token, meaning_of, placeholder_of
from .values import Values, canonical, fields_of, read_values, unknown_entries

if TYPE_CHECKING:
    from constructs import IConstruct

    from .services import Service


_VALUES = "_values_of_fields"


@by_name("ShieldPolicy")
@dataclass(frozen=True, kw_only=True)
class ShieldPolicy:
    """What a shielded function may do.

    The default blocks all but `read_handler`. In a CDK app it admits the AWS services that the role is granted.

    Values are kept in canonical form: lower-case hosts, RFC 5952 addresses, no duplicates, lists as tuples.

    The lists also take what is known only at deployment: CDK tokens, alone (`db.db_instance_endpoint_address`), in a
    text (`f"{db.db_instance_endpoint_address}:5432"`) or as a token list (`param.value_as_list`); `allow_outbound` and
    `allow_buckets` take constructs too, which the shield resolves for each function. They are kept as they are, behind
    the entries that are known. What is known of an entry is checked when the policy is made, the rest by the core when
    the function starts: a bad value, or a list that is empty then, refuses to start with one line.

    Attributes:
        outbound_connectivity: who may be resolved, connected to and sent to.
        allow_outbound: `host[:port]`, `*.domain[:port]`, `address[:port]`, `network/prefix[:port]`, `[v6]:port`. No
            port means any. `tcp://` or `udp://` in front means that protocol alone. International names are
            accepted, and kept in their xn-- form. Behind ` by ` stand the packages that calls should come through, as
            in `api.stripe.com:443 by stripe or requests>app`: the host is allowed all the same, and a call through
            others is reported.
        deny_outbound: hosts and networks, written as in `allow_outbound`, that are refused whatever the mode is, and
            whatever else admits them. `preset:exfiltration` and `preset:chat-webhooks` stand for lists that come with
            this package. An entry of `allow_outbound` that one of these covers whole is an error. Nothing here may be
            known only at deployment.
        allow_aws: "all" for the endpoints of every AWS service in the function's own region, "none", or a list of
            services as botocore calls them, such as `["s3", "dynamodb"]`. "granted", alone or in the list, is what the
            function's role is granted, which is known once the app is complete. None, in a CDK app, is "granted" with
            what needs no grant, or "all" with one warning where the grants cannot be told; elsewhere it is "all", as
            in files and variables that do not set it.
        allow_buckets: names of S3 buckets. When there are any, S3 is the host names of these buckets
            (`name.s3.<region>...`) and nothing else, whatever `allow_aws` says of s3.
        check_tls_name: whether the first TLS message on a TCP connection to an address that was allowed by name must
            name an allowed server.
        read_write_tmp: use of files under /tmp.
        allow_tmp: path globs under /tmp. `*` and `?` match within a component, `**` across; `/tmp/cache/**` admits
            the directory and all that lies below it.
        clear_tmp: whether what was made in /tmp during an invocation is deleted before the next one, whatever
            `read_write_tmp` is, except the paths of `allow_tmp`. What initialization left stays. What extensions make
            after the first event is deleted too. Not for functions that run several invocations at once.
        create_child_process: starting programs.
        allow_child_process: absolute paths of programs; `unshielded:/path` lets one run that the shield cannot be
            put into, such as a static executable.
        read_handler: reading the handler's source once the function is ready. "allow" by default, as what logs an
            exception reads it.
        executable_memory: making memory executable; None leaves it to the runtime: allow for one that compiles as it
            runs (Node.js, Java, .NET), otherwise as strict as the strictest of the four controls.
        allow_executable_memory: libraries, or programs, that may make memory executable, as the alert names them: the
            file's name up to its first dot, without the hash that a wheel's tools add, such as "libllvmlite". Who
            calls mmap(2) or mprotect(2) counts, not who calls that library.
        block_foreign_functions: whether the objects of `ctypes`, cffi, JNA and JPype are refused by their names,
            whatever `executable_memory` is, unless `allow_executable_memory` lists them: `_ctypes`, `_cffi_backend`,
            `jna`, `_jpype`. The rarer bridges, such as koffi, are then refused in every mode too. A hurdle: a copy
            under another name loads. Many libraries import ctypes, so try it first.
        on_failure: when the shield cannot be armed, "refuse" to start, or "run_unshielded" and report it. None is
            "run_unshielded" where no mode is block, `clear_tmp` and `block_foreign_functions` are off and
            `deny_outbound` is empty, so that a roll-out that stops nothing never stops a start; otherwise "refuse". A
            policy that cannot be read is refused.
        log_arguments: whether alerts show the arguments of programs, which can hold passwords. By default they show
            the program alone.
        presets: names of libraries, such as "matplotlib" (`shielded-function presets` lists them). What each needs is
            added to the other fields when the policy is made, and is all that the function gets: two policies with
            the same other fields are equal.
        until: the day by which alert mode is to end, `2027-01-31` or a `date`: from then on the checks have the finding
            `expired`. An entry has a day of its own by `Until`. Days are no part of a function's variables, and
            policies are equal that admit the same.

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
    on_failure: OnFailure | None = None
    log_arguments: bool = False
    presets: Sequence[presets.PresetName | str] = field_with(default=(), compare=False)
    until: str | date | None = field_with(default=None, compare=False)

    def __post_init__(self) -> None:
        expanded = expand_denied(presets.expand(dates.read_entries(self._fields())))
        values = canonical(read_values(expanded))
        until = dates.read_until(fields_of(values) | {"until": self.until})
        kept = dates.keep_dates(fields_of(values), expanded, _canonical_entry)
        for name, value in {**kept, "presets": expanded["presets"], "until": until}.items():
            object.__setattr__(self, name, value)
        # Beside the fields: to ask a construct again, as every question would, costs round trips to the CDK.
        object.__setattr__(self, _VALUES, values)

    @classmethod
    def report_only(cls, *, until: str | date | None = None) -> ShieldPolicy:
        """What `ShieldPolicy()` blocks, in alert mode: each violation is reported, and none stopped. For a roll-out.

        `read_handler` stays "allow". `executable_memory` stays with the runtime, which then alerts where there is no
        JIT, and allows where there is.

        Args:
            until: the day by which it is to block, `2027-01-31`. Nothing changes by itself that day.

        Raises:
            ShieldPolicyError: `until` is no day.
        """
        return cls(
            outbound_connectivity="alert",
            read_write_tmp="alert",
            create_child_process="alert",
            until=until,
        )

    @classmethod
    def from_env(cls, environment: Mapping[str, str], file: str | None = None) -> ShieldPolicy:
        """The policy that a function with these variables has.

        Args:
            environment: all its variables; those of others are passed over.
            file: the lines of the file that SHIELD_POLICY_FILE names. Lists that it and the environment give are
                joined, the environment's entries first; whatever else both give must be the same.

        Raises:
            ShieldPolicyError: a SHIELD_ variable is unknown or malformed, or there is none. SHIELD_POLICY_FILE too,
                without `file`, because the rest of the policy is in that file.
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
            parse(settings)  # by itself: an error in it has no line
        return cls._from_settings(parse(file, in_file=True, beside=settings))

    @classmethod
    def from_lines(cls, lines: str) -> ShieldPolicy:
        """The policy of a file of `NAME=value` lines, as `to_lines` writes it.

        Raises:
            ShieldPolicyError: a line is malformed; the text says which.
        """
        return cls._from_settings(parse(lines, in_file=True))

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> ShieldPolicy:
        """The policy of a mapping by field, as `to_dict` gives it; absent fields have their default.

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

        A file with another ending has the `NAME=value` lines of `to_lines`. YAML needs the extra `yaml`.

        Raises:
            OSError: the file cannot be read.
            ShieldPolicyError: it is not what its ending says, or a field is unknown or malformed.
        """
        found = files.read_file(Path(path))
        if isinstance(found, str):
            return cls.from_lines(found)
        policy = cls.from_dict(found)
        return replace(policy, allow_aws="all") if policy.allow_aws is None else policy

    @classmethod
    def _from_settings(cls, parsed: core.Policy) -> ShieldPolicy:
        values = read_fields(read_lines(parsed.lines()))
        return cls(**{**values, "allow_aws": values["allow_aws"] or "all"})

    def with_mode(self, mode: Mode, *, until: str | date | None = None) -> ShieldPolicy:
        """The same lists with every mode but "allow" set to one: "alert" for a roll-out, "block" after it.

        What is "allow" stays so, and `executable_memory=None` stays with the runtime.

        Args:
            mode: for each.
            until: the day by which "alert" is to end. Without, a day that is set stays, and goes with another mode.

        Raises:
            ShieldPolicyError: there is no such mode, or no such day.

        Examples:
            >>> ShieldPolicy(allow_tmp=["/tmp/cache/**"]).with_mode("alert").read_write_tmp
            'alert'
        """
        day = until or (self.until if mode == "alert" else None)
        return replace(self, **{**composing.with_modes(self._fields(), mode), "until": day})

    def __add__(self, additions: ShieldPolicy) -> ShieldPolicy:
        """The same policy with the entries of the other's lists added, and nothing else changed.

        `allow_aws` of the other adds its services; None, "all" and "none" add nothing. Where it is unset here, they
        are added to "granted" and to the services that need no grant, as an explicit list. The first bucket narrows
        S3: to its buckets' host names, from those of any bucket.

        Raises:
            ShieldPolicyError: the other sets a mode, or another field that is no list.

        Examples:
            >>> base = ShieldPolicy.report_only()
            >>> (base + ShieldPolicy(allow_outbound=["api.stripe.com:443"])).outbound_connectivity
            'alert'
        """
        if not isinstance(additions, ShieldPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        return replace(self, **composing.add(self._fields(), additions._fields(), ShieldPolicy()._fields()))

    def diff(self, other: ShieldPolicy) -> tuple[Loosening, ...]:
        """Where this policy admits what the other does not; empty when it is at least as strict.

        Modes are compared (block, alert, allow), `on_failure`, `check_tls_name`, `clear_tmp`,
        `block_foreign_functions`, any change of `log_arguments`, every entry of `deny_outbound` that went, and, where
        neither mode is allow, every entry of the other lists: a host may be covered by a wildcard, an address by a
        network, a port by none, a path by a glob.
        Entries are covered one by one, so two that together cover a third do not. What is known only at deployment is
        compared as text, a construct by its path. A day that is later than before, or gone, is a loosening of what is
        in alert mode, or of the entry.

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
        """(field, entry) of all that is known only at deployment: tokens, constructs, and "granted" in allow_aws."""
        return unknown_entries(self._values())

    @property
    def dates(self) -> tuple[Dated, ...]:
        """The entries that are to go by a day."""
        return dates.dates_in(self._fields())

    @property
    def is_known(self) -> bool:
        """Whether nothing awaits deployment."""
        return not self.unknown_entries

    def to_env(self) -> dict[str, str]:
        """The environment variables: the four modes always, the others where they differ from the default.

        Presets have none: what they add is in the others.

        Values with tokens are texts with tokens.

        Raises:
            ShieldPolicyError: there are constructs or "granted" in it, which the shield resolves for each function.
        """
        return {name: value for name, value in self._settings().items() if value != DEFAULT_SETTINGS.get(name)}

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, lists as lists: what `from_dict` takes, and JSON, YAML or TOML where all is known.

        An entry of `Until` is a mapping of entry, until and reason. TOML has no null: leave `executable_memory`,
        `on_failure` and `until` out there when they are None.
        """
        return {
            name: [each.to_dict() if isinstance(each, Until) else each for each in value]
            if isinstance(value, tuple)
            else value
            for name, value in self._fields().items()
        }

    def to_env_and_lines(self) -> tuple[dict[str, str], str]:
        """The same policy in two parts, for what does not fit an environment's 4 KB.

        Returns:
            The variables: modes, switches and what is known only at deployment. And the lines of the file that
            SHIELD_POLICY_FILE is to name: the entries of the lists that are known; empty when there are none. The
            function joins both, and so does `from_env`.

        Raises:
            ShieldPolicyError: there are constructs or "granted" in it, which the shield resolves for each function.
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
        """The same as `to_env`, as the lines of a policy file (SHIELD_POLICY_FILE), for what does not fit 4 KB.

        Raises:
            ShieldPolicyError: something in it is known only at deployment.
        """
        for field, entry in self.unknown_entries:
            raise ShieldPolicyError(
                field,
                f"{describe(entry)!r} is known only at deployment, which a file cannot hold; leave it to the "
                "environment: to_env(), or to_env_and_lines() for both",
            )
        return write_lines(self.to_env())

    def explain(self) -> tuple[Explanation, ...]:
        """The meaning of each field, in words, each followed by those of its entries.

        The meaning of an entry that is known at deployment says so, and what is known of it.

        Examples:
            >>> [each.meaning for each in ShieldPolicy(allow_tmp=["/tmp/a/**"]).explain() if each.field == "allow_tmp"]
            ['these paths under /tmp may be used', 'this directory and all that lies below it']
        """
        settings = dict(self._known())
        unknown = self.unknown_entries
        stand_ins = {field: placeholder_of(field) for field, _ in unknown if field != "allow_aws"}
        for field, stand_in in stand_ins.items():
            settings[setting_of(field)] = settings.get(setting_of(field)) or stand_in
        explained = parse(write_lines(settings)).explain()
        for field, entry in unknown:
            told = explained[field]
            told["entries"] = [each for each in told["entries"] if each["entry"] != stand_ins.get(field)]
            told["entries"].append({"entry": describe(entry), "meaning": meaning_of(field, entry)})
            told["value"] = ",".join(each["entry"] for each in told["entries"])
            if field == "allow_aws":
                told["meaning"] = "the endpoints of these, in the function's region, may be reached"
        explained = {field: explained[field] for field in KINDS}
        if self.allow_aws is None:
            explained["allow_aws"]["meaning"] += "; in a CDK app, what the role is granted"
        presets.mark(explained, self.presets)
        dates.mark(explained, self.dates)
        explained |= {"presets": presets.explain(self.presets), "until": dates.explain(self.until)}
        mine, default = self._fields(), ShieldPolicy()._fields()
        return tuple(
            each
            for field, told in explained.items()
            for each in (
                Explanation(field, "", told["meaning"], told["value"], mine[field] != default[field]),
                *(Explanation(field, entry["entry"], entry["meaning"]) for entry in told.get("entries", ())),
            )
        )

    def decide(self, event: Event, target: str, *, region: str = "us-east-1", account: str = "") -> Decision:
        """The policy's verdict on one event, as the engine in the function would decide it.

        The action is "unknown" where an entry that is known only at deployment might admit what the others do not; the
        reason is then "known_at_deployment", and `entry` is that entry.

        Args:
            event: connect or udp (target `host:port`, `address:port` or `[v6]:port`), resolve (a host name), tmp (a
                path under /tmp), tmp-at-start (`runtime:path`, as `java21:/tmp/...`: before the function asks for its
                first event), exec or exec-static (a program's absolute path), memory (the file of the
                library that makes memory executable).
            target: what the event is about.
            region: the AWS region that the function runs in.
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
        """The settings without what is known at deployment, as the function would have them."""
        known = dict(self._values().known)
        if any(field == "allow_buckets" for field, _ in self.unknown_entries):
            # Without any, S3 would be any bucket.
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
        """The variables of what is known only at deployment."""
        return {
            setting_of(field): ",".join(_to_text(field, entry) for entry in entries)
            for field, entries in values.unknown.items()
            if entries
        }


def _canonical_entry(field: str, entry: object) -> Sequence[object]:
    """An entry alone, as a policy keeps it."""
    plain: dict[str, Any] = {field: (str(entry) if isinstance(entry, Until) else entry,)}
    found = getattr(ShieldPolicy(**plain), field)
    return found if isinstance(found, tuple) else (found,)


def _to_text(field: str, entry: object) -> str:
    """An unknown entry as it stands in a variable."""
    if is_construct(entry) or entry == GRANTED:
        what = "the construct " + describe(entry) if is_construct(entry) else f'"{entry}"'
        raise ShieldPolicyError(
            field, f"{what} is resolved for each function by the shield; give the policy to ShieldedFunction or Shield"
        )
    if is_list_token(entry):
        from aws_cdk import Fn

        return Fn.join(",", [str(entry)])
    return str(entry)


def check_policy(value: object) -> ShieldPolicy:
    """The value, when it is a policy: for those who take one from a user.

    Raises:
        ShieldPolicyError: it is something else; the text says what to write.
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
