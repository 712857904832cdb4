"""cfn-lint, for the tests that hold a template against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


def lint(template: str, *, regions: list[str]) -> list[Any]:
    """What cfn-lint finds in a template.

    It is imported here, as it takes seconds, which each of pytest's workers would spend while it collects.
    """
    from cfnlint.api import lint

    found: Any = lint(template, regions=regions)
    return list(found)


def lint_errors(template: Mapping[str, Any], ignored: str = "W") -> list[str]:
    """What cfn-lint finds in a template of Ireland, but for rules whose names begin so."""
    found = lint(json.dumps(template), regions=["eu-west-1"])
    return [str(each) for each in found if not each.rule.id.startswith(ignored)]


def values_of(template: Mapping[str, Any], known: Mapping[str, str]) -> Callable[[Any], list[Any]]:
    """Makes a template's values as cfn-lint does: all that it thinks possible, and none where it knows none."""
    from cfnlint.context import create_context_for_template
    from cfnlint.jsonschema import CfnTemplateValidator
    from cfnlint.template import Template

    read: Any = Template("", dict(template), regions=["us-east-1"])
    context = create_context_for_template(read).evolve(ref_values=dict(known))
    validator: Any = CfnTemplateValidator(cfn=read, context=context)
    return lambda value: [found for found, _, error in validator.resolve_value(value) if not error]
