"""The commands, in the order of `--help`. The module of a command is imported when the command is called."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from importlib import import_module
from importlib.metadata import version as distribution_version
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from . import options
from .demo import is_checkout
from .options import OneFunction, Where

_GROUPS = {
    "Try a function on this machine": "run drill fetch demo",
    "Learn and explain a policy": "learn explain decide presets",
    "Watch and respond": "alerts report set-mode inventory",
    "Review": "audit doctor",
    "Without the CDK": "layer render",
}
"""The commands, by the headings of `--help`."""


_VALUES = {
    "FILE": "policy output lock previous sarif sbom layer log expect",
    "FOLDER": "assembly against",
    "FUNCTION": "production perimeter",
    "TIME": "since until",
    "COUNT": "limit",
    "DAY": "today",
    "ENTRY": "accept",
    "PROPERTY": "by",
}
"""The help's words for values; without a row, the last word of the option itself."""


def _worded(params: list[Any]) -> list[Any]:
    """Options whose help shows a word for the value, where typer shows Python's type."""
    for each in params:
        name = each.opts[0].rpartition("-")[2]
        word = each.metavar or next((word for word, names in _VALUES.items() if name in names.split()), name.upper())
        shown = word if each.param_type_name == "option" and not each.is_flag else ""
        each.display_type_rich = lambda ctx, shown=shown: shown
    return params


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _worded(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _worded(super().get_params(ctx))


app = typer.Typer(
    name="shielded-function",
    cls=_Group,
    help="Confine the code of AWS Lambda functions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"shielded-function {distribution_version('shielded-function')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command. Exit status 2 always means that the command failed."""


def _flat(name: str, kind: Any, default: Any = None) -> Iterator[Parameter]:
    """One option, or one for each field of a class of options."""
    if hasattr(kind, "_fields"):
        for field, hint in get_type_hints(kind, include_extras=True).items():
            yield from _flat(field, hint, kind._field_defaults.get(field, Parameter.empty))
        return
    if get_origin(kind.__origin__) is Sequence:  # which typer does not know
        kind, default = Annotated[list[str], kind.__metadata__[0]], [] if default == () else default
    if get_origin(kind.__origin__) is Literal:  # typer's column of types is too narrow for the words
        option = copy(kind.__metadata__[0])
        option.help += f" One of {', '.join(get_args(kind.__origin__))}."
        kind = Annotated[kind.__origin__, option]
    yield Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _made(name: str, kind: Any, given: Mapping[str, Any]) -> Any:
    if not hasattr(kind, "_fields"):
        return given[name]
    return kind(*(_made(field, hint, given) for field, hint in get_type_hints(kind, include_extras=True).items()))


_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _command(target: str, example: str, text: str, *kinds: Any, json: bool = True, hidden: bool = False) -> None:
    """Adds a command.

    Args:
        target: the module and its function, which gets the options, and returns the exit status.
        example: the words behind `shielded-function`, the first of which is the command's name.
        text: the help.
        kinds: the classes of its options.
        json: whether it has `--json`.
        hidden: whether the list of commands leaves it out.
    """

    def call(**given: Any) -> None:
        module, _, function = target.partition(".")
        run = getattr(import_module(f".{module}", __package__), function)
        raise typer.Exit(run(*(_made("", kind, given) for kind in kinds), **({"json": given["json"]} if json else {})))

    made: Any = call
    parameters = [each for kind in kinds for each in _flat("", kind)]
    parameters += _flat("json", _JSON, False) if json else []
    made.__signature__ = Signature(parameters)
    made.__annotations__ = {each.name: each.annotation for each in parameters}
    name = example.split()[0]
    app.command(
        name,
        cls=_Command,
        help="\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n")),
        epilog=f"Example: shielded-function {example}",
        rich_help_panel=next(group for group, names in _GROUPS.items() if name in names.split()),
        hidden=hidden,
    )(made)


_command(
    "run.run",
    "run cdk.out Shop/Checkout --event event.json --alert",
    """Invoke one of your own functions, shielded, in an emulated Lambda (on Linux).

Nothing leaves the machine: every name resolves, and every connection is refused, except by a host of --reply. The
function's runtime is fetched first, unless this machine has it. The exit status is 0 if the function returned and
the shield had nothing to report, 3 if it returned and there were alerts, 1 if it failed, and 2 if it could not run.
Install its dependencies: pip install "shielded-function\\[run]".""",
    OneFunction,
    options.Run,
)
_command(
    "drill.run",
    "drill cdk.out Shop/Checkout --incident event-stream",
    """Play real supply-chain incidents in one of your own functions, harmlessly, in an emulated Lambda (on Linux).

Each is played twice, unshielded and with the function's own policy. Nothing leaves the machine. The exit status is
0, 1 if an outcome differs from --expect, and 2 if an incident could not be played. Install its dependencies: pip
install "shielded-function\\[run]".""",
    OneFunction,
    options.Drill,
)
_command(
    "run.fetch",
    "fetch nodejs22.x java21",
    """Fetch a runtime for `run` and `drill`, before they do so themselves.

Each file's hash is checked, or apt checks its signature. They are kept in ~/.cache/shielded-function. The exit
status is 2 if one is not available.""",
    options.Fetch,
)
_command(
    "demo.run",
    "demo --json",
    """Attack an example function, unshielded and shielded, in an emulated Lambda (from a checkout, on Linux).

The exit status is 1 if an attempt did not go as it should.""",
    hidden=not is_checkout(),
)
_command(
    "learn.run",
    "learn --stack Shop --assembly cdk.out --output policies",
    """Learn the least policy for the observed behaviour of functions, best in alert mode.

Wildcards are offered, and targets that look like an attack are listed for you to decide: learn adds neither. The
exit status is 0; 1 with --check if a present policy, or the lock, lacks an observed target; 3 if the written policy
would deny an observed target, or targets are unknown: then learn prints the --accept options that complete it.""",
    Where,
    options.Learn,
)
_command(
    "policy.explain",
    "explain --policy checkout.policy",
    """Explain a policy in plain words.""",
    options.Explain,
)
_command(
    "policy.decide",
    "decide connect api.stripe.com:443 --policy checkout.policy",
    """Print a policy's decision about one event.

The exit status is 0 if the event would happen (allowed, or only reported), 1 if it would be denied, and 3 if values
known only at deployment decide.""",
    options.Decide,
)
_command(
    "policy.presets",
    "presets",
    """List the presets of a policy: the needs of well-known libraries, by name.""",
)
_command(
    "alerts.alerts",
    "alerts --function checkout --since 2h",
    """Show the violations of shielded functions, from log groups (aggregated by Logs Insights) or from files.

The exit status is 0 if there was no violation, 3 if there was one, and 2 if the logs could not be read, or if
--hosts found nothing, and the log has only counts of some violations.""",
    Where,
    options.Alerts,
)
_command(
    "report.report",
    "report --stack Shop --since 7d",
    """Write a page about violations: when, by function, control and target, new ones, and which functions armed.

The exit status is 0, or 3 if the log has only counts of some violations: the page lacks their targets.""",
    Where,
    options.Page,
)
_command(
    "set_mode.set_mode",
    "set-mode checkout outbound_connectivity=alert",
    """Change the mode of controls of live functions, in an incident: by name, glob, tag, or all of them.

Needs lambda:GetFunctionConfiguration, lambda:UpdateFunctionConfiguration and lambda:ListAliases; for a glob, a tag
or --all lambda:ListFunctions, and for a tag lambda:ListTags. The exit status is 0 if the functions have the modes, 1
if you declined, and 2 if one could not be changed.""",
    options.SetMode,
)
_command(
    "inventory.run",
    "inventory 'shop-*' --require shield --require alarm",
    """List the functions of an account: which are shielded, by which layer, in which modes, and their problems.

The exit status is 1 if a function lacks, or may lack, a thing of --require.""",
    options.Inventory,
)
_command(
    "audit.run",
    "audit cdk.out --production 'Live/*' --strict",
    """Check that every function of a synthesized app is shielded, and that its policy restricts it.

The exit status is 1 if there is an error, or if something became looser than --against.""",
    options.Audit,
)
_command(
    "doctor.run",
    "doctor",
    """Print the facilities of this machine's kernel and sandbox that the shield needs.""",
)
_command(
    "layer.write",
    "layer --arch arm64 --output layer.zip",
    """Write the shield's layer as a zip file, the same bytes on every machine.""",
    options.Layer,
)
_command(
    "render.run",
    "render --format sam --policy checkout.policy --function checkout",
    """Print a policy for SAM, Terraform or the AWS CLI, with the layer, the metric filter and the alarms.""",
    options.Render,
    json=False,
)


def main() -> None:
    """Runs the command of `sys.argv`: one line on stderr and exit status 2 when it fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters missing from the terminal's encoding are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        from shielded_function_monitoring.errors import ShieldError
        from shielded_function_runtime.core import CoreError, PolicyError

        from .terminal import note

        if not isinstance(error, ShieldError | CoreError | PolicyError):
            raise
        note(str(error).replace("\n", " "))  # it may quote a log
        sys.exit(2)
