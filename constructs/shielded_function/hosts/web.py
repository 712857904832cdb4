"""Hosts reached over HTTPS: function URLs, API Gateway, AppSync, CloudFront, App Runner."""

from __future__ import annotations

from typing import Any, Final

from .entry import HOST, PORT, REGION, SUFFIX, Entry, Read, Row, Unreadable, each, host, url

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

_HTTPS: Final = ":443"
_API: Final = 10 + len(".execute-api.") + REGION + 1 + SUFFIX
"""`abcdef1234.execute-api.us-east-1.amazonaws.com`; ids have ten characters
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html)."""
_FUNCTION_URL: Final = 32 + len(".lambda-url.") + REGION + len(".on.aws")
"""`<url-id>.lambda-url.us-east-1.on.aws` (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html)."""
_APPSYNC: Final = 26 + len(".appsync-realtime-api.") + REGION + 1 + SUFFIX
"""`abcdefghijklmnopqrstuvwxyz.appsync-realtime-api.us-east-1.amazonaws.com`
(https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html)."""


def _execute_api(api: Any, api_id: str) -> list[Entry]:
    stack = api.stack
    # An imported API may be in another region than its stack.
    return [Entry(f"{api_id}.execute-api.{api.env.region}.{stack.url_suffix}{_HTTPS}", _API + PORT)]


def _api(attribute: str) -> Read:
    return lambda api: _execute_api(api, getattr(api, attribute))


def _api_of_stage(api: str, api_id: str) -> Read:
    def read(stage: Any) -> list[Entry]:
        of = getattr(stage, api)
        return _execute_api(of, getattr(of, api_id))

    return read


_cfn_graphql: Read = each(
    host("attr_graph_ql_dns", _APPSYNC, port=443),
    host("attr_realtime_dns", _APPSYNC, port=443),
)


def _graphql(api: Any) -> list[Entry]:
    resource = api.node.default_child
    if resource is None:
        raise Unreadable("an imported GraphQL API has an id, which is not in its host: list its host as text")
    return list(_cfn_graphql(resource))


ROWS: Final = (
    Row(
        "a function URL",
        ("aws_lambda.FunctionUrl", "aws_lambda.IFunctionUrl"),
        url("url", _FUNCTION_URL),
        f"{_REFERENCE}/aws-resource-lambda-url.html",
    ),
    Row(
        "a CfnUrl of Lambda",
        ("aws_lambda.CfnUrl",),
        url("attr_function_url", _FUNCTION_URL),
        f"{_REFERENCE}/aws-resource-lambda-url.html",
    ),
    Row(
        "an HTTP or WebSocket API",
        (
            "aws_apigatewayv2.HttpApi",
            "aws_apigatewayv2.IHttpApi",
            "aws_apigatewayv2.WebSocketApi",
            "aws_apigatewayv2.IWebSocketApi",
        ),
        _api("api_id"),
        f"{_REFERENCE}/aws-resource-apigatewayv2-api.html",
    ),
    Row(
        "a stage of an HTTP or WebSocket API",
        (
            "aws_apigatewayv2.HttpStage",
            "aws_apigatewayv2.IHttpStage",
            "aws_apigatewayv2.WebSocketStage",
            "aws_apigatewayv2.IWebSocketStage",
        ),
        _api_of_stage("api", "api_id"),
        f"{_REFERENCE}/aws-resource-apigatewayv2-stage.html",
    ),
    Row(
        "a CfnApi of API Gateway",
        ("aws_apigatewayv2.CfnApi",),
        url("attr_api_endpoint", _API),
        f"{_REFERENCE}/aws-resource-apigatewayv2-api.html",
    ),
    Row(
        "a REST API",
        ("aws_apigateway.RestApiBase", "aws_apigateway.IRestApi"),
        _api("rest_api_id"),
        f"{_REFERENCE}/aws-resource-apigateway-restapi.html",
    ),
    Row(
        "a stage of a REST API",
        ("aws_apigateway.StageBase", "aws_apigateway.IStage"),
        _api_of_stage("rest_api", "rest_api_id"),
        f"{_REFERENCE}/aws-resource-apigateway-stage.html",
    ),
    Row(
        "a CfnRestApi of API Gateway",
        ("aws_apigateway.CfnRestApi",),
        _api("ref"),
        f"{_REFERENCE}/aws-resource-apigateway-restapi.html",
    ),
    Row(
        "a custom domain of API Gateway",
        (
            "aws_apigateway.DomainName",
            "aws_apigateway.IDomainName",
        ),
        host("domain_name", HOST, port=443),
        f"{_REFERENCE}/aws-resource-apigateway-domainname.html",
    ),
    Row(
        "a custom domain of an HTTP or WebSocket API",
        ("aws_apigatewayv2.DomainName", "aws_apigatewayv2.IDomainName"),
        host("name", HOST, port=443),
        f"{_REFERENCE}/aws-resource-apigatewayv2-domainname.html",
    ),
    Row(
        "an AppSync GraphQL API",
        ("aws_appsync.GraphqlApiBase", "aws_appsync.IGraphqlApi"),
        _graphql,
        f"{_REFERENCE}/aws-resource-appsync-graphqlapi.html",
    ),
    Row(
        "a CfnGraphQLApi of AppSync",
        ("aws_appsync.CfnGraphQLApi",),
        _cfn_graphql,
        f"{_REFERENCE}/aws-resource-appsync-graphqlapi.html",
    ),
    Row(
        "an AppSync Event API",
        ("aws_appsync.EventApiBase", "aws_appsync.IEventApi"),
        each(host("http_dns", _APPSYNC, port=443), host("realtime_dns", _APPSYNC, port=443)),
        f"{_REFERENCE}/aws-resource-appsync-api.html",
    ),
    Row(
        "a CloudFront distribution",
        (
            "aws_cloudfront.Distribution",
            "aws_cloudfront.CloudFrontWebDistribution",
            "aws_cloudfront.IDistribution",
        ),
        host("distribution_domain_name", 14 + len(".cloudfront.net"), port=443),
        f"{_REFERENCE}/aws-resource-cloudfront-distribution.html",
    ),
    Row(
        "a CfnService of App Runner",
        ("aws_apprunner.CfnService",),
        host("attr_service_url", 32 + 1 + REGION + len(".awsapprunner.com"), port=443),
        f"{_REFERENCE}/aws-resource-apprunner-service.html",
    ),
)
