"""What a command of a page needs, by program: the ways to test one without running it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

import botocore.session
import typer
import typer.main
from botocore import xform_name
from botocore.exceptions import BotoCoreError
from botocore.validate import validate_parameters

from integration.docs.pages import ROOT, Block
from shielded_function.cli.app import app

# click's own, which some versions of typer bring along and others take from the package.
_UsageError: Any = typer.BadParameter.__base__
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


class CommandError(Exception):
    """A command of a page that would not work; the text says why."""


def commands_of(text: str) -> list[list[str]]:
    """The words of each command in a block: prompts, comments, and variables in front of a command left out.

    >>> commands_of("$ A=b make demo  # attack it\\nshielded-function decide \\\\\\n  connect x:1 && make test\\n")
    [['make', 'demo'], ['shielded-function', 'decide', 'connect', 'x:1'], ['make', 'test']]
    """
    found: list[list[str]] = []
    for line in re.sub(r"^\$ |\\\n", " ", text, flags=re.MULTILINE).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        found.append([])
        for word in lexer:
            if word and set(word) <= set("|&;"):
                found.append([])
            elif found[-1] or not _ASSIGNMENT.fullmatch(word):
                found[-1].append(word)
    return [command for command in found if command]


def check_options(words: list[str]) -> None:
    """Lets the real command line read the options of a `shielded-function` command. Nothing is run.

    Raises:
        CommandError: there is no such command or option, or a value is wrong.
    """
    command: Any = typer.main.get_command(app)
    arguments = words[1 : next((i for i, word in enumerate(words) if word[0] in "<>"), None)]
    name: str | None = words[0]
    try:
        while True:
            context = command.make_context(name, list(arguments))
            if not hasattr(command, "resolve_command"):
                return
            name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:
        return  # --help
    except _UsageError as error:
        raise CommandError(f"{' '.join(words)}: {error.format_message()}") from error


def check_target(words: list[str]) -> None:
    """Lets make say what it would do (`make -n`).

    Raises:
        CommandError: there is no such target.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", *words[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(words)}: {done.stderr.strip()}")


def check_request(words: list[str]) -> None:
    """Lets botocore's model check the request of an `aws` command, whose structures are JSON. Nothing is sent.

    Raises:
        CommandError: there is no such service, operation or option, a value is wrong, or one is missing.
    """
    said = " ".join(words)
    service, operation, *rest = words[1:]
    try:
        model: Any = botocore.session.get_session().get_service_model(service)
        [name] = [name for name in model.operation_names if _option(name) == operation]
        shape = model.operation_model(name).input_shape
        members = {f"--{_option(name)}": name for name in shape.members}
        given = dict(zip(rest[::2], rest[1::2], strict=True))
        request = {members[o]: json.loads(value) if value[:1] in "[{" else value for o, value in given.items()}
        validate_parameters(request, shape)
    except (KeyError, ValueError, BotoCoreError) as error:
        raise CommandError(f"{said}: {error!r}") from error


def _option(name: str) -> str:
    return xform_name(name, "-")


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "aws": check_request,
    "make": check_target,
    "shielded-function": check_options,
}
"""How the commands of a program are tested where the page says nothing else."""


def check_commands(block: Block) -> None:
    """Tests every command of a block by its program.

    Raises:
        CommandError: a command is wrong, or there is no way to test its program without running it.
    """
    commands = commands_of(block.text)
    if not commands:
        raise CommandError(f"{block.place}: no command in this block; output has the language `text`")
    for words in commands:
        if words[0] not in PROGRAMS:
            raise CommandError(
                f"{block.place}: nothing tests `{' '.join(words)}`. Say above the block how to "
                "(tests/integration/docs/pages.py has the forms), or give output the language `text`"
            )
        try:
            PROGRAMS[words[0]](words)
        except CommandError as error:
            raise CommandError(f"{block.place}: {error}") from error
