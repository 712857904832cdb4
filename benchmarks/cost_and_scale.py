"""Writes `docs/reference/cost-and-scale.md`: what the alarms of 10 to 10,000 functions cost a month, and their quotas.

    python benchmarks/cost_and_scale.py           # write the page
    python benchmarks/cost_and_scale.py --check   # exit 1 where the page is not what this would write

Pure arithmetic over the tables below: prices with their source and date, quotas with theirs. A test runs `--check`.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cost-and-scale.md"
SIZES: Final = (10, 100, 1_000, 10_000)
CLASSES: Final = 2
"""Alarms, and metrics of a function that is loud in both: what is critical, and the rest."""
ALARMS_BY_POLICY: Final = 6
"""Alarms of one function by policy: six policies without `read_handler`, which is an option, and `start`."""

PRICES_OF: Final = "2026"
PRICES_PAGE: Final = "https://aws.amazon.com/cloudwatch/pricing/"
# https://aws.amazon.com/cloudwatch/pricing/, US East (N. Virginia). Up to so many metrics, dollars each a month.
METRIC_TIERS: Final = ((10_000, 0.30), (250_000, 0.10), (1_000_000, 0.05), (math.inf, 0.02))
ALARM: Final = 0.10
METRIC_ANALYZED: Final = 0.10
DASHBOARD: Final = 3.00
LOGS_INGESTED_GB: Final = 0.50
LOGS_STORED_GB: Final = 0.03
LOGS_SCANNED_GB: Final = 0.005
KEY: Final = 1.00
"""A customer managed key of KMS, for an encrypted topic: https://aws.amazon.com/kms/pricing/"""

GB_SECOND: Final = 0.0000166667
"""Of a function on x86_64, the first six billion a month: https://aws.amazon.com/lambda/pricing/"""
START_SECONDS: Final = 0.00235
"""A start of Python takes so much longer: benchmarks/README.md, by make bench."""
START_GB: Final = 0.5
INIT_PAGE: Final = "https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"
STARTS_A_DAY: Final = 50
ARMED_BYTES: Final = 450
ALERT_BYTES: Final = 450
EVENT_BYTES: Final = 26
"""CloudWatch Logs adds them to every line.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
DAYS: Final = 30
GB: Final = 1_000_000_000
FIRST_SEEN_PER_LINE: Final = (0.20 + 0.625) / 1_000_000 + 0.1 * 0.25 * GB_SECOND + 500 / GB * LOGS_INGESTED_GB
"""The most that `first_seen` costs for a line: a request and a tenth of a second with 256 MB of Lambda, a write of
DynamoDB on demand, 500 bytes of the function's own log (https://aws.amazon.com/dynamodb/pricing/on-demand/)."""
MONTHS_KEPT: Final = 24
"""Of the log groups that the shield makes: two years."""
LOUD_LINES_A_DAY: Final = 1_000
LOUD_POLICIES: Final = 2

ALARMS_QUOTA: Final = 5_000
STACK_RESOURCES: Final = 500


@dataclass(frozen=True)
class Fleet:
    """So many functions, of which some violate a policy in every hour of the month (`loud`); the others never do."""

    functions: int
    loud: int = 0


@dataclass(frozen=True)
class Granularity:
    """What a granularity makes.

    Attributes:
        name: as `AlarmOptions.granularity` has it.
        alarms: how many alarms so many functions have.
        metrics: how many metrics are published in a month.
        alarm_cost: dollars a month for the alarms.
    """

    name: str
    alarms: Callable[[Fleet], int]
    metrics: Callable[[Fleet], int]
    alarm_cost: Callable[[Fleet], float]


GRANULARITIES: Final = (
    Granularity(
        "function",
        lambda f: f.functions * CLASSES,
        lambda f: f.loud * CLASSES,
        lambda f: f.functions * CLASSES * ALARM,
    ),
    Granularity(
        "control",
        lambda f: f.functions * ALARMS_BY_POLICY,
        lambda f: f.loud * LOUD_POLICIES,
        lambda f: f.functions * ALARMS_BY_POLICY * ALARM,
    ),
    # Charged by the metrics that the query looks at; counted as at least one.
    Granularity(
        "fleet",
        lambda f: CLASSES,
        lambda f: f.loud * CLASSES,
        lambda f: CLASSES * max(f.loud, 1) * METRIC_ANALYZED,
    ),
)
FUNCTION, POLICY, FLEET = GRANULARITIES


def metrics_cost(count: int) -> float:
    """Dollars a month for so many custom metrics that are published in every hour."""
    cost, below = 0.0, 0.0
    for up_to, price in METRIC_TIERS:
        cost += max(0.0, min(count, up_to) - below) * price
        below = up_to
    return cost


