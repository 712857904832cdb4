"""`shielded-function run` and `fetch`: one function of a `cdk.out`, shielded, in an emulated Lambda; its runtime.

Its dependencies come with `pip install "shielded-function[run]"`; AWS's runtime interface emulator and the function's
runtime are downloaded at the first use. Nothing that the function sends leaves the machine.
"""

from __future__ import annotations

import json as json_module
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.insights.lines import Lines
from shielded_function_monitoring.insights.records import records

from .alert_groups import groups_of, listing
from .failures import FOUND, NO, CliError, read_file, write_file
from .modes import in_alert_mode
from .options import Fetch, OneFunction, Run
from .progress import live
from .terminal import Listing, console, note, print_json

if TYPE_CHECKING:
    from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPlace, Known
    from shielded_function_emulator.trial import Trial
    from shielded_function_emulator.web import Application

_RUNTIMES = ("runtime", "state", "MB to fetch")
_START = "start"
_STYLES = {"ALARM": "red", "OK": "green"}
_MOTO = "moto"


def run(chosen: OneFunction, options: Run, *, json: bool) -> int:
    """Invokes the function, once for each event, and prints the result; returns the exit status.

    Raises:
        CliError: it could not run.
    """
    directory, function = named("run", chosen)
    events = [event for source in options.events for event in _events(source)] if options.events else [{}]
    with errors():
        from shielded_function_emulator import trial
        from shielded_function_emulator.cloud_assembly import CloudAssembly

        assembly = CloudAssembly(directory)
        place = assembly.find(function)
        package = assembly.package(place, known(chosen))
        replies = _replies(options.replies, assembly, place, package.region)
        shielded = trial.is_shielded(package)
        if options.alert:
            if not shielded:
                raise CliError(f"{place} has no shield, so it has no policy to put in alert mode")
            package = replace(package, environment=in_alert_mode(package.environment))
        elif not shielded:
            note(f"{place} has no shield: it runs unshielded")
        result = trial.attempt(assembly, place, package, events, note, live=live(), replies=replies)
    if options.log:
        write_file(str(options.log), "".join(f"{line.message}\n" for line in result.log))
    if json:
        print_json(to_json(place, shielded, result))
    else:
        _print(place, result)
    return status_of(result)


def named(command: str, chosen: OneFunction) -> tuple[Path, str]:
    """The folder and the function.

    Raises:
        CliError: one of them is not given.
    """
    if chosen.assembly is None or chosen.function is None:
        raise CliError(f"name the folder and the function: shielded-function {command} cdk.out Shop/Checkout")
    return chosen.assembly, chosen.function


@contextmanager
def errors() -> Iterator[None]:
    """Turns errors of the emulated Lambda, and missing packages of the extra, into a CliError."""
    if sys.platform != "linux":
        raise CliError(f"the emulated Lambda needs Linux; this is {platform.system()}: run it in a Linux container")
    try:
        import_module("shielded_function_emulator.trial")  # which imports every package of the extra
        from shielded_function_emulator.cloud_assembly import CloudAssemblyError
        from shielded_function_emulator.incidents import IncidentError
        from shielded_function_emulator.interface_emulator import FetchError
        from shielded_function_emulator.languages.parts import Unavailable
        from shielded_function_emulator.sandbox import SandboxError
    except ImportError as error:
        raise CliError(
            f'the emulated Lambda needs more packages ({error}): pip install "shielded-function[run]"'
        ) from error
    try:
        yield
    except (CloudAssemblyError, FetchError, IncidentError, SandboxError, Unavailable) as error:
        raise CliError(str(error)) from error


def status_of(result: Trial) -> int:
    """The exit status of a result."""
    if any(one.failed for one in result.invocations):
        return NO
    return FOUND if result.shield.alerts else 0


def to_json(place: FunctionPlace, shielded: bool, result: Trial) -> dict[str, Any]:
    """The stable form. `alerts` and `events` are the shield's own lines, as JSON; `result` is the last event's."""
    from shielded_function_emulator.sandbox import shield_lines

    own = shield_lines([line.message for line in result.log])
    return {
        "function": place.path or place.logical_id,
        "logical_id": place.logical_id,
        "stack": place.stack,
        "shielded": shielded,
        "failed": any(one.failed for one in result.invocations),
        "result": result.invocations[-1].payload,
        "results": [one.payload for one in result.invocations],
        "log": [{"time": line.time, "message": line.message} for line in result.log],
        "alerts": [json_module.loads(line) for line, _ in result.shield.alerts],
        "events": [line for line in own if "event" in line],
        "malformed": result.shield.malformed,
        "alarms": [vars(alarm) for alarm in result.alarms],
        "alarms_note": result.alarms_note,
        "isolation": result.isolation,
        "exit_status": status_of(result),
    }


