"""A shop: a stage of two stacks and a nested one, written without a thought of the shield, and shielded at the end.

`stacks.py` is an app as anybody has it. All that concerns the shield is in this file.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events_targets as targets
from stacks import Shop

from shielded_function import AlarmOptions, LogOptions, Shield, ShieldChecks, ShieldMonitoring, ShieldPolicy

app = cdk.App()
shop = Shop(app, "Live")

# What the role of a function was granted is what the function may reach of AWS.
granted = ShieldPolicy(allow_aws="granted")

# Two alarms for all functions, in the stack that has the topic.
on_call = cloudwatch_actions.SnsAction(shop.data.alarms)
fleet = AlarmOptions(granularity="fleet", actions=[on_call], stacks=[shop.data])

shielded = Shield.everywhere(
    app,
    granted,
    policies={
        "Live/Orders/PlaceOrder": ShieldPolicy(allow_aws="granted", allow_outbound=["api.payments.example:443"]),
        "Live/Orders/Reports/*": ShieldPolicy(allow_aws="granted", allow_tmp=["/tmp/report.csv"]),
    },
    # A program of its own on an OS-only runtime, which runs no exec wrapper.
    exclude=["Live/Orders/ExchangeRates"],
    alarms=fleet,
    logs=LogOptions(existing=False),  # these functions are new: no log group of Lambda's own has lines of theirs
)
shielded.of("Live/Orders/FulfilOrder").allow_to(shop.data.database)

# A dashboard and saved queries beside the alarms; and a message for each new target, also while an alarm lasts.
ShieldMonitoring(app, alarms=fleet, first_seen=[targets.SnsTopic(shop.data.alarms)])

cdk.Validations.of(app).add_plugins(ShieldChecks(production=["Live"]))

app.synth()
