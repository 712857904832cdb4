"""cfn-lint, for the tests that hold a template against it."""

from __future__ import annotations

from typing import Any


def lint(template: str, *, regions: list[str]) -> list[Any]:
    """What cfn-lint finds in a template.

    It is imported here, as it takes seconds, which each of pytest's workers would spend while it collects.
    """
    from cfnlint.api import lint

    found: Any = lint(template, regions=regions)
    return list(found)