def logs_gb(fleet: Fleet) -> float:
    """What the shield writes in a month: a line for each start, and the alerts of the loud."""
    armed = fleet.functions * STARTS_A_DAY * (ARMED_BYTES + EVENT_BYTES)
    alerts = fleet.loud * LOUD_LINES_A_DAY * (ALERT_BYTES + EVENT_BYTES)
    return (armed + alerts) * DAYS / GB


def logs_cost(fleet: Fleet) -> float:
    """Dollars a month to take a month's lines in, and to keep those of all months that are kept."""
    return logs_gb(fleet) * (LOGS_INGESTED_GB + MONTHS_KEPT * LOGS_STORED_GB)


def monthly_cost(granularity: Granularity, fleet: Fleet) -> float:
    """Dollars a month for alarms, metrics and the shield's own lines."""
    return granularity.alarm_cost(fleet) + metrics_cost(granularity.metrics(fleet)) + logs_cost(fleet)


def extras(fleet: Fleet) -> float:
    """Dollars a month for what there is one of: a dashboard, and a key for the topic."""
    del fleet
    return DASHBOARD + KEY


QUOTAS: Final = (
    ("alarms in an account and region", "5,000, can be raised", "cloudwatch_limits.html", "function, policy"),
    ("alarms on Metrics Insights queries in a region", "200", "alarm-limits.html", "fleet: two are used"),
    ("metrics that a Metrics Insights query looks at", "10,000", "alarm-limits.html", "fleet: the loud functions"),
    ("time series that a query returns", "500", "alarm-limits.html", "fleet: those with most violations come first"),
    ("contributors named as in ALARM", "100", "alarm-limits.html", "fleet"),
    ("data that an alarm's query sees", "3 hours", "alarm-limits.html", "fleet: no period or range beyond it"),
    ("actions of an alarm, for each state", "5", "api:API_PutMetricAlarm.html", "more are an error"),
    (
        "metric filters on a log group",
        "100",
        "logs:cloudwatch_limits_cwl.html",
        "a function that has its log group alone uses one; those that share one, one for each few",
    ),
    ("dimensions of a metric filter", "3", "logs:cloudwatch_limits_cwl.html", "two are used"),
    ("characters in a filter pattern", "1,024", "logs:cloudwatch_limits_cwl.html", "exception lists"),
    (
        "values of dimensions that a filter makes in an hour before CloudWatch may disable it",
        "1,000",
        "logs:cloudwatch_limits_cwl.html",
        "none: a filter names its functions, and the one by policy the policies",
    ),
    ("resources in a stack", "500", "cfn:cloudformation-limits.html", "see the table of resources"),
)
_DOCS: Final = {
    "": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/",
    "logs": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/",
    "api": "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/",
    "cfn": "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/",
}


