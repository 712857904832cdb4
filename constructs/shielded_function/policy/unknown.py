"""Entries with a value known only at deployment: CDK tokens, constructs, and a role's grants.

The text around a token is checked when the policy is created: placeholders replace the token, and the core reads the
rest. The core checks the token's value when the function starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, product
from typing import TYPE_CHECKING, TypeGuard

from shielded_function_runtime import core

from ..errors import ShieldPolicyError
from ..tokens import LIST_TOKEN, NUMBER_TOKEN, TEXT_TOKEN, has_token, is_list_token
from .core_parsing import read_lines
from .fields import GRANTED, setting_of
from .meanings import meaning_of_entry
from .texts import BY, check_text, without_packages

if TYPE_CHECKING:
    from constructs import IConstruct

# Possible values of a token: a host or the end of one, an address, a number (a port, a prefix), a network, ...
_HOST = "known-at-deployment.example"
_PLACEHOLDERS = {
    "allow_outbound": (
        *(_HOST, "0.0.0.0", "::", "2001:db8::1", "27", "29", "192.0.2.0/24", "2001:db8::/32"),
        *("tcp", "udp", "128", "p", "q", "1", "2", "0.0", "0.0.0"),
    ),
    "allow_buckets": ("shielded-function-known-at-deployment-6f0e1c", "p"),
    "allow_tmp": ("known-at-deployment", "/tmp/known-at-deployment"),
    "allow_child_process": ("known-at-deployment", "unshielded:/known-at-deployment", "/known-at-deployment"),
    "allow_executable_memory": ("known-at-deployment",),
}
_ATTEMPTS = 4096  # of a text with many tokens

AT_DEPLOYMENT = "known at deployment"


@dataclass(frozen=True)
class Shape:
    """The known parts of an entry with tokens.

    Attributes:
        canonical: the entry in canonical form, with placeholders.
        pattern: matches every possible value of the entry, in canonical form.
        meaning: its meaning, with "<unknown>" for unknown parts.
    """

    canonical: str
    pattern: re.Pattern[str]
    meaning: str


def is_construct(entry: object) -> TypeGuard[IConstruct]:
    """Whether it is a construct. Its class tells; only an imported one needs a request to the CDK."""
    return not isinstance(entry, (str, bytes)) and (hasattr(type(entry), "node") or hasattr(entry, "node"))


def is_unknown(field: str, entry: object) -> bool:
    """Whether the value of an entry is known only at deployment."""
    if field == "allow_aws":
        return isinstance(entry, str) and entry == GRANTED
    return has_token(entry) or is_construct(entry)


def check_unknown(field: str, entry: object) -> object:
    """Checks an unknown entry, and returns it in the policy's form.

    Raises:
        ShieldPolicyError: its known part is wrong, or the field does not accept such a value.
    """
    if is_construct(entry):
        return _check_construct(field, entry)
    if field == "allow_aws":
        return GRANTED
    assert isinstance(entry, str)
    text = _write_numbers(str.__str__(entry)).strip(" \t")
    if is_list_token(text):
        return text
    if LIST_TOKEN.search(text):
        raise ShieldPolicyError(
            field, f"{entry!r} has a token list inside a text; give the list itself, or one text with Fn.select()"
        )
    literals = TEXT_TOKEN.split(text)
    for literal in literals:
        check_text(field, literal)
    if "," in "".join(literals):
        raise ShieldPolicyError(field, f"{entry!r} has a comma, which separates entries; write one entry for each")
    if field == "allow_outbound" and BY in text and BY not in literals[-1]:
        raise ShieldPolicyError(field, f"{entry!r} has a token among its packages; write the packages themselves")
    if field == "allow_outbound" and not text.isascii():
        raise ShieldPolicyError(
            field, f"{entry!r} has an international name beside a token; write the name in its xn-- form"
        )
    try:
        shape_of(field, text)
    except core.PolicyError as error:
        raise ShieldPolicyError(
            field, f"{entry!r} {error} (whatever the token's value; environment variable {setting_of(field)})"
        ) from error
    return text


def _check_construct(field: str, construct: IConstruct) -> IConstruct:
    if field not in ("allow_outbound", "allow_buckets"):
        raise ShieldPolicyError(field, f"{construct!r} is a construct; only allow_outbound and allow_buckets take them")
    from shielded_function import hosts

    hosts.check_construct(construct, field)
    return construct


def _write_numbers(text: str) -> str:
    """Replaces a number token in a text (`f"{host}:{endpoint.port}"`) by a text token."""
    if not NUMBER_TOKEN.search(text):
        return text
    from aws_cdk import Tokenization

    return NUMBER_TOKEN.sub(lambda found: Tokenization.stringify_number(float(found[0])), text)


def literals_of(entry: object) -> tuple[str, ...]:
    """The texts before, between and after the tokens of an entry; two empty texts for a token alone."""
    return ("", "") if not isinstance(entry, str) or is_list_token(entry) else tuple(TEXT_TOKEN.split(entry))


def shape_of(field: str, entry: object) -> Shape | None:
    """The known parts of an entry with tokens; None when there are none.

    Raises:
        PolicyError: the known part forms no valid entry with any tried value of the tokens.
    """
    literals = literals_of(entry)
    return _find_shape(field, literals) if any(literals) else None


@lru_cache(maxsize=256)
def _find_shape(field: str, literals: tuple[str, ...]) -> Shape:
    setting = setting_of(field)
    reason = ""
    for values in _attempts(field, literals):
        candidate = _fill(literals, values)
        try:
            parsed = core.parse(f"{setting}={candidate}\n")
        except core.PolicyError as error:
            reason = reason or _reason(str(error), values)  # of the likeliest value
            continue
        canonical = read_lines(parsed.lines())[setting]
        meaning = meaning_of_entry(field, canonical)
        if field == "allow_outbound":
            literals = (*literals[:-1], without_packages(literals[-1]))
            canonical = without_packages(canonical)
        return Shape(canonical, _pattern(field, canonical, literals, values), _hide(meaning, values))
    raise core.PolicyError(reason)


def _attempts(field: str, literals: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Values to try for the tokens; first those that are not in the literals, so that they can be found again."""
    text = "\0".join(literals).lower()
    count = len(literals) - 1
    values = [value for value in _PLACEHOLDERS[field] if value not in text]
    return islice(
        chain(
            product(values if count <= 3 else (_HOST, "27"), repeat=count),
            product(_PLACEHOLDERS[field] if count == 1 else (), repeat=count),
        ),
        _ATTEMPTS,
    )


