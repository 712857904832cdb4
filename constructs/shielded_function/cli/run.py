"""`shielded-function run`: invokes one function of a `cdk.out`, shielded, in an emulated Lambda.

Its dependencies come with `pip install "shielded-function[run]"`; AWS's runtime interface emulator is downloaded at the
first use. Nothing leaves the machine.
"""

from __future__ import annotations

import json as json_module
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .errors import CliError
from .modes import in_alert_mode
from .terminal import FoldingTable

if TYPE_CHECKING:
    from shielded_function_emulator.cloud_assembly import FunctionPlace, Known
    from shielded_function_emulator.trial import Trial
    from shielded_function_monitoring import Alert

_START = "start"
FAILED, ALERTED = 1, 3
"""Exit statuses: the function failed; it returned, and there were alerts. 0: neither; 2: it could not run."""

_WIDTH_WITHOUT_TERMINAL = 150
_STYLES = {"block": "red", "alert": "yellow", "ALARM": "red", "OK": "green"}


class Options(NamedTuple):
    """The user's options."""

    function: str
    event: str | None = None
    alert: bool = False
    variables: Sequence[str] = ()
    values: Sequence[str] = ()
    layers: Sequence[str] = ()
    log: Path | None = None


def run(directory: Path, options: Options, *, json: bool) -> int:
    """Invokes the function once and prints the result; returns the exit status.

    Raises:
        CliError: it could not run.
    """
    event = _event(options.event)
    with errors():
        from shielded_function_emulator import trial
        from shielded_function_emulator.cloud_assembly import CloudAssembly

        assembly = CloudAssembly(directory)
        place = assembly.find(options.function)
        package = assembly.package(place, known(options))
        shielded = trial.is_shielded(package)
        if options.alert:
            if not shielded:
                raise CliError(f"{place} has no shield, so it has no policy to put in alert mode")
            package = replace(package, environment=in_alert_mode(package.environment))
        elif not shielded:
            _note(f"{place} has no shield: it runs unshielded")
        result = trial.attempt(assembly, place, package, event, _note)
    if options.log:
        from .learned_files import write_text

        write_text(options.log, "".join(f"{line.message}\n" for line in result.invocation.log))
    if json:
        print(json_module.dumps(to_json(place, shielded, result), indent=2))
    else:
        _print(place, result)
    return status_of(result)


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
        from shielded_function_emulator.sandbox import SandboxError
    except ImportError as error:
        raise CliError(
            f'the emulated Lambda needs more packages ({error}): pip install "shielded-function[run]"'
        ) from error
    try:
        yield
    except (CloudAssemblyError, FetchError, IncidentError, SandboxError) as error:
        raise CliError(str(error)) from error


def status_of(result: Trial) -> int:
    """The exit status of a result."""
    if result.invocation.failed:
        return FAILED
    return ALERTED if result.shield.alerts else 0


