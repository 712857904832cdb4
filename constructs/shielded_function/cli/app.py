"""The commands and their options. What they do is in the module of each, imported when it is called."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated

import typer

from .errors import CliError

app = typer.Typer(
    name="shielded-function",
    help="Decide what the code of an AWS Lambda function may do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy-file", help="A file of NAME=value lines; without it, the SHIELD_* variables are read."),
]


@app.command()
def demo(json: Json = False) -> None:
    """Attack an example function, unshielded and shielded, in an emulated Lambda (from a checkout, on Linux).

    The exit status is 1 if an attempt did not go as it should.
    """
    from . import demo

    raise typer.Exit(demo.run(json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Tell what this machine's kernel and sandbox allow, as the shield would find it."""
    from . import doctor

    raise typer.Exit(doctor.run(json=json))


@app.command()
def explain(policy_file: PolicyFile = None, json: Json = False) -> None:
    """Tell what a policy means, in words."""
    from . import policy

    raise typer.Exit(policy.explain(policy.load(policy_file, os.environ), json=json))


@app.command()
def decide(
    event: Annotated[str, typer.Argument(help="connect, udp, resolve, tmp, tmp-at-start, exec or exec-static.")],
    target: Annotated[str, typer.Argument(help="host:port, a host name, a path under /tmp, or a program's path.")],
    policy_file: PolicyFile = None,
    region: Annotated[
        str, typer.Option(help="The function's AWS region, for allow_aws.", envvar="AWS_REGION")
    ] = "us-east-1",
    json: Json = False,
) -> None:
    """Tell what a policy makes of one event.

    The exit status is 0 if it would happen (allowed, or only reported) and 1 if it would be denied.
    """
    from . import policy

    chosen = policy.load(policy_file, os.environ)
    raise typer.Exit(policy.decide(chosen, event, target, region=region, json=json))


@app.command()
def version() -> None:
    """Print the version."""
    print(f"shielded-function {distribution_version('shielded-function')}")


def main() -> None:
    """The entry point: one line on stderr and exit status 2 when a command cannot do its work."""
    try:
        app()
    except CliError as error:
        print(f"shielded-function: {error}", file=sys.stderr)
        sys.exit(2)
