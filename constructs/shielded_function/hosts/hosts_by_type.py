"""The constructs that a list accepts: each with its types and its entries.

The page of each resource defines its attributes, such as `aws-resource-rds-dbinstance.html` below
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/.
"""

from __future__ import annotations

from typing import Final

from . import special
from .entry import Row, hosts, url
from .special import APPSYNC, DOCDB, HOST, IPV4_NETWORK, PORT, RDS, REDSHIFT, REGION, SUFFIX

_NEPTUNE: Final = RDS + len("neptune") - len("rds")
_SEARCH: Final = len("search-") + 28 + 1 + 26 + 1 + REGION + len(".es.") + SUFFIX + PORT
"""`vpc-name-abcdefghijklmnopqrstuvwxyz.region.es.amazonaws.com`; names have up to 28 characters
(https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html)."""
_COLLECTION: Final = 40 + REGION + len(".aoss.") + SUFFIX + PORT
_SERVERLESS: Final = 40 + len("-abcdef.serverless.") + 8 + len(".cache.") + SUFFIX + PORT
_API: Final = 10 + len(".execute-api.") + REGION + 1 + SUFFIX + PORT
"""`abcdef1234.execute-api.us-east-1.amazonaws.com`; ids have ten characters
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html)."""
_FUNCTION_URL: Final = 32 + len(".lambda-url.") + REGION + len(".on.aws") + PORT
"""`<url-id>.lambda-url.us-east-1.on.aws` (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html)."""
_APP_RUNNER: Final = 32 + 1 + REGION + len(".awsapprunner.com") + PORT
_BALANCER: Final = len("internal-") + 32 + 1 + 16 + len(".elb.") + REGION + 1 + SUFFIX
"""`internal-name-1234567890.us-east-1.elb.amazonaws.com`, `name-1234567890abcdef.elb.us-east-1.amazonaws.com`; names
have up to 32 characters
(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html)."""
_BUCKET: Final = 63
"""Bytes of a bucket's name (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""

_ADDRESS: Final = "{0.attr_endpoint_address}:{0.attr_endpoint_port}"
_ENDPOINT: Final = "{0.attr_endpoint}:{0.attr_port}"
# An imported API may be in another region than its stack.
_OF_API: Final = ".execute-api.{0.env.region}.{0.stack.url_suffix}:443"
_HTTP_API: Final = "{0.api_id}" + _OF_API
_REST_API: Final = "{0.rest_api_id}" + _OF_API

ROWS: Final = (
    Row(
        "an RDS database instance",
        "aws_rds: DatabaseInstanceBase IDatabaseInstance",
        hosts(RDS, "{0.instance_endpoint.socket_address}"),
    ),
    Row(
        "an RDS or Aurora cluster",
        "aws_rds: DatabaseClusterBase IDatabaseCluster ServerlessCluster ServerlessClusterFromSnapshot "
        "IServerlessCluster",
        hosts(RDS, "{0.cluster_endpoint.socket_address}", "?{0.cluster_read_endpoint.socket_address}"),
    ),
    Row(
        "an RDS proxy",
        "aws_rds: DatabaseProxy IDatabaseProxy DatabaseProxyEndpoint IDatabaseProxyEndpoint",
        special.proxy("endpoint"),
    ),
    Row("a CfnDBProxy or CfnDBProxyEndpoint", "aws_rds: CfnDBProxy CfnDBProxyEndpoint", special.proxy("attr_endpoint")),
    Row("a CfnDBInstance of RDS", "aws_rds: CfnDBInstance", hosts(RDS, _ADDRESS)),
    Row(
        "a CfnDBCluster of RDS",
        "aws_rds: CfnDBCluster",
        hosts(RDS, _ADDRESS, "{0.attr_read_endpoint_address}:{0.attr_endpoint_port}"),
    ),
    Row("a DocumentDB cluster", "aws_docdb: DatabaseCluster IDatabaseCluster", special.docdb),
    Row(
        "a DocumentDB instance",
        "aws_docdb: DatabaseInstance IDatabaseInstance",
        hosts(DOCDB, "{0.instance_endpoint.socket_address}"),
    ),
    Row("a CfnDBInstance of DocumentDB", "aws_docdb: CfnDBInstance", hosts(DOCDB, _ENDPOINT)),
    Row(
        "a CfnDBCluster of Neptune",
        "aws_neptune: CfnDBCluster",
        hosts(_NEPTUNE, _ENDPOINT, "{0.attr_read_endpoint}:{0.attr_port}"),
    ),
    Row("a CfnDBInstance of Neptune", "aws_neptune: CfnDBInstance", hosts(_NEPTUNE, _ENDPOINT)),
    Row("a CfnCluster of Redshift", "aws_redshift: CfnCluster", hosts(REDSHIFT, _ADDRESS)),
    Row("a CfnWorkgroup of Redshift Serverless", "aws_redshiftserverless: CfnWorkgroup", special.workgroup),
    Row("a CfnCluster of Aurora DSQL", "aws_dsql: CfnCluster", hosts(HOST + PORT, "{0.attr_endpoint}:5432")),
    Row("a CfnInfluxDBInstance of Timestream", "aws_timestream: CfnInfluxDBInstance", hosts(HOST, "{0.attr_endpoint}")),
    Row(
        "an OpenSearch or Elasticsearch domain",
        "aws_opensearchservice: Domain IDomain, aws_elasticsearch: Domain IDomain",
        hosts(_SEARCH, "{0.domain_endpoint}:443"),
    ),
    Row(
        "a CfnDomain of OpenSearch or Elasticsearch",
        "aws_opensearchservice: CfnDomain, aws_elasticsearch: CfnDomain",
        hosts(_SEARCH, "{0.attr_domain_endpoint}:443"),
    ),
    Row(
        "a CfnCollection of OpenSearch Serverless",
        "aws_opensearchserverless: CfnCollection",
        url(_COLLECTION, "attr_collection_endpoint"),
    ),
    Row("a CfnReplicationGroup of ElastiCache", "aws_elasticache: CfnReplicationGroup", special.replication_group),
    Row("a CfnCacheCluster of ElastiCache", "aws_elasticache: CfnCacheCluster", special.cache_cluster),
    Row(
        "a CfnServerlessCache of ElastiCache",
        "aws_elasticache: CfnServerlessCache",
        hosts(_SERVERLESS, _ADDRESS, "{0.attr_reader_endpoint_address}:{0.attr_reader_endpoint_port}"),
    ),
    Row("a CfnCluster of MemoryDB", "aws_memorydb: CfnCluster", special.memorydb),
    Row("a CfnBroker of Amazon MQ", "aws_amazonmq: CfnBroker", special.broker),
    Row("a function URL", "aws_lambda: FunctionUrl IFunctionUrl", url(_FUNCTION_URL, "url")),
    Row("a CfnUrl of Lambda", "aws_lambda: CfnUrl", url(_FUNCTION_URL, "attr_function_url")),
    Row(
        "an HTTP or WebSocket API",
        "aws_apigatewayv2: HttpApi IHttpApi WebSocketApi IWebSocketApi",
        hosts(_API, _HTTP_API),
    ),
    Row(
        "a stage of an HTTP or WebSocket API",
        "aws_apigatewayv2: HttpStage IHttpStage WebSocketStage IWebSocketStage",
        hosts(_API, _HTTP_API, of="api"),
    ),
    Row("a CfnApi of API Gateway", "aws_apigatewayv2: CfnApi", url(_API, "attr_api_endpoint")),
    Row("a REST API", "aws_apigateway: RestApiBase IRestApi", hosts(_API, _REST_API)),
    Row("a stage of a REST API", "aws_apigateway: StageBase IStage", hosts(_API, _REST_API, of="rest_api")),
    Row("a CfnRestApi of API Gateway", "aws_apigateway: CfnRestApi", hosts(_API, "{0.ref}" + _OF_API)),
    Row(
        "a custom domain of API Gateway",
        "aws_apigateway: DomainName IDomainName",
        hosts(HOST + PORT, "{0.domain_name}:443"),
    ),
    Row(
        "a custom domain of an HTTP or WebSocket API",
        "aws_apigatewayv2: DomainName IDomainName",
        hosts(HOST + PORT, "{0.name}:443"),
    ),
    Row("an AppSync GraphQL API", "aws_appsync: GraphqlApiBase IGraphqlApi", special.graphql),
    Row("a CfnGraphQLApi of AppSync", "aws_appsync: CfnGraphQLApi", special.cfn_graphql),
    Row(
        "an AppSync Event API",
        "aws_appsync: EventApiBase IEventApi",
        hosts(APPSYNC, "{0.http_dns}:443", "{0.realtime_dns}:443"),
    ),
    Row(
        "a CloudFront distribution",
        "aws_cloudfront: Distribution CloudFrontWebDistribution IDistribution",
        hosts(14 + len(".cloudfront.net") + PORT, "{0.distribution_domain_name}:443"),
    ),
    Row("a CfnService of App Runner", "aws_apprunner: CfnService", hosts(_APP_RUNNER, "{0.attr_service_url}:443")),
    Row("a VPC (its networks)", "aws_ec2: Vpc IVpc", special.networks),
    Row("a CfnVPC", "aws_ec2: CfnVPC", hosts(IPV4_NETWORK, "{0.attr_cidr_block}")),
    Row("a subnet (its network)", "aws_ec2: Subnet ISubnet", hosts(IPV4_NETWORK, "{0.ipv4_cidr_block}")),
    Row(
        "a load balancer",
        "aws_elasticloadbalancingv2: BaseLoadBalancer ILoadBalancerV2 IApplicationLoadBalancer INetworkLoadBalancer, "
        "aws_elasticloadbalancing: LoadBalancer",
        hosts(_BALANCER, "{0.load_balancer_dns_name}"),
    ),
    Row(
        "a CfnLoadBalancer",
        "aws_elasticloadbalancingv2: CfnLoadBalancer, aws_elasticloadbalancing: CfnLoadBalancer",
        hosts(_BALANCER, "{0.attr_dns_name}"),
    ),
    Row("an interface VPC endpoint (its regional name)", "aws_ec2: InterfaceVpcEndpoint", special.interface_endpoint),
    Row(
        "an EC2 instance (its private address and name)",
        "aws_ec2: Instance BastionHostLinux IInstance",
        special.machine,
    ),
    Row("an S3 bucket", "aws_s3: BucketBase IBucket", hosts(_BUCKET, "{0.bucket_name}"), "allow_buckets"),
    Row("a CfnBucket of S3", "aws_s3: CfnBucket", hosts(_BUCKET, "{0.ref}"), "allow_buckets"),
    Row(
        "a CfnDirectoryBucket of S3 Express",
        "aws_s3express: CfnDirectoryBucket",
        hosts(_BUCKET, "{0.ref}"),
        "allow_buckets",
    ),
    Row("a CfnAccessPoint of S3", "aws_s3: CfnAccessPoint", hosts(_BUCKET, "{0.attr_alias}"), "allow_buckets"),
)
