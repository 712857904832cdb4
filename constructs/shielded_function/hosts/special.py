"""Constructs whose entries depend on their properties, and the most bytes of an entry of each service.

A cluster's first node returns further names to its client, so an entry must admit these too. Their forms:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html and
https://docs.aws.amazon.com/memorydb/latest/devguide/endpoints.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import aws_cdk as cdk

from ..reading.late import references_in
from .entry import Entry, Read, Unreadable, hosts
from .types import type_names

REGION: Final = 16
"""Bytes of a region's name: the longest today is `ap-northeast-1`, 14
(https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html)."""
SUFFIX: Final = 16
"""Bytes of AWS's domain: `amazonaws.com.cn`, 16."""
PORT: Final = 6
"""Bytes of a colon and a port."""
IPV4_NETWORK: Final = 18
_IPV6_NETWORK: Final = 43
HOST: Final = 253
"""Bytes of a host name (RFC 1035, section 2.3.4, without the root)."""

RDS: Final = 63 + len(".cluster-ro-") + 12 + len(".") + REGION + len(".rds.") + SUFFIX + PORT
"""`name.cluster-ro-abcdefghijkl.region.rds.amazonaws.com`; names have up to 63 characters, a proxy's endpoint too
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html). DocumentDB and Neptune have the
same form under `docdb.` and `neptune.`
(https://docs.aws.amazon.com/documentdb/latest/developerguide/endpoints.html)."""
DOCDB: Final = RDS + len("docdb") - len("rds")
REDSHIFT: Final = 64 + len(".123456789012.") + REGION + len(".redshift-serverless.") + SUFFIX + PORT
"""`name.123456789012.region.redshift-serverless.amazonaws.com`; a provisioned cluster's is shorter
(https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html)."""
_MEMCACHED: Final = 50 + len(".abcdef.0001.") + 8 + len(".cache.") + SUFFIX + PORT
"""`name.abcdef.0001.use1.cache.amazonaws.com`; names have up to 50 characters
(https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html)."""
_GROUP: Final = 40 + len(".abcdef.") + 8 + len(".cache.") + SUFFIX
"""`name.abcdef.use1.cache.amazonaws.com`; names have up to 40 characters
(https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html)."""
_GROUP_NODE: Final = 40 + len("-0001-001.") + _GROUP + PORT
_GROUP_NODES: Final = 6
"""A group without shards has a primary and up to five replicas."""
_MEMORYDB: Final = 40 + len(".abcdef.memorydb.") + REGION + 1 + SUFFIX
"""`name.abcdef.memorydb.us-east-1.amazonaws.com`; names have up to 40 characters
(https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html)."""
_BROKER: Final = len("b-") + 36 + len("-1.mq.") + REGION + 1 + SUFFIX
"""`b-1234a5b6-78cd-901e-2fgh-3i45j6k17819-1.mq.us-east-2.amazonaws.com`
(https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/amazon-mq-basic-elements.html)."""
APPSYNC: Final = 26 + len(".appsync-realtime-api.") + REGION + 1 + SUFFIX + PORT
"""`abcdefghijklmnopqrstuvwxyz.appsync-realtime-api.us-east-1.amazonaws.com`
(https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html)."""
_ENDPOINT: Final = len("*.vpce-") + 17 + 1 + 8 + 1 + 63 + 1 + REGION + len(".vpce.") + SUFFIX
"""`vpce-01abc23456de78f9g-12abccd3.ec2.us-east-1.vpce.amazonaws.com`
(https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html)."""
_MACHINE: Final = len("i-0123456789abcdef0.") + REGION + len(".compute.internal")

_REDIS_PORT: Final = 6379
_REDSHIFT_PORT: Final = 5439
_PROXY_PORTS: Final = {"MYSQL": ":3306", "POSTGRESQL": ":5432", "SQLSERVER": ":1433"}
"""A proxy listens on its engine's default port, regardless of the database's
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations)."""


def _known_port(port: Any, default: int) -> str:
    """A property's port, with its colon; empty, which means any port, where it is known only at deployment.

    For resources whose port attribute is a number, which CloudFormation does not join to a text.
    """
    if port is None:
        return f":{default}"
    return "" if cdk.Token.is_unresolved(port) else f":{int(port)}"


# Databases


