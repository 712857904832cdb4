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
    unfed = SimulatedCloudWatch(ReadTemplate(filters, read.alarms, [logged])).unfed()
    left_out = {name for alarm in unfed for name in (alarm.name, alarm.arn)}
    alarms: list[Alarm] = []
    for alarm in read.alarms:  # a composite alarm follows those that it is on
        if left_out.isdisjoint((alarm.name, *alarm.children)):
            alarms.append(alarm)
        else:
            left_out |= {alarm.name, alarm.arn}
    return SimulatedCloudWatch(ReadTemplate(filters, alarms, [logged]))
