"""The commands and their options. The module of a command is imported when the command is called."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated

import typer

from .choices import Architecture, Event, GroupedBy, LearnFormat, RenderFormat
from .demo import is_checkout
from .errors import CliError


def _version() -> str:
    return f"shielded-function {distribution_version('shielded-function')}"


app = typer.Typer(
    name="shielded-function",
    help="Confine the code of AWS Lambda functions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(_version())
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


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        "-p",
        help="A file: YAML, TOML or JSON by its ending, else NAME=value lines. Without it, the SHIELD_* variables.",
    ),
]
OldPolicyFile = Annotated[str | None, typer.Option("--policy-file", hidden=True, callback=_refuse_policy_file)]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILES]...",
        help="Files with log lines (.gz too); - is stdin. Without files, the logs come from AWS.",
        show_default=False,
    ),
]
LogGroups = Annotated[list[str] | None, typer.Option("--log-group", "-g", help="A log group; may be repeated.")]
Functions = Annotated[list[str] | None, typer.Option("--function", "-n", help="A function's name; may be repeated.")]
Stacks = Annotated[
    list[str] | None, typer.Option("--stack", "-s", help="A CloudFormation stack: all its functions; may be repeated.")
]
Every = Annotated[bool, typer.Option("--all", help="Show every row.")]
Until = Annotated[str | None, typer.Option(help="Until when, as --since; by default now.")]
Region = Annotated[str | None, typer.Option(help="The AWS region; by default that of the AWS settings.")]
Profile = Annotated[str | None, typer.Option(help="A profile of the AWS settings.")]
Env = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable of its environment; may be repeated.")
]
Value = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID=VALUE",
        help="A value known only at deployment: LogicalId (a Ref), LogicalId.Attribute, a parameter, an export's name.",
    ),
]
LayerContent = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ARN=PATH",
        help="The folder or zip file of a layer that is not in the assembly; ARN= leaves it out.",
    ),
]


@app.command()
def alerts(
    files: Files = None,
    log_group: LogGroups = None,
    function: Functions = None,
    stack: Stacks = None,
    since: Annotated[
        str | None, typer.Option(help="Since when: 30m, 12h, 7d, or a time; by default 24h of AWS, and all of files.")
    ] = None,
    until: Until = None,
    by: Annotated[GroupedBy, typer.Option(help="The property that a group shares.")] = "target",
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|preset:NAME",
            help="Only hosts on this list: a file with one a line, or a preset (preset:exfiltration); may be repeated.",
        ),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Show the newest log lines.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show lines as they come.")] = False,
    limit: Annotated[int | None, typer.Option(help="How many groups, or lines, to show; by default 50.")] = None,
    every: Every = False,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show the violations of shielded functions, from log groups (aggregated by Logs Insights) or from files.

    The exit status is 0 if there was no violation, 3 if there was one, and 2 if the logs could not be read, or if
    --hosts found nothing, and the log has only counts of some violations.
    """
    from . import alerts
    from .aws import Place
    from .log_groups import Where

    where = Where(files or (), log_group or (), function or (), stack or (), since, until, Place(region, profile))
    raise typer.Exit(alerts.alerts(where, alerts.Options(by, lines, follow, limit, every, hosts or ()), json=json))


