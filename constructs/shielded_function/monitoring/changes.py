"""The event of somebody changing a shielded function. Pure.

CloudTrail's management events reach EventBridge where the account has a trail
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). Names of calls end with the API's version
(`UpdateFunctionConfiguration20150331v2`). Variables are not in the event: CloudTrail hides them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

MAX_PATTERN: Final = 2048
"""Characters of an event pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""
_CALLS: Final = ("UpdateFunctionConfiguration", "UpdateFunctionCode", "PutRuntimeManagementConfig")


def changes_pattern(names: Sequence[str]) -> Mapping[str, Any]:
    """The event pattern.

    Args:
        names: names of functions, in which `*` stands for any characters. Where there are none, or more than fit, it is
            about every function: rather a message too many than one too few.
    """
    detail: dict[str, Any] = {
        "eventSource": ["lambda.amazonaws.com"],
        "eventName": [{"prefix": call} for call in _CALLS],
        "sourceIPAddress": [{"anything-but": "cloudformation.amazonaws.com"}],
    }
    every = {"source": ["aws.lambda"], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
    if not names:
        return every
    # The call names a function by its name or by its ARN.
    wanted = [{"wildcard": name} for known in dict.fromkeys(names) for name in (known, f"*:function:{known}")]
    some = {**every, "detail": {**detail, "requestParameters": {"functionName": wanted}}}
    return some if len(json.dumps(some)) <= MAX_PATTERN else every
