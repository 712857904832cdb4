"""Parcels: 73 functions in five stacks, in two stages, and four in two regions. All of the shield is in this file.

`-c plain=yes` leaves the shield out, and `-c carriers=one.example,two.example` names the carriers' hosts.
"""

from __future__ import annotations

from dataclasses import replace

import aws_cdk as cdk
from abroad import AWAY, Abroad
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events_targets as targets
from batch import Batch
from constructs import Construct
from data import Data
from events import Events
from operations import Operations
from web import Web

from shielded_function import AlarmOptions, LogOptions, Shield, ShieldChecks, ShieldMonitoring, ShieldPolicy

CARRIERS = "api.carrier-one.example,api.carrier-two.example"
# Hosts that no template can have, as the first deployment told them: the brokers', and that of an API that depends on
# the function that asks it.
KAFKA = {
    "Beta": "boot-1a2b3c4d.c2.kafka-serverless.us-east-1.amazonaws.com:9098",
    "Live": "boot-5e6f7a8b.c1.kafka-serverless.us-east-1.amazonaws.com:9098",
}
GRAPHQL = {
    "Beta": "1a2b3c4d5e6f7a8b.appsync-api.us-east-1.amazonaws.com:443",
    "Live": "9c0d1e2f3a4b5c6d.appsync-api.us-east-1.amazonaws.com:443",
}


class Parcels(cdk.Stage):
    """All stacks, once for each environment."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.data = Data(self, "Data")
        self.web = Web(self, "Web", self.data)
        self.events = Events(self, "Events", self.data)
        self.batch = Batch(self, "Batch", self.data)
        self.operations = Operations(self, "Operations", self.data)
        for function in (self.web.functions["QuotePrice"], self.events.functions["OrderPickup"]):
            cdk.Tags.of(function).add("calls", "carriers")


def shield(stage: Parcels, base: ShieldPolicy, carriers: list[str]) -> None:
    """Shields a stage: a function may reach what its role is granted, and what is listed here."""
    on_call = cloudwatch_actions.SnsAction(stage.operations.alarms)
    fleet = AlarmOptions(granularity="fleet", actions=[on_call], stacks=[stage.operations])
    cache = base + ShieldPolicy(allow_outbound=[stage.data.positions])
    path = stage.node.path
    new = LogOptions(existing=False)  # what reads logs here does not look for those that Lambda made
    # An image brings the shield's files itself.
    Shield(base, alarms=fleet, logs=new, in_image=True).apply(stage.batch.classify)
    Shield.everywhere(
        stage,
        base,
        policies={
            f"{path}/Web/Charge": base + ShieldPolicy(allow_outbound=["api.payments.example:443"]),
            f"{path}/Web/PrintLabel": base + ShieldPolicy(presets=["matplotlib"]),
            f"{path}/Web/TrackParcel": cache,
            f"{path}/Web/AuthorizeGraphql": base + ShieldPolicy(allow_outbound=[GRAPHQL[path]]),
            f"{path}/Batch/WarmCache": cache,
            f"{path}/Batch/Reports": base + ShieldPolicy(allow_tmp=["/tmp/report.csv"]),
            f"{path}/Events/TellChat": base + ShieldPolicy(allow_outbound=["hooks.slack.com:443"]),
            # The CDK grants a Config rule the objects of every bucket, too.
            f"{path}/Events/CheckTags": replace(base, allow_aws=["config"]),
            f"{path}/Events/SendToKafka": base + ShieldPolicy(allow_outbound=[KAFKA[path]]),
            "tag:calls=carriers": base + ShieldPolicy(allow_outbound=[f"{host}:443" for host in carriers]),
        },
        exclude=[
            f"{path}/Data/Depots/RotationSingleUser",  # AWS's function, from the Serverless Application Repository
            f"{path}/Batch/ExchangeRates",  # a program in Rust: an OS-only runtime runs no exec wrapper
            f"{path}/Batch/Sam/OldTracking",  # a function only once SAM's transform has run, in AWS
        ],
        alarms=fleet,
        logs=new,
    )
    ShieldMonitoring(stage, alarms=fleet, first_seen=[targets.SnsTopic(stage.operations.alarms)])
    # What these warnings ask for is done.
    for function, warning in (
        (stage.events.functions["SendToKafka"], "grantedDataPlane"),
        (stage.web.functions["AuthorizeGraphql"], "grantedCircle"),
    ):
        cdk.Annotations.of(function).acknowledge_warning(f"shielded-function:{warning}", "Its policy has it.")
    cdk.Validations.of(stage.batch.classify).acknowledge(
        cdk.Acknowledgment(id="shielded-function::image-unseen", reason="Its Dockerfile copies the layer to /opt.")
    )


def shield_abroad(stage: Abroad, base: ShieldPolicy) -> None:
    """Topic and key are in one stack, where the fleet's alarms are: by a topic each, stacks would form a circle."""
    on_call = cloudwatch_actions.SnsAction(stage.central.alarms)
    fleet = AlarmOptions(granularity="fleet", actions=[on_call], stacks=[stage.central])
    # Its role takes no statement about another log group, so its lines stay in the one that Lambda makes.
    Shield(base, alarms=fleet, logs=LogOptions(existing=True)).apply(stage.home.functions["Fixed"])
    away = base + ShieldPolicy(allow_outbound=[f"sqs.{AWAY}.amazonaws.com:443"])
    shielded = Shield.everywhere(
        stage,
        base,
        policies={"Abroad/Home/TellAway": away},
        alarms=fleet,
        logs=LogOptions(existing=False, encryption_key=stage.central.key),
    )
    new_targets = [targets.SnsTopic(stage.central.alarms)]
    ShieldMonitoring(stage, alarms=fleet, dashboard=False, queries=False, first_seen=new_targets)
    if layer := shielded.of("Abroad/Home/Traced").layer:  # None with the context `shield=off`
        stage.add_vendor_layer(layer)
    cdk.Annotations.of(stage.home.functions["TellAway"]).acknowledge_warning(
        "shielded-function:grantedOtherRegion", "Its policy has it."
    )
    cdk.Annotations.of(stage.central).acknowledge_warning(
        "shielded-function:newTargetsHidden", "Fixed writes to the log group that Lambda makes: its alarm is enough."
    )


app = cdk.App()
abroad = Abroad(app, "Abroad")
beta, live = Parcels(app, "Beta"), Parcels(app, "Live")
if not app.node.try_get_context("plain"):
    hosts = str(app.node.try_get_context("carriers") or CARRIERS).split(",")
    granted = ShieldPolicy(allow_aws="granted")
    shield(beta, granted.with_mode("alert"), hosts)
    shield(live, granted, hosts)
    shield_abroad(abroad, granted)
    cdk.Validations.of(app).add_plugins(ShieldChecks(production=["Live"]))
app.synth()
