"""The commands, in the order of `--help`. The module of a command is imported when the command is called."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version as distribution_version
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from . import options
from .demo import is_checkout
from .errors import CliError
from .options import Event, Json, LearnFormat, OneFunction, PolicyFile, PolicyRegion, RenderFormat, Where

app = typer.Typer(
    name="shielded-function",
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


def _refuse_policy_file(given: str | None) -> None:
    if given is not None:
        raise CliError(f"--policy-file is called --policy: write --policy {given}")


OldPolicyFile = Annotated[str | None, typer.Option("--policy-file", hidden=True, callback=_refuse_policy_file)]


def _flat(name: str, kind: Any, default: Any) -> Iterator[Parameter]:
    """One option, or one for each field of a class of options."""
    if hasattr(kind, "_fields"):
        for field, hint in get_type_hints(kind, include_extras=True).items():
            yield from _flat(field, hint, kind._field_defaults.get(field, Parameter.empty))
        return
    if get_origin(getattr(kind, "__origin__", None)) is Sequence:  # which typer does not know
        kind, default = Annotated[list[str], kind.__metadata__[0]], []
    yield Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _made(name: str, kind: Any, given: Mapping[str, Any]) -> Any:
    if not hasattr(kind, "_fields"):
        return given[name]
    return kind(*(_made(field, hint, given) for field, hint in get_type_hints(kind, include_extras=True).items()))


def command(example: str, **settings: Any) -> Callable[[Callable[..., int]], None]:
    """Makes a command of a function that returns the exit status: each of its parameters is an option, or several."""

    def register(function: Callable[..., int]) -> None:
        hints = get_type_hints(function, include_extras=True)
        del hints["return"]
        defaults = {name: each.default for name, each in signature(function).parameters.items()}

        def call(**given: Any) -> None:
            raise typer.Exit(function(**{name: _made(name, hint, given) for name, hint in hints.items()}))

        made: Any = call
        parameters = [each for name, hint in hints.items() for each in _flat(name, hint, defaults[name])]
        made.__signature__ = Signature(parameters)
        made.__annotations__ = {each.name: each.annotation for each in parameters}
        made.__doc__ = function.__doc__
        name = function.__name__.replace("_", "-")
        app.command(name, epilog=f"Example: shielded-function {name} {example}".strip(), **settings)(made)

    return register


@command("cdk.out Shop/Checkout --event event.json --alert")
def run(chosen: OneFunction, given: options.Run, json: Json = False) -> int:
    """Invoke one of your own functions, shielded, in an emulated Lambda (on Linux).

    Nothing leaves the machine: every name resolves, and every connection is refused, except by a host of --reply. The
    function's runtime is fetched first, unless this machine has it. The exit status is 0 if the function returned and
    the shield had nothing to report, 3 if it returned and there were alerts, 1 if it failed, and 2 if it could not run.
    Install its dependencies: pip install "shielded-function\\[run]".
    """
    from . import run

    return run.run(chosen, given, json=json)


@command("cdk.out Shop/Checkout --incident event-stream")
def drill(
    chosen: OneFunction,
    incident: Annotated[
        list[str] | None, typer.Option(help="An incident, as --list names it; may be repeated. By default all.")
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(help="A TOML file with each incident's expected outcome: stopped, partly, passed, not run."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the incidents, without playing any.")] = False,
    json: Json = False,
) -> int:
    """Play real supply-chain incidents in one of your own functions, harmlessly, in an emulated Lambda (on Linux).

    Each is played twice, unshielded and with the function's own policy. Nothing leaves the machine. The exit status is
    0, 1 if an outcome differs from --expect, and 2 if an incident could not be played. Install its dependencies: pip
    install "shielded-function\\[run]".
    """
    from . import drill
    from .run import named

    if listing:
        return drill.show(json=json)
    assembly, _ = named("drill", chosen)
    return drill.run(assembly, drill.Options(chosen, incident or (), expect), json=json)


@command("nodejs22.x java21")
def fetch(
    runtime: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUNTIME]...", help="As Lambda names it: nodejs22.x, java21.", show_default=False),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the runtimes, without fetching any.")] = False,
    json: Json = False,
) -> int:
    """Fetch a runtime for `run` and `drill`, before they do so themselves.

    Each file's hash is checked, or apt checks its signature. They are kept in ~/.cache/shielded-function. The exit
    status is 2 if one is not available.
    """
    from . import fetch

    return fetch.run(runtime or (), listing=listing, json=json)


@command("--json", hidden=not is_checkout())
def demo(json: Json = False) -> int:
    """Attack an example function, unshielded and shielded, in an emulated Lambda (from a checkout, on Linux).

    The exit status is 1 if an attempt did not go as it should.
    """
    from . import demo

    return demo.run(json=json)


@command("--stack Shop --assembly cdk.out --output policies")
def learn(
    where: Where,
    policy: Annotated[
        Path | None, typer.Option("--policy", "-p", help="A file with the present policy: YAML, TOML, JSON or lines.")
    ] = None,
    assembly: Annotated[Path | None, typer.Option(help="The folder cdk.out, with the present policies.")] = None,
    place: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="The construct path of a function whose name is not in the template."),
    ] = None,
    granted: Annotated[
        bool, typer.Option("--granted", help='The policy sets allow_aws="granted", or does not set allow_aws.')
    ] = False,
    accept: Annotated[
        list[str] | None, typer.Option(help="Add an offered entry, or one to decide, to the policy; may be repeated.")
    ] = None,
    form: Annotated[LearnFormat, typer.Option("--format", help="The format of the output.")] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, or a folder for a file of each function.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only list targets that the present policies or the lock lack; exit 1 then.")
    ] = False,
    packages: Annotated[
        bool, typer.Option("--packages", help="Name the packages in the entries of allow_outbound.")
    ] = False,
    lock: Annotated[
        Path | None,
        typer.Option(help="A file with the targets of each package: written, or with --check compared with the log."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
    json: Json = False,
) -> int:
    """Learn the least policy for the observed behaviour of functions, best in alert mode.

    Wildcards are offered, and targets that look like an attack are listed for you to decide: learn adds neither. The
    exit status is 0; 1 with --check if a present policy, or the lock, lacks an observed target; 3 if the written policy
    would deny an observed target, or targets are unknown: then learn prints the --accept options that complete it.
    """
    from . import learn

    options = learn.Options(
        policy, assembly, place or (), granted, accept or (), form, output, check, every, packages, lock
    )
    return learn.run(where, options, json=json)


@command("--policy checkout.policy")
def explain(
    policy: PolicyFile = None,
    policy_file: OldPolicyFile = None,
    perimeter: Annotated[
        bool, typer.Option("--perimeter", help="Explain both halves: the engine's and the ShieldPerimeter's.")
    ] = False,
    region: PolicyRegion = "us-east-1",
    json: Json = False,
) -> int:
    """Explain a policy in plain words."""
    from . import policy as policies

    chosen = policies.load(policy, os.environ)
    if perimeter:
        return policies.explain_perimeter(chosen, region=region, json=json)
    return policies.explain(chosen, json=json)


@command("connect api.stripe.com:443 --policy checkout.policy")
def decide(
    event: Annotated[Event, typer.Argument(help="The kind of event.", show_default=False)],
    target: Annotated[
        str,
        typer.Argument(
            help="host:port, a host name, a path under /tmp, a program's path, or a library's file.", show_default=False
        ),
    ],
    policy: PolicyFile = None,
    policy_file: OldPolicyFile = None,
    region: PolicyRegion = "us-east-1",
    json: Json = False,
) -> int:
    """Print a policy's decision about one event.

    The exit status is 0 if the event would happen (allowed, or only reported), 1 if it would be denied, and 3 if values
    known only at deployment decide.
    """
    from . import policy as policies

    return policies.decide(policies.load(policy, os.environ), event, target, region=region, json=json)


@command("")
def presets(json: Json = False) -> int:
    """List the presets of a policy: the needs of well-known libraries, by name."""
    from . import presets

    return presets.show(json=json)


@command("--function checkout --since 2h")
def alerts(where: Where, given: options.Alerts, json: Json = False) -> int:
    """Show the violations of shielded functions, from log groups (aggregated by Logs Insights) or from files.

    The exit status is 0 if there was no violation, 3 if there was one, and 2 if the logs could not be read, or if
    --hosts found nothing, and the log has only counts of some violations.
    """
    from . import alerts

    return alerts.alerts(where, given, json=json)


@command("--stack Shop --since 7d")
def report(where: Where, given: options.Page, json: Json = False) -> int:
    """Write a page about violations: when, by function, control and target, new ones, and which functions armed.

    The exit status is 0, or 3 if the log has only counts of some violations: the page lacks their targets.
    """
    from . import report

    return report.report(where, given, json=json)


@command("checkout outbound_connectivity=alert")
def set_mode(
    function: Annotated[str, typer.Argument(help="The function's name or ARN.", show_default=False)],
    modes: Annotated[
        list[str],
        typer.Argument(
            metavar="CONTROL=MODE...",
            help="block, alert, allow, or default: outbound_connectivity=alert",
            show_default=False,
        ),
    ],
    given: options.SetMode,
    json: Json = False,
) -> int:
    """Change the mode of a live function's controls, in an incident.

    Needs lambda:GetFunctionConfiguration, lambda:UpdateFunctionConfiguration and lambda:ListAliases. The exit status is
    0 if the function has the modes, 1 if you declined, and 2 if it could not be changed.
    """
    from . import set_mode

    return set_mode.set_mode(function, modes, given, json=json)


@command("cdk.out --production 'Live/*' --strict")
def audit(given: options.Audit, json: Json = False) -> int:
    """Check that every function of a synthesized app is shielded, and that its policy restricts it.

    The exit status is 1 if there is an error, or if something became looser than --against.
    """
    from . import audit

    return audit.run(given, json=json)


@command("")
def doctor(json: Json = False) -> int:
    """Print the facilities of this machine's kernel and sandbox that the shield needs."""
    from . import doctor

    return doctor.run(json=json)


