"""The grants of a stage's functions, read from its constructs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .circles import break_circles
from .emitting import CdkEmitter, HostsOf
from .model import Grants
from .rereading import Looked
from .stage_reader import Reader
from .statements import decide

if TYPE_CHECKING:
    from constructs import IConstruct

    from .stage_reader import AnyFunction

__all__ = ["read_grants", "read_stage"]


def read_grants(
    stage: IConstruct,
    functions: Sequence[AnyFunction],
    *,
    constructs: Sequence[IConstruct] | None = None,
    hosts_of: HostsOf | None = None,
) -> dict[str, Grants]:
    """The AWS hosts that the functions of a stage may reach by their roles' present grants. Changes nothing.

    Args:
        stage: the App or Stage of the functions; one call reads all its policies once.
        functions: the functions to read.
        constructs: the result of `find_relevant` for it, if already known.
        hosts_of: a construct -> its entries for `allow_outbound` with their longest lengths; by default
            `hosts.entries_of`.

    Returns:
        Construct path of each function -> its grants.

    Raises:
        ShieldError: a function is not in the stage.
    """
    return read_stage(stage, functions, constructs=constructs, hosts_of=hosts_of)[0]


def read_stage(
    stage: IConstruct,
    functions: Sequence[AnyFunction],
    *,
    constructs: Sequence[IConstruct] | None = None,
    hosts_of: HostsOf | None = None,
) -> tuple[dict[str, Grants], Looked]:
    """The result of `read_grants`, and a record of the read for `rereading`."""
    reader = Reader(stage, functions, constructs)
    emitters: dict[str, CdkEmitter] = {}
    grants: dict[str, Grants] = {}
    for path, place, caller in reader.callers():
        if place.path not in emitters:
            emitters[place.path] = CdkEmitter(reader, place, hosts_of)
        grants[path] = decide(caller, emitters[place.path])
    return break_circles(grants, reader.holders()), reader.looked
