"""Checks texts for an environment variable, a line of a policy file and the core."""

from __future__ import annotations

import re
import stringprep
import unicodedata
from encodings import idna

from ..errors import ShieldPolicyError
from ..tokens import has_token


def check_text(field: str, value: object) -> str:
    """Checks that a value is one line of Unicode text, for an environment variable or a policy file.

    Raises:
        ShieldPolicyError: it is not.
    """
    if not isinstance(value, str):
        raise ShieldPolicyError(field, f"{value!r} is not text{_hint(value)}")
    if has_token(value):
        raise ShieldPolicyError(
            field, f"{value!r} is a CDK token, which has no value before deployment; write the value itself"
        )
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in value if c != "\t"):
        raise ShieldPolicyError(field, f"{value!r} has a control character; take it out")
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ShieldPolicyError(field, f"{value!r} is not valid Unicode text; it holds a lone surrogate")
    return str.__str__(value)  # for a member of an enumeration: its value


def _hint(value: object) -> str:
    """The fix for a CDK value that is no text."""
    kind = type(value)
    if hasattr(kind, "unsafe_unwrap"):  # SecretValue
        return "; a secret would stand in the function's environment for all to read: write the host itself"
    if hasattr(kind, "resolve"):  # IResolvable
        return "; make it a text with Token.as_string()"
    return ""


# RFC 5892 changed the meaning of these four; the standard library's IDNA 2003 would map them to other names, and would
# not map characters newer than itself (stringprep's table A.1).
_DEVIATING = frozenset("\u00df\u03c2\u200c\u200d")


_PROTOCOL = re.compile("(tcp|udp)://", re.IGNORECASE)
BY = " by "
"""The separator between a host and the packages that should call it (native/core/packages.h)."""


def without_packages(entry: str) -> str:
    """The part of an entry that decides: `api.stripe.com:443` of `api.stripe.com:443 by stripe`."""
    return entry.partition(BY)[0]


def to_ascii(field: str, entry: str) -> str:
    """`bücher.example:443` as `xn--bcher-kva.example:443` (RFC 3490). ASCII is left to the core.

    Raises:
        ShieldPolicyError: it is no international host name.
    """
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


# Sets of scripts that languages write together: "highly restrictive" of https://www.unicode.org/reports/tr39/, 5.2.
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)


def check_scripts(field: str, entry: str) -> None:
    """Every label of a host is in one script, or in those that a language mixes: `p\u0430ypal.com` has a Cyrillic a.

    Names in their xn-- form are taken as they are, as alerts show them.

    Raises:
        ShieldPolicyError: a label mixes scripts.
    """
    for label in re.split("[.:/\u3002\uff0e\uff61]", entry):
        if label.isascii():
            continue
        letters = {_script_of(letter): letter for letter in reversed(unicodedata.normalize("NFKC", label))}
        letters.pop("", None)
        if len(letters) > 1 and not any(letters.keys() <= scripts for scripts in _TOGETHER):
            shown = ", ".join(f"{letter!r} is {script.title()}" for script, letter in letters.items())
            raise ShieldPolicyError(
                field,
                f"{entry!r} mixes scripts in {label!r}, as names do that imitate other names ({shown}); "
                "write it in one script, or in its xn-- form if it is intended",
            )


def _script_of(character: str) -> str:
    """The script of a letter: the first word of its name; empty for common characters."""
    if not unicodedata.category(character).startswith("L"):
        return ""
    word = unicodedata.name(character, "").partition(" ")[0]
    return "" if word in ("MODIFIER", "FEMININE", "MASCULINE", "IDEOGRAPHIC") else word


_WITH_ARGUMENTS = re.compile(r"(?P<program>(?:unshielded:)?/\S*)[ \t]+--?\w[\w-]*(?:[ \t=].*)?", re.DOTALL)


def check_program(field: str, entry: str) -> None:
    """Refuses arguments after a program's path, as they are not checked.

    Raises:
        ShieldPolicyError: the entry has arguments.
    """
    found = _WITH_ARGUMENTS.fullmatch(entry)
    if found:
        raise ShieldPolicyError(
            field,
            f"{entry!r} has arguments, which are not judged; write the program's path alone: {found['program']!r}",
        )


# The CDK's value for a parameter that `cdk synth` looks up later (ssm.StringParameter.value_from_lookup). The
# first synthesis has to go through, or the look-up never happens; its template is thrown away.
_DUMMY = re.compile(r"dummy-value-for-[^:,\s]*")
_DUMMY_STANDS_FOR = {"allow_outbound": "dummy-value.invalid", "allow_buckets": "shielded-function-dummy-value"}


# The dummy values of a looked-up VPC, and of its subnets.
_DUMMY_NETWORK = re.compile(r"((?:tcp|udp)://)?1\.2\.3\.4/5(:\d+)?", re.IGNORECASE)
_NOBODY = "192.0.2.0/24"  # a network for documentation (RFC 5737)


def replace_dummy(field: str, text: str) -> str:
    """The text with the CDK's dummy value replaced by one that the field takes and that admits no host."""
    network = _DUMMY_NETWORK.fullmatch(text.strip()) if field == "allow_outbound" else None
    if network:
        return f"{network[1] or ''}{_NOBODY}{network[2] or ''}"
    return _DUMMY.sub(_DUMMY_STANDS_FOR[field], text) if field in _DUMMY_STANDS_FOR else text
