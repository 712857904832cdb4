"""`ShieldPerimeter`: the wall around the functions of a VPC, made from the same policies as the one in the process.

Code in a function's process may undo the rules of its engine, but not the rules of AWS's network. So
this makes of the policies rules of Route 53 Resolver DNS Firewall, of security groups and of VPC endpoints. What
decides is pure (`entries`, `names`, `firewall`, `egress`, `residents`, `grants`); what asks or changes the CDK is
beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .construct import ShieldPerimeter

__all__ = ["ShieldPerimeter"]


def __getattr__(name: str) -> Any:
    if name != "ShieldPerimeter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .construct import ShieldPerimeter

    return ShieldPerimeter
