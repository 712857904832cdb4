"""One function's part of a simulated CloudWatch, read from synthesized templates.

`make demo` uses it: the filters and alarms are those that would be deployed, only CloudWatch is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .cfn.values import Resolver
from .errors import ShieldError
from .simulated.alarms import Alarm
from .simulated.cloudwatch import SimulatedCloudWatch
from .simulated.filters import MetricFilter
from .simulated.queries import MetricsQuery
from .simulated.template_reader import ReadTemplate, read_templates

WRAPPER: Final = "/opt/shielded-function/shield"
"""The value of AWS_LAMBDA_EXEC_WRAPPER in a shielded function."""


class TemplateError(ShieldError):
    """A template that lacks a requested resource, or has one that is not evaluated here; the message names it."""


def monitoring_of(stacks: Sequence[Resolver], function: str) -> SimulatedCloudWatch:
    """The alarm chain of a function: the filters on its log group, and the alarms that its lines can set off.

    Args:
        stacks: the sources of the values of an account and region; the function's stack is the first.
        function: the function's logical id.

    Raises:
        TemplateError: there is no such function, or a filter on its log group, or an alarm on its metrics, is of a kind
            that is not evaluated here.
    """
    read = read_templates(stacks)
    found = [one for one in read.functions if (one.place.template, one.place.logical_id) == (stacks[0].stack, function)]
    if not found:
        said = [problem.reason for problem in read.problems if problem.place.logical_id == function]
        raise TemplateError(f"{function}: {said[0] if said else 'no AWS::Lambda::Function of that logical id'}")
    logged = found[0]
    filters = [one for one in read.filters if one.log_group == logged.log_group]
    metrics = {(one.namespace, one.metric) for one in filters}
    for problem in read.problems:
        if problem.log_group == logged.log_group or problem.metric in metrics:
            raise TemplateError(str(problem))
    alarms: list[Alarm] = []
    for alarm in read.alarms:
        names = {name for one in alarms for name in (one.name, one.arn)}
        if names.issuperset(alarm.children) if alarm.query is None else _counts(alarm.query, logged.name, filters):
            alarms.append(alarm)
    return SimulatedCloudWatch(ReadTemplate(filters, alarms, [logged]))


def _counts(query: MetricsQuery, function: str, filters: Sequence[MetricFilter]) -> bool:
    """Whether a query can count a line of the function."""
    named = dict(query.where).get("FunctionName", function)
    return named == function and any(query.could_take(one.some_key) for one in filters)
