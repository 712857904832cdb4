"""`Shield.everywhere`, and the aspect and the mixin: every function of an app, and a word about each that has none."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicecatalog as servicecatalog
from aws_cdk import custom_resources as cr
from aws_cdk import pipelines
from aws_cdk.assertions import Annotations, Match
from constructs import Construct

from harness.function_template import WRAPPER, Props
from shielded_function import AlarmOptions, LogOptions, Shield, ShieldedFunction, ShieldError, ShieldPolicy, globs
from shielded_function.shield import stage as of_stage
from shielded_function.shield.function_shield import attached_to
from unit.constructs.aws import add_aspect, aws, l1_function
from unit.constructs.granted.rows import table

pytestmark = pytest.mark.promise("construct.everywhere")


def variables(app: cdk.App) -> dict[str, dict[str, Any]]:
    """The environment of every function of a synthesized app, by construct path."""
    return {
        resource.get("Metadata", {}).get("aws:cdk:path", "").rpartition("/")[0]: resource["Properties"]
        .get("Environment", {})
        .get("Variables", {})
        for template in Path(app.synth().directory).rglob("*.template.json")
        for resource in json.loads(template.read_text()).get("Resources", {}).values()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def modes(app: cdk.App) -> dict[str, str | None]:
    """The mode of read_write_tmp of every function; None for one without a shield."""
    return {
        path: found.get("SHIELD_READ_WRITE_TMP") if found.get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER else None
        for path, found in variables(app).items()
    }


@pytest.fixture
def app(tmp_path: Path, request: pytest.FixtureRequest) -> cdk.App:
    """With and without the stabilization of aspects, where a test asks for both."""
    context = {"aws:cdk:enable-path-metadata": True, **getattr(request, "param", {})}
    return cdk.App(outdir=str(tmp_path / "cdk.out"), context=context, analytics_reporting=False)


BOTH_WAYS = pytest.mark.parametrize(
    "app", [{"@aws-cdk/core:aspectStabilization": stable} for stable in (True, False)], indirect=True
)


def cdk_handlers(stack: cdk.Stack, props: Props) -> None:
    """A function of each kind that the CDK brings along."""
    handler: Any = lambda_.Function(stack, "OnEvent", **props)
    cr.Provider(stack, "Provider", on_event_handler=handler)
    bucket = aws.s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    aws.s3_deployment.BucketDeployment(
        stack, "Site", destination_bucket=bucket, sources=[aws.s3_deployment.Source.data("index.html", "hello")]
    )
    call = cr.AwsSdkCall(service="S3", action="listBuckets", physical_resource_id=cr.PhysicalResourceId.of("x"))
    everything = cr.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"])
    cr.AwsCustomResource(stack, "Call", on_create=call, policy=everything, install_latest_aws_sdk=False)
    lambda_.Function(stack, "Kept", log_retention=aws.logs.RetentionDays.ONE_WEEK, **props)
    table(stack, replication_regions=["eu-west-1"])


def clusters(stack: cdk.Stack, function: Any) -> None:
    """A bucket that notifies, an ECS cluster that drains, and one of EKS with kubectl."""
    target = aws.s3_notifications.LambdaDestination(function)
    aws.s3.Bucket(stack, "Notifies").add_event_notification(aws.s3.EventType.OBJECT_CREATED, target)
    vpc = aws.ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    machines: Any = {"instance_type": aws.ec2.InstanceType("t3.micro")}
    machines["machine_image"] = aws.ecs.EcsOptimizedImage.amazon_linux2023()
    machines["vpc_subnets"] = aws.ec2.SubnetSelection(subnet_type=aws.ec2.SubnetType.PUBLIC)
    aws.ecs.Cluster(stack, "Ecs", vpc=vpc).add_capacity("Capacity", **machines)
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:kubectl:1"
    layer = lambda_.LayerVersion.from_layer_version_arn(stack, "Kubectl", arn)
    kubectl = aws.eks_v2.KubectlProviderOptions(kubectl_layer=layer)
    version = aws.eks_v2.KubernetesVersion.V1_33
    aws.eks_v2.Cluster(stack, "Eks", version=version, kubectl_provider_options=kubectl)


def test_globs() -> None:
    for glob, path in (("**", "Shop/A/B"), ("Shop/**/B", "Shop/B"), ("Shop", "Shop/B")):
        assert globs.covers(glob, path)
        assert not globs.covers(path.replace("/", "."), path)
    assert not globs.covers("Shop/B", "Shop")


@BOTH_WAYS
def test_functions_that_are_made_after_the_call(app: cdk.App, props: Props) -> None:
    """A stage that is made after it takes another call."""
    before, stage = cdk.Stack(app, "Before"), cdk.Stage(app, "Production")
    within = cdk.Stack(stage, "Within")
    shielded = Shield.everywhere(app, ShieldPolicy())
    late = cdk.Stage(app, "Late")
    after = [cdk.Stack(app, "After"), cdk.NestedStack(before, "Nested"), cdk.Stack(late, "Shop")]
    for number, stack in enumerate((before, within, *after)):
        lambda_.Function(stack, f"Fn{number}", **props)
    Shield.everywhere(late, ShieldPolicy())
    assert list(modes(app).values()) == ["block"] * 5
    assert len(shielded.shielded) == 4


def test_the_shield_of_a_function(app: cdk.App, props: Props) -> None:
    stack = cdk.Stack(app, "Shop")
    fn = lambda_.Function(stack, "Fn", **props)
    own = ShieldedFunction(stack, "Own", **props)
    single = lambda_.SingletonFunction(stack, "Single", uuid="8d3f1a", **props)
    left = lambda_.Function(stack, "Left", **props)
    shielded = Shield.everywhere(app, ShieldPolicy(), exclude=[left])
    assert shielded.of("Shop/Fn") is shielded.of(fn) is Shield.of(fn)
    assert shielded.of(own) is own.shield
    assert shielded.of(single) is Shield.of(single)
    with pytest.raises(ShieldError, match=r"^Shop/Left: it has no shield: excluded with Shop/Left$"):
        shielded.of(left)
    with pytest.raises(ShieldError, match=r"^Shop/Fm: .* no function of that path; there are: Shop/Fn, Shop/Single"):
        shielded.of("Shop/Fm")


@BOTH_WAYS
@pytest.mark.parametrize("how", ["mixin", "aspect", "stage aspect"])
def test_the_mixin_and_the_aspect(app: cdk.App, props: Props, how: str) -> None:
    stack = cdk.Stack(app, "Shop")
    lambda_.Function(stack, "Fn", **props)
    l1_function(stack)
    lambda_.SingletonFunction(stack, "Single", uuid="8d3f1a", **props)
    if how == "mixin":
        cdk.Mixins.of(app).apply(Shield())
    else:
        cdk.Aspects.of(app if how == "aspect" else stack).add(Shield())
    assert list(modes(app).values()) == ["block"] * 3


@BOTH_WAYS
def test_an_aspect_that_adds_a_wrapper_is_chained(app: cdk.App, props: Props) -> None:
    """By `Shield.everywhere`, and by the aspect before it and behind it."""

    def add_wrapper(node: Any) -> None:
        if isinstance(node, lambda_.Function):
            node.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "/opt/late")

    everywhere, behind, before = stacks = [cdk.Stack(app, name) for name in ("Everywhere", "Behind", "Before")]
    for stack in stacks:
        lambda_.Function(stack, "Fn", **props)
    Shield.everywhere(everywhere, ShieldPolicy())
    cdk.Aspects.of(before).add(Shield())
    for stack in stacks:
        add_aspect(stack, add_wrapper)
    cdk.Aspects.of(behind).add(Shield())
    names = ("AWS_LAMBDA_EXEC_WRAPPER", "SHIELD_NEXT_WRAPPER")
    assert [[found[name] for name in names] for found in variables(app).values()] == [[WRAPPER, "/opt/late"]] * 3


def test_the_most_specific_policy(app: cdk.App, props: Props) -> None:
    """A path comes before a glob, the glob with more text before others, and each before a tag."""
    shop, other = cdk.Stack(app, "Shop"), cdk.Stack(app, "Other")
    for stack, name in ((shop, "Exact"), (shop, "Pattern"), (shop, "Tagged"), (other, "Tagged"), (other, "Plain")):
        lambda_.Function(stack, name, **props)
    ShieldedFunction(shop, "Own", policy=ShieldPolicy(read_write_tmp="block"), **props)
    for stack in (shop, other):
        cdk.Tags.of(stack.node.find_child("Tagged")).add("team", "payments")
    texts: dict[str, Any] = {"tag:team=payments": "alert", "**/Pat*": "alert", "Shop/*": "allow", "Shop/Exact": "block"}
    Shield.everywhere(
        app, ShieldPolicy(), policies={text: ShieldPolicy(read_write_tmp=mode) for text, mode in texts.items()}
    )
    expected = {"Exact": "block", "Pattern": "allow", "Tagged": "allow", "Own": "block"}
    assert modes(app) == {
        **{f"Shop/{name}": mode for name, mode in expected.items()},
        "Other/Tagged": "alert",
        "Other/Plain": "block",
    }


_OR = "correct it, take it out, or say allow_unmatched=True"
# Each: the argument, a path, glob, tag or id, and what is said of it; nothing where it is right.
UNMATCHED: dict[tuple[str, str], str] = {
    ("policies", "Shop/Chekcout"): "matches no function: did you mean 'Shop/Checkout'?",
    ("exclude", "Shop/Chekcout"): "matches no function: did you mean 'Shop/Checkout'?",
    ("policies", "Shop/Checkout/Resource"): "matches no function: did you mean 'Shop/Checkout'?",
    ("exclude", "Chekcout"): "matches no function: did you mean 'Checkout'?",
    ("exclude", "Shop/Singleton"): "matches no function: correct it, or take it out",
    ("exclude", "Elsewhere/Totals"): "matches no function: correct it, or take it out",
    ("exclude", "Shop/Own"): "has no effect on Shop/Own: it has a shield already",
    ("policies", "Shop/Provider"): "has no effect on Shop/Provider/framework-onEvent: a function of the CDK's own",
    ("policies", "Shop/Leg*"): f"matches no function: {_OR}",
    ("exclude", "*/*/Checkout"): f"matches no function: {_OR}",
    ("policies", "tag:team=nobody"): f"decides for no function: none has the tag, or a path or glob comes first: {_OR}",
    ("policies", "Shop/Own"): "",
    ("policies", "Shop/Empty"): "",
    ("exclude", "Shop/Left"): "",
    ("exclude", "Left"): "",
    ("policies", "**/Check?ut"): "",
    ("policies", "tag:team=shop"): "",
    ("policies", "Shop/Later"): "",
}


@pytest.mark.parametrize("of_stage", [True, False])
def test_what_matches_nothing_is_an_error(app: cdk.App, props: Props, of_stage: bool) -> None:
    """Asked when everything is there: what a later aspect makes, and tags, which are known only then."""
    scope = cdk.Stage(app, "Live") if of_stage else app
    stack = cdk.Stack(scope, "Shop")
    prefix = "Live/" if of_stage else ""

    def said(text: str) -> str:
        return text.replace("Shop/", f"{prefix}Shop/").replace("*/*/", f"{prefix}*/*/")

    for name in ("Checkout", "Left"):
        lambda_.Function(stack, name, **props)
    cdk.Tags.of(lambda_.Function(stack, "Tagged", **props)).add("team", "shop")
    ShieldedFunction(stack, "Own", **props)
    handler: Any = lambda_.Function(stack, "OnEvent", **props)
    cr.Provider(stack, "Provider", on_event_handler=handler)
    cdk.NestedStack(stack, "Empty")
    lambda_.SingletonFunction(stack, "Singleton", uuid="f7d4f730-4ee1-11e8-9c2d-fa7ae01bbebc", **props)
    Shield.everywhere(
        app,
        ShieldPolicy(),
        policies={said(each): ShieldPolicy() for argument, each in UNMATCHED if argument == "policies"},
        exclude=[said(each) for argument, each in UNMATCHED if argument == "exclude"],
    )
    lambda_.Function(stack, "Later", **props)
    with pytest.raises(RuntimeError, match=r"Shield\.everywhere: policies") as raised:
        app.synth()
    told = [line.partition("Shield.everywhere: ")[2] for line in str(raised.value).splitlines() if ": '" in line]
    rows = sorted(UNMATCHED.items(), key=lambda row: row[0][0], reverse=True)  # `policies` first
    assert told == [said(f"{argument}: {each!r} {says}") for (argument, each), says in rows if says]


def test_globs_that_several_apps_share_may_match_nothing(app: cdk.App, props: Props) -> None:
    lambda_.Function(cdk.Stack(app, "Shop"), "Checkout", **props)
    policies = {"Other/*": ShieldPolicy(), "tag:team=x": ShieldPolicy()}
    Shield.everywhere(
        app, ShieldPolicy(), policies=policies, exclude=["Legacy*", "Shpo/Checkout"], allow_unmatched=True
    )
    with pytest.raises(RuntimeError, match="did you mean 'Shop/Checkout'") as raised:
        app.synth()
    assert str(raised.value).count("Shield.everywhere:") == 1


def test_exclusions(app: cdk.App, props: Props) -> None:
    """Each is in the assembly, with its reason; an excluded singleton is the function behind it."""
    stack = cdk.Stack(app, "Shop")
    group = Construct(stack, "Group")
    for scope, name in ((stack, "Path"), (stack, "ById"), (stack, "Asked"), (group, "In"), (stack, "Shielded")):
        lambda_.Function(scope, name, **props)
    once: Any = lambda_.SingletonFunction(stack, "Once", uuid="f7d4f730-4ee1-11e8-9c2d-fa7ae01bbebc", **props)
    excluded = ["Shop/Pa*", "ById", lambda function: function.node.id == "Asked", group, once]
    shielded = Shield.everywhere(app, ShieldPolicy(), exclude=excluded)
    assert [path for path, mode in modes(app).items() if mode] == ["Shop/Shielded"] == list(shielded.shielded)
    assert len(shielded.left_out) == 5
    assert shielded.left_out["Shop/Path"] == "excluded by 'Shop/Pa*'"
    assert shielded.left_out["Shop/Group/In"] == "excluded with Shop/Group"
    metadata = "".join(path.read_text() for path in Path(app.outdir).rglob("*.metadata.json"))
    assert "shielded-function:leftOut" in metadata
    assert "excluded by 'Shop/Pa*'" in metadata


def test_cdks_own_functions_are_left_out(app: cdk.App, props: Props) -> None:
    stacks = [cdk.Stack(app, name, env=cdk.Environment(region="us-east-1")) for name in ("Shop", "Mixin", "Aspect")]
    for stack in stacks:
        cdk_handlers(stack, props)
    cdk.Mixins.of(stacks[1]).apply(Shield())
    cdk.Aspects.of(stacks[2]).add(Shield())
    clusters(stacks[0], stacks[0].node.find_child("OnEvent"))
    left_out = Shield.everywhere(stacks[0], ShieldPolicy()).left_out
    own = {path for path, reason in left_out.items() if reason == "a function of the CDK's own"}
    assert len(own) >= 10
    assert "Shop/Provider/framework-onEvent" in own
    assert "Shop/Eks/KubectlProvider/Handler" in left_out
    shielded = [path for path, mode in modes(app).items() if mode]
    assert sorted(shielded) == sorted(f"{stack.node.id}/{name}" for stack in stacks for name in ("OnEvent", "Kept"))


def test_a_name_like_the_cdks_does_not_hide_a_function(app: cdk.App, props: Props) -> None:
    """And the CDK's own get a shield where it is asked for."""
    stacks = cdk.Stack(app, "Shop"), cdk.Stack(app, "All")
    for name in (
        *("framework-onEvent", "Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C", "Handler"),
        "BucketNotificationsHandler050a0587b7544547bf325f094a3db834",
    ):
        lambda_.Function(stacks[0], name, **props)
    for stack in stacks:
        handler: Any = lambda_.Function(stack, "OnEvent", **props)
        level = lambda_.ApplicationLogLevel.INFO  # by default FATAL, which drops alert lines
        provider = cr.Provider(stack, "Provider", on_event_handler=handler, framework_lambda_logging_level=level)
        lambda_.Function(provider, "Mine", **props)
        Shield.everywhere(stack, ShieldPolicy(), include_cdk_handlers=stack is stacks[1])
    assert [path for path, mode in modes(app).items() if mode is None] == ["Shop/Provider/framework-onEvent"]