@app.command()
def learn(
    files: Files = None,
    log_group: LogGroups = None,
    function: Functions = None,
    stack: Stacks = None,
    since: Annotated[
        str | None, typer.Option(help="Since when: 30m, 12h, 7d, or a time; by default 14d of AWS, and all of files.")
    ] = None,
    until: Until = None,
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
    every: Every = False,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Learn the least policy for the observed behaviour of functions, best in alert mode.

    Wildcards are offered, and targets that look like an attack are listed for you to decide: learn adds neither. The
    exit status is 0; 1 with --check if a present policy, or the lock, lacks an observed target; 3 if the written policy
    would deny an observed target, or targets are unknown: then learn prints the --accept options that complete it.
    """
    from . import learn
    from .aws import Place
    from .log_groups import Where

    where = Where(files or (), log_group or (), function or (), stack or (), since, until, Place(region, profile))
    options = learn.Options(
        policy, assembly, place or (), granted, accept or (), form, output, check, every, packages, lock
    )
    raise typer.Exit(learn.run(where, options, json=json))


@app.command()
def report(
    files: Files = None,
    log_group: LogGroups = None,
    function: Functions = None,
    stack: Stacks = None,
    since: Annotated[
        str | None, typer.Option(help="Since when: 30m, 12h, 7d, or a time; by default 7d of AWS, and all of files.")
    ] = None,
    until: Until = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, or -; by default shield-report.html; JSON: stdout.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="An earlier report of --json: violations that it lacks are new.")
    ] = None,
    assembly: Annotated[
        Path | None, typer.Option(help="The folder cdk.out: adds each function's blast radius to the report.")
    ] = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Write a page about violations: when, by function, control and target, new ones, and which functions armed.

    The exit status is 0, or 3 if the log has only counts of some violations: the page lacks their targets.
    """
    from . import report
    from .aws import Place
    from .log_groups import Where

    where = Where(files or (), log_group or (), function or (), stack or (), since, until, Place(region, profile))
    raise typer.Exit(report.report(where, report.Options(json, output, previous, assembly)))


@app.command(hidden=not is_checkout())
def demo(json: Json = False) -> None:
    """Attack an example function, unshielded and shielded, in an emulated Lambda (from a checkout, on Linux).

    The exit status is 1 if an attempt did not go as it should.
    """
    from . import demo

    raise typer.Exit(demo.run(json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Print the facilities of this machine's kernel and sandbox that the shield needs."""
    from . import doctor

    raise typer.Exit(doctor.run(json=json))


@app.command()
def explain(
    policy: PolicyFile = None,
    policy_file: OldPolicyFile = None,
    perimeter: Annotated[
        bool, typer.Option("--perimeter", help="Explain both halves: the engine's and the ShieldPerimeter's.")
    ] = False,
    region: Annotated[
        str, typer.Option(help="The function's AWS region, for --perimeter.", envvar="AWS_REGION")
    ] = "us-east-1",
    json: Json = False,
) -> None:
    """Explain a policy in plain words."""
    from . import policy as policies

    chosen = policies.load(policy, os.environ)
    if perimeter:
        raise typer.Exit(policies.explain_perimeter(chosen, region=region, json=json))
    raise typer.Exit(policies.explain(chosen, json=json))


@app.command()
def presets(json: Json = False) -> None:
    """List the presets of a policy: the needs of well-known libraries, by name."""
    from . import presets

    raise typer.Exit(presets.show(json=json))


@app.command()
def audit(
    directory: Annotated[Path, typer.Argument(help="The folder that `cdk synth` writes.")] = Path("cdk.out"),
    against: Annotated[
        Path | None, typer.Option(help="An earlier such folder: find policies that became looser since.")
    ] = None,
    production: Annotated[
        list[str] | None, typer.Option(help="A construct path, or a glob, of production functions. May be repeated.")
    ] = None,
    perimeter: Annotated[
        list[str] | None,
        typer.Option(help="A construct path, or a glob, of functions that need a ShieldPerimeter. May be repeated."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    json: Json = False,
    sarif: Annotated[str | None, typer.Option(help="Write SARIF 2.1.0 to this file; - prints it.")] = None,
    show_all: Annotated[
        bool,
        typer.Option("--all", help="Also list code that runs outside Lambda, and each function's blast radius."),
    ] = False,
    today: Annotated[
        str | None, typer.Option(help="The day of the check, as 2027-01-31; by default the clock's, in UTC.")
    ] = None,
) -> None:
    """Check that every function of a synthesized app is shielded, and that its policy restricts it.

    The exit status is 1 if there is an error, or if something became looser than --against.
    """
    from . import audit

    raise typer.Exit(
        audit.run(
            directory,
            against=against,
            production=production or (),
            perimeter=perimeter or (),
            strict=strict,
            json=json,
            sarif=sarif,
            show_all=show_all,
            today=today,
        )
    )


@app.command()
def decide(
    event: Annotated[Event, typer.Argument(help="The kind of event.", show_default=False)],
    target: Annotated[
        str, typer.Argument(help="host:port, a host name, a path under /tmp, a program's path, or a library's file.")
    ],
    policy: PolicyFile = None,
    policy_file: OldPolicyFile = None,
    region: Annotated[
        str, typer.Option(help="The function's AWS region, for allow_aws.", envvar="AWS_REGION")
    ] = "us-east-1",
    json: Json = False,
) -> None:
    """Print a policy's decision about one event.

    The exit status is 0 if the event would happen (allowed, or only reported), 1 if it would be denied, and 3 if values
    known only at deployment decide.
    """
    from . import policy as policies

    chosen = policies.load(policy, os.environ)
    raise typer.Exit(policies.decide(chosen, event, target, region=region, json=json))


@app.command()
def layer(
    arch: Annotated[Architecture, typer.Option(help="The function's architecture.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The zip file to write.", show_default=False)],
    sbom: Annotated[
        Path | None, typer.Option(help="Also write a CycloneDX SBOM of the layer.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that hold something else.")] = False,
    json: Json = False,
) -> None:
    """Write the shield's layer as a zip file, the same bytes on every machine."""
    from . import layer

    raise typer.Exit(layer.write(arch, output, sbom=sbom, force=force, json=json))


@app.command(context_settings={"allow_extra_args": True})
def render(
    context: typer.Context,
    form: Annotated[
        RenderFormat, typer.Option("--format", help="The output format; json is for the AWS CLI.", show_default=False)
    ],
    policy: PolicyFile = None,
    function: Annotated[str, typer.Option("--function", "-n", help="The function's name.")] = "my-function",
    arch: Annotated[Architecture, typer.Option(help="The function's architecture.")] = "x86_64",
    layer: Annotated[
        str, typer.Option(help="The layer's zip file, relative to the template.")
    ] = "shielded-function-layer.zip",
) -> None:
    """Print a policy for SAM, Terraform or the AWS CLI, with the layer, the metric filter and the alarms."""
    from . import policy as policies
    from . import render
    from .terminal import note

    if context.args:
        raise CliError(f"a policy file is an option: write --policy {context.args[0]}")
    found = policies.load(policy, os.environ)
    sys.stdout.write(render.render(found, form, render.Options(function, arch, layer)))
    if found.allow_aws in (None, "all"):
        note(render.NO_GRANTS)


@app.command("set-mode")
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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes, without making them.")] = False,
    region: Annotated[str | None, typer.Option(help="The AWS region; by default that of the AWS settings.")] = None,
    profile: Annotated[str | None, typer.Option(help="A profile of the AWS settings.")] = None,
    json: Json = False,
) -> None:
    """Change the mode of a live function's controls, in an incident.

    Needs lambda:GetFunctionConfiguration, lambda:UpdateFunctionConfiguration and lambda:ListAliases. The exit status is
    0 if the function has the modes, 1 if you declined, and 2 if it could not be changed.
    """
    from . import set_mode

    options = set_mode.Options(yes, dry_run, region, profile)
    raise typer.Exit(set_mode.set_mode(function, modes, options, json=json))


@app.command()
def run(
    assembly: Annotated[Path, typer.Argument(help="The folder that `cdk synth` writes: cdk.out.", show_default=False)],
    function: Annotated[
        str, typer.Argument(help="The function: its construct path, logical id, name or id.", show_default=False)
    ],
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="A file with the event as JSON, or - for stdin; by default {}. A .jsonl file has an event on each "
            "line. May be repeated: the events follow each other in one sandbox.",
            show_default=False,
        ),
    ] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Run it in alert mode: report violations, and block nothing.")
    ] = False,
    env: Env = None,
    value: Value = None,
    layer: LayerContent = None,
    log: Annotated[Path | None, typer.Option(help="Write the function's log to this file, for `learn`.")] = None,
    reply: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST=FILE|STATUS|moto",
            help="A host that answers calls that the policy lets through: with a file's content, an HTTP status, or, "
            "for AWS ('*.amazonaws.com=moto'), as moto does, where that is installed. HOST may have wildcards. May be "
            "repeated.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Invoke one of your own functions, shielded, in an emulated Lambda (on Linux).

    Nothing leaves the machine: every name resolves, and every connection is refused, except by a host of --reply. The
    function's runtime is fetched first, unless this machine has it. The exit status is 0 if the function returned and
    the shield had nothing to report, 3 if it returned and there were alerts, 1 if it failed, and 2 if it could not run.
    Install its dependencies: pip install "shielded-function\\[run]".
    """
    from . import run

    options = run.Options(function, event or (), alert, env or (), value or (), layer or (), log, reply or ())
    raise typer.Exit(run.run(assembly, options, json=json))


@app.command()
def drill(
    assembly: Annotated[
        Path | None, typer.Argument(help="The folder that `cdk synth` writes: cdk.out.", show_default=False)
    ] = None,
    function: Annotated[
        str | None, typer.Argument(help="The function: its construct path, logical id, name or id.", show_default=False)
    ] = None,
    incident: Annotated[
        list[str] | None, typer.Option(help="An incident, as --list names it; may be repeated. By default all.")
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(help="A TOML file with each incident's expected outcome: stopped, partly, passed, not run."),
    ] = None,
    env: Env = None,
    value: Value = None,
    layer: LayerContent = None,
    listing: Annotated[bool, typer.Option("--list", help="List the incidents, without playing any.")] = False,
    json: Json = False,
) -> None:
    """Play real supply-chain incidents in one of your own functions, harmlessly, in an emulated Lambda (on Linux).

    Each is played twice, unshielded and with the function's own policy. Nothing leaves the machine. The exit status is
    0, 1 if an outcome differs from --expect, and 2 if an incident could not be played. Install its dependencies: pip
    install "shielded-function\\[run]".
    """
    from . import drill
    from . import run as runs

    if listing:
        raise typer.Exit(drill.show(json=json))
    if assembly is None or function is None:
        raise CliError("name the folder and the function: shielded-function drill cdk.out Shop/Checkout")
    options = runs.Options(function, variables=env or (), values=value or (), layers=layer or ())
    raise typer.Exit(drill.run(assembly, drill.Options(options, incident or (), expect), json=json))


@app.command()
def fetch(
    runtime: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUNTIME]...", help="As Lambda names it: nodejs22.x, java21.", show_default=False),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the runtimes, without fetching any.")] = False,
    json: Json = False,
) -> None:
    """Fetch a runtime for `run` and `drill`, before they do so themselves.

    Each file's hash is checked, or apt checks its signature. They are kept in ~/.cache/shielded-function. The exit
    status is 2 if one is not available.
    """
    from . import fetch

    raise typer.Exit(fetch.run(runtime or (), listing=listing, json=json))


def main() -> None:
    """Runs the command of `sys.argv`: one line on stderr and exit status 2 when it fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters missing from the terminal's encoding are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        from shielded_function_monitoring.insights import TableError
        from shielded_function_monitoring.visible import visible

        if not isinstance(error, CliError | TableError):
            raise
        text = visible(str(error).replace("\n", " "))  # it may quote a log
        print(f"shielded-function: {text}", file=sys.stderr)
        sys.exit(2)
