"""Each method of the CDK's that grants: what it opens to a function, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest

from lab.cdk.kinds import call, list_methods
from unit.constructs.granted.rows import Built, Row, build, check_app, check_row, check_templates

pytestmark = pytest.mark.long


def by_method(make: Any, method: str, opens: Any) -> Row:
    return Row(lambda s, f: call(s, make, method, opens, f), opens.services, opens.buckets, opens.hosts, opens.said)


METHODS: Final = {name: by_method(make, method, opens) for name, make, method, opens in list_methods()}
# Of a class's methods, the first one is shielded: all of them would take long.
FIRST: Final = {name.rpartition(".")[0]: name for name in reversed(METHODS)}
NOT_A_FUNCTIONS: Final[Mapping[str, str]] = {
    "aws_apigateway.RestApiBase.grant_invoke_from_vpc_endpoints_only": "has no grantee: it is the API's policy",
    r"aws_bedrockagentcore\.(ICredential\w+|\w+(Api|Tool)Schema)\.\w+": "of a gateway's role, for its targets",
    "aws_bedrockagentcore.RuntimeBase.grant": "has no grantee: it is of the runtime's role",
    r"aws_bedrockagentcore\.\w+MemoryStrategy\.grant": "of the memory's role, for the strategy's models and topics",
    r"aws_codepipeline_actions\.ManualApprovalAction\.\w+": "of an action that is in a pipeline",
    r"aws_dynamodb\.TableGrants\.multi_account_\w+": "has no grantee: it is the table's policy",
    r"aws_eks(_v2)?\.Cluster\.\w+": "in Kubernetes, to an ARN: no statement of a role",
    r"aws_lambda\.FunctionBase\.grant_invoke_composite_principal": "to several principals at once: no function is that",
    r"aws_sagemaker\.I(Endpoint|Pipeline)\.\w+": "of an interface that no class of the CDK has",
    r"aws_s3\.(BucketBase\.grant_public_access|BucketGrants\.public_access)": "to everybody: it is the bucket's policy",
    r"aws_iam\.IEncryptedResource\.grant_on_key": "of an interface: the classes have rows",
    r"experimental\.EdgeFunction\.\w+": "at Lambda@Edge, where no function has a shield",
}
"""Patterns of methods without a row, each with the reason."""


_MEMBER: Final = re.compile(
    r"^class (?P<cls>\w+)|^(?P<property>    @builtins\.property\n)?"
    r'    @jsii\.member\(jsii_name="\w+"\)\n(?:    @builtins\.classmethod\n)?    def (?P<name>\w+)\(',
    re.MULTILINE,
)


def find_methods() -> set[str]:
    """The methods of the CDK that grant, as `module.Class.method`: of classes that define them, not of interfaces.

    Methods of a `...Grants` class are left out where the resource has them as `grant_...` too.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for file in Path(str(cdk.__file__)).parent.rglob("__init__.py"):
        text = file.read_text(encoding="utf-8")
        cls = ""
        for match in _MEMBER.finditer(text) if "def grant" in text or "Grants:" in text else ():
            cls, name = match["cls"] or cls, match["name"] or ""
            grants = name.startswith("grant") or (cls.endswith("Grants") and name and not name.startswith("from_"))
            if grants and not match["property"] and not cls.startswith("_"):
                found.setdefault((file.parent.name, name), set()).add(cls)
    methods: set[str] = set()
    for (module, name), classes in found.items():
        shorter = "grant" if name == "actions" else f"grant_{name}"
        if (module, shorter) in found:
            classes = {cls for cls in classes if not cls.endswith("Grants") or cls == "StreamGrants"}
        real = {cls for cls in classes if not re.match("I[A-Z]", cls)} or classes
        methods |= {f"{module}.{cls}.{name}" for cls in real}
    return methods


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("methods"), METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_opens_what_it_says(built: Built, name: str) -> None:
    check_row(built, name)


def test_an_app_of_the_methods_says_no_more(built: Built) -> None:
    check_app(built, FIRST.values())


def test_templates_tell_what_methods_grant(built: Built) -> None:
    """More where the function has no URL."""
    assert check_templates(built) == {"aws_lambda.FunctionBase.grant_invoke_url": {"Another"}}


def test_every_method_has_a_row_or_a_reason() -> None:
    found = find_methods()
    excluded = {name for name in found if any(re.fullmatch(pattern, name) for pattern in NOT_A_FUNCTIONS)}
    assert sorted(found - METHODS.keys() - excluded) == []
    assert sorted(METHODS.keys() - found) == []
    assert [p for p in NOT_A_FUNCTIONS if not any(re.fullmatch(p, name) for name in excluded)] == []
    assert excluded & METHODS.keys() == set()