def unsupported(stack: cdk.Stack, props: Props) -> None:
    repository = aws.ecr.Repository.from_repository_name(stack, "Images", "shop")
    lambda_.DockerImageFunction(stack, "Image", code=lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="1"))
    code = lambda_.Code.from_bucket(aws.s3.Bucket.from_bucket_name(stack, "Code", "code"), "code.zip")
    rust: Any = {**props, "runtime": lambda_.Runtime.PROVIDED_AL2023, "code": code}
    lambda_.Function(stack, "Rust", **rust)
    levels: Any = {"application_log_level_v2": lambda_.ApplicationLogLevel.FATAL}
    lambda_.Function(stack, "Fatal", logging_format=lambda_.LoggingFormat.JSON, **levels, **props)
    cheap = logs.LogGroup(stack, "Cheap", log_group_class=logs.LogGroupClass.INFREQUENT_ACCESS)
    lambda_.Function(stack, "Rare", log_group=cheap, **props)
    aws.cloudfront.experimental.EdgeFunction(stack, "Edge", **props)
    lambda_.Function.from_function_name(stack, "Imported", "elsewhere")
    cdk.CfnResource(stack, "Untyped", type="AWS::Lambda::Function", properties={"Runtime": "python3.13"})
    aws.sam.CfnFunction(stack, "Sam", handler="app.handler", runtime="python3.13", code_uri="s3://bucket/key")
    cdk.CfnResource(stack, "Plain", type="AWS::Serverless::Function", properties={"Runtime": "python3.13"})


