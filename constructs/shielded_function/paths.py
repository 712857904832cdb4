"""Where a construct is, in one question to the CDK."""

from __future__ import annotations

import re
from typing import Any, Final

# `Shop/Orders/Resource [AWS::S3::Bucket]`, as a resource tells itself.
_DESCRIBED: Final = re.compile(r"(.*?)(?: \[([A-Za-z0-9]+(?:::[A-Za-z0-9@_-]+)+)\])?", re.DOTALL)


def path_of(construct: Any) -> tuple[str, str]:
    """A construct's path and its CloudFormation type, empty for what is no resource, in one question."""
    found = _DESCRIBED.fullmatch(construct.to_string())
    assert found  # it matches every text
    path: str = found[1]
    return ("" if path == "<root>" else path), found[2] or ""
