"""Actions of data planes: their calls use a separate host, not the service's endpoint.

Tables alone. Names of actions are the Service Authorization Reference's, in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .actions import Action, covers

__all__ = ["PLANES", "Plane", "only_of_planes", "planes_of"]


@dataclass(frozen=True)
class Plane:
    """Actions of one prefix that lead to the same kind of host.

    Attributes:
        actions: their names.
        types: CloudFormation types of the constructs that have the host.
        host: the host, where it is regional: `{region}` and `{suffix}` are filled in.
        write: the host to list where there is no such construct.
        in_wildcards: whether a wildcard that covers them, such as `es:*`, also needs the host.
    """

    actions: tuple[str, ...]
    types: tuple[str, ...] = ()
    host: str = ""
    write: str = ""
    in_wildcards: bool = True


PLANES: Final[Mapping[str, tuple[Plane, ...]]] = {
    "aoss": (
        Plane(
            ("apiaccessall", "dashboardsaccessall"),
            ("AWS::OpenSearchServerless::Collection",),
            write="the collection's host, `<id>.<region>.aoss.amazonaws.com:443`",
        ),
    ),
    "appsync": (
        Plane(
            ("graphql", "sourcegraphql", "eventconnect", "eventpublish", "eventsubscribe"),
            ("AWS::AppSync::GraphQLApi", "AWS::AppSync::Api"),
            write="the API's host, `<id>.appsync-api.<region>.amazonaws.com:443`",
        ),
    ),
    "aps": (
        Plane(
            ("remotewrite", "querymetrics", "getseries", "getlabels", "getmetricmetadata"),
            host="aps-workspaces.{region}.{suffix}:443",
        ),
    ),
    "bedrock-mantle": (Plane(("*",), host="bedrock-mantle.{region}.api.aws:443"),),
    "codecommit": (Plane(("gitpull", "gitpush"), host="git-codecommit.{region}.{suffix}:443", in_wildcards=False),),
    "codeartifact": (
        Plane(
            ("readfromrepository",),
            write="the repository's host, `<domain>-<account>.d.codeartifact.<region>.amazonaws.com:443`",
            in_wildcards=False,
        ),
    ),
    "dax": (
        Plane(
            (
                "batchgetitem",
                "batchwriteitem",
                "conditioncheckitem",
                "deleteitem",
                "getitem",
                "putitem",
                "query",
                "scan",
                "updateitem",
            ),
            ("AWS::DAX::Cluster",),
            write="the cluster's discovery endpoint and its nodes, or their subnets: `10.0.1.0/24:8111`",
        ),
    ),
    "dsql": (
        Plane(
            ("dbconnect", "dbconnectadmin"),
            ("AWS::DSQL::Cluster",),
            write="the cluster's host, `<id>.dsql.<region>.on.aws:5432`",
        ),
    ),
    "ec2messages": (Plane(("*",), host="ec2messages.{region}.{suffix}:443"),),
    "elasticache": (
        Plane(
            ("connect",),
            (
                "AWS::ElastiCache::ReplicationGroup",
                "AWS::ElastiCache::ServerlessCache",
                "AWS::ElastiCache::CacheCluster",
            ),
            write="the cache's endpoints",
            in_wildcards=False,
        ),
    ),
    "es": (
        Plane(
            ("eshttpdelete", "eshttpget", "eshttphead", "eshttppatch", "eshttppost", "eshttpput"),
            ("AWS::OpenSearchService::Domain", "AWS::Elasticsearch::Domain"),
            write="the domain's host, `search-<name>-<id>.<region>.es.amazonaws.com:443`",
        ),
    ),
    "execute-api": (
        Plane(
            ("invoke", "manageconnections", "invalidatecache"),
            ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"),
            write="the API's host, `<id>.execute-api.<region>.amazonaws.com:443`",
        ),
    ),
    "iot": (
        Plane(
            ("connect", "receive", "subscribe"),
            write="the account's endpoint, as `aws iot describe-endpoint --endpoint-type iot:Data-ATS` tells it, "
            "`<id>-ats.iot.<region>.amazonaws.com:8883`",
            in_wildcards=False,
        ),
    ),
    "kafka-cluster": (
        Plane(
            ("*",),
            write="the brokers, as `aws kafka get-bootstrap-brokers` tells them, such as "
            "`*.<cluster>.<id>.c2.kafka.<region>.amazonaws.com:9098`",
        ),
    ),
    "lambda": (
        Plane(
            ("invokefunctionurl",),
            ("AWS::Lambda::Function", "AWS::Lambda::Alias"),
            write="the URL's host, `<id>.lambda-url.<region>.on.aws:443`",
            in_wildcards=False,
        ),
    ),
    "memorydb": (Plane(("connect",), ("AWS::MemoryDB::Cluster",), write="the cluster's endpoint", in_wildcards=False),),
    "neptune-db": (
        Plane(
            ("*",),
            ("AWS::Neptune::DBCluster",),
            write="the cluster's endpoints, `<name>.cluster-<id>.<region>.neptune.amazonaws.com:8182`",
        ),
    ),
    "neptune-graph": (
        Plane(
            ("readdataviaquery", "writedataviaquery", "deletedataviaquery", "getquerystatus", "listqueries"),
            write="the graph's host, `<graph-id>.<region>.neptune-graph.amazonaws.com:443`",
            in_wildcards=False,
        ),
    ),
    "rds-db": (
        Plane(
            ("connect",),
            ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::RDS::DBProxy"),
            write="the database's host, `<name>.<id>.<region>.rds.amazonaws.com:5432`",
        ),
    ),
    "ssmmessages": (Plane(("*",), host="ssmmessages.{region}.{suffix}:443"),),
    "transcribe": (
        Plane(
            ("startstreamtranscription", "startstreamtranscriptionwebsocket"),
            host="transcribestreaming.{region}.{suffix}",
            in_wildcards=False,
        ),
    ),
    "vpc-lattice-svcs": (Plane(("*",), ("AWS::VpcLattice::Service",), write="the service's host"),),
}


_TELLING: Final = 4


def planes_of(action: Action) -> tuple[Plane, ...]:
    """The data planes of an action, or of a pattern of actions."""
    return tuple(
        plane
        for plane in PLANES.get(action.prefix, ())
        if plane.actions == ("*",) or any(covers(action.name, name) for name in plane.actions)
    )


def only_of_planes(action: Action) -> bool:
    """Whether the service's endpoint lacks the operation. A wildcard counts for both."""
    stem = action.name.partition("*")[0].partition("?")[0]
    return any(
        plane.actions == ("*",) or stem == action.name or len(stem) >= _common(plane.actions) >= _TELLING
        for plane in planes_of(action)
    )


def _common(names: tuple[str, ...]) -> int:
    """The length of the prefix that all names share; a shorter pattern may cover other actions."""
    first, *others = names
    return next((i for i, c in enumerate(first) if any(o[i : i + 1] != c for o in others)), len(first))