UNSUPPORTED = {
    "Shop/Image": "container images",
    "Shop/Rust": "provided.al2023",
    "Shop/Fatal": "the application log level FATAL drops",
    "Shop/Rare": "its class is INFREQUENT_ACCESS",
    "Shop/Edge/Fn": "Lambda@Edge",
    "Shop/Untyped": "CfnResource",
    "Shop/Sam": "it is a function of SAM's",
    "Shop/Plain": "it is a function of SAM's",
}


def us_east(scope: Construct) -> cdk.Stack:
    return cdk.Stack(scope, "Shop", env=cdk.Environment(region="us-east-1", account="111122223333"))


def test_one_report_of_all_that_cannot_be_shielded(app: cdk.App, props: Props) -> None:
    """Of all stages, with the ways out."""
    stacks = [us_east(app), us_east(cdk.Stage(app, "Beta")), us_east(cdk.Stage(app, "Prod"))]
    fn = lambda_.Function(stacks[0], "Fn", **props)
    for stack in stacks:
        unsupported(stack, props)
    with pytest.raises(ShieldError) as error:
        Shield.everywhere(app, ShieldPolicy())
    ways = 'leave them out by exclude=[...], or say on_unsupported="warn" or "skip"'
    assert str(error.value).startswith(f"24 functions cannot be shielded ({ways}): \n")
    for stage in ("", "Beta/", "Prod/"):
        for path, reason in UNSUPPORTED.items():
            [line] = [line for line in str(error.value).splitlines() if line.startswith(f"  {stage}{path}:")]
            assert reason in line
    with pytest.raises(ShieldError, match=r"Shop/Fn: it has no shield: give it one by Shield\(policy\).apply"):
        Shield.of(fn)  # nothing is half applied


