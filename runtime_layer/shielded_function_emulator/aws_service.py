"""A simulated AWS in the sandbox: moto's server application with the tables of a template, which records the calls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from shielded_function_emulator.web import Environ, StartResponse
from shielded_function_monitoring.cfn.values import REGION

_DYNAMODB = "DynamoDB_20120810"
# The properties that AWS::DynamoDB::Table and CreateTable share.
_THROUGHPUT = ("BillingMode", "ProvisionedThroughput")
_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", *_THROUGHPUT)
_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/{}/dynamodb/aws4_request"


class AwsService:
    """A WSGI application. `calls`: the operations that arrived, as `DynamoDB_20120810.PutItem`."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]], region: str = REGION) -> None:
        # Imported late: it takes a second, and few need it.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.test import Client

        self._application: Any = DomainDispatcherApplication(create_backend_app)
        self._client = Client(self._application)
        self._region = region
        self.calls: list[str] = []
        for name, properties in tables.items():
            # moto's tables belong to the whole process: others are left alone, as they may be in use.
            self._post("DeleteTable", {"TableName": name})
            wanted = {key: properties[key] for key in _TABLE_PROPERTIES if key in properties}
            self._call("CreateTable", {"TableName": name, **wanted})

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.calls.append(environ.get("HTTP_X_AMZ_TARGET", environ["PATH_INFO"]))
        return self._application(environ, start_response)

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items of a table, in DynamoDB's own JSON."""
        return self._call("Scan", {"TableName": table})["Items"]

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        response = self._post(operation, parameters)
        if response.status_code != 200:
            raise RuntimeError(f"moto: {operation}: {response.get_data(as_text=True)}")
        return json.loads(response.get_data())

    def _post(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        return self._client.post(
            "/",
            base_url=f"https://dynamodb.{self._region}.amazonaws.com",
            data=json.dumps(parameters),
            content_type="application/x-amz-json-1.0",
            headers={"X-Amz-Target": f"{_DYNAMODB}.{operation}", "Authorization": _AUTHORIZATION.format(self._region)},
        )
