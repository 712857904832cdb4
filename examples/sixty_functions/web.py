"""What answers requests: REST, HTTP, WebSocket and GraphQL APIs, a user pool, a function URL, a load balancer."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_elasticloadbalancingv2_targets as balanced
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import HttpLambdaAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration, WebSocketLambdaIntegration
from constructs import Construct
from data import Data
from functions import HERE, JAVA, NODE, PYTHON, Row, make_functions

SNAPSHOT = {"snap_start": lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS}

REST = (
    Row("RegisterParcel", NODE, "write parcels, send registered", "POST parcels"),
    Row("SearchParcels", PYTHON, "read search", "GET parcels"),
    Row("GetParcel", NODE, "read parcels", "GET parcels/{id}", arm=True),
    Row("CancelParcel", NODE, "write parcels, send bus", "DELETE parcels/{id}"),
    Row("PrintLabel", PYTHON, "change labels", "GET parcels/{id}/label", arm=True),
    Row("QuotePrice", JAVA, "read parcels", "POST quotes", options=SNAPSHOT),
    Row("Charge", PYTHON, "read payments_key, write parcels", "POST charges"),
)
HTTP = (
    Row("TrackParcel", NODE, "", "GET /track/{id}", vpc=True),
    Row("ListDepots", PYTHON, "connect depots", "GET /depots", vpc=True),
    Row("SubmitClaim", NODE, "send bus", "POST /claims", arm=True),
    Row("TakeCall", PYTHON, "write moves", "POST /carriers"),
)
GRAPHQL = (
    Row("FindParcel", NODE, "read parcels", "Query parcel"),
    Row("MoveParcel", NODE, "write moves", "Mutation move"),
)
SIGN_UP = (
    Row("Welcome", NODE, "write customers, send delivered", "POST_CONFIRMATION"),
    Row("AddClaims", NODE, "read customers", "PRE_TOKEN_GENERATION", arm=True),
)
OTHERS = (
    Row("AuthorizeRest", NODE, "cognito-idp:GetUser"),
    Row("AuthorizeHttp", NODE, "read customers"),
    Row("AuthorizeGraphql", NODE),
    Row("BeforeCharge", PYTHON),
    Row("Connect", NODE, "write sockets"),
    Row("Disconnect", NODE, "write sockets"),
    Row("Say", NODE, "read sockets"),
    Row("Status", NODE),
    Row("LegacyPage", NODE, "read parcels"),
)


class Web(cdk.Stack):
    """Six front doors."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        self.functions = make_functions(self, data, (*REST, *HTTP, *GRAPHQL, *SIGN_UP, *OTHERS))
        self._rest()
        self._http()
        self._web_socket()
        self._graphql()
        users = cognito.UserPool(self, "Users")
        for row in SIGN_UP:
            users.add_trigger(getattr(cognito.UserPoolOperation, row.on), self.functions[row.name])
        self.functions["Status"].add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        balancer = balancing.ApplicationLoadBalancer(self, "Legacy", vpc=data.vpc, internet_facing=True)
        page: Any = balanced.LambdaTarget(self.functions["LegacyPage"])
        balancer.add_listener("Http", port=80).add_targets("Page", targets=[page])
        # A vendor's layer brings an exec wrapper. The shield starts it.
        vendor = lambda_.LayerVersion(self, "Telemetry", code=lambda_.Code.from_asset(str(HERE / "telemetry")))
        self.functions["RegisterParcel"].add_layers(vendor)
        self.functions["RegisterParcel"].add_environment("AWS_LAMBDA_EXEC_WRAPPER", "/opt/telemetry_wrapper")

    def _rest(self) -> None:
        # One is kept warm, one starts from a snapshot, one is moved from version to version by CodeDeploy.
        warm: dict[str, Any] = {"provisioned_concurrent_executions": 2}
        live = {
            name: lambda_.Alias(
                self, f"{name}Live", alias_name="live", version=self.functions[name].current_version, **options
            )
            for name, options in (("GetParcel", warm), ("QuotePrice", {}), ("Charge", {}))
        }
        check = self.functions["BeforeCharge"]
        self.functions["Charge"].grant_invoke(check)
        slowly = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES
        alias = live["Charge"]
        codedeploy.LambdaDeploymentGroup(self, "Charges", alias=alias, pre_hook=check, deployment_config=slowly)
        rest = apigateway.RestApi(self, "Rest")
        guard: Any = apigateway.TokenAuthorizer(self, "RestGuard", handler=self.functions["AuthorizeRest"])
        for row in REST:
            method, path = row.on.split()
            target: Any = apigateway.LambdaIntegration({**self.functions, **live}[row.name])
            rest.root.resource_for_path(path).add_method(method, target, authorizer=guard)

    def _http(self) -> None:
        http = apigatewayv2.HttpApi(self, "Http")
        guard: Any = HttpLambdaAuthorizer("Session", self.functions["AuthorizeHttp"])
        for row in HTTP:
            method, path = row.on.split()
            target: Any = HttpLambdaIntegration(row.name, self.functions[row.name])
            http.add_routes(path=path, methods=[apigatewayv2.HttpMethod(method)], integration=target, authorizer=guard)

    def _web_socket(self) -> None:
        sockets = apigatewayv2.WebSocketApi(self, "Talk")
        for route, name in (("$connect", "Connect"), ("$disconnect", "Disconnect"), ("say", "Say")):
            target: Any = WebSocketLambdaIntegration(name, self.functions[name])
            sockets.add_route(route, integration=target)
        sockets.grant_manage_connections(self.functions["Say"])
        apigatewayv2.WebSocketStage(self, "TalkLive", web_socket_api=sockets, stage_name="live", auto_deploy=True)

    def _graphql(self) -> None:
        guard, by = self.functions["AuthorizeGraphql"], appsync.AuthorizationType
        ask_guard = appsync.LambdaAuthorizerConfig(handler=guard)
        by_guard = appsync.AuthorizationMode(authorization_type=by.LAMBDA, lambda_authorizer_config=ask_guard)
        by_role = appsync.AuthorizationMode(authorization_type=by.IAM)
        api = appsync.GraphqlApi(
            self,
            "Graphql",
            name=f"{self.stack_name}-graphql",
            definition=appsync.Definition.from_file(str(HERE / "schema.graphql")),
            authorization_config={"default_authorization": by_guard, "additional_authorization_modes": [by_role]},
        )
        for row in GRAPHQL:
            kind, name = row.on.split()
            source = api.add_lambda_data_source(row.name, self.functions[row.name])
            source.create_resolver(f"{row.name}Field", type_name=kind, field_name=name)
        # The guard asks the API that it guards: in a policy apart, as in the role's own it would be a circle.
        ask = iam.PolicyStatement(actions=["appsync:GraphQL"], resources=[f"{api.arn}/*"])
        iam.Policy(self, "Ask", roles=[guard.role], statements=[ask])