@pytest.mark.parametrize(
    ("granularity", "limit", "says"), [("function", 20, "AlarmOptions.gran"), ("fleet", 20, "nested"), ("fleet", 0, "")]
)
def test_more_resources_than_cloudformation_takes(
    tmp_path: Path, props: Props, monkeypatch: pytest.MonkeyPatch, granularity: Any, limit: int, says: str
) -> None:
    """The CDK's own error says nothing of the shields."""
    assert of_stage._MANY_SHIELDS == 50
    monkeypatch.setattr(of_stage, "_MANY_SHIELDS", 7)
    app = cdk.App(outdir=str(tmp_path), context={"@aws-cdk/core:stackResourceLimit": limit})
    stack = cdk.Stack(app, "Shop")
    role = aws.iam.Role(stack, "Role", assumed_by=aws.iam.ServicePrincipal("lambda.amazonaws.com"))
    for number in range(7):
        lambda_.Function(stack, f"Fn{number}", role=role, **props)
    cdk.CfnResource(cdk.NestedStack(stack, "Nested"), "Other", type="AWS::SNS::Topic")
    Shield.everywhere(app, ShieldPolicy(), alarms=AlarmOptions(granularity=granularity))
    told = rf"Shop: \d+ resources, \d+ of them the shields', of which CloudFormation takes 20: {says}"
    with pytest.raises(RuntimeError, match=told) if limit else nullcontext():
        app.synth()