@command("--arch arm64 --output layer.zip")
def layer(given: options.Layer, json: Json = False) -> int:
    """Write the shield's layer as a zip file, the same bytes on every machine."""
    from . import layer

    return layer.write(given, json=json)


@command("--format sam --policy checkout.policy --function checkout", context_settings={"allow_extra_args": True})
def render(
    context: typer.Context,
    form: Annotated[
        RenderFormat, typer.Option("--format", help="The output format; json is for the AWS CLI.", show_default=False)
    ],
    given: options.Render,
    policy: PolicyFile = None,
) -> int:
    """Print a policy for SAM, Terraform or the AWS CLI, with the layer, the metric filter and the alarms."""
    from . import policy as policies
    from . import render
    from .terminal import note

    if context.args:
        raise CliError(f"a policy file is an option: write --policy {context.args[0]}")
    found = policies.load(policy, os.environ)
    sys.stdout.write(render.render(found, form, given))
    if found.allow_aws in (None, "all"):
        note(render.NO_GRANTS)
    return 0


def main() -> None:
    """Runs the command of `sys.argv`: one line on stderr and exit status 2 when it fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters missing from the terminal's encoding are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        from shielded_function_monitoring.errors import ShieldError
        from shielded_function_monitoring.insights import TableError
        from shielded_function_runtime.core import CoreError, PolicyError

        from .terminal import note

        if not isinstance(error, ShieldError | TableError | CoreError | PolicyError):
            raise
        note(str(error).replace("\n", " "))  # it may quote a log
        sys.exit(2)
