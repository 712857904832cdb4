"""`shielded-function inventory`: the functions of an account, as AWS has them, with their shields and problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from shielded_function.layer.archive import code_sha256, layer_zip, missing_binaries
from shielded_function.names import LAMBDAS, POLICY_FILE_VARIABLE, WRAPPER_VARIABLE
from shielded_function.policy.fields import setting_of
from shielded_function_monitoring.filters import NAMESPACE
from shielded_function_monitoring.insights.queries import Query, aggregates_of

from .aws import call, client
from .failures import NO, CliError
from .live_functions import Configuration, find_functions, is_selected, is_shielded, variables_of, versions_behind
from .log_groups import batches_of
from .modes import POLICIES
from .options import Inventory, Place
from .present import InAssembly
from .progress import Progress
from .sources import Span, ask_aws, span_of
from .terminal import Listing, console, note, print_json

if TYPE_CHECKING:
    from shielded_function.checks.templates import LambdaFunction

REQUIREMENTS: Final[Mapping[str, str]] = {
    "shield": "the shield is its exec wrapper, and a layer holds a shield",
    "layer": "that layer holds the shield of this package",
    "block": "no control that blocks by default is in another mode",
    "armed": "it started with the shield since --since",
    "alarm": "an alarm with an action watches its violations",
    "drift": "its settings are those of --assembly",
    "runtime": "AWS does not replace its runtime by itself, if it is of --production",
    "alias": "each version behind an alias has the settings and layers of $LATEST",
}
"""The words of `--require`, and their meanings."""
_IN_COLUMNS: Final = ("armed", "block")
_SHIELD: Final = re.compile("shield", re.IGNORECASE)
_FLEET: Final = f'SCHEMA("{NAMESPACE}"'


@dataclass
class Live:
    """One function.

    Attributes:
        region, name: of the function.
        shielded: whether the shield is its exec wrapper.
        layer: the shield's layer, with its version; empty for none.
        modes: of each control; empty where the runtime decides or the policy file has it.
        last_armed: the last start with the shield in the time asked for; empty for none.
        alarms: the names of those with actions.
        problems: by requirement, why it does not hold.
        unknown: by requirement, why that is not known.
    """

    region: str
    name: str
    shielded: bool = False
    layer: str = ""
    modes: dict[str, str] = field(default_factory=dict[str, str])
    last_armed: str = ""
    alarms: list[str] = field(default_factory=list[str])
    problems: dict[str, str] = field(default_factory=dict[str, str])
    unknown: dict[str, str] = field(default_factory=dict[str, str])


def run(options: Inventory, *, json: bool) -> int:
    """Prints the functions; 0, or 1 where one does not have, or may lack, a thing that `--require` names.

    Raises:
        CliError: an option is wrong, or AWS does not list the functions.
    """
    if odd := [name for name in options.require if name not in REQUIREMENTS]:
        raise CliError(f"--require {odd[0]}: unknown; known are {', '.join(REQUIREMENTS)}")
    for name, given in (("drift", options.assembly), ("runtime", options.production)):
        if name in options.require and not given:
            raise CliError(f"--require {name} needs --{'assembly' if name == 'drift' else 'production'}")
    assembly = InAssembly(options.assembly) if options.assembly else None
    span = span_of(options.since, None)
    found: list[Live] = []
    notes: list[str] = []
    with Progress() as progress:
        for name in options.regions or (None,):
            region = _Region(Place(name, options.profile), options, assembly, span, notes)
            for each in region.read():
                found.append(each)
                progress.show(lambda: f"{len(found):,} functions read")
    failing = [each for each in found if {*options.require} & (each.problems.keys() | each.unknown.keys())]
    if json:
        functions = [asdict(each) for each in found]
        print_json({"since": options.since, "functions": functions, "failing": len(failing), "notes": notes})
    else:
        _print(found, options)
        note(*notes)
    return NO if failing else 0


class _Region:
    """The functions of one account and region."""

    def __init__(
        self, place: Place, options: Inventory, assembly: InAssembly | None, span: Span, notes: list[str]
    ) -> None:
        """`notes` receives the notes of the questions."""
        self._functions, self._place = client("lambda", place), place
        self._options, self._assembly, self._span, self._notes = options, assembly, span, notes
        self._digests: dict[str, str] = {}

    def read(self) -> Iterator[Live]:
        listed = list(find_functions(self._functions, self._options.selection))
        try:
            armed, unseen = self._armed(listed), ""
        except CliError as error:
            armed, unseen = {}, str(error)
        for each in listed:
            name, variables = each["FunctionName"], variables_of(each)
            live = Live(self._functions.meta.region_name, name, is_shielded(each))
            if "Error" in each.get("Environment", {}):
                live.unknown["shield"] = "its variables cannot be read: allow kms:Decrypt on the key that encrypts them"
            live.last_armed = armed.get(name, "")
            if unseen:
                live.unknown["armed"] = unseen
            self._check(live, each, variables)
            yield live

    def _check(self, live: Live, function: Configuration, variables: Mapping[str, str]) -> None:
        """Fills in the problems. A request that fails makes one of them unknown."""
        checks: dict[str, Callable[[], str]] = {
            "alias": lambda: self._aliases(live.name, function),
            "runtime": lambda: self._runtime(live.name),
            "drift": lambda: self._drift(live.name, variables),
        }
        if live.shielded:
            in_file = POLICY_FILE_VARIABLE in variables
            live.modes = {
                policy: variables.get(setting_of(policy), "" if in_file else mode) for policy, mode in POLICIES.items()
            }
            checks |= {
                "layer": lambda: self._layer(live, function),
                "block": lambda: ", ".join(
                    f"{policy} is {live.modes[policy] or 'unknown'}"
                    for policy, mode in POLICIES.items()
                    if mode == "block" and live.modes[policy] != mode
                ),
                "armed": lambda: "" if live.last_armed else f"no start with the shield in {self._options.since}",
                "alarm": lambda: self._alarm(live),
            }
        elif not live.unknown:
            live.problems["shield"] = "it is not shielded"
        for name, check in checks.items():
            if name in live.unknown:
                continue
            try:
                if problem := check():
                    live.problems[name] = problem
            except CliError as error:
                live.unknown[name] = str(error)

    def _armed(self, listed: Sequence[Configuration]) -> dict[str, str]:
        """The last start of each function that has the wrapper; one question for each fifty log groups."""
        by_group: dict[str, list[str]] = {}
        for each in listed:
            if is_shielded(each):
                group = each.get("LoggingConfig", {}).get("LogGroup") or LAMBDAS + each["FunctionName"]
                by_group.setdefault(group, []).append(each["FunctionName"])
        if not by_group:
            return {}
        last = aggregates_of("latest(timestamp) as last_seen")
        found = ask_aws(
            self._place,
            self._span,
            batches_of(by_group)[0],
            [lambda functions: Query('event = "armed"', functions, last, ("function",))],
        )
        self._notes += found.notes
        return {row["function"]: row["last_seen"] for row in found.rows[0] if "function" in row}

    def _layer(self, live: Live, function: Configuration) -> str:
        """The problem of the shield's layer: there is none, or it holds another version."""
        architecture = (function.get("Architectures") or ["x86_64"])[0]
        arns = [each["Arn"] for each in function.get("Layers", ())]
        if function.get("PackageType") == "Image":
            return ""
        if missing := missing_binaries(architecture):
            raise CliError(missing[0])
        ours = _digest_of_package(architecture)
        shield = next((arn for arn in arns if self._digest(arn) == ours), "")
        named = [arn for arn in arns if _SHIELD.search(arn.partition(":layer:")[2])]
        live.layer = (shield or (named or [""])[-1]).partition(":layer:")[2]
        if not arns:
            live.problems["shield"] = "its exec wrapper is the shield, and it has no layer"
        return "" if shield else f"{live.layer or 'no layer'} does not hold the shield of this package"

    def _digest(self, arn: str) -> str:
        if arn not in self._digests:
            name, _, number = arn.rpartition(":")
            asked = {"LayerName": name, "VersionNumber": int(number)}
            content = call(self._functions, "lambda:GetLayerVersion", arn, **asked)["Content"]
            self._digests[arn] = content["CodeSha256"]
        return self._digests[arn]

    @cached_property
    def _acting(self) -> list[tuple[str, str]]:
        """Alarms by name, each with a function that it watches. A composite alarm acts for those that it names."""
        alarms = client("cloudwatch", self._place)
        kinds = ("MetricAlarm", "CompositeAlarm")
        metric, composite = (
            call(alarms, "cloudwatch:DescribeAlarms", "the alarms", f"{kind}s", AlarmTypes=[kind]) for kind in kinds
        )
        rules = " ".join(each["AlarmRule"] for each in composite if _acts(each))
        return [
            (each["AlarmName"], watched)
            for each in metric
            if _acts(each) or f'"{each["AlarmName"]}"' in rules or f":{each['AlarmName']}" in rules
            for watched in _watched(each)
        ]

    def _alarm(self, live: Live) -> str:
        live.alarms = sorted({name for name, watched in self._acting if watched in (live.name, "")})
        return "" if live.alarms else "no alarm with an action watches it"

    def _runtime(self, name: str) -> str:
        if not self._options.production or not is_selected(name, self._options.production):
            return ""
        found = call(self._functions, "lambda:GetRuntimeManagementConfig", name, FunctionName=name)
        if found.get("UpdateRuntimeOn") != "Auto":
            return ""
        return "AWS replaces its runtime by itself: set runtime_management_mode=RuntimeManagementMode.FUNCTION_UPDATE"

    def _drift(self, name: str, variables: Mapping[str, str]) -> str:
        """The settings that differ from the template's, whose texts alone are compared."""
        function: LambdaFunction | None = self._assembly.function_of(name) if self._assembly else None
        if function is None:
            return ""
        ours = {each: value for each, value in function.environment.items() if _is_ours(each)}
        live = {each: value for each, value in variables.items() if _is_ours(each)}
        differing = sorted(
            each
            for each in ours.keys() | live.keys()
            if isinstance(ours.get(each, ""), str) and ours.get(each) != live.get(each)
        )
        return ", ".join(f"{each}: {ours.get(each, 'not set')} -> {live.get(each, 'not set')}" for each in differing)

    def _aliases(self, name: str, latest: Configuration) -> str:
        problems: list[str] = []
        for version, names in versions_behind(self._functions, name).items():
            asked = {"FunctionName": name, "Qualifier": version}
            found = call(self._functions, "lambda:GetFunctionConfiguration", name, **asked)
            if differs := _differs(found, latest):
                problems.append(f"{', '.join(names)} (version {version}) differs: {differs}")
        return "; ".join(problems)