@pytest.mark.parametrize("policy", ["layer", "file"])
def test_a_stack_that_takes_no_files(app: cdk.App, props: Props, policy: str) -> None:
    """Neither the shield's layer, nor one for a long policy."""
    stack = cdk.Stack(app, "Shop", synthesizer=cdk.BootstraplessSynthesizer())
    fn = lambda_.Function(stack, "Fn", **props)
    product = _Product(cdk.Stack(app, "Portfolio"), "Product", props)
    takes_none = "layer: its stack takes no files .(An Asset Bucket must|Cannot add assets).*set shield_layer= to the"
    if policy == "layer":
        with pytest.raises(ShieldError, match=f"(?s)Shop/Fn: {takes_none}.*Portfolio/Product/Fn: {takes_none}"):
            Shield.everywhere(app, ShieldPolicy())
        assert (attached_to(fn), attached_to(product.fn)) == (None, None)
        found = Shield.everywhere(app, ShieldPolicy(), on_unsupported="warn").unsupported
        assert set(found) == {"Shop/Fn", "Portfolio/Product/Fn"}
        app.synth()
    else:
        long = ShieldPolicy(allow_outbound=[f"host-{n:03}.example.com:443" for n in range(200)])
        Shield.everywhere(app, long, shield_layer="arn:aws:lambda:eu-west-1:1:layer:shield:1")
        with pytest.raises(RuntimeError, match=r"Shop/Fn: layer: its stack takes no files .*: shorten the policy"):
            app.synth()


