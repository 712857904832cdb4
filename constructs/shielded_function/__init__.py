"""Lambda functions whose code is confined by a policy.

    from shielded_function import ShieldedFunction, ShieldPolicy

    ShieldedFunction(
        self,
        "Checkout",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_asset("src"),
        policy=ShieldPolicy(allow_outbound=("api.stripe.com:443",)),
    )

Names are imported at their first use: a policy needs neither the CDK nor Node.js, and the command line starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alarms.alarm_options import AlarmOptions, ControlAlarm
    from .checks.plugin import ShieldChecks
    from .dashboards.dashboard import ShieldDashboard
    from .dashboards.monitoring import ShieldMonitoring
    from .errors import ShieldError
    from .findings.findings import ShieldFindings
    from .perimeter.perimeter import ShieldPerimeter
    from .policy import ShieldPolicy, ShieldPolicyError
    from .shield.everywhere import ShieldedApp
    from .shield.log_group import LogOptions
    from .shield.shield import AttachedShield, Shield
    from .shield.shielded_function import ShieldedFunction

__all__ = [
    "AlarmOptions",
    "AttachedShield",
    "ControlAlarm",
    "LogOptions",
    "Shield",
    "ShieldChecks",
    "ShieldDashboard",
    "ShieldError",
    "ShieldFindings",
    "ShieldMonitoring",
    "ShieldPerimeter",
    "ShieldPolicy",
    "ShieldPolicyError",
    "ShieldedApp",
    "ShieldedFunction",
]

_MODULES = {
    "ControlAlarm": "alarms.alarm_options",
    "AttachedShield": "shield.shield",
    "Shield": "shield.shield",
    "AlarmOptions": "alarms.alarm_options",
    "ShieldChecks": "checks.plugin",
    "ShieldDashboard": "dashboards.dashboard",
    "ShieldError": "errors",
    "ShieldFindings": "findings.findings",
    "LogOptions": "shield.log_group",
    "ShieldMonitoring": "dashboards.monitoring",
    "ShieldPerimeter": "perimeter.perimeter",
    "ShieldPolicy": "policy",
    "ShieldPolicyError": "policy",
    "ShieldedApp": "shield.everywhere",
    "ShieldedFunction": "shield.shielded_function",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