@cache
def _digest_of_package(architecture: str) -> str:
    return code_sha256(layer_zip(architecture))


def _is_ours(variable: str) -> bool:
    return variable.startswith("SHIELD_") or variable == WRAPPER_VARIABLE


def _differs(version: Configuration, latest: Configuration) -> str:
    """How a version's settings and layers differ from those of $LATEST."""
    settings, expected = (
        {name: value for name, value in variables_of(each).items() if _is_ours(name)} for each in (version, latest)
    )
    if WRAPPER_VARIABLE in expected and WRAPPER_VARIABLE not in settings:
        return "it is not shielded"
    differing = sorted(each for each in settings.keys() | expected.keys() if settings.get(each) != expected.get(each))
    layers, current = ({each["Arn"] for each in which.get("Layers", ())} for which in (version, latest))
    return ", ".join([*differing, *(["layers"] if layers != current else [])])


def _acts(alarm: Mapping[str, Any]) -> bool:
    return bool(alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions"))


def _watched(alarm: Mapping[str, Any]) -> Iterator[str]:
    """The functions whose violations an alarm watches; an empty name is all of them."""
    parts: Iterable[Mapping[str, Any]] = alarm.get("Metrics") or [{"MetricStat": {"Metric": alarm}}]
    for part in parts:
        metric = part.get("MetricStat", {}).get("Metric", {})
        if metric.get("Namespace") == NAMESPACE:
            yield from (each["Value"] for each in metric.get("Dimensions", ()) if each["Name"] == "FunctionName")
        elif _FLEET in part.get("Expression", ""):
            yield ""


def _print(found: Sequence[Live], options: Inventory) -> None:
    def problems(each: Live) -> str:
        told = [text for name, text in each.problems.items() if name in options.require or name not in _IN_COLUMNS]
        return "; ".join([*told, *(f"{name} unknown: {why}" for name, why in each.unknown.items())])

    rows = [
        (
            f"{each.region}: {each.name}" if len(options.regions) > 1 else each.name,
            each.layer or ("shielded" if each.shielded else "unshielded"),
            ", ".join(f"{policy} {mode}" for policy, mode in each.modes.items() if mode not in ("", POLICIES[policy])),
            each.last_armed[:16].replace("T", " "),
            str(len(each.alarms)) if each.shielded else "",
            problems(each),
        )
        for each in sorted(found, key=lambda each: (not each.problems, each.region, each.name))
    ]
    screen = console()
    headings = ("function", "shield", "other modes", "last armed", "alarms", "problems")
    screen.print(Listing("Functions", headings, rows, ("alarms",)))
    unknown = sum(bool(each.unknown) for each in found)
    counts = (f"{len(found):,} functions", f"{sum(each.shielded for each in found):,} shielded")
    screen.print(", ".join([*counts, *([f"{unknown:,} not read whole"] if unknown else [])]))