class _Product(servicecatalog.ProductStack):
    def __init__(self, scope: Construct, construct_id: str, props: Props) -> None:
        super().__init__(scope, construct_id)
        self.fn = lambda_.Function(self, "Fn", **props)


def other_code(stack: cdk.Stack) -> None:
    """What runs code, or brings functions, and is no function; and what only looks like it."""
    for name, kind in (
        ("Web", "AWS::Lambda::WebFunctionRevision"),
        ("Vm", "AWS::Lambda::MicrovmImage"),
        ("New", "AWS::Lambda::Daemon"),
    ):
        cdk.CfnResource(stack, name, type=kind, properties={"Description": "x"})
    canary = aws.synthetics.Test.custom(handler="index.handler", code=aws.synthetics.Code.from_inline("x"))
    runtime = aws.synthetics.Runtime.SYNTHETICS_NODEJS_PUPPETEER_9_1
    aws.synthetics.Canary(stack, "Canary", runtime=runtime, test=canary)
    location = aws.sam.CfnApplication.ApplicationLocationProperty(application_id="arn", semantic_version="1.0.0")
    aws.sam.CfnApplication(stack, "Repository", location=location)
    cdk.CfnStack(stack, "Elsewhere", template_url="https://bucket.s3.amazonaws.com/template.json")
    cdk.NestedStack(stack, "Here")
    secret = aws.secretsmanager.Secret(stack, "Secret")
    secret.add_rotation_schedule("Hosted", hosted_rotation=aws.secretsmanager.HostedRotation.mysql_single_user())
    # A database's own rotation is an application in a repository, whose function the CDK imports.
    engine = aws.rds.DatabaseInstanceEngine.POSTGRES
    database = aws.rds.DatabaseInstance(stack, "Db", vpc=aws.ec2.Vpc(stack, "Vpc", max_azs=2), engine=engine)
    database.add_rotation_single_user()
    arn = lambda_.Function.from_function_name(stack, "Rotates", "rotates").function_arn
    aws.secretsmanager.CfnRotationSchedule(stack, "Own", secret_id=secret.secret_arn, rotation_lambda_arn=arn)


