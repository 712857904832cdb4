"""The keyword arguments of CDK classes that are passed on, typed: `**props: Unpack[FunctionProps]`.

jsii's Python classes have keyword arguments instead of a reusable props type, so they are repeated
here. A test compares them with the signatures of the project's CDK version; an argument that
a newer CDK adds still works, only a type checker does not know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_codeguruprofiler as codeguruprofiler
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from aws_cdk.interfaces import aws_kms as aws_kms_refs
    from aws_cdk.interfaces import aws_lambda as aws_lambda_refs
    from aws_cdk.interfaces import aws_logs as aws_logs_refs


class _RequiredFunctionProps(TypedDict):
    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime


class FunctionProps(_RequiredFunctionProps, total=False):
    """The keyword arguments of `aws_lambda.Function`, which documents each."""

    adot_instrumentation: lambda_.AdotInstrumentationConfig | dict[str, Any] | None
    allow_all_ipv6_outbound: bool | None
    allow_all_outbound: bool | None
    allow_public_subnet: bool | None
    application_log_level: str | None
    application_log_level_v2: lambda_.ApplicationLogLevel | None
    architecture: lambda_.Architecture | None
    code_signing_config: aws_lambda_refs.ICodeSigningConfigRef | None
    current_version_options: lambda_.VersionOptions | dict[str, Any] | None
    dead_letter_queue: sqs.IQueue | None
    dead_letter_queue_enabled: bool | None
    dead_letter_topic: sns.ITopic | None
    description: str | None
    durable_config: lambda_.DurableConfig | dict[str, Any] | None
    environment: Mapping[str, str] | None
    environment_encryption: aws_kms_refs.IKeyRef | None
    ephemeral_storage_size: cdk.Size | None
    events: Sequence[lambda_.IEventSource] | None
    filesystem: lambda_.FileSystem | None
    function_name: str | None
    initial_policy: Sequence[iam.PolicyStatement] | None
    insights_version: lambda_.LambdaInsightsVersion | None
    ipv6_allowed_for_dual_stack: bool | None
    layers: Sequence[lambda_.ILayerVersion] | None
    log_format: str | None
    logging_format: lambda_.LoggingFormat | None
    log_group: aws_logs_refs.ILogGroupRef | None
    log_removal_policy: cdk.RemovalPolicy | None
    log_retention: logs.RetentionDays | None
    log_retention_retry_options: lambda_.LogRetentionRetryOptions | dict[str, Any] | None
    log_retention_role: iam.IRole | None
    memory_size: float | None
    params_and_secrets: lambda_.ParamsAndSecretsLayerVersion | None
    profiling: bool | None
    profiling_group: codeguruprofiler.IProfilingGroup | None
    recursive_loop: lambda_.RecursiveLoop | None
    reserved_concurrent_executions: float | None
    role: iam.IRole | None
    runtime_management_mode: lambda_.RuntimeManagementMode | None
    security_groups: Sequence[ec2.ISecurityGroup] | None
    snap_start: lambda_.SnapStartConf | None
    system_log_level: str | None
    system_log_level_v2: lambda_.SystemLogLevel | None
    tenancy_config: lambda_.TenancyConfig | None
    timeout: cdk.Duration | None
    tracing: lambda_.Tracing | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | dict[str, Any] | None
    max_event_age: cdk.Duration | None
    on_failure: lambda_.IDestination | None
    on_success: lambda_.IDestination | None
    retry_attempts: float | None


class MetricProps(TypedDict, total=False):
    """The keyword arguments of a CloudWatch metric (`aws_cloudwatch.MetricOptions`, which documents each)."""

    account: str | None
    color: str | None
    dimensions_map: Mapping[str, str] | None
    id: str | None
    label: str | None
    period: cdk.Duration | None
    region: str | None
    stack_account: str | None
    stack_region: str | None
    statistic: str | None
    unit: cloudwatch.Unit | None
    visible: bool | None
