"""Caches and brokers: ElastiCache, MemoryDB, Amazon MQ. They have no L2 constructs.

A cluster's first node returns further names to its client, so an entry must admit these too. Their forms:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html and
https://docs.aws.amazon.com/memorydb/latest/devguide/endpoints.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import aws_cdk as cdk

from .entry import PORT, REGION, SUFFIX, Entry, Read, Row, Unreadable, each, host, known_port

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

_MEMCACHED: Final = 50 + len(".abcdef.0001.") + 8 + len(".cache.") + SUFFIX
"""`name.abcdef.0001.use1.cache.amazonaws.com`; names have up to 50 characters
(https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html)."""
_GROUP: Final = 40 + len(".abcdef.") + 8 + len(".cache.") + SUFFIX
"""`name.abcdef.use1.cache.amazonaws.com`; names have up to 40 characters
(https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html)."""
_GROUP_NODE: Final = 40 + len("-0001-001.") + _GROUP
_GROUP_NODES: Final = 6
"""A group without shards has a primary and up to five replicas."""
_REDIS_PORT: Final = 6379
_SERVERLESS: Final = 40 + len("-abcdef.serverless.") + 8 + len(".cache.") + SUFFIX
_MEMORYDB: Final = 40 + len(".abcdef.memorydb.") + REGION + 1 + SUFFIX
"""`name.abcdef.memorydb.us-east-1.amazonaws.com`; names have up to 40 characters
(https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html)."""
_BROKER: Final = len("b-") + 36 + len("-1.mq.") + REGION + 1 + SUFFIX
"""`b-1234a5b6-78cd-901e-2fgh-3i45j6k17819-1.mq.us-east-2.amazonaws.com`
(https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/amazon-mq-basic-elements.html)."""


def _below(address: str, port: str, longest: int) -> Entry:
    """Every name of a cluster, from its configuration endpoint.

    `clustercfg.name.abcdef.use1.cache.amazonaws.com` answers with `name-0001-001.name.abcdef.use1.cache...`, and with
    others once it is scaled, so the entry is `*.name.abcdef.use1.cache...`. Only this cluster uses that domain.
    """
    domain = cdk.Fn.select(1, cdk.Fn.split("clustercfg.", address))
    return Entry(f"*.{domain}{port}", len("*.") + longest + PORT)


def _check_name(what: str, name: Any) -> None:
    if isinstance(name, str) and name.endswith("clustercfg"):
        raise Unreadable(f"its {what} ends in clustercfg, so its domain cannot be derived from its endpoint: rename it")


def _unreadable_nodes(setting: str) -> Unreadable:
    return Unreadable(
        f"without {setting}=True its clients receive its nodes' addresses: set that, or list the configuration "
        "endpoint as text, and the VPC or its subnets for the nodes"
    )


def _replication_group(group: Any) -> list[Entry]:
    if _has_shards(group):
        if group.transit_encryption_enabled is not True:
            raise _unreadable_nodes("transit_encryption_enabled")
        _check_name("replication_group_id", group.replication_group_id)
        port = f":{group.attr_configuration_end_point_port}"
        return [_below(group.attr_configuration_end_point_address, port, _GROUP)]
    return [
        *host("attr_primary_end_point_address", _GROUP_NODE, port="attr_primary_end_point_port")(group),
        *host("attr_reader_end_point_address", _GROUP_NODE, port="attr_reader_end_point_port")(group),
        _nodes(group),
    ]


def _nodes(group: Any) -> Entry:
    """All nodes of a group without shards, as one text with commas: several properties determine their number."""
    port = known_port(group.port, _REDIS_PORT)
    # The separator is never an intrinsic.
    nodes = cdk.Fn.join(f"{port},", group.attr_read_end_point_addresses_list)
    return Entry(f"{nodes}{port}", _GROUP_NODES * (_GROUP_NODE + PORT + len(",")))


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


def _cache_cluster(cluster: Any) -> Iterable[Entry]:
    if cluster.engine in ("redis", "valkey"):
        return host("attr_redis_endpoint_address", _MEMCACHED, port="attr_redis_endpoint_port")(cluster)
    if cluster.engine != "memcached" or cdk.Token.is_unresolved(cluster.num_cache_nodes):
        raise Unreadable("engine and num_cache_nodes must be known at synthesis: list its endpoints as text")
    return _memcached(cluster)


def _memcached(cluster: Any) -> Iterator[Entry]:
    """`name.abcdef.cfg.use1.cache.amazonaws.com` answers with `name.abcdef.0001.use1.cache.amazonaws.com`, 0002, ..."""
    address, port = cluster.attr_configuration_endpoint_address, cluster.attr_configuration_endpoint_port
    yield Entry(f"{address}:{port}", _MEMCACHED + PORT)
    parts = cdk.Fn.split(".cfg.", address)
    for number in range(1, int(cluster.num_cache_nodes) + 1):
        yield Entry(f"{cdk.Fn.join(f'.{number:04}.', parts)}:{port}", _MEMCACHED + PORT)


def _memorydb(cluster: Any) -> list[Entry]:
    if cluster.tls_enabled not in (None, True):  # on by default
        raise _unreadable_nodes("tls_enabled")
    _check_name("cluster_name", cluster.cluster_name)
    return [_below(cluster.attr_cluster_endpoint_address, known_port(cluster.port, _REDIS_PORT), _MEMORYDB)]


def _broker(broker: Any) -> Iterator[Entry]:
    """The hosts of its instances, with any port: each protocol has one, and the console too."""
    attributes = {"ACTIVEMQ": "attr_open_wire_endpoints", "RABBITMQ": "attr_amqp_endpoints"}
    attribute = attributes.get(str(broker.engine_type).upper())
    modes = {"SINGLE_INSTANCE": 1, "ACTIVE_STANDBY_MULTI_AZ": 2, "CLUSTER_MULTI_AZ": 1}
    if attribute is None or broker.deployment_mode not in modes:
        raise Unreadable("engine_type and deployment_mode must be known at synthesis: list its endpoints as text")
    urls = getattr(broker, attribute)
    for instance in range(modes[broker.deployment_mode]):
        host_and_port = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Fn.select(instance, urls)))
        yield Entry(cdk.Fn.select(0, cdk.Fn.split(":", host_and_port)), _BROKER)


_serverless: Read = each(
    host("attr_endpoint_address", _SERVERLESS, port="attr_endpoint_port"),
    host("attr_reader_endpoint_address", _SERVERLESS, port="attr_reader_endpoint_port"),
)

ROWS: Final = (
    Row(
        "a CfnReplicationGroup of ElastiCache",
        ("aws_elasticache.CfnReplicationGroup",),
        _replication_group,
        f"{_REFERENCE}/aws-resource-elasticache-replicationgroup.html",
    ),
    Row(
        "a CfnCacheCluster of ElastiCache",
        ("aws_elasticache.CfnCacheCluster",),
        _cache_cluster,
        f"{_REFERENCE}/aws-resource-elasticache-cachecluster.html",
    ),
    Row(
        "a CfnServerlessCache of ElastiCache",
        ("aws_elasticache.CfnServerlessCache",),
        _serverless,
        f"{_REFERENCE}/aws-resource-elasticache-serverlesscache.html",
    ),
    Row(
        "a CfnCluster of MemoryDB",
        ("aws_memorydb.CfnCluster",),
        _memorydb,
        f"{_REFERENCE}/aws-resource-memorydb-cluster.html",
    ),
    Row(
        "a CfnBroker of Amazon MQ",
        ("aws_amazonmq.CfnBroker",),
        _broker,
        f"{_REFERENCE}/aws-resource-amazonmq-broker.html",
    ),
)