OTHER_CODE = {
    "Shop/Web": "a web function takes no layers",
    "Shop/Vm": "a MicroVM runs an image without layers",
    "Shop/New": "does not know AWS::Lambda::Daemon",
    "Shop/Canary": "Synthetics makes a canary's function",
    **dict.fromkeys(("Shop/Repository", "Shop/Db/RotationSingleUser"), "an application in a repository are not seen"),
    "Shop/Elsewhere": "a stack whose template is not in this app are not seen",
    "Shop/Secret/Hosted": "Secrets Manager makes is not seen",
}


@pytest.mark.parametrize("way", ["error", "warn", "skip", "exclude"])
def test_what_stops_no_synthesis_is_warned_of(app: cdk.App, props: Props, way: Any) -> None:
    """Code in no function does not; nor do functions that cannot be shielded, with "warn". Others are left out."""
    stack = us_east(app)
    fn = lambda_.Function(stack, "Fn", **props)
    other_code(stack)
    without = OTHER_CODE
    if way != "error":
        unsupported(stack, props)
        without = OTHER_CODE | UNSUPPORTED
    more: Any = {"exclude": ["Canary", *without]} if way == "exclude" else {"on_unsupported": way}
    shielded = Shield.everywhere(app, ShieldPolicy(), **more)
    shown = messages(app)
    warned = way in ("error", "warn")
    found = set(shielded.unsupported if warned else shielded.left_out)
    assert (
        shielded.left_out["Shop/Rotates"]
        == "it is imported, and its code and settings are another app's: shield it there"
    )
    imported = {"Shop/Rotates", "Shop/Imported", "Shop/Db/RotationSingleUser/RotationLambda"}
    assert found - imported == set(without)
    for path, reason in without.items():
        assert any("t has no shield: " in text and reason in text for text in shown) == warned, path
    assert Shield.of(fn) is shielded.of("Shop/Fn")