def to_json(place: FunctionPlace, shielded: bool, result: Trial) -> dict[str, Any]:
    """The stable form. `alerts` and `events` are the shield's own lines, as JSON."""
    from shielded_function_emulator.sandbox import shield_lines

    own = shield_lines([line.message for line in result.invocation.log])
    return {
        "function": place.path or place.logical_id,
        "logical_id": place.logical_id,
        "stack": place.stack,
        "shielded": shielded,
        "failed": result.invocation.failed,
        "result": result.invocation.payload,
        "log": [{"time": line.time, "message": line.message} for line in result.invocation.log],
        "alerts": [json_module.loads(line) for line, _ in result.shield.alerts],
        "events": [line for line in own if "event" in line],
        "malformed": result.shield.malformed,
        "alarms": [vars(alarm) for alarm in result.alarms],
        "alarms_note": result.alarms_note,
        "isolation": {"kind": result.isolation.kind, "filtered": result.isolation.filtered},
        "exit_status": status_of(result),
    }


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """Parses a repeatable option of `NAME=value`.

    Raises:
        CliError: a value has no `=`, or no name, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CliError(f"{option} {text}: write NAME=value")
        if name in found:
            raise CliError(f"{option} {name} is given twice")
        found[name] = value
    return found


def known(options: Options) -> Known:
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


def _event(source: str | None) -> Any:
    """Reads the event from a file or stdin (`-`); by default an empty one.

    Raises:
        CliError: it cannot be read, or is not JSON.
    """
    if source is None:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"the event {source} cannot be read: {reason}") from error
    try:
        return json_module.loads(text)
    except ValueError as error:
        name = "on stdin" if source == "-" else source
        raise CliError(f"the event {name} is not JSON: {error}") from error


def _note(text: str) -> None:
    print(f"shielded-function: {text}", file=sys.stderr)


def _print(place: FunctionPlace, result: Trial) -> None:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)
    invocation = result.invocation
    outcome = "[red]failed[/]" if invocation.failed else "returned"
    console.print(f"{escape(str(place))} {outcome}")
    payload = invocation.payload
    text = payload if isinstance(payload, str) else json_module.dumps(payload, indent=2, ensure_ascii=False)
    console.print(Text(text), soft_wrap=True)
    console.print("\nlog, without the alert lines:", style="bold")
    alerts = {line for line, _ in result.shield.alerts}
    for line in invocation.log:
        if line.message and line.message not in alerts:
            console.print(Text(f"  {line.message}", "dim"), soft_wrap=True)
    if not invocation.log:
        console.print("  nothing")
    console.print()
    failed_starts = [event for event in result.shield.events if event.policy == _START]
    for event in failed_starts:
        console.print(Text(f"start {event.event}: {event.fields.get('reason', '')}", "red"), soft_wrap=True)
    if result.shield.alerts:
        console.print(_table([alert for _, alert in result.shield.alerts]))
    elif not failed_starts:
        console.print("no alerts")
    for complaint in result.shield.malformed:
        console.print(Text(f"not a line of the shield: {complaint}", "red"), soft_wrap=True)
    for alarm in result.alarms:
        after = f"[{_STYLES.get(alarm.after, '')}]{alarm.after}[/]" if alarm.after in _STYLES else alarm.after
        console.print(f"alarm {alarm.logical_id}: {alarm.before} before, {after} after")
        for action in alarm.actions:
            console.print(Text(f"  would call {action}"), soft_wrap=True)
    if result.alarms_note:
        console.print(Text(result.alarms_note), soft_wrap=True)
    with_filter = "with" if result.isolation.filtered else "without"
    console.print(f"emulated Lambda ({result.isolation.kind}, {with_filter} its seccomp filter)", style="dim")


def describe_caller(alert: Alert) -> str:
    """The calling shared object, with the packages and the place in the code where the line has them."""
    from shielded_function_monitoring.frames import Frame, chain_text

    frame = alert.frame or Frame()
    chain = chain_text(frame.chain) if frame.chain else ""
    return ", ".join(filter(None, (chain, frame.place, alert.caller)))


def _table(alerts: Sequence[Alert]) -> Table:
    """One row for equal alerts, in the order of the first."""
    from shielded_function_monitoring.visible import visible

    rows = Counter(
        (alert.policy, alert.mode, describe_attempt(alert.details), describe_caller(alert), alert.allow or "")
        for alert in alerts
    )
    table = FoldingTable(title="alerts", title_justify="left")
    table.add_column("policy", no_wrap=True)
    table.add_column("mode", no_wrap=True)
    table.add_column("times", justify="right")
    for heading in ("what", "who", "the entry that would allow it"):
        table.add_column(heading)
    for (policy, mode, happened, by, allow), times in rows.items():
        style = _STYLES.get(mode, "")
        table.add_row(policy, Text(mode, style), str(times), *(Text(visible(each)) for each in (happened, by, allow)))
    return table


def describe_attempt(details: Mapping[str, Any]) -> str:
    """The target in a few words: `evil.example:443 (203.0.113.7), tcp`; a system call where there is none."""
    left = {name: value for name, value in details.items() if name != "syscall"}
    target = left.pop("host", None) or left.pop("path", None) or left.pop("sni", None)
    address = left.pop("ip", None)
    if target is None:
        target, address = address, None
    port, arguments = left.pop("port", None), left.pop("arguments", None)
    words = [f"{target}:{port}" if port else str(target)] if target is not None else []
    if address:
        words[0] += f" ({address})"
    if arguments:
        words = [" ".join(arguments)] if arguments[0] == target else [*words, " ".join(arguments)]
    return ", ".join([*words, *(str(value) for value in left.values())]) or str(details.get("syscall", ""))
