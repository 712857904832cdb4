"""Databases and search: RDS, DocumentDB, Neptune, Redshift, Aurora DSQL, Timestream for InfluxDB, OpenSearch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..late import references_in
from .entry import PORT, REGION, SUFFIX, Entry, Read, Row, each, endpoint, host, if_supplied, known_port, url

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

_RDS: Final = 63 + len(".cluster-ro-") + 12 + len(".") + REGION + len(".rds.") + SUFFIX
"""`name.cluster-ro-abcdefghijkl.region.rds.amazonaws.com`; names have up to 63 characters, a proxy's endpoint too
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html). DocumentDB and Neptune have the
same form under `docdb.` and `neptune.`
(https://docs.aws.amazon.com/documentdb/latest/developerguide/endpoints.html)."""
_PROXY_PORTS: Final = {"MYSQL": 3306, "POSTGRESQL": 5432, "SQLSERVER": 1433}
"""A proxy listens on its engine's default port, regardless of the database's
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations)."""
_DOCDB: Final = _RDS + len("docdb") - len("rds")
_NEPTUNE: Final = _RDS + len("neptune") - len("rds")
_REDSHIFT: Final = 64 + len(".123456789012.") + REGION + len(".redshift-serverless.") + SUFFIX
"""`name.123456789012.region.redshift-serverless.amazonaws.com`; a provisioned cluster's is shorter
(https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html)."""
_REDSHIFT_PORT: Final = 5439
_SEARCH: Final = len("search-") + 28 + 1 + 26 + 1 + REGION + len(".es.") + SUFFIX
"""`vpc-name-abcdefghijklmnopqrstuvwxyz.region.es.amazonaws.com`; names have up to 28 characters
(https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html)."""


def _instances(cluster: Any) -> Iterator[Entry]:
    """A driver with `replicaSet=rs0` receives the cluster's members, and connects to each
    (https://docs.aws.amazon.com/documentdb/latest/developerguide/connect-to-replica-set.html)."""
    for instance in cluster.instance_endpoints:
        yield Entry(instance.socket_address, _DOCDB + PORT)


def _workgroup(workgroup: Any) -> Iterator[Entry]:
    address = workgroup.attr_workgroup_endpoint_address
    yield Entry(f"{address}{known_port(workgroup.port, _REDSHIFT_PORT)}", _REDSHIFT + PORT)


def _proxy(attribute: str) -> Read:
    """A proxy or an endpoint of one, with its engine's port; with any port for an imported one without an engine."""

    def read(construct: Any) -> Iterable[Entry]:
        resource = construct.node.default_child or construct
        if hasattr(resource, "db_proxy_endpoint_name"):
            resource = next((each.target for each in references_in(resource.db_proxy_name)), None)
        return host(attribute, _RDS, port=_PROXY_PORTS.get(str(getattr(resource, "engine_family", "")).upper()))(
            construct
        )

    return read


ROWS: Final = (
    Row(
        "an RDS database instance",
        ("aws_rds.DatabaseInstanceBase", "aws_rds.IDatabaseInstance"),
        endpoint("instance_endpoint", _RDS),
        f"{_REFERENCE}/aws-resource-rds-dbinstance.html",
    ),
    Row(
        "an RDS or Aurora cluster",
        (
            "aws_rds.DatabaseClusterBase",
            "aws_rds.IDatabaseCluster",
            "aws_rds.ServerlessCluster",
            "aws_rds.ServerlessClusterFromSnapshot",
            "aws_rds.IServerlessCluster",
        ),
        each(endpoint("cluster_endpoint", _RDS), if_supplied(endpoint("cluster_read_endpoint", _RDS))),
        f"{_REFERENCE}/aws-resource-rds-dbcluster.html",
    ),
    Row(
        "an RDS proxy",
        (
            "aws_rds.DatabaseProxy",
            "aws_rds.IDatabaseProxy",
            "aws_rds.DatabaseProxyEndpoint",
            "aws_rds.IDatabaseProxyEndpoint",
        ),
        _proxy("endpoint"),
        f"{_REFERENCE}/aws-resource-rds-dbproxy.html",
    ),
    Row(
        "a CfnDBProxy or CfnDBProxyEndpoint",
        ("aws_rds.CfnDBProxy", "aws_rds.CfnDBProxyEndpoint"),
        _proxy("attr_endpoint"),
        f"{_REFERENCE}/aws-resource-rds-dbproxyendpoint.html",
    ),
    Row(
        "a CfnDBInstance of RDS",
        ("aws_rds.CfnDBInstance",),
        host("attr_endpoint_address", _RDS, port="attr_endpoint_port"),
        f"{_REFERENCE}/aws-resource-rds-dbinstance.html",
    ),
    Row(
        "a CfnDBCluster of RDS",
        ("aws_rds.CfnDBCluster",),
        each(
            host("attr_endpoint_address", _RDS, port="attr_endpoint_port"),
            host("attr_read_endpoint_address", _RDS, port="attr_endpoint_port"),
        ),
        f"{_REFERENCE}/aws-resource-rds-dbcluster.html",
    ),
    Row(
        "a DocumentDB cluster",
        ("aws_docdb.DatabaseCluster", "aws_docdb.IDatabaseCluster"),
        each(
            endpoint("cluster_endpoint", _DOCDB),
            if_supplied(endpoint("cluster_read_endpoint", _DOCDB)),
            if_supplied(_instances),
        ),
        f"{_REFERENCE}/aws-resource-docdb-dbcluster.html",
    ),
    Row(
        "a DocumentDB instance",
        ("aws_docdb.DatabaseInstance", "aws_docdb.IDatabaseInstance"),
        endpoint("instance_endpoint", _DOCDB),
        f"{_REFERENCE}/aws-resource-docdb-dbinstance.html",
    ),
    Row(
        "a CfnDBInstance of DocumentDB",
        ("aws_docdb.CfnDBInstance",),
        host("attr_endpoint", _DOCDB, port="attr_port"),
        f"{_REFERENCE}/aws-resource-docdb-dbinstance.html",
    ),
    Row(
        "a CfnDBCluster of Neptune",
        ("aws_neptune.CfnDBCluster",),
        each(
            host("attr_endpoint", _NEPTUNE, port="attr_port"),
            host("attr_read_endpoint", _NEPTUNE, port="attr_port"),
        ),
        f"{_REFERENCE}/aws-resource-neptune-dbcluster.html",
    ),
    Row(
        "a CfnDBInstance of Neptune",
        ("aws_neptune.CfnDBInstance",),
        host("attr_endpoint", _NEPTUNE, port="attr_port"),
        f"{_REFERENCE}/aws-resource-neptune-dbinstance.html",
    ),
    Row(
        "a CfnCluster of Redshift",
        ("aws_redshift.CfnCluster",),
        host("attr_endpoint_address", _REDSHIFT, port="attr_endpoint_port"),
        f"{_REFERENCE}/aws-resource-redshift-cluster.html",
    ),
    Row(
        "a CfnWorkgroup of Redshift Serverless",
        ("aws_redshiftserverless.CfnWorkgroup",),
        _workgroup,
        f"{_REFERENCE}/aws-resource-redshiftserverless-workgroup.html",
    ),
    Row(
        "a CfnCluster of Aurora DSQL",
        ("aws_dsql.CfnCluster",),
        host("attr_endpoint", port=5432),
        f"{_REFERENCE}/aws-resource-dsql-cluster.html",
    ),
    Row(
        "a CfnInfluxDBInstance of Timestream",
        ("aws_timestream.CfnInfluxDBInstance",),
        host("attr_endpoint"),
        f"{_REFERENCE}/aws-resource-timestream-influxdbinstance.html",
    ),
    Row(
        "an OpenSearch or Elasticsearch domain",
        (
            "aws_opensearchservice.Domain",
            "aws_opensearchservice.IDomain",
            "aws_elasticsearch.Domain",
            "aws_elasticsearch.IDomain",
        ),
        host("domain_endpoint", _SEARCH, port=443),
        f"{_REFERENCE}/aws-resource-opensearchservice-domain.html",
    ),
    Row(
        "a CfnDomain of OpenSearch or Elasticsearch",
        ("aws_opensearchservice.CfnDomain", "aws_elasticsearch.CfnDomain"),
        host("attr_domain_endpoint", _SEARCH, port=443),
        f"{_REFERENCE}/aws-resource-opensearchservice-domain.html",
    ),
    Row(
        "a CfnCollection of OpenSearch Serverless",
        ("aws_opensearchserverless.CfnCollection",),
        url("attr_collection_endpoint", 40 + REGION + len(".aoss.") + SUFFIX),
        f"{_REFERENCE}/aws-resource-opensearchserverless-collection.html",
    ),
)
