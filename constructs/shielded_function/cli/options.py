"""The options of the commands: each is declared once, for the command line and for the command's module.

`app.command` makes options of the fields of these classes, which have the names of their commands. The words of a
`Literal` are in the help, a shell completes them, and any other word is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from typer import Argument, Option

Architecture = Literal["x86_64", "arm64"]
"""Lambda's names."""
Event = Literal["connect", "udp", "resolve", "tmp", "tmp-at-start", "exec", "exec-static", "memory"]
"""The events of `ShieldPolicy.decide`."""
GroupedBy = Literal["target", "package", "policy", "function"]
"""The groupings of `alerts`."""
RenderFormat = Literal["env", "sam", "terraform", "json"]

Texts = Sequence[str]
_FOLDER = "The folder that `cdk synth` writes: cdk.out."
_FILES = "Files with log lines (.gz too); - is stdin. Without files, the logs come from AWS."
_SINCE = "Since when: 30m, 12h, 7d, or a time; by default all of files, and 24h of AWS (report: 7d, learn: 14d)."
_POLICY = "A file: YAML, TOML or JSON by its ending, else NAME=value lines. Without it, the SHIELD_* variables."
_HOSTS = "Only hosts on this list: a file with one a line, or a preset (preset:exfiltration); may be repeated."
_VALUE = (
    "A value known only at deployment: LogicalId (a Ref), LogicalId.Attribute, a parameter, an export's name; may be "
    "repeated."
)
_PLACE = "The construct path of a function whose name is not in the template."
_GRANTED = 'The policy sets allow_aws="granted", or does not set allow_aws.'
_CHECK = "Only list targets that the present policies or the lock lack; exit 1 then."
_LOCK = "A file with the targets of each package: written, or with --check compared with the log."
_TARGET = "host:port, a host name, a path under /tmp, a program's path, or a library's file."
_MODES = "Names, ARNs or globs of functions; then block, alert, allow or default: outbound_connectivity=alert"
_NAMES = "Names of functions, or globs ('shop-*'); by default all."
_REQUIRE = "Exit 1 unless it holds for each function: shield, layer, block, armed, alarm, drift, runtime, alias."
_EXPECT = "A TOML file with each incident's expected outcome: stopped, partly, passed, not run."
_LAYER = "The folder or zip file of a layer that is not in the assembly; ARN= leaves it out."
_EVENT = (
    "A file with the event as JSON, or - for stdin; by default {}. A .jsonl file has an event on each line. May be "
    "repeated: the events follow each other in one sandbox."
)
_REPLY = (
    "A host that answers calls that the policy lets through: with a file's content, an HTTP status, or, for AWS "
    "('*.amazonaws.com=moto'), as moto does, where that is installed. HOST may have wildcards. May be repeated."
)

PolicyFile = Annotated[Path | None, Option("--policy", "-p", help=_POLICY)]
PolicyRegion = Annotated[str, Option("--region", help="The function's AWS region.", envvar="AWS_REGION")]
ToArchitecture = Annotated[Architecture, Option("--arch", help="The function's architecture.", show_default=False)]
Every = Annotated[bool, Option("--all", help="Show every row.")]


class Place(NamedTuple):
    """The account and region; None: of the AWS settings."""

    region: Annotated[str | None, Option(help="The AWS region; by default that of the AWS settings.")] = None
    profile: Annotated[str | None, Option(help="A profile of the AWS settings.")] = None


class Where(NamedTuple):
    """The lines to read. Where nothing is named: of all log groups with the shield's metric filters."""

    files: Annotated[Texts, Argument(metavar="FILES", help=_FILES, show_default=False)] = ()
    log_groups: Annotated[Texts, Option("--log-group", "-g", help="A log group; may be repeated.")] = ()
    functions: Annotated[Texts, Option("--function", "-n", help="A function's name; may be repeated.")] = ()
    stacks: Annotated[Texts, Option("--stack", "-s", help="All functions of a stack; may be repeated.")] = ()
    since: Annotated[str | None, Option(help=_SINCE)] = None
    until: Annotated[str | None, Option(help="Until when, as --since; by default now.")] = None
    place: Place = Place()


class Learn(NamedTuple):
    policy: Annotated[Path | None, Option("--policy", "-p", help="A file with the present policy.")] = None
    assembly: Annotated[Path | None, Option(help="The folder cdk.out, with the present policies.")] = None
    places: Annotated[Texts, Option("--place", metavar="NAME=PATH", help=_PLACE)] = ()
    granted: Annotated[bool, Option("--granted", help=_GRANTED)] = False
    accept: Annotated[Texts, Option(help="Add an offered entry, or one to decide; may be repeated.")] = ()
    form: Annotated[Literal["table", "toml", "python"], Option("--format", help="The format of the output.")] = "table"
    output: Annotated[Path | None, Option("--output", "-o", help="A file; or a folder, for a file by function.")] = None
    check: Annotated[bool, Option("--check", help=_CHECK)] = False
    every: Every = False
    packages: Annotated[bool, Option("--packages", help="Name packages in allow_outbound's entries.")] = False
    lock: Annotated[Path | None, Option(help=_LOCK)] = None


class Explain(NamedTuple):
    policy: PolicyFile = None
    perimeter: Annotated[bool, Option("--perimeter", help="Both halves: the engine's and the perimeter's.")] = False
    region: PolicyRegion = "us-east-1"


class Decide(NamedTuple):
    event: Annotated[Event, Argument(help="The kind of event.", show_default=False)]
    target: Annotated[str, Argument(help=_TARGET, show_default=False)]
    policy: PolicyFile = None
    region: PolicyRegion = "us-east-1"