def docdb(cluster: Any) -> Iterator[Entry]:
    """A DocumentDB cluster. A driver with `replicaSet=rs0` receives the cluster's members, and connects to each
    (https://docs.aws.amazon.com/documentdb/latest/developerguide/connect-to-replica-set.html)."""
    forms = ("{0.cluster_endpoint.socket_address}", "?{0.cluster_read_endpoint.socket_address}")
    yield from hosts(DOCDB, *forms)(cluster)
    with suppress(RuntimeError):  # an import without them
        yield from (Entry(instance.socket_address, DOCDB) for instance in cluster.instance_endpoints)


def workgroup(construct: Any) -> Iterator[Entry]:
    """A workgroup of Redshift Serverless."""
    port = _known_port(construct.port, _REDSHIFT_PORT)
    yield Entry(f"{construct.attr_workgroup_endpoint_address}{port}", REDSHIFT)


def proxy(attribute: str) -> Read:
    """A proxy or an endpoint of one, with its engine's port; with any port for an imported one without an engine."""

    def read(construct: Any) -> Iterator[Entry]:
        resource = construct.node.default_child or construct
        if hasattr(resource, "db_proxy_endpoint_name"):
            resource = next((each.target for each in references_in(resource.db_proxy_name)), None)
        port = _PROXY_PORTS.get(str(getattr(resource, "engine_family", "")).upper(), "")
        yield Entry(f"{getattr(construct, attribute)}{port}", RDS if port else RDS - PORT)

    return read


# Caches and brokers


def _below(address: str, port: str, longest: int) -> Entry:
    """Every name of a cluster, from its configuration endpoint.

    `clustercfg.name.abcdef.use1.cache.amazonaws.com` answers with `name-0001-001.name.abcdef.use1.cache...`, and with
    others once it is scaled, so the entry is `*.name.abcdef.use1.cache...`. Only this cluster uses that domain.
    """
    domain = cdk.Fn.select(1, cdk.Fn.split("clustercfg.", address))
    return Entry(f"*.{domain}{port}", len("*.") + longest + PORT)


def _check_cluster(cluster: Any, is_encrypted: bool, setting: str, what: str) -> None:
    if not is_encrypted:
        raise Unreadable(
            f"without {setting}=True its clients receive its nodes' addresses: set that, or list the configuration "
            "endpoint as text, and the VPC or its subnets for the nodes"
        )
    if isinstance(name := getattr(cluster, what), str) and name.endswith("clustercfg"):
        raise Unreadable(f"its {what} ends in clustercfg, so its domain cannot be derived from its endpoint: rename it")


def replication_group(group: Any) -> Iterable[Entry]:
    """Redis or Valkey: all names of a cluster; of a group without shards, the endpoints and all nodes."""
    if _has_shards(group):
        is_encrypted = group.transit_encryption_enabled is True
        _check_cluster(group, is_encrypted, "transit_encryption_enabled", "replication_group_id")
        port = f":{group.attr_configuration_end_point_port}"
        return [_below(group.attr_configuration_end_point_address, port, _GROUP)]
    port = _known_port(group.port, _REDIS_PORT)
    endpoints = hosts(
        _GROUP_NODE,
        "{0.attr_primary_end_point_address}:{0.attr_primary_end_point_port}",
        "{0.attr_reader_end_point_address}:{0.attr_reader_end_point_port}",
    )
    # As one text with commas: several properties determine their number. The separator is never an intrinsic.
    nodes = cdk.Fn.join(f"{port},", group.attr_read_end_point_addresses_list)
    return [*endpoints(group), Entry(f"{nodes}{port}", _GROUP_NODES * (_GROUP_NODE + len(",")))]


def _has_shards(group: Any) -> bool:
    """Whether cluster mode is on: it determines a group's attributes, and other attributes fail the
    deployment (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
    aws-resource-elasticache-replicationgroup.html)."""
    mode = group.cluster_mode
    if mode in ("enabled", "disabled"):
        return mode == "enabled"
    parameters = group.cache_parameter_group_name
    if mode is None and (parameters is None or parameters.startswith("default.")):
        return parameters is not None and parameters.endswith(".cluster.on")
    raise Unreadable(
        'cluster mode is unknown: set cluster_mode to "enabled" or "disabled", or list its endpoints as text'
    )


