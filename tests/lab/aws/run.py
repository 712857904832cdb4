"""`make test-aws`: deploys to a real account, attacks, reads what came of it, and deletes everything.

    make test-aws AWS_ARGS='--region eu-west-1 --json facts.json'

docs/contributing/releasing.md tells what it needs and what it tells. Exit status: 0 if all was as expected, 1 if
not, 2 if it could not begin, 3 if something was left behind, 130 if it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.aws.account import Account, Refused, find_account
from lab.aws.observe import InvocationFailed, Observed, invoke, observe_alarm, observe_log
from lab.aws.stack import LeftBehind, Say, Stack, StackError, deployed
from lab.aws.verdict import DEEDS, Check, checks, facts_of, report, table

ATTACKED = ("Blocked", "Watched")
SUFFIXES = ("X8664", "Arm64")
SECRET = "4242 4242 4242 4242"  # a test card


@dataclass(frozen=True)
class Patience:
    """How long to wait for CloudWatch, in seconds."""

    log: float = 180
    alarm: float = 420


def main(arguments: Sequence[str] | None = None, patience: Patience | None = None) -> int:
    """The program; returns its exit status."""
    chosen = _options().parse_args(arguments)
    try:
        account = find_account(chosen.region, chosen.qualifier)
        with tempfile.TemporaryDirectory(prefix="test-aws-") as folder:
            stack = Stack(unique_name(chosen.prefix), Path(folder) / "cdk.out", chosen.qualifier, account)
            stack.synthesize()
            print("\n".join(stack.plan()))
            if chosen.plan:
                return 0
            with deployed(stack, _say) as resources:
                told = examine(account, resources, patience or Patience(), _say)
    except Refused as refused:
        print(f"test-aws: {refused}", file=sys.stderr)
        return 2
    except LeftBehind as left:
        before = f"{left.__context__!r}; then " if left.__context__ else ""
        print(f"test-aws: {before}{left}", file=sys.stderr)
        return 3
    except (StackError, InvocationFailed, BotoCoreError, ClientError) as error:
        print(f"test-aws: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("test-aws: interrupted", file=sys.stderr)
        return 130
    print(table(told))
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=2) + "\n")
        print(f"\nwritten to {chosen.json}")
    return 0 if all(check["holds"] for check in told["checks"]) else 1


def examine(account: Account, resources: dict[str, str], patience: Patience, say: Say) -> dict[str, Any]:
    """Invokes every function and reads what came of it; returns the report.

    Args:
        account: where they are.
        resources: the physical ids, by the construct's path: of `<name>` the function, of `<name>Log` its log group.
        patience: how long to wait for CloudWatch.
        say: told of each step.
    """
    observed: dict[str, Observed] = {}
    facts: dict[str, dict[str, Any]] = {}
    for suffix in SUFFIXES:
        for role in ATTACKED:
            name = f"{role}{suffix}"
            say(f"attacking {name}")
            function = resources[name]
            observed[name] = Observed(function, invoke(account, function, {"secret": SECRET}))
        say(f"asking Doctor{suffix}")
        facts[f"Doctor{suffix}"] = facts_of(invoke(account, resources[f"Doctor{suffix}"], {}))
    for name, one in observed.items():
        say(f"reading the log of {name}")
        observe_log(account, one, resources[f"{name}Log"], set(DEEDS.values()), seconds=patience.log)
    for name, one in observed.items():
        say(f"waiting for the alarm of {name}")
        observe_alarm(account, one, seconds=patience.alarm)
    made: list[Check] = []
    for name, one in observed.items():
        made += checks(name[: -len("X8664")], name, one)
    return report(made, facts, {name: one.init_ms for name, one in observed.items()})


def unique_name(prefix: str) -> str:
    """A stack's name that no other run has."""
    return f"{prefix}-{secrets.token_hex(4)}"


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make test-aws", description="Deploys, attacks, reads, deletes. Needs AWS.")
    parser.add_argument("--region", help="instead of AWS_REGION, or the profile's")
    parser.add_argument("--prefix", default="shielded-function-test", help="what the stack's name begins with")
    parser.add_argument("--qualifier", default="hnb659fds", help="of the CDK's bootstrap")
    parser.add_argument("--plan", action="store_true", help="say what would be created, and stop")
    parser.add_argument("--json", type=Path, help="a file for the report")
    return parser


def _say(text: str) -> None:
    print(f"test-aws: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
