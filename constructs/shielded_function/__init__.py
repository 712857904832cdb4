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
    from .alarms import AlarmOptions, ControlAlarm
    from .checks.plugin import ShieldChecks
    from .errors import ShieldError
    from .everywhere import ShieldedApp
    from .findings.construct import ShieldFindings
    from .function import ShieldedFunction
    from .log_group import LogOptions
    from .monitoring.dashboard import ShieldDashboard
    from .monitoring.monitoring import ShieldMonitoring
    from .perimeter.construct import ShieldPerimeter
    from .policy import ShieldPolicy, ShieldPolicyError
    from .shield import AttachedShield, Shield

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
    "ControlAlarm": "alarms",
    "AttachedShield": "shield",
    "Shield": "shield",
    "AlarmOptions": "alarms",
    "ShieldChecks": "checks.plugin",
    "ShieldDashboard": "monitoring.dashboard",
    "ShieldError": "errors",
    "ShieldFindings": "findings.construct",
    "LogOptions": "log_group",
    "ShieldMonitoring": "monitoring.monitoring",
    "ShieldPerimeter": "perimeter.construct",
    "ShieldPolicy": "policy",
    "ShieldPolicyError": "policy",
    "ShieldedApp": "everywhere",
    "ShieldedFunction": "function",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
