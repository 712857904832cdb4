"""Whose account it is, and whether the CDK can deploy there. Anything missing is one clear line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class Refused(Exception):
    """The run cannot begin; the text is one line that says why, and what to do."""


@dataclass(frozen=True)
class Account:
    """An account that may be deployed to.

    Attributes:
        session: with its credentials and region.
        account_id: twelve digits.
        region: `eu-west-1`.
        caller: the ARN of who deploys.
    """

    session: Any
    account_id: str
    region: str
    caller: str

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client. `options` are those of botocore's Config."""
        return self.session.client(service, config=Config(**options))


def find_account(region: str | None, qualifier: str) -> Account:
    """The account of the environment's credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, ...).

    Args:
        region: the region, instead of the environment's.
        qualifier: that of the CDK's bootstrap.

    Raises:
        Refused: there are no credentials, they do not work, there is no region, or the CDK was not bootstrapped.
    """
    try:
        # boto3 itself reads AWS_DEFAULT_REGION alone; the CDK and the other SDKs read this one.
        session: Any = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise Refused(f"the AWS configuration cannot be used: {error}") from error
    if credentials is None:
        raise Refused("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if session.region_name is None:
        raise Refused("no AWS region: set AWS_REGION, or give --region")
    try:
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise Refused(f"the AWS credentials do not work: {error}") from error
    account = Account(session, identity["Account"], session.region_name, identity["Arn"])
    try:
        account.client("ssm").get_parameter(Name=f"/cdk-bootstrap/{qualifier}/version")
    except (BotoCoreError, ClientError) as error:
        where = f"aws://{account.account_id}/{account.region}"
        raise Refused(f"the CDK is not bootstrapped there: run `npx cdk bootstrap {where}` ({error})") from error
    return account
