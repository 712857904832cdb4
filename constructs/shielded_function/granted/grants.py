"""The grants of a stage's functions, read from its constructs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from ..names import l2_path
from ..reading.paths import path_of
from .circles import Holder, break_circles
from .entries import Grants
from .service_hosts import CdkEmitter, HostsOf
from .stage_reader import Inputs, StageReader, are_same, read_inputs
from .statements import decide

if TYPE_CHECKING:
    from constructs import IConstruct

    from .stage_reader import AnyFunction

__all__ = ["Inputs", "are_same", "read_grants", "read_inputs", "read_stage"]


def read_grants(
    stage: IConstruct, functions: Sequence[AnyFunction], *, hosts_of: HostsOf | None = None
) -> dict[str, Grants]:
    """The AWS hosts that the functions of a stage may reach by their roles' present grants. Changes nothing.

    Args:
        stage: the App or Stage of the functions; one call reads all its policies once.
        functions: the functions to read.
        hosts_of: a construct -> its entries for `allow_outbound` with their longest lengths; by default
            `hosts.entries_of`.

    Returns:
        Construct path of each function -> its grants.

    Raises:
        ShieldError: a function is not in the stage.
    """
    return read_stage(stage, functions, hosts_of=hosts_of)[0]


def read_stage(
    stage: IConstruct, functions: Sequence[AnyFunction], *, hosts_of: HostsOf | None = None
) -> tuple[dict[str, Grants], Inputs]:
    """The result of `read_grants`, and the inputs of the read, as of `read_inputs`."""
    reader = StageReader(stage, functions)
    emitters: dict[str, CdkEmitter] = {}
    grants: dict[str, Grants] = {}
    holders: dict[str, Holder] = {}
    for handle, caller in reader.callers():
        stack = path_of(handle.stack)[0]
        if stack not in emitters:
            emitters[stack] = CdkEmitter(reader, handle.stack, hosts_of)
        grants[handle.path] = decide(caller, emitters[stack])
        waits = isinstance(handle.construct, lambda_.Function)
        holders[handle.path] = Holder(handle.resource, l2_path(caller.role), waits)
    return break_circles(grants, holders), reader.inputs
