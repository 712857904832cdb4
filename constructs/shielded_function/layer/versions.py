"""The Lambda layers of the shield: one per stack and architecture, and one for a long policy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from ..errors import ShieldError, shown
from ..names import POLICY_FILE
from ..policy.lengths import MAX_ENVIRONMENT
from . import archive
from .archive import MemberFile

# https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
_ARN: Final = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d+:layer:[\w-]+:\d+")
_FORM: Final = "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"
_POLICY_MEMBER: Final = POLICY_FILE.removeprefix("/opt/")


def shield_layer(scope: IConstruct, architecture: str) -> lambda_.LayerVersion:
    """The stack's layer for an architecture, created at its first use.

    Raises:
        ShieldError: the binaries are missing, the stack supports no files, or another construct has the id.
    """
    stack = cdk.Stack.of(scope)
    construct_id = f"ShieldedFunctionLayer-{architecture}"
    existing = stack.node.try_find_child(construct_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    if existing is not None:
        raise ShieldError(existing.node.path, ["this construct id is the shield layer's: give it another"])
    if problems := archive.missing_binaries(architecture):
        raise ShieldError(scope.node.path, problems)
    content = archive.layer_zip(architecture)
    layer = _make(
        stack,
        construct_id,
        content,
        scope.node.path,
        "leave the function out, or set shield_layer= to the ARN of a layer that you published",
        compatible_architectures=[lambda_.Architecture.custom(architecture)],
        description=f"Shielded Function for {architecture}: confines a function's code",
        license="Apache-2.0",
    )
    # Other content gets another logical id, so that a function's `current_version` becomes a new version. The CDK
    # itself considers a layer's content only with the flag @aws-cdk/aws-lambda:recognizeLayerVersion.
    resource: Any = layer.node.default_child
    resource.override_logical_id(f"ShieldedFunctionLayer{architecture.replace('_', '')}{_short(content)}")
    return layer


def check_layer(given: object) -> None:
    """Checks a layer that a user gives in place of the package's layer.

    Args:
        given: a layer, or an ARN; one with a token is known only at deployment, and passes.

    Raises:
        ShieldError: it is neither, or not the ARN of a layer version.
    """
    if given is None or hasattr(given, "layer_version_arn") or cdk.Token.is_unresolved(given):
        return
    if isinstance(given, str) and _ARN.fullmatch(given):
        return
    fix = f"write {given}:VERSION" if isinstance(given, str) and _ARN.fullmatch(f"{given}:1") else f"write {_FORM}"
    raise ShieldError("shield_layer", [f"{shown(given)} is no layer, and no ARN of a layer's version: {fix}"])


def import_layer(stack: cdk.Stack, arn: str) -> lambda_.ILayerVersion:
    """A layer with the shield that was published elsewhere, by its ARN with the version."""
    digest = hashlib.sha256(str(stack.resolve(arn)).encode()).hexdigest()[:8]
    return lambda_.LayerVersion.from_layer_version_arn(stack, f"ShieldedFunctionLayer-{digest}", arn)


def policy_layer(scope: Construct, lines: str) -> lambda_.LayerVersion:
    """A layer with the part of one function's policy that does not fit into its environment.

    Separate from the shield's layer, so that a change of one function's policy deploys no other function.

    Args:
        scope: the function's shield.
        lines: `NAME=value` lines, the content of SHIELD_POLICY_FILE.

    Raises:
        ShieldError: the stack supports no files.
    """
    content = archive.write_zip({_POLICY_MEMBER: MemberFile(lines.encode(), 0o644)})
    return _make(
        scope,
        f"PolicyLayer{_short(content)}",  # another policy gets another logical id, as above
        content,
        scope.node.path.rpartition("/")[0],
        f"shorten the policy to Lambda's {MAX_ENVIRONMENT} bytes of variables",
        description="Shielded Function: the allow lists of one function",
    )


def _make(
    scope: Construct, construct_id: str, content: bytes, function: str, fix: str, **props: Any
) -> lambda_.LayerVersion:
    """Creates a layer. A Service Catalog product and `BootstraplessSynthesizer` may support no files.

    Args:
        scope: its parent.
        construct_id: its construct id.
        content: the zip file.
        function: the path of its function.
        fix: the fix where the stack supports no files.
        props: further arguments of `LayerVersion`.
    """
    try:
        return lambda_.LayerVersion(scope, construct_id, code=zip_code(cdk.Stack.of(scope), content), **props)
    except RuntimeError as error:  # of the CDK
        scope.node.try_remove_child(construct_id)
        reason = str(error).strip().splitlines()[0]
        raise ShieldError(function, [f"layer: its stack takes no files ({reason}): {fix}"]) from error


def _short(content: bytes) -> str:
    return archive.sha256_hex(content)[:8].upper()


def zip_code(stack: cdk.Stack, content: bytes) -> lambda_.AssetCode:
    """An asset that is one zip file, named by its content.

    A zip of this package has the same bytes on every machine. The CDK's zip of a folder has the modes of a umask or an
    installer, and on Windows none.
    """
    stage = cdk.Stage.of(stack)
    assert stage is not None, "a stack always has a stage: at least its app"
    digest = archive.sha256_hex(content)
    file = Path(stage.asset_outdir) / f"shielded-function.{digest}.zip"
    file.write_bytes(content)
    return lambda_.Code.from_asset(str(file), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM)