def pairs(option: str, given: Sequence[str], form: str = "NAME=value") -> dict[str, str]:
    """Parses a repeatable option of `NAME=value`.

    Raises:
        CliError: a value has no `=`, or no name, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CliError(f"{option} {text}: write {form}")
        if name in found:
            raise CliError(f"{option} {name} is given twice")
        found[name] = value
    return found


def known(options: OneFunction) -> Known:
    """The values of the deployment that the options give.

    Raises:
        CliError: an option is wrong.
    """
    from shielded_function_emulator.cloud_assembly import Known

    layers: dict[str, Path | None] = {}
    for arn, content in pairs("--layer", options.layers).items():
        layers[arn] = Path(content) if content else None
        if content and not Path(content).exists():
            raise CliError(f"--layer {arn}: {content} does not exist")
    return Known(pairs("--env", options.variables), pairs("--value", options.values), layers)


def _events(source: str) -> list[Any]:
    """Reads the event from a file or stdin (`-`); of a file that ends with `.jsonl`, one of each line.

    Raises:
        CliError: it cannot be read, or is not JSON.
    """
    text = read_file(f"the event {source}", source, "utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()] if source.endswith(".jsonl") else [text]
    try:
        return [json_module.loads(line) for line in lines]
    except ValueError as error:
        name = "on stdin" if source == "-" else source
        raise CliError(f"the event {name} is not JSON: {error}") from error


def _replies(
    given: Sequence[str], assembly: CloudAssembly, place: FunctionPlace, region: str
) -> dict[str, Application]:
    """The answers of the hosts that --reply names.

    Raises:
        CliError: one is no answer, or no host.
    """
    from shielded_function_emulator.aws_service import AwsService
    from shielded_function_emulator.replies import Reply

    def reply(host: str, text: str) -> Application:
        if text.isdecimal():
            return Reply(int(text))
        if text != _MOTO:
            return Reply.of_file(Path(text))
        if find_spec("moto") is None:
            raise ValueError("it is not installed: pip install 'moto[server]'")
        return AwsService(assembly.tables(place.stack), region)

    made: dict[str, Application] = {}
    for host, text in pairs("--reply", given, "HOST=FILE, HOST=STATUS or HOST=moto").items():
        if not host.strip("*.") or set(host) & set("/:@"):
            raise CliError(f"--reply {host}: give a host's name, without a scheme or a port")
        try:
            made[host.lower()] = reply(host, text)
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise CliError(f"--reply {host}={text}: {reason}") from error
    return made


def _print(place: FunctionPlace, result: Trial) -> None:
    out = console()

    def say(text: str, style: str = "") -> None:
        out.print(Text(text, style), soft_wrap=True)

    for invocation in result.invocations:
        say(f"{place} {'failed' if invocation.failed else 'returned'}", "red" if invocation.failed else "")
        payload = invocation.payload
        say(payload if isinstance(payload, str) else json_module.dumps(payload, indent=2, ensure_ascii=False))
    say("\nlog, without the alert lines:", "bold")
    alerts = {line for line, _ in result.shield.alerts}
    for line in result.log:  # a repeated violation is in an alert of the same second
        if line.message and line.message not in alerts and '"event":"repeated"' not in line.message:
            say(f"  {line.message}", "dim")
    say("" if result.log else "  nothing\n")
    failed_starts = [event for event in result.shield.events if event.policy == _START]
    for event in failed_starts:
        say(f"start {event.event}: {event.fields.get('reason', '')}", "red")
    if result.shield.alerts:
        out.print(_alerts([line for line, _ in result.shield.alerts]))
    elif not failed_starts:
        say("no alerts")
    for complaint in result.shield.malformed:
        say(f"not a line of the shield: {complaint}", "red")
    for alarm in result.alarms:
        say(f"alarm {alarm.name}: {alarm.before} before, {alarm.after} after", _STYLES.get(alarm.after, ""))
        for action in alarm.actions:
            say(f"  would call {action}")
    if result.alarms_note:
        say(result.alarms_note)
    say(f"emulated Lambda ({result.isolation}, with its seccomp filter)", "dim")


def _alerts(lines: Sequence[str]) -> Listing:
    query = queries.alerts_by("target")
    table = Lines([query])
    table.add(records(lines))
    return listing("run", groups_of("target", table.rows(query), None).shown)


def fetch(options: Fetch, *, json: bool) -> int:
    """Fetches the runtimes of these names, or lists all; always 0.

    Raises:
        CliError: there is no such runtime, or it is not available here.
    """
    names, listing = options
    with errors():
        from shielded_function_emulator import interface_emulator, trial

        if not listing and not names:
            raise CliError("name a runtime, as in `shielded-function fetch nodejs22.x`; --list lists them")
        if not listing:
            interface_emulator.provide(note)
            for name in names:
                trial.provided(name, note, live())
        rows = [_runtime(name) for name in (names or trial.rows())]
    if json:
        keys = ("runtime", "state", "megabytes")
        print_json({"runtimes": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        texts = [(name, state, str(size or "")) for name, state, size in rows]
        console().print(Listing("runtimes", _RUNTIMES, texts, _RUNTIMES[-1:]))
    return 0


def _runtime(name: str) -> tuple[str, str, int]:
    from shielded_function_emulator import trial

    runtime = trial.wanted(name)
    assert runtime is not None
    lacking = [part for part in runtime.parts if not part.there]
    if lacking:
        return name, "to fetch", sum(part.size for part in lacking)
    if reason := runtime.missing():
        return name, reason, 0
    return name, f"here: {own}" if (own := runtime.own()) else "here", 0
