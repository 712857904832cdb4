"""Requests to AWS: clients that retry with back-off, and errors that say which IAM action is missing."""

from __future__ import annotations

from typing import Any, Final

from .failures import CliError
from .options import Place

_ATTEMPTS: Final = 8
"""Attempts of a request: botocore waits longer after each throttled one, up to 20 seconds
(https://docs.aws.amazon.com/boto3/latest/guide/retries.html)."""
_DENIED: Final = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
_THROTTLED: Final = "AWS asks for fewer requests: try again in a minute"
_MEANS: Final = {
    **dict.fromkeys(("ExpiredTokenException", "ExpiredToken"), "the credentials have expired: sign in again"),
    **dict.fromkeys(("UnrecognizedClientException", "InvalidClientTokenId"), "AWS does not know these credentials"),
    "ThrottlingException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "LimitExceededException": "the account runs its maximum of queries: try again later",
    "ResourceNotFoundException": "it does not exist in this account and region",
    "ResourceConflictException": "another update of it is running: wait, and run this again",
    "PreconditionFailedException": "it was changed in the meantime: review it, and run this again",
    "CodeVerificationFailedException": "Lambda refuses the function's code signature",
}


def client(service: str, place: Place) -> Any:
    """A client of boto3's.

    Raises:
        CliError: there is no region, or no such profile.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, NoRegionError

    try:
        session = boto3.Session(profile_name=place.profile, region_name=place.region)
        return session.client(service, config=Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}))
    except NoRegionError as error:
        raise CliError("no AWS region: give --region, or set AWS_DEFAULT_REGION") from error
    except BotoCoreError as error:
        raise CliError(f"no connection to AWS: {error}") from error


def call(client: Any, action: str, what: str, pages_of: str = "", **arguments: Any) -> Any:
    """Makes a request.

    Args:
        client: of the action's service.
        action: the IAM action, such as `logs:StartQuery`: its operation has the same name.
        what: its subject, for the error.
        pages_of: reads all pages: the key of the items in each.

    Raises:
        CliError: AWS denied it; the line names the next step.
    """
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError

    operation = xform_name(action.partition(":")[2])
    try:
        if not pages_of:
            return getattr(client, operation)(**arguments)
        return [each for page in client.get_paginator(operation).paginate(**arguments) for each in page[pages_of]]
    except ClientError as error:
        raise CliError(f"{what}: {_explain(action, error)}") from error
    except BotoCoreError as error:
        raise CliError(f"{what}: {error}") from error


def error_code(error: Any) -> str:
    """The code of a ClientError; empty for another error."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _explain(action: str, error: Any) -> str:
    """A ClientError in one line; a denied request names the IAM action."""
    code = error_code(error)
    message = " ".join(str(error.response.get("Error", {}).get("Message", error)).split())
    if code in _DENIED:
        return f"you need {action}: {message}"
    return _MEANS.get(code, f"{code}: {message}")