def _fill(literals: Sequence[str], values: tuple[str, ...]) -> str:
    return literals[0] + "".join(value + literal for value, literal in zip(values, literals[1:], strict=True))


def _pattern(field: str, canonical: str, literals: Sequence[str], values: tuple[str, ...]) -> re.Pattern[str]:
    found = "|".join(re.escape(value) for value in dict.fromkeys(values))
    lower = [literal.lower() for literal in literals]
    if field != "allow_outbound":
        pieces = list(literals)  # these are canonical already
    elif canonical.count(":") > 2:
        # The core shortens IPv6 addresses, so the token's part is unknown.
        pieces = re.sub(r"\[.*\]", lambda _: "[\0]", canonical).split("\0") if "]:" in canonical else ["", ""]
        pieces = [*pieces[:-1], *re.split(found, pieces[-1])]
    elif _fill(lower, values) == canonical:
        pieces = lower
    elif re.fullmatch(r"(\w+://)?[\d./]+(:\d+)?", canonical):
        # The prefix of a single address is removed: only the port remains identifiable.
        port = re.search(r":\d+$", lower[-1])
        pieces = ["", port[0] if port else ""]
    else:
        pieces = re.split(found, canonical)
    return re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)


def _reason(message: str, values: tuple[str, ...]) -> str:
    """The reason without the core's prefix: `line 1: SETTING: "candidate" `."""
    found = re.fullmatch(r'line 1: \w+: (?:".*?" )?(.*)', message, re.DOTALL)
    return _hide(found[1] if found else message, values)


def _hide(text: str, values: tuple[str, ...]) -> str:
    for value in values:
        text = text.replace(value, "<unknown>")
    return text


def pattern_of(field: str, entry: object) -> re.Pattern[str]:
    """A pattern of every possible value of an entry, in canonical form."""
    shape = shape_of(field, entry)
    return shape.pattern if shape else re.compile(".*", re.DOTALL)


def describe(entry: object) -> str:
    """An entry for display: a text unchanged, a construct by its path."""
    return entry if isinstance(entry, str) else _path_of(entry)


def meaning_of(field: str, entry: object) -> str:
    """The meaning of an entry; of one known only at deployment, of its known parts."""
    if isinstance(entry, str) and not is_unknown(field, entry):
        return meaning_of_entry(field, entry)
    if field == "allow_aws":
        return f"{AT_DEPLOYMENT}: the grants of the function's role"
    if not isinstance(entry, str):
        part = "the name of" if field == "allow_buckets" else "where clients reach"
        return f"{AT_DEPLOYMENT}: {part} the {type(entry).__name__} {_path_of(entry)}"
    shape = shape_of(field, entry)
    return f"{AT_DEPLOYMENT}: {shape.meaning}" if shape else AT_DEPLOYMENT


def placeholder_of(field: str) -> str:
    """An entry that matches no target, to stand for an unknown entry."""
    return _PLACEHOLDERS[field][-1 if field in ("allow_tmp", "allow_child_process") else 0]


def _path_of(construct: object) -> str:
    return str(getattr(construct, "node").path)  # noqa: B009 - any construct has one
