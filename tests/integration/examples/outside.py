"""What an example's function talks to, on the loopback of its sandbox: a provider, a database, AWS, an attacker."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.replies import AnsweringNetwork, Trust
from shielded_function_emulator.sandbox import Sandbox, shield_lines
from shielded_function_emulator.web import Application, Receiver, WebServer

PROVIDER = "api.payments.example"
DATABASE = "stock.abcdefghijkl.us-east-1.rds.amazonaws.com"
CHARGE = {"id": "ch_0001", "status": "succeeded"}
ATTEMPTS = ("an address", "a name", "another's bucket", "a file", "a program")

_ATTACKER = "203.0.113.66"
_SERVICES: Any = ("dynamodb", "s3", "secretsmanager")
_ATTACKED = Path(__file__).with_name("attacked.py")


class Outside(AnsweringNetwork):
    """All that a function reaches, and what of it arrived. `queries`: how often the database was asked."""

    def __init__(self, sandbox: Sandbox, authority: CertificateAuthority, aws: Application) -> None:
        self.provider, self.queries = Receiver(CHARGE), 0
        super().__init__(sandbox, {PROVIDER: self.provider, "*.amazonaws.com": aws}, authority)
        self._listener, self._attacker = sandbox.socket(), WebServer(sandbox, (_ATTACKER, 443), Receiver("thank you"))

    def enter_parts(self, stack: ExitStack) -> None:
        super().enter_parts(stack)
        stack.enter_context(self._attacker)
        listener = stack.enter_context(self._listener)
        listener.bind((self.names.addresses(DATABASE)[0], 5432))
        listener.listen()
        threading.Thread(target=self._serve_database, args=(listener,), daemon=True).start()

    def _serve_database(self, listener: socket.socket) -> None:
        """Answers PostgreSQL's SSLRequest with no."""
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed: the sandbox is gone
            with client:
                if client.recv(8) == b"\0\0\0\x08\x04\xd2\x16\x2f":
                    self.queries += 1
                    client.sendall(b"N")


@contextmanager
def started(package: FunctionPackage, aws: Application | None = None) -> Iterator[tuple[EmulatedFunction, Outside]]:
    """The function in a sandbox, with `attacked.py` in front of its handler. Without `aws`, AWS takes everything."""
    with tempfile.TemporaryDirectory(prefix="examples-") as scratch, ExitStack() as stack:
        code = Path(scratch) / "code"
        package.unpack_code(code)
        (code / "attacked.py").write_text(_ATTACKED.read_text().replace("@HANDLER@", package.handler))
        attacked = replace(package, code=code, handler="attacked.handler")
        trust = stack.enter_context(Trust())
        function = stack.enter_context(EmulatedFunction(attacked, trust.environment, trust.mounts))
        yield function, stack.enter_context(Outside(function.sandbox, trust.authority, aws or Receiver({})))


def alerts(invocation: Invocation) -> list[tuple[str, str]]:
    """(policy, mode) of each alert line."""
    lines = shield_lines([line.message for line in invocation.log])
    return [(line["policy"], line["mode"]) for line in lines if "policy" in line]


class Aws:
    """moto's server application with one table, one bucket and one secret. Within `mock_aws`."""

    def __init__(self, table: str, bucket: str = "", secret: str = "") -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # a second to import

        self.application: Application = DomainDispatcherApplication(create_backend_app)
        self.dynamodb, self.s3, secrets = (boto3.client(n, region_name="us-east-1") for n in _SERVICES)
        key: Any = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
        key |= {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
        self.dynamodb.create_table(TableName=table, **key)
        order = {"id": {"S": "1042"}, "amount": {"N": "1999"}, "state": {"S": "paid"}}
        self.dynamodb.put_item(TableName=table, Item=order)
        if bucket:
            self.s3.create_bucket(Bucket=bucket)
        if secret:
            secrets.create_secret(Name=secret, SecretString=json.dumps({"username": "shop"}))