def test_what_cannot_be_shielded_later_fails_the_synthesis(app: cdk.App, props: Props) -> None:
    stack = cdk.Stack(app, "Shop")
    Shield.everywhere(app, ShieldPolicy())
    repository = aws.ecr.Repository.from_repository_name(stack, "Repository", "shop")
    lambda_.DockerImageFunction(stack, "Image", code=lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="1"))
    with pytest.raises(Exception, match="Shop/Image: code: container images"):
        app.synth()


def messages(app: cdk.App) -> list[str]:
    """What the CDK's command line would show: the warnings in the artifacts of stacks."""
    assembly = app.synth()
    found = [assembly, *(nested.nested_assembly for nested in assembly.nested_assemblies)]
    return [str(m.entry.data) for each in found for stack in each.stacks for m in stack.messages]


def test_two_calls(app: cdk.App, props: Props) -> None:
    """The first policy stays, and it is said; what is made later gets the policy of the latest."""
    stack = cdk.Stack(app, "Prod")
    function = lambda_.Function(stack, "Checkout", **props)
    Shield.everywhere(app, ShieldPolicy.report_only())
    second = Shield.everywhere(app, ShieldPolicy())
    lambda_.Function(stack, "Later", **props)
    assert second.of("Prod/Checkout") is Shield.of(function)
    assert modes(app) == {"Prod/Checkout": "alert", "Prod/Later": "block"}
    assert list(second.already) == ["Prod/Checkout"]
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("Two calls of Shield.everywhere"))


def test_two_calls_with_the_same_policy(app: cdk.App, props: Props) -> None:
    lambda_.Function(cdk.Stack(app, "Prod"), "Checkout", **props)
    for _ in range(2):
        Shield.everywhere(app, ShieldPolicy.report_only(), logs=LogOptions(existing=False))
    assert messages(app) == []


def test_after_a_pipeline_has_its_stages_it_is_too_late(app: cdk.App, props: Props) -> None:
    stack = cdk.Stack(app, "Pipeline")
    source = pipelines.CodePipelineSource.connection("shop/shop", "main", connection_arn="arn:aws:codeconnections:x")
    synth = pipelines.ShellStep("Synth", input=source, commands=["cdk synth"])
    pipeline = pipelines.CodePipeline(stack, "Pipeline", synth=synth)
    stage = cdk.Stage(app, "Prod")
    lambda_.Function(cdk.Stack(stage, "Shop"), "Checkout", **props)
    pipeline.add_stage(stage)
    with pytest.raises(ShieldError, match="before add_stage, or in the Stage's __init__"):
        Shield.everywhere(app, ShieldPolicy())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"exclude": "Shop/*"}, r"exclude: 'Shop/\*' is one text: write a list"),
        ({"exclude": [7]}, "exclude: 7 is no construct, path, pattern, id or function"),
        ({"on_unsupported": "ignore"}, "on_unsupported: 'ignore' is none of 'error', 'warn', 'skip'"),
        ({"policies": {"Shop/*": {"read_write_tmp": "alert"}}}, r"policies: 'Shop/\*': ShieldPolicy"),
        ({"policies": [ShieldPolicy()]}, "is no mapping of paths, globs or tags to policies"),
        ({"policies": {1: ShieldPolicy()}}, "policies: 1 is no path, glob or tag"),
        ({"exclude": None}, "exclude: None is no list"),
        ({"policy": None}, "policy=None is a NoneType, not a ShieldPolicy"),
        ({"exclude": [lambda_.Function]}, "is no construct, path, pattern, id or function"),
    ],
)
def test_arguments_of_another_kind(app: cdk.App, props: Props, arguments: dict[str, Any], says: str) -> None:
    lambda_.Function(cdk.Stack(app, "Shop"), "Checkout", **props)
    with pytest.raises(ShieldError, match=says):
        Shield.everywhere(app, **{"policy": ShieldPolicy(), **arguments})