def render() -> str:
    """The page."""
    silent = [Fleet(size) for size in SIZES]
    some = [Fleet(size, size // 20 or 1) for size in SIZES]
    every = [Fleet(size, size) for size in SIZES]
    thousand = Fleet(1_000)
    total = monthly_cost(FLEET, thousand) + extras(thousand)
    return f"""\
# Cost and scale

<!-- Written by benchmarks/cost_and_scale.py: change that, and run it. -->

The monthly cost of the alarms of 10 to 10,000 functions, and the quotas of AWS that they meet. All of it is computed
by `benchmarks/cost_and_scale.py` from list prices; nothing was measured on a bill.

**A silent function costs nothing for its metric**: filters have no default value, so a function that keeps to its
policy publishes none. With `granularity="fleet"` it costs no alarm either. Two alarms, one on critical violations and
one on the rest, cost twice as much as one. A thousand silent functions:
{_dollars(total)} a month, with a dashboard ({_dollars(DASHBOARD)}) and a key for the topic ({_dollars(KEY)}).

## Assumptions

- US East (N. Virginia), list prices of {PRICES_OF}: [CloudWatch]({PRICES_PAGE}),
  [KMS](https://aws.amazon.com/kms/pricing/). Without the free tier: 10 metrics, 10 alarms (none on a Metrics Insights
  query), 3 dashboards, 5 GB of logs.
- Lines are kept for {MONTHS_KEPT} months, as the shield's own log groups keep them, and these are over. `LogOptions`
  keeps them shorter.
- A function starts {STARTS_A_DAY} times a day, and each start writes one line of {ARMED_BYTES} bytes.
- A *loud* function violates its policy in every hour of the month: {LOUD_LINES_A_DAY:,} lines a day of {ALERT_BYTES}
  bytes, against {LOUD_POLICIES} policies, one of them critical. One that does so in a single hour costs 1/720 of its
  metrics.
- Not counted: messages of the topic (SNS has a free million of requests a month; mail and SMS are charged), queries in
  Logs Insights ({_dollars(LOGS_SCANNED_GB, 3)} for a GB that is scanned), and the function's own log lines.
- `severities` and each `ControlAlarm` have their own metric: one alarm more, and one metric more
  of each loud function.
- `first_seen`: nothing for silent functions; for each loud one at most
  {_dollars(FIRST_SEEN_PER_LINE * LOUD_LINES_A_DAY * DAYS)} for Lambda, DynamoDB and the function's log. Subscription
  filters are free.
- `heartbeat_actions`: for each function a filter, and an alarm on two metrics ({_dollars(2 * ALARM)}). The filter's
  metric is up to {_dollars(METRIC_TIERS[0][1])}, by the hours in which the function starts.

| item | price |
|---|---|
| custom metric, a month: the first 10,000, the next 240,000, the next 750,000, more | {_tiers()} |
| alarm on a metric, a month | {_dollars(ALARM)} |
| alarm on a Metrics Insights query, a month, for each metric that it looks at | {_dollars(METRIC_ANALYZED)} |
| dashboard, a month | {_dollars(DASHBOARD)} |
| logs: a GB taken in, a GB kept, a month | {_dollars(LOGS_INGESTED_GB)}, {_dollars(LOGS_STORED_GB)} |

## A month, in dollars

Alarms, metrics and the shield's own lines.

All functions silent:

{_costs(silent)}

One function in twenty loud:

{_costs(some)}

All functions loud: an attack, or a policy that does not fit. Roll out in alert mode with `granularity="fleet"`, learn
the policy, and it is over in days:

{_costs(every)}

The dashboard and the key are {_dollars(extras(thousand))} more, once for each account and region.

## A start

Lambda [bills initialization]({INIT_PAGE})
since August 2025, so the shield's share of a start is paid for: {START_SECONDS * 1000:g} ms of Python
([measured](../../benchmarks/README.md#measured)) at {START_GB * 1024:g} MB are {_dollars(1e6 * _start_cost())} for
a million starts. A thousand functions that start {STARTS_A_DAY} times a day come to
{_dollars(1_000 * STARTS_A_DAY * DAYS * _start_cost())} a month.

## Resources

Each function has a log group and a metric filter; a stack has one layer for each architecture.

{_resources()}

A stack holds {STACK_RESOURCES} resources, those of the functions themselves included (a function and its role are
three). An account holds {ALARMS_QUOTA:,} alarms in a region, all others included, until AWS raises that.

## Quotas

| quota | how many | met by |
|---|---|---|
{_quotas()}

## Which granularity

- Up to some hundred functions: `function`. The alarms have the function's name, and their own actions if need be.
- More: `fleet`. Two alarms, whose contributors are the functions that violate their policies. Each names 100 at most,
  and the rest is in the dashboard.
- `control`: for the few functions in which one control matters more than another. {ALARMS_BY_POLICY // CLASSES} times
  the alarms.
"""


def _costs(fleets: Sequence[Fleet]) -> str:
    header = "| functions | " + " | ".join(f"`{granularity.name}`" for granularity in GRANULARITIES) + " | of it logs |"
    lines = [header, "|---" * (len(GRANULARITIES) + 2) + "|"]
    for fleet in fleets:
        costs = [_dollars(monthly_cost(granularity, fleet)) for granularity in GRANULARITIES]
        lines.append(f"| {fleet.functions:,} | {' | '.join(costs)} | {_dollars(logs_cost(fleet))} |")
    return "\n".join(lines)


def _resources() -> str:
    lines = [
        "| functions | log groups and filters | " + " | ".join(f"alarms, `{g.name}`" for g in GRANULARITIES) + " |",
        "|---" * (len(GRANULARITIES) + 2) + "|",
    ]
    for size in SIZES:
        fleet = Fleet(size)
        alarms = [granularity.alarms(fleet) for granularity in GRANULARITIES]
        shown = [f"{count:,}{' (beyond the quota)' * (count > ALARMS_QUOTA)}" for count in alarms]
        lines.append(f"| {size:,} | {2 * size:,} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _quotas() -> str:
    lines: list[str] = []
    for what, many, source, who in QUOTAS:
        guide, _, page = source.rpartition(":")
        lines.append(f"| {what} | [{many}]({_DOCS[guide]}{page}) | {who} |")
    return "\n".join(lines)


def _tiers() -> str:
    return ", ".join(_dollars(price) for _, price in METRIC_TIERS)


def _start_cost() -> float:
    """Dollars for what the shield adds to one start."""
    return START_SECONDS * START_GB * GB_SECOND


def _dollars(amount: float, digits: int = 2) -> str:
    return f"${amount:,.{digits}f}"


def main() -> int:
    """Writes or checks the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 where the page is not current")
    if not parser.parse_args().check:
        PAGE.write_text(render(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == render():
        return 0
    print(f"{PAGE.name} is not what {Path(__file__).name} writes: run it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
