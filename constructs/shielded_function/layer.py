"""The Lambda layers of the shield: one per stack and architecture, and one for a long policy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from . import layer_archive
from .errors import ShieldError
from .layer_archive import MemberFile
from .names import POLICY_FILE

_POLICY_MEMBER: Final = POLICY_FILE.removeprefix("/opt/")


def shield_layer(scope: IConstruct, architecture: str) -> lambda_.LayerVersion:
    """The stack's layer for an architecture, made at its first use.

    Raises:
        ShieldError: the binaries are not there, or the id is taken by another construct.
    """
    stack = cdk.Stack.of(scope)
    construct_id = f"ShieldedFunctionLayer-{architecture}"
    existing = stack.node.try_find_child(construct_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    if existing is not None:
        raise ShieldError(existing.node.path, ["this construct id is the shield layer's: give it another"])
    if problems := layer_archive.missing_binaries(architecture):
        raise ShieldError(scope.node.path, problems)
    content = layer_archive.layer_zip(architecture)
    layer = lambda_.LayerVersion(
        stack,
        construct_id,
        code=_code(stack, content),
        compatible_architectures=[lambda_.Architecture.custom(architecture)],
        description=f"Shielded Function for {architecture}: decides what a function's code may do",
        license="Apache-2.0",
    )
    # Another content is another logical id: what refers to it changes, and so a function's `current_version` is a new
    # version. The CDK looks into a layer by itself only with the flag @aws-cdk/aws-lambda:recognizeLayerVersion.
    resource: Any = layer.node.default_child
    resource.override_logical_id(f"ShieldedFunctionLayer{architecture.replace('_', '')}{_short(content)}")
    return layer


def import_layer(stack: cdk.Stack, arn: str) -> lambda_.ILayerVersion:
    """A layer with the shield that was published, and perhaps signed, elsewhere: by its ARN, with the version."""
    digest = hashlib.sha256(str(stack.resolve(arn)).encode()).hexdigest()[:8]
    return lambda_.LayerVersion.from_layer_version_arn(stack, f"ShieldedFunctionLayer-{digest}", arn)


def policy_layer(scope: Construct, lines: str) -> lambda_.LayerVersion:
    """A layer with the part of one function's policy that does not fit into its environment.

    Apart from the shield's own layer, so that a change of one function's policy deploys no other function.

    Args:
        scope: the function's shield.
        lines: `NAME=value` lines, as SHIELD_POLICY_FILE takes them.
    """
    content = layer_archive.write_zip({_POLICY_MEMBER: MemberFile(lines.encode(), 0o644)})
    return lambda_.LayerVersion(
        scope,
        f"PolicyLayer{_short(content)}",  # another policy is another logical id, as above
        code=_code(cdk.Stack.of(scope), content),
        description="Shielded Function: the allow lists of one function",
    )


def _short(content: bytes) -> str:
    return layer_archive.sha256_hex(content)[:8].upper()


def _code(stack: cdk.Stack, content: bytes) -> lambda_.AssetCode:
    """An asset that is one zip file, named by its content.

    A zip of ours has the same bytes wherever it is written. The CDK's own, made of a folder, has the modes that a
    umask or an installer left, and on Windows none.
    """
    stage = cdk.Stage.of(stack)
    assert stage is not None, "a stack is always part of a stage: its app, at least"
    digest = layer_archive.sha256_hex(content)
    archive = Path(stage.asset_outdir) / f"shielded-function.{digest}.zip"
    archive.write_bytes(content)
    return lambda_.Code.from_asset(str(archive), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM)