def cache_cluster(cluster: Any) -> Iterator[Entry]:
    """`name.abcdef.cfg.use1.cache.amazonaws.com` answers with `name.abcdef.0001.use1.cache.amazonaws.com`, 0002, ..."""
    if cluster.engine in ("redis", "valkey"):
        yield from hosts(_MEMCACHED, "{0.attr_redis_endpoint_address}:{0.attr_redis_endpoint_port}")(cluster)
        return
    if cluster.engine != "memcached" or cdk.Token.is_unresolved(cluster.num_cache_nodes):
        raise Unreadable("engine and num_cache_nodes must be known at synthesis: list its endpoints as text")
    address, port = cluster.attr_configuration_endpoint_address, cluster.attr_configuration_endpoint_port
    yield Entry(f"{address}:{port}", _MEMCACHED)
    parts = cdk.Fn.split(".cfg.", address)
    for number in range(1, int(cluster.num_cache_nodes) + 1):
        yield Entry(f"{cdk.Fn.join(f'.{number:04}.', parts)}:{port}", _MEMCACHED)


def memorydb(cluster: Any) -> Iterator[Entry]:
    """All names of a MemoryDB cluster."""
    is_encrypted = cluster.tls_enabled in (None, True)  # on by default
    _check_cluster(cluster, is_encrypted, "tls_enabled", "cluster_name")
    yield _below(cluster.attr_cluster_endpoint_address, _known_port(cluster.port, _REDIS_PORT), _MEMORYDB)


def broker(construct: Any) -> Iterator[Entry]:
    """The hosts of a broker's instances, with any port: each protocol has one, and the console too."""
    attributes = {"ACTIVEMQ": "attr_open_wire_endpoints", "RABBITMQ": "attr_amqp_endpoints"}
    attribute = attributes.get(str(construct.engine_type).upper())
    modes = {"SINGLE_INSTANCE": 1, "ACTIVE_STANDBY_MULTI_AZ": 2, "CLUSTER_MULTI_AZ": 1}
    if attribute is None or construct.deployment_mode not in modes:
        raise Unreadable("engine_type and deployment_mode must be known at synthesis: list its endpoints as text")
    urls = getattr(construct, attribute)
    for instance in range(modes[construct.deployment_mode]):
        host_and_port = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Fn.select(instance, urls)))
        yield Entry(cdk.Fn.select(0, cdk.Fn.split(":", host_and_port)), _BROKER)


# Web and networks

cfn_graphql: Final = hosts(APPSYNC, "{0.attr_graph_ql_dns}:443", "{0.attr_realtime_dns}:443")


def graphql(api: Any) -> Iterable[Entry]:
    """A GraphQL API of AppSync, by its resource."""
    resource = api.node.default_child
    if resource is None:
        raise Unreadable("an imported GraphQL API has an id, which is not in its host: list its host as text")
    return cfn_graphql(resource)


def networks(vpc: Any) -> Iterator[Entry]:
    """A VPC's network, and networks added to it in the construct: IPv6 and secondary ones."""
    yield Entry(vpc.vpc_cidr_block, IPV4_NETWORK)
    for child in vpc.node.children:
        if "aws_ec2.CfnVPCCidrBlock" not in type_names(child):
            continue
        if child.cidr_block is not None:
            yield Entry(child.cidr_block, IPV4_NETWORK)
        elif child.ipv6_cidr_block is not None:
            yield Entry(child.ipv6_cidr_block, _IPV6_NETWORK)
        elif child.amazon_provided_ipv6_cidr_block or child.ipv6_pool is not None:
            yield Entry(cdk.Fn.select(0, vpc.vpc_ipv6_cidr_blocks), _IPV6_NETWORK)


def interface_endpoint(endpoint: Any) -> Iterator[Entry]:
    """The regional name, which is the first: `hosted zone:name`. S3's begins with `*.`, as entries may."""
    first = cdk.Fn.select(0, endpoint.vpc_endpoint_dns_entries)
    yield Entry(cdk.Fn.select(1, cdk.Fn.split(":", first)), _ENDPOINT)


def machine(instance: Any) -> Iterator[Entry]:
    """The private address and name of an EC2 instance."""
    yield Entry(instance.instance_private_ip, len("255.255.255.255"))
    yield Entry(instance.instance_private_dns_name, _MACHINE)
