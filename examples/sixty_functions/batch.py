"""What runs by itself: a state machine, schedules, a nested stack of reports, and what SAM once described."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as rules
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk import cloudformation_include
from constructs import Construct
from data import Data
from functions import HERE, JAVA, NODE, PYTHON, RUST, Row, make_functions

STEPS = (
    Row("CollectParcels", PYTHON, "read parcels"),
    Row("OptimizeTour", PYTHON, "bedrock:InvokeModel", arm=True, options={"memory_size": 3008}),
    Row("ReserveDepot", PYTHON, "connect depots", vpc=True),
    Row("AskDriver", NODE, "send bus", "token"),
)
DAILY = (
    Row("ExpireParcels", PYTHON, "change parcels"),
    Row("WarmCache", PYTHON, "read parcels", vpc=True),
    Row("ReadLake", PYTHON, "s3:GetObject", arm=True),
    Row("ExchangeRates", RUST, "write customers", arm=True),
)
OTHERS = (
    Row("StartTours", NODE),
    Row("OnAnswer", NODE),
    Row("CloseDay", JAVA, "read parcels, send letters"),
    Row("PrintLetters", PYTHON, "receive letters"),
)
REPORTS = (
    Row("Deliveries", PYTHON, "read parcels, write reports"),
    Row("Depots", PYTHON, "change reports"),
)


class Batch(cdk.Stack):
    """Functions of the night."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        # A role that the partner's team made, with the rights that it was given there.
        arn = f"arn:{self.partition}:iam::{self.account}:role/{self.stack_name}-import"
        partner = Row(
            "ImportTariffs", NODE, "write customers", options={"role": iam.Role.from_role_arn(self, "Partner", arn)}
        )
        self.functions = make_functions(self, data, (*STEPS, *DAILY, *OTHERS, partner))
        run_daily(self, {row.name: self.functions[row.name] for row in (*DAILY, partner)})
        close: Any = scheduler_targets.LambdaInvoke(self.functions["CloseDay"])
        evening = scheduler.ScheduleExpression.cron(hour="22", minute="30")
        scheduler.Schedule(self, "Evening", schedule=evening, target=close)
        self._tours()
        # The program is in an image, with the shield beside it: another pipeline builds it.
        images = ecr.Repository.from_repository_name(self, "Images", "parcels/classify")
        image = lambda_.DockerImageCode.from_ecr(images, tag_or_digest="1.4.2")
        self.classify: Any = lambda_.DockerImageFunction(self, "Classify", code=image, memory_size=2048)
        data.labels.grant_read(self.classify)
        Reports(self, "Reports", data)
        cloudformation_include.CfnInclude(self, "Sam", template_file=str(HERE / "sam.yaml"))

    def _tours(self) -> None:
        waits = {
            "integration_pattern": sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            "payload": sfn.TaskInput.from_object({"token": sfn.JsonPath.task_token}),
        }
        chain: Any = sfn.Pass(self, "Begin")
        for row in STEPS:
            options: dict[str, Any] = waits if row.on else {}
            chain = chain.next(
                tasks.LambdaInvoke(self, f"Do{row.name}", lambda_function=self.functions[row.name], **options)
            )
        tours = sfn.StateMachine(self, "Tours", definition_body=sfn.DefinitionBody.from_chainable(chain))
        tours.grant_start_execution(self.functions["StartTours"])
        tours.grant_task_response(self.functions["OnAnswer"])


class Reports(cdk.NestedStack):
    """Reports of each day, written in /tmp first."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        run_daily(self, make_functions(self, data, REPORTS))


def run_daily(scope: Construct, functions: dict[str, Any]) -> None:
    """Starts each function at night."""
    for name, function in functions.items():
        target: Any = targets.LambdaFunction(function)
        rules.Rule(scope, f"{name}Daily", schedule=rules.Schedule.cron(hour="3", minute="0"), targets=[target])
