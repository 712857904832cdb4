"""Recognizes grants that Lambda or a service uses, not the function's own code. Pure.

Lambda, or another service on behalf of the function, uses an action on a resource: it polls an event source, sends to a
dead letter queue, decrypts a bucket's objects. Code may use the same action on the same resource, and the grant does
not tell, so its service is admitted (`statements`), except where Lambda alone does such a thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .actions import Action, covers
from .resources import Resource, l2_path, literal, parse_arn, words

__all__ = ["LambdaUse", "may_be_lambdas", "reason_of_use"]


@dataclass(frozen=True)
class LambdaUse:
    """Lambda's work for a function.

    Attributes:
        polled: names of the event sources that Lambda polls, and of their secrets -> prefixes.
        sent_to: names of Lambda's destinations and dead letter queues -> the reason.
        log_group: construct path of its log group, if it is in the app.
        traced: Lambda's daemon sends its traces.
        in_vpc: Lambda creates its network interfaces.
        key: name of the key of its environment.
        keys_of: a resource -> names of its KMS keys, and their holders.
    """

    polled: Mapping[str, str] = field(default_factory=dict[str, str])
    sent_to: Mapping[str, str] = field(default_factory=dict[str, str])
    log_group: str = ""
    traced: bool = False
    in_vpc: bool = False
    key: str = ""
    keys_of: Callable[[Resource], Mapping[str, str]] = lambda _: {}


# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html and similar pages: the permissions of the
# execution role for an event source mapping, and those that the CDK adds.
_POLLING: Final[Mapping[str, frozenset[str]]] = {
    "dynamodb": frozenset({"describestream", "getrecords", "getsharditerator", "liststreams"}),
    "kafka": frozenset({"describecluster", "describeclusterv2", "getbootstrapbrokers", "listscramsecrets"}),
    "kafka-cluster": frozenset(
        {
            "altergroup",
            "connect",
            "describecluster",
            "describeclusterdynamicconfiguration",
            "describegroup",
            "describetopic",
            "readdata",
        }
    ),
    "kinesis": frozenset(
        {
            "describestream",
            "describestreamconsumer",
            "describestreamsummary",
            "getrecords",
            "getsharditerator",
            "listshards",
            "liststreams",
            "subscribetoshard",
        }
    ),
    "mq": frozenset({"describebroker"}),
    # https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
    "rds": frozenset({"describedbclusterparameters", "describedbclusters", "describedbsubnetgroups"}),
    "secretsmanager": frozenset({"describesecret", "getsecretvalue"}),
    "sqs": frozenset(
        {"changemessagevisibility", "deletemessage", "getqueueattributes", "getqueueurl", "receivemessage"}
    ),
}
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
_SENDING: Final[Mapping[str, frozenset[str]]] = {
    "events": frozenset({"putevents"}),
    "lambda": frozenset({"invokefunction"}),
    "sns": frozenset({"publish"}),
    "sqs": frozenset({"getqueueattributes", "getqueueurl", "sendmessage"}),
}
_DEAD_LETTERS: Final = frozenset({"sqs:sendmessage", "sns:publish"})
_OF_SHIELDS: Final = "/Shield/LogGroup"
_LOGGING: Final = frozenset({"createloggroup", "createlogstream", "putlogevents"})
_TRACING: Final = frozenset(
    {
        "getsamplingrules",
        "getsamplingstatisticsummaries",
        "getsamplingtargets",
        "puttelemetryrecords",
        "puttracesegments",
    }
)
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
_INTERFACES: Final = frozenset(
    {
        "assignprivateipaddresses",
        "createnetworkinterface",
        "deletenetworkinterface",
        "describenetworkinterfaces",
        "describesecuritygroups",
        "describesubnets",
        "describevpcs",
        "getsecuritygroupsforvpc",
        "unassignprivateipaddresses",
    }
)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html: the service calls KMS with the caller's
# rights. Only code calls the actions for signing and message authentication.
_ENCRYPTING: Final = frozenset(
    {
        "creategrant",
        "decrypt",
        "describekey",
        "encrypt",
        "generatedatakey",
        "generatedatakey*",
        "generatedatakeywithoutplaintext",
        "reencrypt*",
        "reencryptfrom",
        "reencryptto",
    }
)
# Event sources that Lambda polls from their VPC, with the function's role, inside a VPC or not.
_IN_A_VPC: Final = frozenset({"kafka", "kafka-cluster", "mq", "rds"})
# Permissions without an API operation.
_NEVER_CALLED: Final[Mapping[str, Mapping[str, str]]] = {
    "iam": {"passrole": "no operation is called with it"},
    "elasticfilesystem": dict.fromkeys(("clientmount", "clientrootaccess", "clientwrite"), "Lambda mounts it"),
    "s3files": dict.fromkeys(("clientmount", "clientrootaccess", "clientwrite"), "Lambda mounts it"),
}

DEAD_LETTERS: Final = "Lambda sends dead letters to it"
DESTINATION: Final = "Lambda sends the function's results to it"
LEFTOVER: Final = "Lambda sends unprocessed records to it"
# The service in an event source's ARN, or its construct's type -> action prefixes for polling.
SOURCES: Final = {
    "sqs": ("sqs",),
    "dynamodb": ("dynamodb",),
    "kinesis": ("kinesis",),
    "kafka": ("kafka", "kafka-cluster"),
    "mq": ("mq",),
    "rds": ("rds",),
}
SOURCE_TYPES: Final = {
    "AWS::SQS::Queue": "sqs",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::DynamoDB::GlobalTable": "dynamodb",
    "AWS::Kinesis::Stream": "kinesis",
    "AWS::Kinesis::StreamConsumer": "kinesis",
    "AWS::MSK::Cluster": "kafka",
    "AWS::MSK::ServerlessCluster": "kafka",
    "AWS::AmazonMQ::Broker": "mq",
    "AWS::DocDB::DBCluster": "rds",
}


def may_be_lambdas(action: Action, resource: Resource, use: LambdaUse) -> bool:
    """Whether Lambda itself may make a call of an action on a resource, each maybe a pattern."""
    prefix = action.prefix
    names = {*use.polled, *use.sent_to, use.key}
    used = {
        *(_POLLING.get(prefix, ()) if prefix in use.polled.values() else ()),
        *(_SENDING.get(prefix, ()) if use.sent_to else ()),
        *(("putobject", "listbucket") if use.sent_to and prefix == "s3" else ()),
        *(_ENCRYPTING if use.key and prefix == "kms" else ()),
    }
    is_near = not resource.targets or "*" in resource.name or "?" in resource.name or resource.name in names
    return is_near and any(covers(action.name, each) or covers(each, action.name) for each in used)


def reason_of_use(
    action: Action,
    resource: Resource,
    conditions: frozenset[str],
    use: LambdaUse,
    granted: Iterable[Resource],
) -> str:
    """Who uses a grant on the function's behalf; empty where none does.

    Args:
        action: one action of a statement.
        resource: one resource of it.
        conditions: the condition keys of the statement, in lower case.
        use: Lambda's work for the function.
        granted: every resource in the role's grants.
    """
    prefix, name = action.prefix, action.name
    if name in _NEVER_CALLED.get(prefix, {}):
        return _NEVER_CALLED[prefix][name]
    if prefix == "kms":
        return _of_key(name, resource, conditions, use, granted)
    if prefix == "lambda" and "lambda:invokedviafunctionurl" in conditions and name == "invokefunction":
        return "it permits the call of a function URL, not of Lambda's API"
    if name in _POLLING.get(prefix, ()) and _is_polled(prefix, resource, use):
        return "Lambda polls it"
    place = _sent_to(resource, use)
    if place and (
        f"{prefix}:{name}" in _DEAD_LETTERS
        if place == DEAD_LETTERS
        else prefix == "s3" or name in _SENDING.get(prefix, ())
    ):
        return place
    if prefix == "logs" and name in _LOGGING and _is_own_log(resource, use):
        return "Lambda writes the log"
    if prefix == "xray" and name in _TRACING and use.traced:
        return "Lambda's daemon sends the traces"
    if prefix == "ec2" and name in _INTERFACES and (use.in_vpc or _IN_A_VPC.intersection(use.polled.values())):
        return "Lambda makes the network interfaces"
    return ""


def _is_polled(prefix: str, resource: Resource, use: LambdaUse) -> bool:
    # The CDK grants ListStreams on "*", AWS's policies other actions; a cluster's topics and groups have other ARNs.
    is_any = resource.everything or prefix == "kafka-cluster"
    return use.polled.get(resource.name) == prefix or (is_any and prefix in use.polled.values())


def _sent_to(resource: Resource, use: LambdaUse) -> str:
    if not use.sent_to:
        return ""
    return use.sent_to.get(resource.name) or use.sent_to.get(resource.name.removesuffix("/*"), "")


def _of_key(
    name: str, resource: Resource, conditions: frozenset[str], use: LambdaUse, granted: Iterable[Resource]
) -> str:
    if "kms:viaservice" in conditions:
        return "a condition has another service call KMS"
    if name not in _ENCRYPTING:
        return ""
    if use.key and resource.name == use.key:
        return "Lambda decrypts the environment"
    holders = sorted(found for other in granted if (found := use.keys_of(other).get(resource.name)))
    return f"it is the key of {holders[0]}, whose service calls KMS" if holders else ""


def _is_own_log(resource: Resource, use: LambdaUse) -> bool:
    # A role of several functions has the groups of all their shields, and the shields granted them.
    if any(target.path == use.log_group or l2_path(target.path).endswith(_OF_SHIELDS) for target in resource.targets):
        return True
    if resource.everything:
        return True
    arn = parse_arn(resource.pieces)
    if arn is None or literal(arn.service) != "logs":
        return False
    rest = words(arn.resource)
    return rest == "*" or rest.startswith(("log-group:*", "log-group:/aws/lambda/"))
