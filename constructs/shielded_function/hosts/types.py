"""The kind of a construct, without importing the module of its class.

A service's module takes up to two seconds to import, so a table of forty services cannot use its classes. jsii's name
of a class is enough, as the code that created the construct has imported it.
"""

from __future__ import annotations

from typing import Final

_LIBRARY: Final = "aws-cdk-lib."


def type_names(value: object) -> list[str]:
    """The jsii names of an object's classes and interfaces, the nearest first, without `aws-cdk-lib.`.

    An imported construct (`Vpc.from_lookup`) reaches Python as a proxy without a class, whose reference names its
    interfaces. It makes no request to Node.js.
    """
    names = [getattr(kind, "__jsii_type__", None) for kind in type(value).__mro__]
    names += getattr(getattr(value, "__jsii_ref__", None), "interfaces", None) or ()
    return list(dict.fromkeys(name.removeprefix(_LIBRARY) for name in names if isinstance(name, str)))


def types_in(text: str) -> tuple[str, ...]:
    """The jsii names in a table's text.

    >>> types_in("aws_s3: BucketBase IBucket, CfnParameter")
    ('aws_s3.BucketBase', 'aws_s3.IBucket', 'CfnParameter')
    """
    groups = [group.rpartition(": ") for group in text.split(", ")]
    return tuple(f"{module}.{name}".lstrip(".") for module, _, names in groups for name in names.split())
