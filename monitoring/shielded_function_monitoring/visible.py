"""Makes text of others safe to show: an attacker can choose the text of log lines.

A character that does not print as itself (control characters, ANSI escapes, marks that turn the direction of text, half
characters) is written as an escape, the same in a terminal, in a page and in code.

    >>> visible("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    >>> quote('say "hi"\\u202e')
    '"say \\\\"hi\\\\"\\\\u202e"'
"""

from __future__ import annotations


def visible(text: str) -> str:
    """The text with escapes in place of characters that do not print."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def quote(text: str) -> str:
    """The text as a string of Python, TOML and YAML alike, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else _escape(each, two_digits=False) for each in escaped) + '"'


def _escape(character: str, two_digits: bool = True) -> str:
    code = ord(character)
    if two_digits and code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