class Alerts(NamedTuple):
    group: Annotated[GroupedBy, Option("--by", help="The property that a group shares.")] = "target"
    lines: Annotated[bool, Option("--lines", help="Show the newest log lines.")] = False
    follow: Annotated[bool, Option("--follow", "-f", help="Show lines as they come.")] = False
    limit: Annotated[int | None, Option(help="How many groups, or lines, to show; by default 50.")] = None
    every: Every = False
    hosts: Annotated[Texts, Option(metavar="FILE|preset:NAME", help=_HOSTS)] = ()


class Page(NamedTuple):
    """Of `report`."""

    output: Annotated[str | None, Option("--output", "-o", help="By default shield-report.html; JSON: stdout.")] = None
    previous: Annotated[Path | None, Option(help="A report of --json: violations that it lacks are new.")] = None


class Audit(NamedTuple):
    directory: Annotated[Path, Argument(help=_FOLDER)] = Path("cdk.out")
    against: Annotated[Path | None, Option(help="An earlier cdk.out: find policies that became looser.")] = None
    production: Annotated[Texts, Option(help="Production functions: a path or a glob; may be repeated.")] = ()
    perimeter: Annotated[Texts, Option(help="Functions that need a ShieldPerimeter: as for --production.")] = ()
    strict: Annotated[bool, Option("--strict", help="Fail on warnings too.")] = False
    sarif: Annotated[str | None, Option(help="Write SARIF 2.1.0 to this file; - prints it.")] = None
    every: Annotated[bool, Option("--all", help="Also list code outside Lambda, and blast radii.")] = False
    today: Annotated[str | None, Option(help="The day of the check, as 2027-01-31; by default today, in UTC.")] = None


class Layer(NamedTuple):
    architecture: ToArchitecture
    output: Annotated[Path, Option("--output", "-o", help="The zip file to write.", show_default=False)]
    sbom: Annotated[Path | None, Option(help="Also write a CycloneDX SBOM of the layer.")] = None
    force: Annotated[bool, Option("--force", help="Replace files that hold something else.")] = False


class Render(NamedTuple):
    """Of `render`: the form, the policy, and the names for the text."""

    form: Annotated[RenderFormat, Option("--format", help="The form; json is for the AWS CLI.", show_default=False)]
    policy: PolicyFile = None
    function: Annotated[str, Option("--function", "-n", help="The function's name.")] = "my-function"
    architecture: ToArchitecture = "x86_64"
    layer: Annotated[str, Option(help="Its zip file, relative to the template.")] = "shielded-function-layer.zip"
    misplaced: Annotated[Texts, Argument(hidden=True)] = ()


class SetMode(NamedTuple):
    words: Annotated[Texts, Argument(metavar="FUNCTION|CONTROL=MODE", help=_MODES, show_default=False)]
    tags: Annotated[Texts, Option("--tag", metavar="KEY=VALUE", help="Functions with this tag; may be repeated.")] = ()
    every: Annotated[bool, Option("--all", help="Every shielded function of the account and region.")] = False
    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask.")] = False
    dry_run: Annotated[bool, Option("--dry-run", help="Show the changes, without making them.")] = False
    place: Place = Place()


class Selection(NamedTuple):
    """Functions of an account: those with a name and with every tag."""

    names: Annotated[Texts, Argument(metavar="FUNCTIONS", help=_NAMES, show_default=False)] = ()
    tags: Annotated[Texts, Option("--tag", metavar="KEY=VALUE", help="Only functions with this tag.")] = ()


class Inventory(NamedTuple):
    selection: Selection = Selection()
    require: Annotated[Texts, Option(metavar="WHAT", help=_REQUIRE)] = ()
    assembly: Annotated[Path | None, Option(help="The folder cdk.out: settings that differ are drift.")] = None
    production: Annotated[Texts, Option(help="Production functions: a name or a glob; may be repeated.")] = ()
    since: Annotated[str, Option(help="Since when starts are read: 12h, 7d, or a time.")] = "7d"
    regions: Annotated[Texts, Option("--region", help="An AWS region; may be repeated.")] = ()
    profile: Annotated[str | None, Option(help="A profile of the AWS settings.")] = None


class OneFunction(NamedTuple):
    """Of `run` and `drill`: a function of a `cdk.out`, and values of its deployment that the template does not have."""

    assembly: Annotated[Path | None, Argument(help=_FOLDER)] = None
    function: Annotated[str | None, Argument(help="Its construct path, logical id, name or id.")] = None
    variables: Annotated[Texts, Option("--env", metavar="NAME=VALUE", help="A variable; may be repeated.")] = ()
    values: Annotated[Texts, Option("--value", metavar="ID=VALUE", help=_VALUE)] = ()
    layers: Annotated[Texts, Option("--layer", metavar="ARN=PATH", help=_LAYER)] = ()


class Run(NamedTuple):
    events: Annotated[Texts, Option("--event", metavar="FILE", help=_EVENT)] = ()
    alert: Annotated[bool, Option("--alert", help="Run in alert mode: report violations, and block nothing.")] = False
    log: Annotated[Path | None, Option(help="Write the function's log to this file, for `learn`.")] = None
    replies: Annotated[Texts, Option("--reply", metavar="HOST=FILE|STATUS|moto", help=_REPLY)] = ()


class Drill(NamedTuple):
    incidents: Annotated[Texts, Option("--incident", help="One of --list; may be repeated. By default all.")] = ()
    expect: Annotated[Path | None, Option(help=_EXPECT)] = None
    listing: Annotated[bool, Option("--list", help="List the incidents, without playing any.")] = False


class Fetch(NamedTuple):
    names: Annotated[Texts, Argument(metavar="RUNTIMES", help="As Lambda names it: nodejs22.x, java21.")] = ()
    listing: Annotated[bool, Option("--list", help="List the runtimes, without fetching any.")] = False
