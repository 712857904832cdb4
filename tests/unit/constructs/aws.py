"""The CDK's modules by their names, without their types: a checker that reads all of them needs gigabytes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


class _Modules:
    """`aws.s3` is `aws_cdk.aws_s3`, `aws.lambda_` is `aws_cdk.aws_lambda`."""

    def __getattr__(self, name: str) -> Any:
        return importlib.import_module(f"aws_cdk.aws_{name.rstrip('_')}")


aws: Any = _Modules()


def new(make: Any, construct_id: str = "X", /, **props: Any) -> Callable[[Any], Any]:
    """Makes a construct in a scope; a property that is a function makes something there, too."""
    return lambda s: make(s, construct_id, **{k: each(s) if callable(each) else each for k, each in props.items()})
